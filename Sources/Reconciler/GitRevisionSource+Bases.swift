package import GitSource
import Kinds
package import Kustomize
import Logging
import Model
package import Rendering
import Synchronization

/// The bases of kustomizations in other repositories: fetching them, and seeing that they have moved.
extension GitRevisionSource {
    /// The most bases in other repositories that are fetched for one rendering, be it of all overlays of a repository.
    private static let limit = 256
    private static let tooMany = GitError(
        .tooLarge, "more than \(limit) bases in other repositories are built on: keep what changes together in one")

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
        var bases = FetchedBases()
        return try await fetchingBases(&bases, render, givingUp: giveUp)
    }

    /// - Parameter bases: says which commits are wanted, and gets what was fetched.
    func fetchingBases(
        _ bases: inout FetchedBases, _ render: ([RemoteBase: any FileTree]) throws -> [Manifests],
        givingUp giveUp: (RemoteBaseError) throws -> Void = { throw $0 }
    ) async throws -> [Manifests] {
        var failed: Set<RemoteBase> = []
        var mended: Set<RemoteBase> = []
        while true {
            let rendered = try render(bases.trees)
            for (base, damage) in rendered.compactMap(\.damagedBase) where mended.insert(base).inserted {
                try await setAside(base, because: damage, in: bases.trees.removeValue(forKey: base))
            }
            let missing = rendered.compactMap(\.neededBase).filter { bases.trees[$0] == nil && !failed.contains($0) }
            if missing.isEmpty { return rendered }
            for base in missing where bases.trees[base] == nil && !failed.contains(base) {
                do {
                    guard bases.trees.count < Self.limit else { throw Self.tooMany }
                    bases.trees[base] = try await tree(of: base, at: bases.pins[PinnedRevision.name(of: base)])
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    failed.insert(base)
                    try giveUp(RemoteBaseError(base: base, cause: error))
                }
            }
        }
    }

    /// - Parameter pin: the commit that is wanted; `nil` for the one that the base stands for now.
    private func tree(of base: RemoteBase, at pin: ObjectID?) async throws -> Snapshot {
        let url = try RemoteURL(base.repository)
        let mirror = await mirrors.mirror(of: url)
        do {
            if let pin { return try await snapshot(pin.description, mirror, url) }
            return try await mirror.snapshot(base.request, credentials: credentials(url), progress: progress)
        } catch let error as GitError where error.kind == .damaged {
            try await setAside(base, because: error, in: nil)
            let request = try pin.map { RevisionRequest.commit($0) } ?? base.request
            return try await mirror.snapshot(request, credentials: credentials(url), progress: progress)
        }
    }

    private func setAside(_ base: RemoteBase, because damage: GitError, in tree: Snapshot?) async throws {
        let url = try RemoteURL(base.repository)
        logger.warning("\(url): \(damage); the mirror is set aside and cloned anew")
        try await mirrors.mirror(of: url).setAside(because: damage, in: tree)
    }

    // MARK: Bases that move

    /// The commits at which the bases of a commit are now, by `PinnedRevision.name(of:)`; bases that name a commit
    /// themselves cannot move and are not among them.
    ///
    /// An unmoved base costs its remote one round trip.
    ///
    /// - Throws: `RemoteBaseError` for one that cannot be asked, `GitError` for a commit that cannot be read. What is
    ///   wrong in its files is told when it is rendered.
    func movingBases(of source: ApplicationSource, at commit: String) async throws -> [String: ObjectID] {
        let identity = SourceIdentity(source)
        if let known = followed.withLock({ $0[identity] }), known.commit == commit,
            try await !haveMoved(known.bases)
        {
            return known.pins
        }
        let found = try await reading(commit, of: source) { try await bases(of: source, in: $0) }
        let moving = found.trees.mapValues(\.commit.sha).filter { !$0.key.isFixed }
        let now = FollowedBases(commit: commit, bases: moving)
        followed.withLock { followed in
            if followed.count >= Self.latestLimit { followed.removeAll() }
            followed[identity] = now
        }
        return now.pins
    }

    private func haveMoved(_ bases: [RemoteBase: ObjectID]) async throws -> Bool {
        var isMoved = false
        for (base, commit) in bases.sorted(by: { $0.key.text < $1.key.text }) {
            do {
                let url = try RemoteURL(base.repository)
                let now = try await mirrors.mirror(of: url).resolve(
                    try base.request, credentials: credentials(url), progress: progress)
                if now.sha == commit { continue }
                logger.notice("the base \(base) moved from \(commit) to \(now.sha)")
                isMoved = true
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                throw RemoteBaseError(base: base, cause: error)
            }
        }
        return isMoved
    }
}

/// The trees of bases, as they were fetched for a rendering.
struct FetchedBases {
    /// The commits that are wanted, by `PinnedRevision.name(of:)`.
    var pins: [String: ObjectID] = [:]
    var trees: [RemoteBase: Snapshot] = [:]

    /// Which commit of which base it is, in the order of the bases.
    var revisions: [BaseRevision] {
        trees.sorted { $0.key.text < $1.key.text }.map { base, tree in
            var revision = BaseRevision()
            revision.base = "\(base)"
            revision.revision = tree.commit.sha.description
            return revision
        }
    }
}

/// What a commit builds on that can move.
struct FollowedBases {
    var commit: String
    var bases: [RemoteBase: ObjectID]

    var pins: [String: ObjectID] {
        Dictionary(bases.map { (PinnedRevision.name(of: $0.key), $0.value) }) { first, _ in first }
    }
}

/// What decides, with a commit, which manifests a source selects.
struct SourceIdentity: Hashable {
    private let text: String

    init(_ source: ApplicationSource) {
        text = "\(source.repoURL)\n\(source.path ?? "")\n\(source.directory?.json.text() ?? "")"
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

extension RemoteBase {
    var request: RevisionRequest {
        get throws(GitError) { try RevisionRequest(reference.isEmpty ? "HEAD" : reference) }
    }

    /// Whether it names a commit.
    var isFixed: Bool { ObjectID(reference) != nil }
}

extension Manifests {
    /// The base whose repository has to be fetched first.
    package var neededBase: RemoteBase? {
        switch form {
        case .needs(let base), .damaged(let base, _): base
        case .files, .kustomize: nil
        }
    }

    /// The base whose mirror could not be read.
    var damagedBase: (RemoteBase, GitError)? {
        guard case .damaged(let base, let error) = form else { return nil }
        return (base, error)
    }
}
