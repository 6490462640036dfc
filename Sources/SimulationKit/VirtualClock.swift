import Cluster
import HeapModule
package import Model
import Synchronization

/// A clock that stands still while anything can run, and then jumps to the next moment that somebody waits for.
package final class VirtualClock: WallClock {
    /// When a sleeper wants to be woken; of equal deadlines whoever came first.
    private struct Alarm: Comparable {
        var deadline: Timestamp
        var id: Int

        static func < (left: Self, right: Self) -> Bool { (left.deadline, left.id) < (right.deadline, right.id) }
    }

    private struct State {
        var now: Timestamp
        /// Also those of sleepers that were cancelled since.
        var alarms = Heap<Alarm>()
        var sleepers: [Int: CheckedContinuation<Void, any Error>] = [:]
        var lastID = 0

        /// The next deadline that somebody still waits for.
        mutating func nextDeadline() -> Timestamp? {
            while let alarm = alarms.min, sleepers[alarm.id] == nil { alarms.removeMin() }
            return alarms.min?.deadline
        }
    }

    private let state: Mutex<State>

    /// - Parameter now: where time begins.
    package init(now: Timestamp = Timestamp(seconds: 1_700_000_000)) {
        state = Mutex(State(now: now))
    }

    package var now: Timestamp { state.withLock { $0.now } }

    package func sleep(until deadline: Timestamp) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.alarms.insert(Alarm(deadline: deadline, id: id))
                    state.sleepers[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
            sleeper?.resume(throwing: CancellationError())
        }
    }

    /// Moves on to the next deadline and wakes who waits for it; answers whether anybody waits at all.
    ///
    /// - Complexity: logarithmic in the number of sleepers, for each that is woken or was cancelled.
    func advance() -> Bool {
        let due = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
            guard let next = state.nextDeadline() else { return [] }
            state.now = next
            var due: [CheckedContinuation<Void, any Error>] = []
            while state.nextDeadline() == next {
                if let sleeper = state.sleepers.removeValue(forKey: state.alarms.removeMin().id) { due.append(sleeper) }
            }
            return due
        }
        for sleeper in due { sleeper.resume() }
        return !due.isEmpty
    }
}
