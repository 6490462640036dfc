import ArgumentParser
import Cluster
import FoundationEssentials
import GitSource
import Glibc
import Kinds
import Kustomize
import Logging
import Model
import Reconciler
import Rendering

/// Where a verb takes manifests from: a folder, a repository at a revision, or what an Application says.
struct ManifestOptions: ParsableArguments {
    @Argument(help: "A folder or file with manifests, or a repository's URL (default: .).", completion: .file())
    var location: String?

    @Option(
        help: ArgumentHelp(
            "A branch, tag or commit, instead of the files as they are or the repository's HEAD.", valueName: "rev"))
    var revision: String?
    @Option(help: ArgumentHelp("The folder with the manifests, below the location.", valueName: "path"))
    var path: String?
    @Flag(help: "Take the folders below it, too.")
    var recurse = false
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where objects go that name no namespace (default: default).", valueName: "namespace"))
    var namespace: String?

    var place: String { location ?? "." }

    /// `nil` when the location is a URL.
    ///
    /// - Throws: `CommandError` when it is neither a file, a folder nor a URL.
    func local() throws -> LocalManifests? {
        if let found = try LocalManifests(place, path: path ?? "") { return found }
        guard place.contains(":") else {
            throw CommandError("\(place): there is no such file or folder, and it is no URL of a repository")
        }
        return nil
    }
}

/// Manifests in a folder of this machine, and the repository that it lies in.
struct LocalManifests {
    /// What the person wrote.
    let place: String
    let copy: WorkingCopy?
    /// The top folder of what may be read, and the folder or file of the manifests in it.
    let root: String
    let path: String
    /// Knows what the folder's kustomization gives, where that had to be built to find what it builds on.
    let kustomizer: Kustomizer

    init?(_ place: String, path: String) throws {
        guard let pointer = realpath(place, nil) else { return nil }
        defer { free(pointer) }
        let real = String(cString: pointer)
        self.place = place
        // A pre-receive hook judges commits that are not among the repository's own objects yet.
        copy = try WorkingCopy(containing: real, quarantine: Connection.currentEnvironment["GIT_QUARANTINE_PATH"])
        let folder: String
        var status = stat()
        var kustomizer = Kustomizer()
        if let copy, let inside = copy.path(of: real) {
            root = copy.root
            folder = inside
        } else if stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            (root, kustomizer) = Self.top(of: path.isEmpty ? real : "\(real)/\(path)", from: real)
            folder = real == root ? "" : String(real.dropFirst(root.count + 1))
        } else {
            let slash = real.lastIndex(of: "/") ?? real.startIndex
            root = slash == real.startIndex ? "/" : String(real[..<slash])
            folder = String(real[real.index(after: slash)...])
        }
        self.kustomizer = kustomizer
        self.path = [folder, path].filter { !$0.isEmpty && $0 != "." }.joined(separator: "/")
    }

    /// Outside of Git a folder is all there is, but for what its kustomization builds on; bases are looked for below
    /// the folder in which the person is, too.
    private static func top(of directory: String, from folder: String) -> (String, Kustomizer) {
        var start = folder
        if let pointer = realpath(".", nil) {
            let here = String(cString: pointer)
            free(pointer)
            if here != "/", folder.hasPrefix(here + "/") { start = here }
        }
        return Kustomizer().top(of: directory, from: start) { (folder) throws(GitError) in try WorkingTree(folder) }
    }

    /// The files as they are, or as they are at a revision. Of a bare repository there are only revisions.
    func tree(at revision: String?) throws -> any FileTree {
        guard let copy else {
            guard let revision else { return try WorkingTree(root) }
            throw CommandError("\(place) is in no Git repository, so it has no revision \(revision)")
        }
        if let revision { return try copy.snapshot(PinnedRevision(revision).commit) }
        return copy.isBare ? try copy.snapshot("HEAD") : try WorkingTree(root)
    }
}

/// Renders manifests for a verb, with mirrors of remote repositories in a cache directory of the user.
struct ManifestLoader {
    var cluster: (any Cluster)?

    private func source(_ kinds: @autoclosure @escaping @Sendable () -> KnownKinds) -> GitRevisionSource {
        let logger = Logger(label: "martlet") { LineLogHandler(label: $0, level: .warning, isJSON: false) }
        return GitRevisionSource(
            mirrors: Mirrors(
                dataDirectory: Self.cacheDirectory,
                settings: TransferSettings(environment: Connection.currentEnvironment), logger: logger), logger: logger,
            kinds: { kinds() }, credentials: RepositoryCredentials(cluster: cluster).credentials,
            progress: TransferDisplay.onTerminal()?.show)
    }

    private static var cacheDirectory: String {
        let environment = Connection.currentEnvironment
        if let path = environment["XDG_CACHE_HOME"], path.hasPrefix("/") { return "\(path)/martlet" }
        if let home = environment["HOME"], !home.isEmpty { return "\(home)/.cache/martlet" }
        return "/var/cache/martlet"
    }

    /// What the location holds, or at `revision` held.
    ///
    /// - Throws: `CommandError` when it holds no manifests at all, which is always a mistake.
    func load(_ options: ManifestOptions, namespace: String, revision: String?) async throws -> DesiredState {
        let state = try await loadAny(options, namespace: namespace, revision: revision)
        guard state.objects.isEmpty, state.faults.isEmpty else { return state }
        var text = "there are no manifests (*.yaml, *.yml, *.json) in \(options.place)"
        if let path = options.path { text += " \(path)" }
        if !options.recurse {
            var deeper = options
            deeper.recurse = true
            let below = try await loadAny(deeper, namespace: namespace, revision: revision)
            if !below.objects.isEmpty || !below.faults.isEmpty {
                text += "; folders below it have some: name one of them, or add --recurse"
            }
        }
        throw CommandError(text)
    }

    /// What the location held at an earlier revision, which may be nothing.
    func loadEarlier(_ options: ManifestOptions, namespace: String, revision: String) async throws -> DesiredState {
        do {
            return try await loadAny(options, namespace: namespace, revision: revision)
        } catch let error as GitError where error.kind == .pathNotFound {
            return DesiredState(revision: revision, objects: [])
        }
    }

    private func loadAny(
        _ options: ManifestOptions, namespace: String, revision: String?
    ) async throws -> DesiredState {
        var source = ApplicationSource()
        if options.recurse {
            var directory = ApplicationSourceDirectory()
            directory.recurse = true
            source.directory = directory
        }
        if let local = try options.local() {
            source.path = local.path
            return try await render(local, source, namespace: namespace, revision: revision)
        }
        source.repoURL = options.place
        source.path = options.path
        source.targetRevision = revision ?? "HEAD"
        return try await load(source, namespace)
    }

    /// What a source selects among files of this machine.
    func render(
        _ local: LocalManifests, _ source: ApplicationSource, namespace: String, revision: String?
    ) async throws -> DesiredState {
        let options = try RenderingOptions(source, namespace: namespace)
        let tree = try local.tree(at: revision)
        return try await withKnownKinds { kinds in
            let renderer = Renderer(kustomizer: local.kustomizer)
            let manifests = try await fetchingBases { remotes in
                [try renderer.render(tree, options, kinds: kinds, remotes: remotes)]
            }
            return DesiredState(manifests[0], revision: revision ?? local.place)
        }
    }

    /// Renders, with the bases in other repositories that kustomizations build on.
    ///
    /// - Throws: `RemoteBaseError` for one that cannot be fetched, and what `render` throws.
    func fetchingBases(
        _ render: ([RemoteBase: any FileTree]) throws -> [Manifests],
        givingUp giveUp: (RemoteBaseError) throws -> Void = { throw $0 }
    ) async throws -> [Manifests] {
        let rendered = try render([:])
        // Most need no base from elsewhere, and nothing of what fetching one takes. A hook that judges a push reaches
        // for nothing: whoever may push would make the server read, with its own keys, what only the server may.
        let isHook = Connection.currentEnvironment["GIT_QUARANTINE_PATH"] != nil
        guard rendered.contains(where: { $0.neededBase != nil }), !isHook else { return rendered }
        return try await source(.builtIn).fetchingBases(render, givingUp: giveUp)
    }

    /// The files of a remote repository at a revision.
    func tree(of url: String, at revision: String) async throws -> any FileTree {
        var source = ApplicationSource()
        source.repoURL = url
        source.targetRevision = revision
        let git = self.source(.builtIn)
        return try await git.tree(source, revision: try await git.commit(of: source).commit)
    }

    /// A source at its target revision.
    func load(_ source: ApplicationSource, _ namespace: String) async throws -> DesiredState {
        let revision = try await self.source(.builtIn).commit(of: source).description
        return try await withKnownKinds { kinds in
            try await self.source(kinds).render(source, revision: revision, namespace: namespace)
        }
    }

    /// Kinds that Martlet does not know itself may be known to the cluster, which is asked only where that matters.
    private func withKnownKinds(_ render: (KnownKinds) async throws -> DesiredState) async throws -> DesiredState {
        let state = try await render(.builtIn)
        guard !state.faults.isEmpty, let cluster else { return state }
        return try await render(KnownKinds(served: try await cluster.resourceTypes()))
    }
}
