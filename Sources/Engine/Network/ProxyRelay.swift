import NIOCore

/// One end of a proxied connection: what it reads, its peer writes.
///
/// Both ends live on one event loop, so that handing bytes over is a function call. Bytes are not copied: the buffer
/// that was read is the buffer that is written, and one flush follows each batch of reads. An end whose peer cannot
/// take more does not read (back-pressure); an end that reads end-of-file closes only its peer's output (half-close).
final class ProxyRelay: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a half-closed connection may be silent before it is given up: its other side may never speak again.
    private let halfClosedLimit: TimeAmount
    private var context: ChannelHandlerContext?
    private var peer: ProxyRelay?
    private var isReadHeld = false
    private var inputClosed = false
    private var outputClosed = false
    private var hasFailed = false
    private var lastActivity = NIODeadline.now()
    private var silenceCheck: Scheduled<Void>?

    private init(halfClosedLimit: TimeAmount) {
        self.halfClosedLimit = halfClosedLimit
    }

    static func pair(halfClosedLimit: TimeAmount) -> (ProxyRelay, ProxyRelay) {
        let (left, right) = (
            ProxyRelay(halfClosedLimit: halfClosedLimit), ProxyRelay(halfClosedLimit: halfClosedLimit)
        )
        left.peer = right
        right.peer = left
        return (left, right)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        peer = nil
        silenceCheck?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActivity = .now()
        peer?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        peer?.context?.flush()
    }

    func read(context: ChannelHandlerContext) {
        if peer?.context?.channel.isWritable ?? false {
            context.read()
        } else {
            isReadHeld = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { peer?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        inputClosed = true
        peer?.finishOutput()
        closeWhenDone()
    }

    func channelInactive(context: ChannelHandlerContext) {
        let peer = self.peer
        self.peer = nil
        // NIO closes a channel whose output is closed already when it reads end-of-file, without telling of that first.
        // Anything else is a reset or an abort, and the other side must not take it for an orderly end.
        if (inputClosed || outputClosed) && !hasFailed { peer?.closeAfterWrites() } else { peer?.abort() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        hasFailed = true
        context.close(promise: nil)
    }

    private func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    /// Says end-of-file to this side once everything before it is written.
    private func finishOutput() {
        guard !outputClosed, let context else { return }
        outputClosed = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            guard let context = self.context else { return }
            context.close(mode: .output).assumeIsolated().whenComplete { _ in self.closeWhenDone() }
        }
        watchForSilence()
    }

    private func closeWhenDone() {
        if inputClosed, outputClosed { closeAfterWrites() }
    }

    private func closeAfterWrites() {
        guard let context else { return }
        outputClosed = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            self.context?.close(promise: nil)
        }
    }

    private func abort() {
        guard let context else { return }
        context.channel.closeWithReset()
    }

    private func watchForSilence() {
        guard let context else { return }
        silenceCheck = context.eventLoop.assumeIsolated().scheduleTask(in: halfClosedLimit) {
            guard let context = self.context else { return }
            let latest = max(self.lastActivity, self.peer?.lastActivity ?? self.lastActivity)
            if NIODeadline.now() - latest >= self.halfClosedLimit {
                context.close(promise: nil)
                self.peer?.context?.close(promise: nil)
            } else {
                self.watchForSilence()
            }
        }
    }
}
