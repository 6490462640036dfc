package import Model
import Synchronization

/// One task waits, others tell it that there is something to look at; tellings before the wait are not lost, and many
/// of them wake it once.
package final class Signal: Sendable {
    private struct State {
        var isRaised = false
        /// The deadline of the present wait has come.
        var isExpired = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func raise() {
        let waiter = state.withLock { state in
            let waiter = state.waiter.take()
            if waiter == nil { state.isRaised = true }
            return waiter
        }
        // Not under the lock: a waiter that is being cancelled holds its task's lock, which this needs, and waits for
        // ours.
        waiter?.resume()
    }

    /// Returns after a `raise()`, or when the task is cancelled. At most one task waits at a time.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    precondition(state.waiter == nil, "a signal has one waiter")
                    if state.isRaised || state.isExpired || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }

    /// Returns after a `raise()`, at `deadline`, or when the task is cancelled, whichever is first.
    package func wait(until deadline: Timestamp?, on clock: any WallClock) async {
        // What was told already takes no task to wait for.
        guard let deadline, !state.withLock({ $0.isRaised }) else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Thrown only when cancelled, which is how the group ends the sleep after a signal.
                try? await clock.sleep(until: deadline)
                self.expire()
            }
            await wait()
            group.cancelAll()
        }
        state.withLock { $0.isExpired = false }
    }

    private func expire() {
        let waiter = state.withLock { state in
            state.isExpired = true
            return state.waiter.take()
        }
        waiter?.resume()
    }
}
