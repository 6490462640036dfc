import ArgumentParser
import Cluster
import FoundationEssentials
import KubernetesClient
import Logging

/// The options that say which engine or cluster a verb talks to.
struct Connection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The service's data directory (default: $MARTLET_DATA_DIR, else by the XDG rules).", valueName: "dir"),
        completion: .directory)
    var dataDir: String?

    @Option(
        help: ArgumentHelp("A kubeconfig file to use instead (default: $KUBECONFIG).", valueName: "file"),
        completion: .file())
    var kubeconfig: String?

    @Option(help: ArgumentHelp("A context of the kubeconfig (default: its current one).", valueName: "name"))
    var context: String?

    /// The directory where `serve` keeps everything: the option, `MARTLET_DATA_DIR`, else by the XDG rules.
    static func dataDirectory(_ option: String?, _ environment: [String: String] = currentEnvironment) -> String {
        if let option { return option }
        if let path = environment["MARTLET_DATA_DIR"], !path.isEmpty { return path }
        if let path = environment["XDG_DATA_HOME"], path.hasPrefix("/") { return "\(path)/martlet" }
        if let home = environment["HOME"], !home.isEmpty { return "\(home)/.local/share/martlet" }
        return "/var/lib/martlet"
    }

    static var currentEnvironment: [String: String] { ProcessInfo.processInfo.environment }

    /// An explicit option wins over the environment, a data directory over a kubeconfig of the same rank.
    private var kubeconfigPath: String {
        if let kubeconfig { return kubeconfig }
        let environment = Self.currentEnvironment
        if dataDir == nil, (environment["MARTLET_DATA_DIR"] ?? "").isEmpty,
            let path = environment["KUBECONFIG"]?.split(separator: ":").first
        {
            return String(path)
        }
        return "\(Self.dataDirectory(dataDir))/kubeconfig"
    }

    /// The same choice, for another verb.
    var arguments: [String] {
        [("--data-dir", dataDir), ("--kubeconfig", kubeconfig), ("--context", context)].flatMap { name, value in
            value.map { [name, $0] } ?? []
        }
    }

    func connect() throws -> any Cluster {
        let path = kubeconfigPath
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw CommandError(
                "there is no readable kubeconfig at \(path); start 'martlet serve' first, or name another one with "
                    + "--data-dir or --kubeconfig")
        }
        return try KubernetesClient(kubeconfig: path, context: context)
    }
}

extension KubernetesClient {
    /// A client for a context of a kubeconfig file, by default the current one.
    convenience init(kubeconfig path: String, context: String? = nil) throws {
        let access = try ClusterAccess(kubeconfig: TextFile.read(path), path: path, context: context)
        let logger = Logger(label: "martlet") { LineLogHandler(label: $0, level: .warning, isJSON: false) }
        try self.init(access, clock: SystemClock(), logger: logger)
    }
}
