package import Model
import Synchronization

/// A work queue with workers: keys go in from anywhere, each is worked on by one worker at a time.
///
/// Nearly all queues are of object keys. What is done for every key is compiled for those: code for any type of key
/// would look up what it needs to know of the type each time.
package final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var work = WorkQueueState<Key>()
        var idlers: [(id: Int, continuation: CheckedContinuation<Key?, Never>)] = []
        var lastID = 0

        /// Takes ready keys for waiting workers.
        mutating func handovers() -> [Handover] {
            var handovers: [Handover] = []
            while !idlers.isEmpty, let key = work.next() {
                handovers.append(Handover(key: key, continuation: idlers.removeFirst().continuation))
            }
            return handovers
        }
    }

    /// A key for a worker that waits.
    private struct Handover {
        var key: Key?
        var continuation: CheckedContinuation<Key?, Never>
    }

    /// What the work on one key came to.
    package enum Outcome: Hashable, Sendable {
        case done
        /// Fine so far; look again then, even if nothing changes.
        case again(at: Timestamp)
    }

    private let state = Mutex(State())
    private let timer = Signal()
    private let clock: any WallClock
    private let retryLimit: Int?

    /// - Parameter retryLimit: failures in a row after which a key is dropped until it is added anew; `nil`: never.
    package init(clock: any WallClock, retryLimit: Int? = nil) {
        self.clock = clock
        self.retryLimit = retryLimit
    }

    @specialized(where Key == ObjectKey)
    package func add(_ key: Key) {
        change { $0.work.add(key) }
    }

    @specialized(where Key == ObjectKey)
    package func add(_ key: Key, at due: Timestamp) {
        let earlier = state.withLock { state in
            let before = state.work.nextDue()
            state.work.add(key, at: due)
            return state.work.nextDue() != before
        }
        if earlier { timer.raise() }
    }

    /// Whether nothing is being worked on or ready to be; keys that wait for their time do not count.
    package var isIdle: Bool { state.withLock { $0.work.isIdle } }

    /// Works until the task is cancelled.
    ///
    /// - Parameters:
    ///   - failed: is told of every failed attempt and whether it was the last; the queue itself reports nothing.
    ///   - work: does the work for one key. Throwing means: try again later.
    package func run(
        workers: Int = 1,
        failed: @escaping @Sendable (Key, any Error, WorkQueueState<Key>.Retry) -> Void = { _, _, _ in },
        _ work: @escaping @Sendable (Key) async throws -> Outcome
    ) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.promoteDelayed() }
            for _ in 0..<workers {
                group.addTask {
                    while let key = await self.next() { await self.attempt(key, failed: failed, work) }
                }
            }
        }
    }

    private func attempt(
        _ key: Key, failed: @Sendable (Key, any Error, WorkQueueState<Key>.Retry) -> Void,
        _ work: @Sendable (Key) async throws -> Outcome
    ) async {
        do {
            let outcome = try await work(key)
            finish(key, forgettingFailures: true)
            if case .again(let due) = outcome { add(key, at: due) }
        } catch {
            finish(key, forgettingFailures: false)
            if error is CancellationError || Task.isCancelled { return }
            let retry = state.withLock { $0.work.fail(key, at: clock.now, limit: retryLimit) }
            timer.raise()
            failed(key, error, retry)
        }
    }

    @specialized(where Key == ObjectKey)
    private func finish(_ key: Key, forgettingFailures: Bool) {
        change { state in
            if forgettingFailures { state.work.forget(key) }
            state.work.finish(key)
        }
    }

    /// Changes the state and hands ready keys to waiting workers, these after the lock has been let go: a worker that
    /// is being cancelled holds its task's lock, which a resumption needs, and waits for this one.
    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, handovers) = state.withLock { state in
            let result = body(&state)
            return (result, state.handovers())
        }
        for handover in handovers { handover.continuation.resume(returning: handover.key) }
        return result
    }

    private func promoteDelayed() async {
        while !Task.isCancelled {
            await timer.wait(until: promote(at: clock.now), on: clock)
        }
    }

    /// Hands out keys whose time has come; answers when there are more.
    @specialized(where Key == ObjectKey)
    private func promote(at now: Timestamp) -> Timestamp? {
        change { state in
            state.work.promote(at: now)
            return state.work.nextDue()
        }
    }

    /// The next key, or `nil` when the task is cancelled.
    private func next() async -> Key? {
        let id = newID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !enlist(id, continuation) { continuation.resume(returning: nil) }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                state.idlers.firstIndex { $0.id == id }.map { state.idlers.remove(at: $0).continuation }
            }
            waiting?.resume(returning: nil)
        }
    }

    @specialized(where Key == ObjectKey)
    private func newID() -> Int {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Lets a worker wait for a key; false when its task is cancelled.
    @specialized(where Key == ObjectKey)
    private func enlist(_ id: Int, _ continuation: CheckedContinuation<Key?, Never>) -> Bool {
        change { state in
            if Task.isCancelled { return false }
            state.idlers.append((id, continuation))
            return true
        }
    }
}
