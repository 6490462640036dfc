import ArgumentParser
import Cluster
import Glibc
import Model
import Server

struct KubeconfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", _superCommandName: "martlet",
        abstract: "Make a kubeconfig for somebody else, with a certificate of their own.",
        usage: "martlet kubeconfig --user <name> [<options>]",
        discussion: """
            Whoever is in the group system:masters may do everything; everybody else may see what kinds there are, and \
            who they are. The certificate cannot be taken back: let it end soon. Your own kubeconfig, with a token, is \
            the file 'kubeconfig' in the data directory.

            Exit codes: 0 written, 2 an error.
            """)

    @Option(help: ArgumentHelp("Who it is for: the name in the certificate.", valueName: "name"))
    var user: String
    @Option(help: ArgumentHelp("A group that the user is in (repeatable).", valueName: "name"))
    var group: [String] = []
    @Option(help: ArgumentHelp("For how many days it lets in.", valueName: "days"))
    var days = 90
    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write, for its owner alone (default: standard output)."),
        completion: .file())
    var output: String?
    @Flag(help: "Replace the file if there is one.")
    var replace = false
    @OptionGroup var place: StorePlace

    func validate() throws {
        guard !user.isEmpty else { throw ValidationError("--user must not be empty") }
        guard !group.contains("") else { throw ValidationError("--group must not be empty: leave it out for none") }
        guard output != nil || !replace else { throw ValidationError("--replace goes with --output") }
        guard (1...3650).contains(days) else { throw ValidationError("--days must be between 1 and 3650") }
    }

    func run() throws {
        if let output, !replace, access(output, F_OK) == 0 {
            throw CommandError("\(output): there is such a file already; --replace replaces it")
        }
        let document = try KubeconfigFile.document(
            for: user, groups: group, lifetime: .seconds(days * 86400), directory: place.directory,
            at: SystemClock().now)
        let text = YAML.text(document)
        guard let output else { return print(text, terminator: "") }
        try PrivateFile.write(Array(text.utf8), to: output)
        print("\(output): a kubeconfig for \(user), good for \(days) \(days == 1 ? "day" : "days")")
    }
}
