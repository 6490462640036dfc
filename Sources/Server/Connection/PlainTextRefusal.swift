import NIOCore

/// Looks at a connection's first byte and lets only TLS pass.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The type of a TLS record with a handshake message (RFC 8446, 5.1).
    private static let handshake: UInt8 = 22

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let buffer = unwrapInboundIn(data)
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return }
        guard first != Self.handshake else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            return
        }
        isRefused = true
        // As Kubernetes answers, so that a person with a wrong URL learns what is wrong.
        let message = "Client sent an HTTP request to an HTTPS server.\n"
        let answer =
            "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(message.utf8.count)\r\nConnection: close\r\n\r\n\(message)"
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.value.writeAndFlush(wrapOutboundOut(context.value.channel.allocator.buffer(string: answer)))
            .whenComplete { _ in context.value.close(promise: nil) }
    }
}
