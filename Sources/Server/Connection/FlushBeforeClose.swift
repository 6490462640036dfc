import NIOCore

/// Lets what was written before a close reach the client.
///
/// The HTTP/2 layer closes a connection that is to end as soon as its last stream has, which is before the last frame
/// of that stream is flushed: clients would take the end of an answer for a broken connection.
final class FlushBeforeClose: ChannelOutboundHandler {
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.flush()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // After what is under way in this turn of the loop.
        context.eventLoop.execute { bound.value.close(mode: mode, promise: promise) }
    }
}
