import Cluster
import Kinds
import Model
import Reconciler
import Synchronization

/// A repository of at most two commits, the second of which is pushed when the rehearsal begins.
final class RehearsalSource: RevisionSource {
    struct Unknown: Error, CustomStringConvertible {
        var revision: String
        var description: String { "revision \(revision) is not part of the rehearsal" }
    }

    private struct State {
        /// `nil`: the repository does not answer yet.
        var head: String?
        var followers: [AsyncStream<Void>.Continuation] = []
    }

    private let states: [String: DesiredState]
    private let state: Mutex<State>
    private let pushed = Signal()

    /// - Parameter head: what the repository shows until `push`.
    init(_ states: [DesiredState], head: String?) {
        self.states = Dictionary(states.map { ($0.revision, $0) }) { _, last in last }
        state = Mutex(State(head: head))
    }

    func push(_ revision: String) {
        let followers = state.withLock { state in
            state.head = revision
            return state.followers
        }
        pushed.raise()
        for follower in followers { follower.yield() }
    }

    func resolve(_ source: ApplicationSource) async throws -> String {
        while true {
            if let head = state.withLock({ $0.head }) { return head }
            try Task.checkCancellation()
            await pushed.wait()
        }
    }

    func render(_ source: ApplicationSource, revision: String, namespace: String) async throws -> DesiredState {
        guard let state = states[revision] else { throw Unknown(revision: revision) }
        return state
    }

    func changes(of source: ApplicationSource) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.followers.append(continuation) }
        return stream
    }
}
