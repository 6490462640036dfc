import Cluster
import Synchronization

/// Runs the jobs of a simulation on one thread, the next one picked by a seeded generator: every seed is one
/// interleaving, and the same seed the same one.
///
/// Tasks inherit it by `executorPreference`, and with them their children, task groups and actors; unstructured tasks
/// do not, which is why there are none.
final class SeededExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var random: SplitMix64
        var steps = 0
        /// A digest of every pick, to compare two runs by.
        var digest: UInt64 = 14_695_981_039_346_656_037
    }

    private let state: Mutex<State>

    init(seed: UInt64) {
        state = Mutex(State(random: SplitMix64(seed: seed)))
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    var steps: Int { state.withLock { $0.steps } }
    var digest: UInt64 { state.withLock { $0.digest } }

    /// Runs one job; answers whether there was one.
    func step() -> Bool {
        let job = state.withLock { state -> UnownedJob? in
            guard !state.jobs.isEmpty else { return nil }
            let pick = Int.random(in: 0..<state.jobs.count, using: &state.random)
            state.steps += 1
            state.digest = (state.digest ^ UInt64(pick) ^ UInt64(state.jobs.count) << 32) &* 1_099_511_628_211
            let last = state.jobs.count - 1
            state.jobs.swapAt(pick, last)
            return state.jobs.removeLast()
        }
        guard let job else { return false }
        job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }
}
