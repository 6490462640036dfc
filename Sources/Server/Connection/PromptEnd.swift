import NIOCore
import Synchronization

/// Whether the server is to stop.
final class Stopping: Sendable {
    let isTrue = Atomic<Bool>(false)
}

/// Once the server is to stop, lets no client hold that up which does not answer the goodbye of TLS: most wait for the
/// end of the connection, but one that reads nothing would cost a second.
final class PromptEnd: ChannelOutboundHandler {
    typealias OutboundIn = Any

    /// What the handler of TLS is called in the pipeline; it is nearer to the network than this one.
    static let tls = "tls"
    /// Long enough for the answer of a client that listens.
    static let patience = TimeAmount.milliseconds(50)

    private let stopping: Stopping

    init(_ stopping: Stopping) {
        self.stopping = stopping
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.close(mode: mode, promise: promise)
        guard stopping.isTrue.load(ordering: .relaxed) else { return }
        end(context, attempts: 20)
    }

    /// Closes the connection beneath TLS, when what was written has left.
    private func end(_ context: ChannelHandlerContext, attempts: Int) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.patience) {
            let (handler, context) = bound.value
            let channel = context.channel
            guard channel.isActive else { return }
            // A client that reads slowly has as long as it has otherwise.
            if attempts > 1, !channel.isWritable {
                handler.end(context, attempts: attempts - 1)
            } else {
                do {
                    try channel.pipeline.syncOperations.context(name: Self.tls).close(promise: nil)
                } catch {
                    // The connection ended by itself meanwhile.
                }
            }
        }
    }
}
