import NIOCore

/// Runs tasks on the thread of an event loop: those that answer the requests of its connections.
///
/// What is read, answered and written there changes no thread on its way, which for small requests costs more than
/// their work. What takes long goes elsewhere (`APIResponder.answer`), since everybody else on the loop would wait.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
