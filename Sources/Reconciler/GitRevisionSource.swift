import Cluster
package import GitSource
package import Kinds
package import Logging
import Model
package import Rendering
import Synchronization

/// Revisions from Git: mirrors under the data directory, rendered with a cache by blob.
package final class GitRevisionSource: RevisionSource {
    let mirrors: Mirrors
    private let renderer: Renderer
    private let kinds: @Sendable () async throws -> KnownKinds
    let credentials: @Sendable (RemoteURL) async throws -> Credentials
    let logger: Logger
    let progress: (@Sendable (TransferProgress) -> Void)?
    /// The latest rendering per source: the next commit costs what differs from it.
    private let latest = Mutex<[String: (manifests: Manifests, state: DesiredState)]>([:])
    /// What the commit of each source that was resolved last builds on in other repositories.
    let followed = Mutex<[SourceIdentity: FollowedBases]>([:])
    /// For which namespace a source was rendered last.
    private let namespaces = Mutex<[SourceIdentity: String]>([:])

    /// How many renderings are kept to render increments from.
    static let latestLimit = 256

    /// - Parameters:
    ///   - kinds: what is known of kinds; asked at each rendering, since kinds come and go.
    ///   - credentials: what to show a remote; asked at each contact, so that rotation needs no restart.
    ///   - progress: is told how far a transfer is, on any thread.
    package init(
        mirrors: Mirrors, renderer: Renderer = Renderer(), logger: Logger,
        kinds: @escaping @Sendable () async throws -> KnownKinds = { .builtIn },
        credentials: @escaping @Sendable (RemoteURL) async throws -> Credentials,
        progress: (@Sendable (TransferProgress) -> Void)? = nil
    ) {
        self.progress = progress
        self.mirrors = mirrors
        self.renderer = renderer
        self.kinds = kinds
        self.logger = logger
        self.credentials = credentials
    }

    package func resolve(_ source: ApplicationSource) async throws -> String {
        var revision = try await commit(of: source)
        if revision.bases.isEmpty { revision.bases = try await movingBases(of: source, at: revision.commit) }
        return revision.description
    }

    /// The commit that the target revision stands for now. Bases are those that it names itself, if any: nothing is
    /// rendered to find others.
    package func commit(of source: ApplicationSource) async throws -> PinnedRevision {
        let url = try RemoteURL(source.repoURL)
        var revision = PinnedRevision(source.targetRevision ?? "HEAD")
        let commit = try await mirrors.mirror(of: url).resolve(
            try RevisionRequest(revision.commit), credentials: credentials(url), progress: progress)
        revision.commit = commit.sha.description
        return revision
    }

    package func render(
        _ source: ApplicationSource, revision: String, namespace: String
    ) async throws -> DesiredState {
        let kinds = try await kinds()
        let revision = PinnedRevision(revision)
        namespaces.withLock { namespaces in
            if namespaces.count >= Self.latestLimit { namespaces.removeAll() }
            namespaces[SourceIdentity(source)] = namespace
        }
        return try await reading(revision.commit, of: source) { tree in
            try await render(tree, source, namespace, revision, kinds).state
        }
    }

    /// Reads the tree of a commit. Where its mirror turns out to be damaged, it is cloned anew and read once more.
    func reading<Value>(
        _ commit: String, of source: ApplicationSource, _ body: (Snapshot) async throws -> Value
    ) async throws -> Value {
        let url = try RemoteURL(source.repoURL)
        let mirror = await mirrors.mirror(of: url)
        do {
            return try await body(try await snapshot(commit, mirror, url))
        } catch let error as GitError where error.kind == .damaged {
            logger.warning("\(url): \(error); the mirror is set aside and cloned anew")
            try await mirror.setAside(because: error)
            return try await body(try await snapshot(commit, mirror, url))
        }
    }

    /// The files of a commit, which `resolve` has named.
    package func tree(_ source: ApplicationSource, revision: String) async throws -> any FileTree {
        let url = try RemoteURL(source.repoURL)
        return try await snapshot(PinnedRevision(revision).commit, await mirrors.mirror(of: url), url)
    }

    /// A commit that was fetched before is read without asking the remote.
    func snapshot(_ revision: String, _ mirror: Mirror, _ url: RemoteURL) async throws -> Snapshot {
        if let id = ObjectID(revision), let known = try mirror.snapshot(of: id) { return known }
        return try await mirror.snapshot(RevisionRequest(revision), credentials: credentials(url), progress: progress)
    }

    private func render(
        _ tree: any FileTree, _ source: ApplicationSource, _ namespace: String, _ revision: PinnedRevision,
        _ kinds: KnownKinds
    ) async throws -> (state: DesiredState, bases: FetchedBases) {
        let options = try RenderingOptions(source, namespace: namespace)
        let key = "\(source.repoURL)\n\(source.path ?? "")\n\(namespace)\n\(source.directory?.json.text() ?? "")"
        let previous = latest.withLock { $0[key] }
        var bases = FetchedBases(pins: revision.bases)
        let rendered = try await fetchingBases(&bases) { remotes in
            let earlier = remotes.isEmpty ? previous?.manifests : nil
            return [try renderer.render(tree, options, kinds: kinds, previous: earlier, remotes: remotes)]
        }[0]
        let name = revision.description
        var state =
            previous.flatMap { DesiredState(rendered, revision: name, after: $0.state, of: $0.manifests) }
            ?? DesiredState(rendered, revision: name)
        state.bases = bases.revisions
        latest.withLock { latest in
            if latest.count >= Self.latestLimit { latest.removeAll() }
            latest[key] = (rendered, state)
        }
        return (state, bases)
    }

    /// The bases that a commit is built on now, found by building it; nothing where there is nothing to build.
    func bases(of source: ApplicationSource, in tree: Snapshot) async throws -> FetchedBases {
        guard renderer.builds(tree, RenderingOptions(path: source.path ?? "")) else { return FetchedBases() }
        // Where it was rendered for before, so that the build is there when it is rendered next.
        let namespace = namespaces.withLock { $0[SourceIdentity(source)] } ?? ""
        return try await render(
            tree, source, namespace, PinnedRevision(commit: "\(tree.commit.sha)"), try await kinds()
        ).bases
    }

    package func changes(of source: ApplicationSource) -> AsyncStream<Void> {
        // A URL that cannot be read, and a missing libgit2, are reported by `resolve`; here they only mean that nothing
        // will be told.
        guard let url = try? RemoteURL(source.repoURL), case .local(let path) = url.location,
            let repository = try? LocalRepository(path)
        else { return AsyncStream { $0.finish() } }
        let watcher: PushWatcher
        do {
            watcher = try PushWatcher(repository)
        } catch {
            logger.warning("\(error); pushes are seen by polling only")
            return AsyncStream { $0.finish() }
        }
        return AsyncStream {
            do {
                return try await watcher.change()
            } catch {
                // Cancelled, or the repository is gone.
                return nil
            }
        }
    }
}

extension RenderingOptions {
    /// What an Application's source selects, for a destination namespace.
    package init(_ source: ApplicationSource, namespace: String) throws {
        self.init(
            path: source.path ?? "", recurse: source.directory?.recurse ?? false,
            include: try source.directory?.include.flatMap { $0.isEmpty ? Glob?.none : try Glob($0) },
            exclude: try source.directory?.exclude.flatMap { $0.isEmpty ? Glob?.none : try Glob($0) },
            namespace: namespace)
    }
}

extension DesiredState {
    /// What a rendering wants, each object with its place and a fingerprint that follows its content.
    package init(_ manifests: Manifests, revision: String) {
        self.init(
            revision: revision, objects: manifests.manifests.map { DesiredObject($0, of: manifests.tree) },
            faults: manifests.errors.map(\.description))
    }

    /// The same, at the cost of what differs from an earlier rendering; `nil` when that is much.
    fileprivate init?(
        _ manifests: Manifests, revision: String, after earlier: DesiredState, of earlierManifests: Manifests
    ) {
        let changed = manifests.keysChanged(since: earlierManifests)
        guard changed.count <= 64 else { return nil }
        self.init(
            earlier, revision: revision, replacing: changed,
            with: changed.compactMap { manifests[$0] }.map { DesiredObject($0, of: manifests.tree) },
            faults: manifests.errors.map(\.description))
    }
}

extension DesiredObject {
    /// - Parameter tree: where the manifest was read. Only that is held on to: an object outlives its rendering.
    package convenience init(_ manifest: Manifest, of tree: any FileTree) {
        let source = manifest.source
        self.init(
            object: manifest.object, origin: "\(source.file):\(source.mark.line)",
            fingerprint: "\(manifest.content)/\(source.document)/\(source.item.count)/\(manifest.key.namespace)",
            locate: { "\(source.file):\(source.mark(of: $0, in: tree))" })
    }
}
