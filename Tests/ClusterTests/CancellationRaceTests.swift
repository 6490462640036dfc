import Cluster
import Model
import SimulationKit
import Testing

/// A cancellation runs its handlers under the task's own lock, which whoever resumes that task needs too: a resumption
/// under a lock that the handler takes would stop both for good.
@Suite("Waiting tasks that are cancelled as they are woken", .timeLimit(.minutes(2)))
struct CancellationRaceTests {
    private static let rounds = 3000

    /// Ends `wait` by cancelling it while another thread does `wake`, again and again.
    private func race(
        _ wait: @escaping @Sendable () async -> Void, against wake: @escaping @Sendable () -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: globalConcurrentExecutor) { for _ in 0..<50 { wake() } }
            group.addTask(executorPreference: globalConcurrentExecutor) {
                await withTaskGroup(of: Void.self) { waiting in
                    waiting.addTask { await wait() }
                    waiting.addTask { await Task.yield() }
                    await waiting.next()
                    waiting.cancelAll()
                }
            }
        }
    }

    @Test("a queue's workers end, whatever is added meanwhile")
    func queue() async {
        for round in 0..<Self.rounds {
            let queue = WorkQueue<Int>(clock: VirtualClock())
            await race({ await queue.run(workers: 2) { _ in .done } }, against: { queue.add(round) })
        }
    }

    @Test("a signal's waiter ends, however often it is raised meanwhile")
    func signal() async {
        for _ in 0..<Self.rounds {
            let signal = Signal()
            await race(
                { while !Task.isCancelled { await signal.wait() } }, against: { signal.raise() })
        }
    }
}
