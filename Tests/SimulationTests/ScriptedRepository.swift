import Cluster
import Kinds
import Model
import Reconciler
import Rendering
import Synchronization

@testable import GitSource

/// A repository that only exists in a simulation: its commits are rendered by the real renderer.
final class ScriptedRepository: RevisionSource {
    struct Commit: Sendable {
        var name: String
        var version: Shop.Version
        var isValid = true
        var files: [String: String]

        /// Whether it can be deployed and becomes healthy.
        var isGood: Bool { version == .good && isValid }
    }

    struct Outage: Error, CustomStringConvertible {
        var description: String { "the repository cannot be reached" }
    }

    private struct State {
        var commits: [Commit] = []
        var isReachable = true
        var followers: [AsyncStream<Void>.Continuation] = []
        /// Revisions that are not found before the signal is raised.
        var slow: [String: Signal] = [:]
    }

    private let state = Mutex(State())

    var commits: [Commit] { state.withLock { $0.commits } }
    var head: Commit? { commits.last }

    func commit(_ name: String) -> Commit? { commits.first { $0.name == name } }

    /// - Parameter isTold: whether followers hear of it at once; else it is found by asking.
    func push(_ commit: Commit, isTold: Bool) {
        let followers = state.withLock { state in
            state.commits.append(commit)
            return isTold ? state.followers : []
        }
        for follower in followers { follower.yield() }
    }

    func setReachable(_ isReachable: Bool) { state.withLock { $0.isReachable = isReachable } }

    /// Lets who asks for a revision wait until `answer` is called.
    func hang(_ revision: String) { state.withLock { $0.slow[revision] = Signal() } }

    func answer(_ revision: String) { state.withLock { $0.slow.removeValue(forKey: revision) }?.raise() }

    /// A commit's name stands for itself, every other revision for the last one.
    func resolve(_ source: ApplicationSource) async throws -> String {
        let name = source.targetRevision ?? "HEAD"
        if let signal = state.withLock({ $0.slow[name] }) {
            await signal.wait()
            try Task.checkCancellation()
        }
        let (commits, isReachable) = state.withLock { ($0.commits, $0.isReachable) }
        guard isReachable, let commit = commits.first(where: { $0.name == name }) ?? commits.last else {
            throw Outage()
        }
        return commit.name
    }

    /// As from a mirror: works for what was fetched before, reachable or not.
    func render(_ source: ApplicationSource, revision: String, namespace: String) async throws -> DesiredState {
        guard let commit = commit(revision) else { throw Outage() }
        let options = try RenderingOptions(source, namespace: namespace)
        return DesiredState(try Renderer().render(CommitTree(commit: commit), options), revision: revision)
    }

    func changes(of source: ApplicationSource) -> AsyncStream<Void> {
        // Many pushes are one piece of news.
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.followers.append(continuation) }
        return stream
    }
}

private struct CommitTree: FileTree {
    var commit: ScriptedRepository.Commit
    var label: String { "commit \(commit.name)" }

    func files(under path: String, recursive: Bool) throws(GitError) -> FileListing {
        var listing = FileListing()
        listing.files = commit.files.sorted { $0.key < $1.key }.map { name, text in
            FileEntry(path: name, blob: WorkingTree.blobID(of: Array(text.utf8)))
        }
        return listing
    }

    func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] {
        Array((commit.files[file.path] ?? "").utf8)
    }
}
