import ArgumentParser
import Glibc
import Logging
import Model
import Reconciler

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", _superCommandName: "martlet",
        abstract: "Run the service: engine, API server and reconciler.", usage: "martlet serve [<options>]",
        discussion: """
            Pods keep running when the service stops, and are adopted when it starts again; --stop-pods ends them, \
            each with its grace. SIGHUP asks Git at once; SIGTERM and SIGINT stop gracefully, a second one at once.

            Exit codes: 0 stopped, 2 could not start or went wrong.
            """)

    @Option(
        help: ArgumentHelp(
            "Where everything is kept (default: $MARTLET_DATA_DIR, else by the XDG rules).", valueName: "dir"))
    var dataDir: String?
    @Option(help: ArgumentHelp("The address of the API server.", valueName: "address:port"))
    var listen = "127.0.0.1:7443"

    @Option(help: ArgumentHelp("A repository to follow; may be repeated.", valueName: "url"))
    var repo: [String] = []
    @Option(
        help: ArgumentHelp("The folder with the manifests, for the repository at the same place.", valueName: "path"))
    var path: [String] = []
    @Option(help: ArgumentHelp("A branch, tag or commit, likewise.", valueName: "rev"))
    var revision: [String] = []
    @Option(help: ArgumentHelp("The Application's name, likewise (default: the repository's).", valueName: "name"))
    var appName: [String] = []
    @Option(help: ArgumentHelp("The namespace that is deployed to, likewise.", valueName: "namespace"))
    var destination: [String] = []
    @Option(
        help: ArgumentHelp(
            "How long everything must stay healthy before a commit counts as healthy.", valueName: "time"))
    var bakeTime: String?
    @Option(help: ArgumentHelp("How often Git is asked without a reason to.", valueName: "time"))
    var interval = "60s"

    @Option(help: "The number of logical nodes that share this machine.")
    var nodes = 1
    @Option(help: "What runs containers: process or simulated.")
    var runtime = RuntimeChoice.process
    @Option(
        help: ArgumentHelp(
            "The command that an image stands for, quoted as in a shell; may be repeated.", valueName: "name=command"))
    var image: [String] = []
    @Option(help: ArgumentHelp("A YAML file with such entries: IMAGE: [COMMAND, ARGUMENT…].", valueName: "file"))
    var imageMap: String?
    @Flag(help: "End all pods when the service is stopped.")
    var stopPods = false

    @Option(help: "Log lines as text or json.")
    var logFormat = LogFormat.text
    @Option(help: "The least level that is logged: trace, debug, info, notice, warning, error.")
    var logLevel = "info"

    enum RuntimeChoice: String, ChoiceArgument {
        case process, simulated
    }

    enum LogFormat: String, ChoiceArgument {
        case text, json
    }

    func validate() throws {
        guard DurationText.parse(interval) != nil else {
            throw ValidationError("--interval: \"\(interval)\" is no duration; try 60s")
        }
        if let bakeTime, DurationText.parse(bakeTime) == nil {
            throw ValidationError("--bake-time: \"\(bakeTime)\" is no duration; try 10s")
        }
        guard (1...500).contains(nodes) else { throw ValidationError("--nodes: 1 to 500") }
        guard ListenAddress(listen) != nil else {
            throw ValidationError("--listen: \"\(listen)\" is no ADDRESS:PORT; try 127.0.0.1:7443")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("--log-level: \"\(logLevel)\" is none of \(Logger.Level.allCases.map(\.rawValue))")
        }
        for (name, values) in [
            ("--path", path), ("--revision", revision), ("--app-name", appName), ("--destination", destination),
        ]
        where values.count > repo.count {
            throw ValidationError("\(name) stands \(values.count) times, but --repo only \(repo.count) times")
        }
    }

    func run() async throws {
        Heap.configure()
        do {
            let service = try MartletService(self)
            try await service.run()
        } catch {
            writeAll("error: \(error)\n", to: STDERR_FILENO)
            throw ExitCode(2)
        }
    }
}

/// `127.0.0.1:7443`, or `[::1]:7443`.
struct ListenAddress: Hashable {
    var host: String
    var port: Int

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = port
    }
}
