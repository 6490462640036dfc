import Glibc
import Synchronization
package import Testing

/// Runs tests that block their thread (a simulation, a wait for a program) on a few threads of their own.
///
/// Swift's own pool has one thread for each core: two simulations would hold up everything else in the process until
/// they end, and what waits with a deadline would fail.
package struct BlockingTests: TestTrait, SuiteTrait, TestScoping {
    package let isRecursive = true

    @concurrent package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingThreads.shared) { try await function() }
    }
}

extension Trait where Self == BlockingTests {
    /// The test blocks its thread.
    package static var blocking: Self { Self() }
}

/// A few threads with one queue; they live as long as the process.
private final class BlockingThreads: TaskExecutor {
    static let shared = BlockingThreads(count: 4)

    private let jobs = Mutex<[UnownedJob]>([])
    // A semaphore is made to be shared by threads.
    nonisolated(unsafe) private let waiting = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    private init(count: Int) {
        sem_init(waiting, 0, 0)
        for _ in 0..<count {
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<BlockingThreads>.fromOpaque(argument).takeRetainedValue().work() }
                    return nil
                }, Unmanaged.passRetained(self).toOpaque())
            pthread_detach(thread)
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        sem_post(waiting)
    }

    private func work() {
        while true {
            while sem_wait(waiting) != 0 {}
            let job = jobs.withLock { $0.removeFirst() }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
