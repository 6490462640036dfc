import Cluster
package import GitSource
package import Kinds
package import Kustomize
package import Logging
import Model
package import Rendering
import Synchronization

/// Revisions from Git: mirrors under the data directory, rendered with a cache by blob.
package final class GitRevisionSource: RevisionSource {
    private let mirrors: Mirrors
    private let renderer: Renderer
    private let kinds: @Sendable () async throws -> KnownKinds
    private let credentials: @Sendable (RemoteURL) async throws -> Credentials
    private let logger: Logger
    private let progress: (@Sendable (TransferProgress) -> Void)?
    /// The latest rendering per source: the next commit costs what differs from it.
    private let latest = Mutex<[String: (manifests: Manifests, state: DesiredState)]>([:])

    /// How many renderings are kept to render increments from.
    private static let latestLimit = 256

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
        let url = try RemoteURL(source.repoURL)
        let request = try RevisionRequest(source.targetRevision ?? "HEAD")
        let commit = try await mirrors.mirror(of: url).resolve(
            request, credentials: credentials(url), progress: progress)
        return commit.sha.description
    }

    package func render(
        _ source: ApplicationSource, revision: String, namespace: String
    ) async throws -> DesiredState {
        let url = try RemoteURL(source.repoURL)
        let mirror = await mirrors.mirror(of: url)
        let kinds = try await kinds()
        do {
            return try await render(try await snapshot(revision, mirror, url), source, namespace, revision, kinds)
        } catch let error as GitError where error.kind == .damaged {
            logger.warning("\(url): \(error); the mirror is set aside and cloned anew")
            try await mirror.setAside(because: error)
            return try await render(try await snapshot(revision, mirror, url), source, namespace, revision, kinds)
        }
    }

    /// The files of a commit, which `resolve` has named.
    package func tree(_ source: ApplicationSource, revision: String) async throws -> any FileTree {
        let url = try RemoteURL(source.repoURL)
        return try await snapshot(revision, await mirrors.mirror(of: url), url)
    }

    /// A commit that was fetched before is read without asking the remote.
    private func snapshot(_ revision: String, _ mirror: Mirror, _ url: RemoteURL) async throws -> Snapshot {
        if let id = ObjectID(revision), let known = try await mirror.snapshot(of: id) { return known }
        return try await mirror.snapshot(RevisionRequest(revision), credentials: credentials(url), progress: progress)
    }

    /// The most bases in other repositories that are fetched for one rendering, be it of all overlays of a repository.
    private static let remoteLimit = 256

    private func render(
        _ tree: any FileTree, _ source: ApplicationSource, _ namespace: String, _ revision: String,
        _ kinds: KnownKinds
    ) async throws -> DesiredState {
        let options = try RenderingOptions(source, namespace: namespace)
        let key = "\(source.repoURL)\n\(source.path ?? "")\n\(namespace)\n\(source.directory?.json.text() ?? "")"
        let previous = latest.withLock { $0[key] }
        let rendered = try await fetchingBases { remotes in
            let earlier = remotes.isEmpty ? previous?.manifests : nil
            return [try renderer.render(tree, options, kinds: kinds, previous: earlier, remotes: remotes)]
        }[0]
        let state =
            previous.flatMap { DesiredState(rendered, revision: revision, after: $0.state, of: $0.manifests) }
            ?? DesiredState(rendered, revision: revision)
        latest.withLock { latest in
            if latest.count >= Self.latestLimit { latest.removeAll() }
            latest[key] = (rendered, state)
        }
        return state
    }

    /// Renders, and as often as a kustomization builds on other repositories, fetches those and renders anew.
    ///
    /// - Parameters:
    ///   - render: is given the trees that are there by now.
    ///   - giveUp: told of a base that cannot be fetched; where it does not throw, the rest goes on without that base.
    /// - Throws: `CancellationError`, and what `giveUp` and `render` throw.
    package func fetchingBases(
        _ render: ([RemoteBase: any FileTree]) throws -> [Manifests],
        givingUp giveUp: (RemoteBaseError) throws -> Void = { throw $0 }
    ) async throws -> [Manifests] {
        var remotes: [RemoteBase: any FileTree] = [:]
        var failed: Set<RemoteBase> = []
        while true {
            let rendered = try render(remotes)
            let missing = rendered.compactMap(\.neededBase).filter { remotes[$0] == nil && !failed.contains($0) }
            if missing.isEmpty { return rendered }
            for base in missing where remotes[base] == nil && !failed.contains(base) {
                do {
                    guard remotes.count < Self.remoteLimit else { throw Self.tooManyBases }
                    remotes[base] = try await tree(of: base)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    failed.insert(base)
                    try giveUp(RemoteBaseError(base: base, cause: error))
                }
            }
        }
    }

    private static let tooManyBases = GitError(
        .tooLarge,
        "more than \(remoteLimit) bases in other repositories are built on: keep what changes together in one")

    /// The tree of a base in another repository, as its revision is now.
    private func tree(of base: RemoteBase) async throws -> any FileTree {
        let url = try RemoteURL(base.repository)
        let request = try RevisionRequest(base.reference.isEmpty ? "HEAD" : base.reference)
        let mirror = await mirrors.mirror(of: url)
        do {
            return try await mirror.snapshot(request, credentials: credentials(url), progress: progress)
        } catch let error as GitError where error.kind == .damaged {
            logger.warning("\(url): \(error); the mirror is set aside and cloned anew")
            try await mirror.setAside(because: error)
            return try await mirror.snapshot(request, credentials: credentials(url), progress: progress)
        }
    }

    package func changes(of source: ApplicationSource) -> AsyncStream<Void> {
        // A URL that cannot be read is reported by `resolve`; here it only means that nothing will be told.
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

/// A base of a kustomization whose repository, or revision in it, cannot be had.
package struct RemoteBaseError: Error, CustomStringConvertible {
    package var base: RemoteBase
    package var cause: any Error

    package var description: String {
        let mark = base.mark.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(base.file.isEmpty ? "" : "\(base.file)\(mark): ")the base \(base): \(cause)"
    }
}

extension Manifests {
    /// The base whose repository has to be fetched first.
    package var neededBase: RemoteBase? {
        guard case .needs(let base) = form else { return nil }
        return base
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
