import ArgumentParser
import Cluster
import FoundationEssentials
import KubernetesClient
import Logging

/// The options that say which engine or cluster a verb talks to.
struct Connection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service's data directory (default: $MARTLET_DATA_DIR, else by the XDG rules).", valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("A kubeconfig file to use instead (default: $KUBECONFIG).", valueName: "file"))
    var kubeconfig: String?

    /// The directory where `serve` keeps everything: the option, `MARTLET_DATA_DIR`, else by the XDG rules.
    static func dataDirectory(_ option: String?, _ environment: [String: String] = currentEnvironment) -> String {
        if let option { return option }
        if let path = environment["MARTLET_DATA_DIR"], !path.isEmpty { return path }
        if let path = environment["XDG_DATA_HOME"], !path.isEmpty { return "\(path)/martlet" }
        if let home = environment["HOME"], !home.isEmpty { return "\(home)/.local/share/martlet" }
        return "/var/lib/martlet"
    }

    static var currentEnvironment: [String: String] { ProcessInfo.processInfo.environment }

    /// An explicit option wins over the environment, a data directory over a kubeconfig of the same rank.
    private var kubeconfigPath: String {
        if let kubeconfig { return kubeconfig }
        let environment = Self.currentEnvironment
        if dataDir == nil, environment["MARTLET_DATA_DIR"] == nil, let path = environment["KUBECONFIG"], !path.isEmpty {
            return path
        }
        return "\(Self.dataDirectory(dataDir))/kubeconfig"
    }

    func connect() throws -> any Cluster {
        let path = kubeconfigPath
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw CommandError(
                "there is no readable kubeconfig at \(path); start 'martlet serve' first, or name another one with "
                    + "--data-dir or --kubeconfig")
        }
        return try KubernetesClient(kubeconfig: path)
    }
}

/// What went wrong with a command, said to a person; exit code 2.
struct CommandError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension KubernetesClient {
    /// A client for the current context of a kubeconfig file.
    convenience init(kubeconfig path: String) throws {
        let access = try ClusterAccess(kubeconfig: [UInt8](Data(contentsOf: URL(filePath: path))), path: path)
        let logger = Logger(label: "martlet") { LineLogHandler(label: $0, level: .warning, isJSON: false) }
        try self.init(access, clock: SystemClock(), logger: logger)
    }
}
