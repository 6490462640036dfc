import CLibgit2
import Glibc

/// A thread of its own for calls that block, as the executor of one actor.
///
/// libgit2 blocks in the network and on the disk. On the cooperative pool such calls would starve every other task (two
/// cores have two pool threads), so an actor that makes them runs here instead. The actor's callers only `await` it.
/// Because the actor's code runs inside the caller's task, `Task.isCancelled` holds in libgit2's callbacks too.
///
/// The thread starts with the first job and ends when the executor is released.
package final class BlockingThread: SerialExecutor {
    private let jobs: JobQueue

    package init(name: String) {
        jobs = JobQueue(name: name)
    }

    deinit { jobs.close() }

    package func enqueue(_ job: consuming ExecutorJob) {
        jobs.append(UnownedJob(job), of: self)
    }
}

/// Jobs in order of arrival. A pthread condition, since a thread (no task) waits here.
///
/// `@unchecked`: every access to the mutable fields holds `lock`.
private final class JobQueue: @unchecked Sendable {
    private let name: String
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [(job: UnownedJob, executor: BlockingThread)] = []
    private var isStarted = false
    private var isClosed = false

    init(name: String) {
        self.name = name
        pthread_mutex_init(lock, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(lock)
        arrived.deallocate()
        lock.deallocate()
    }

    func append(_ job: UnownedJob, of executor: BlockingThread) {
        pthread_mutex_lock(lock)
        waiting.append((job, executor))
        let mustStart = !isStarted
        isStarted = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(lock)
        if mustStart { start() }
    }

    func close() {
        pthread_mutex_lock(lock)
        isClosed = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(lock)
    }

    private func start() {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let queue = Unmanaged<JobQueue>.fromOpaque(argument).takeRetainedValue()
                queue.run()
                return nil
            }, argument)
        precondition(failure == 0, "cannot start a thread: \(String(cString: strerror(failure)))")
        pthread_setname_np(thread, String(name.prefix(15)))
        pthread_detach(thread)
    }

    private func run() {
        while let (job, executor) = next() {
            job.runSynchronously(on: executor.asUnownedSerialExecutor())
        }
    }

    private func next() -> (job: UnownedJob, executor: BlockingThread)? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(arrived, lock)
        }
        return waiting.removeFirst()
    }
}
