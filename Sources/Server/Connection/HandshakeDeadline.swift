import NIOCore
import NIOTLS

/// Closes a connection on which TLS does not stand in time, or when the server stops: one that says nothing would cost
/// a file descriptor for ever.
final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        switch event {
        case TLSUserEvent.handshakeCompleted:
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        // The server stops, and nothing was begun here that could be finished.
        case is ChannelShouldQuiesceEvent: context.close(promise: nil)
        default: break
        }
    }
}
