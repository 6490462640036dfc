import ArgumentParser
import Cluster
import FoundationEssentials
import GitSource
import Kinds
import Logging
import Model
import Reconciler
import Rendering

/// Where a verb takes manifests from: a folder, a repository at a revision, or what an Application says.
struct ManifestOptions: ParsableArguments {
    @Argument(help: "A folder or file with manifests, or the URL of a repository.")
    var location: String?

    @Option(help: "With a repository (or a working copy): a branch, tag or commit.")
    var revision: String?
    @Option(help: "With a repository: the folder with the manifests.")
    var path: String?
    @Flag(help: "Folders below it, too.")
    var recurse = false
    @Option(name: .shortAndLong, help: "Where objects go that name no namespace.")
    var namespace: String?
}

/// Renders manifests for a verb, with mirrors in a cache directory of the user.
struct ManifestLoader {
    var cluster: (any Cluster)?

    private var source: GitRevisionSource {
        let logger = Logger(label: "martlet") { LineLogHandler(label: $0, level: .warning, isJSON: false) }
        return GitRevisionSource(
            mirrors: Mirrors(dataDirectory: Self.cacheDirectory, logger: logger), logger: logger,
            credentials: RepositoryCredentials(cluster: cluster).credentials)
    }

    private static var cacheDirectory: String {
        let environment = Connection.currentEnvironment
        if let path = environment["XDG_CACHE_HOME"], !path.isEmpty { return "\(path)/martlet" }
        return environment["HOME"].map { "\($0)/.cache/martlet" } ?? "/var/cache/martlet"
    }

    /// What `location` holds, or at `revision` held.
    func load(_ options: ManifestOptions, namespace: String, revision: String?) async throws -> DesiredState {
        let location = options.location ?? "."
        if FileManager.default.fileExists(atPath: location) {
            guard let revision else { return try workingTree(location, options, namespace) }
            return try await workingCopy(location, options, namespace, revision)
        }
        guard location.contains(":") else {
            throw CommandError("\(location): there is no such file or folder, and it is no URL of a repository")
        }
        var source = ApplicationSource()
        source.repoURL = location
        source.path = options.path
        source.targetRevision = revision ?? "HEAD"
        return try await load(source, namespace, recurse: options.recurse)
    }

    /// A source at its target revision.
    func load(_ source: ApplicationSource, _ namespace: String, recurse: Bool = false) async throws -> DesiredState {
        var source = source
        if recurse {
            var directory = source.directory ?? ApplicationSourceDirectory()
            directory.recurse = true
            source.directory = directory
        }
        let git = self.source
        return try await git.render(source, revision: git.resolve(source), namespace: namespace)
    }

    private func workingTree(_ path: String, _ options: ManifestOptions, _ namespace: String) throws -> DesiredState {
        let (root, file) = Self.split(path)
        let rendering = RenderingOptions(path: file, recurse: options.recurse, namespace: namespace)
        return DesiredState(try Renderer().render(WorkingTree(root), rendering), revision: path)
    }

    /// The same folder of the repository that it lies in, at a revision.
    private func workingCopy(
        _ path: String, _ options: ManifestOptions, _ namespace: String, _ revision: String
    ) async throws -> DesiredState {
        let absolute = URL(filePath: path).standardizedFileURL.path
        var root = absolute
        while !FileManager.default.fileExists(atPath: "\(root)/.git") {
            guard let slash = root.lastIndex(of: "/"), root != "/" else {
                throw CommandError("\(path) is in no Git repository, so it has no revision \(revision)")
            }
            root = String(root[..<slash])
            if root.isEmpty { root = "/" }
        }
        var source = ApplicationSource()
        source.repoURL = root
        source.path = String(absolute.dropFirst(root.count).drop { $0 == "/" })
        source.targetRevision = revision
        return try await load(source, namespace, recurse: options.recurse)
    }

    /// A folder is a root of its own; a file lies in its folder.
    private static func split(_ path: String) -> (root: String, file: String) {
        var isDirectory = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        if isDirectory { return (path, "") }
        let url = URL(filePath: path).standardizedFileURL
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }
}
