package import Cluster
package import Kinds
package import Model
import Synchronization

/// Answers lists and watches as a script says, one step after the other, and notes what it was asked and when.
package final class ScriptedCluster: Cluster {
    package enum Step: Sendable {
        case list([Object], at: String, next: String? = nil)
        case refuseList(APIError)
        case watch([Turn])
        case refuseWatch(APIError)
    }

    /// What one watch does; at the end of its turns the stream ends.
    package enum Turn: Sendable {
        case tell(WatchEvent)
        case pause(Duration)
        case fail(APIError)
        /// Says nothing, until nobody waits any more.
        case hang
    }

    /// One request, and the virtual time since the start at which it came.
    package struct Call: Hashable, Sendable {
        package var text: String
        package var time: Duration

        package init(text: String, time: Duration) {
            self.text = text
            self.time = time
        }
    }

    private struct State {
        var steps: ArraySlice<Step>
        var calls: [Call] = []
    }

    private let clock: any WallClock
    private let start: Timestamp
    private let state: Mutex<State>

    package init(_ steps: [Step], clock: any WallClock) {
        self.clock = clock
        start = clock.now
        state = Mutex(State(steps: steps[...]))
    }

    package var calls: [Call] { state.withLock { $0.calls } }
    package var stepsLeft: Int { state.withLock { $0.steps.count } }

    private func next(_ text: String) -> Step? {
        state.withLock { state in
            state.calls.append(Call(text: text, time: clock.now - start))
            return state.steps.popFirst()
        }
    }

    package func list(_ query: ListQuery) async throws(APIError) -> ObjectList {
        let text = "list" + (query.continueToken.map { " \($0)" } ?? "")
        switch next(text) {
        case .list(let items, let version, let token):
            return ObjectList(items: items, resourceVersion: version, continueToken: token)
        case .refuseList(let error): throw error
        case .watch, .refuseWatch: throw APIError(.internalError, "the script has a watch here, not a list")
        case nil: throw APIError(.internalError, "the script is at its end")
        }
    }

    package func watch(_ query: ListQuery, from resourceVersion: String?) async throws(APIError) -> WatchStream {
        switch next("watch \(resourceVersion ?? "everything")") {
        case .watch(let turns):
            let player = Player(turns, clock)
            return WatchStream { try await player.event() }
        case .refuseWatch(let error): throw error
        case .list, .refuseList: throw APIError(.internalError, "the script has a list here, not a watch")
        case nil: throw APIError(.internalError, "the script is at its end")
        }
    }

    private final class Player: Sendable {
        private let rest: Mutex<ArraySlice<Turn>>
        private let clock: any WallClock

        init(_ turns: [Turn], _ clock: any WallClock) {
            rest = Mutex(turns[...])
            self.clock = clock
        }

        func event() async throws -> WatchEvent? {
            while let turn = rest.withLock({ $0.popFirst() }) {
                switch turn {
                case .tell(let event): return event
                case .pause(let duration): try await clock.sleep(for: duration)
                case .fail(let error): throw error
                case .hang: try await clock.sleep(for: .seconds(1_000_000))
                }
            }
            return nil
        }
    }

    // MARK: What a follower never asks

    private static let refusal = APIError(.methodNotAllowed, "what follows a collection only lists and watches")

    package func resourceTypes() async throws(APIError) -> [ResourceType] { throw Self.refusal }
    package func get(_ key: ObjectKey, version: String?) async throws(APIError) -> Object { throw Self.refusal }
    package func create(_ object: Object, options: WriteOptions) async throws(APIError) -> Object { throw Self.refusal }
    package func update(
        _ object: Object, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object { throw Self.refusal }
    package func patch(
        _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object { throw Self.refusal }
    package func delete(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) -> Object {
        throw Self.refusal
    }
    package func evict(_ pod: ObjectKey, options: DeleteOptions) async throws(APIError) { throw Self.refusal }
    package func logs(_ query: LogQuery) async throws(APIError) -> LogStream { throw Self.refusal }
}
