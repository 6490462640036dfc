import Glibc
import Synchronization

/// The thread that waits for the disk.
///
/// A thread of its own, since `fdatasync` blocks for as long as the disk likes: on a thread of the cooperative pool, of
/// which a small machine has one or two, it would stop every task of the process. Only where a commit is known to be
/// quick, and nobody else writes, is it done elsewhere (`Store.commitAlone`).
// Sendable: the semaphore is made for use by many threads, and `isStopping` is atomic.
final class CommitThread: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>
    private let isStopping = Atomic(false)

    /// - Parameter work: called on the thread after every `wake`; one call may serve several of them.
    init(work: @escaping @Sendable () -> Void) throws(StoreError) {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
        let context = Unmanaged.passRetained(Body(thread: self, work: work))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .io(path: "commit thread", message: String(cString: strerror(code)))
        }
        pthread_detach(thread)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wake() {
        sem_post(semaphore)
    }

    /// Lets the thread end once it has finished what it is doing.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wake()
    }

    private final class Body {
        let thread: CommitThread
        let work: @Sendable () -> Void

        init(thread: CommitThread, work: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.work = work
        }

        func run() {
            while true {
                // Interrupted by a signal: wait again.
                while sem_wait(thread.semaphore) != 0 {}
                if thread.isStopping.load(ordering: .acquiring) { return }
                work()
            }
        }
    }
}
