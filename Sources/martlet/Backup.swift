import ArgumentParser
import Store

/// The data directory of a verb that looks into it without its service.
struct StorePlace: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service's data directory (default: $MARTLET_DATA_DIR, else by the XDG rules).", valueName: "dir"),
        completion: .directory)
    var dataDir: String?

    var directory: String { Connection.dataDirectory(dataDir) }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", _superCommandName: "martlet",
        abstract: "Copy all objects of a data directory to a file, while its service runs.",
        usage: "martlet backup <file> [<options>]",
        discussion: """
            The file is a consistent copy of one instant, readable by its owner only: Secrets are in it. Keys, the \
            token and the pods' own files are not; 'martlet restore' puts the objects back.

            Exit codes: 0 written, 2 an error; nothing is left then.
            """)

    @Argument(help: "The file to write; it must not exist.", completion: .file())
    var file: String
    @OptionGroup var place: StorePlace

    func run() throws {
        let count = try StoreBackup.write(place.directory, to: file)
        print("\(count) \(count == 1 ? "object" : "objects") written to \(file)")
    }
}

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", _superCommandName: "martlet",
        abstract: "Put the objects of a backup into a data directory that no service uses.",
        usage: "martlet restore <file> [<options>]",
        discussion: """
            A store that is there is set aside, and only with --replace. When the service starts, it makes the machine \
            equal to what was restored: pods that are not there are started, others are ended.

            Exit codes: 0 restored, 2 an error; nothing is changed then.
            """)

    @Argument(help: "What 'martlet backup' wrote.", completion: .file())
    var file: String
    @Flag(help: "Set the present store aside (store.db.replaced).")
    var replace = false
    @OptionGroup var place: StorePlace

    func run() throws {
        let directory = place.directory
        try DataDirectory.make(directory)
        let result = try StoreBackup.restore(file, into: directory, replacing: replace)
        print("\(result.objects) \(result.objects == 1 ? "object" : "objects") restored into \(directory)")
        if let replaced = result.replaced { print("what was there is now \(replaced)") }
    }
}
