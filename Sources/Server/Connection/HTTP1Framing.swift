import NIOCore
import NIOHTTP1

/// What is read of a connection that speaks HTTP/1.1.
enum ReceivedPart: Sendable {
    /// A request with all of its body, which is small.
    case whole(HTTPRequestHead, ByteBuffer)
    /// The beginning of any other; its body follows, and its end.
    case head(HTTPRequestHead)
    case body(ByteBuffer)
    case end
}

/// What is written to it.
enum SentPart: Sendable {
    case whole(HTTPResponseHead, ByteBuffer)
    /// Also of an interim answer, which nothing follows but the head of the real one.
    case head(HTTPResponseHead)
    case body(ByteBuffer)
    case end
}

/// Makes whole requests of their parts, and parts of whole answers, so that a small request changes hands once instead
/// of three times; closes the connection when nothing happens on it.
///
/// What is gathered is bounded: a longer body is passed on as it comes, so that it stays in the network until somebody
/// wants it. So is that of a client which asks first whether to send it.
final class HTTP1Framing: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = ReceivedPart
    typealias OutboundIn = SentPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The longest body that is gathered, in bytes.
    static let gatheredLimit = 64 << 10

    private enum Reading {
        case nothing
        case gathering(HTTPRequestHead, ByteBuffer?)
        case passingOn

        var isNothing: Bool {
            if case .nothing = self { true } else { false }
        }
    }

    private let idleLimit: TimeAmount
    private let requestLimit: TimeAmount
    private var reading = Reading.nothing
    /// When the head of the request came that is being read.
    private var readingSince = NIODeadline.uptimeNanoseconds(0)
    private var readingCheck: Scheduled<Void>?
    /// Whether the head of an answer was written and its end was not.
    private var isAnswering = false
    /// Requests whose head is here and whose answer has not been written whole.
    private var unanswered = 0
    private var lastActive = NIODeadline.uptimeNanoseconds(0)
    private var closesAfterAnswers = false
    /// Whether the last answer was written: what comes now is read by nobody.
    private var isFinished = false
    private var idleCheck: Scheduled<Void>?

    /// - Parameters:
    ///   - idleLimit: how long a connection is kept on which nothing is asked, and a request may stand still while it
    ///     is read.
    ///   - requestLimit: how long the body of a request may take to come.
    init(idleLimit: TimeAmount, requestLimit: TimeAmount) {
        self.idleLimit = idleLimit
        self.requestLimit = requestLimit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lastActive = context.eventLoop.now
        checkIdleness(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        readingCheck?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isFinished else { return }
        lastActive = context.eventLoop.now
        switch unwrapInboundIn(data) {
        case .head(let head):
            unanswered += 1
            readingSince = lastActive
            if head.expectsContinue {
                reading = .passingOn
                context.fireChannelRead(wrapInboundOut(.head(head)))
            } else {
                reading = .gathering(head, nil)
            }
        case .body(let bytes): add(bytes, context)
        case .end:
            let last = reading
            reading = .nothing
            if case .gathering(let head, let body) = last {
                context.fireChannelRead(wrapInboundOut(.whole(head, body ?? ByteBuffer())))
            } else {
                context.fireChannelRead(wrapInboundOut(.end))
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Most requests are whole by now: only others are waited for.
        if !reading.isNothing { checkReading(context) }
        context.fireChannelReadComplete()
    }

    private func add(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .gathering(let head, let gathered) = reading else {
            return context.fireChannelRead(wrapInboundOut(.body(bytes)))
        }
        // Or two would own what is gathered, and appending would copy it.
        reading = .passingOn
        var body = gathered ?? ByteBuffer()
        if body.readableBytes == 0 { body = bytes } else { body.writeImmutableBuffer(bytes) }
        if body.readableBytes <= Self.gatheredLimit {
            reading = .gathering(head, body)
        } else {
            context.fireChannelRead(wrapInboundOut(.head(head)))
            context.fireChannelRead(wrapInboundOut(.body(body)))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .whole(let head, let body):
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
            writeEnd(context, promise)
        case .head(let head):
            isAnswering = !head.isInterim
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body): context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
        case .end: writeEnd(context, promise)
        }
    }

    private func writeEnd(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
        lastActive = context.eventLoop.now
        isAnswering = false
        // What was no request is answered too, and was not counted.
        unanswered = max(0, unanswered - 1)
        guard unanswered == 0 else { return }
        if closesAfterAnswers {
            context.flush()
            context.close(promise: nil)
        } else {
            checkIdleness(context)
        }
    }

    /// After the last answer the client has as long to close the connection as it may be idle.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output, !isFinished {
            isFinished = true
            reading = .nothing
            unanswered = 0
            lastActive = context.eventLoop.now
            checkIdleness(context)
        }
        context.close(mode: mode, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        if unanswered > 0 { closesAfterAnswers = true } else { context.close(promise: nil) }
    }

    /// Sees to it that a request whose body does not come is answered at last, as Kubernetes does, and the connection
    /// closed: one timer at a time.
    private func checkReading(_ context: ChannelHandlerContext) {
        guard readingCheck == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        readingCheck = context.eventLoop.scheduleTask(deadline: readingSince + requestLimit) {
            let (handler, context) = bound.value
            handler.readingCheck = nil
            if handler.reading.isNothing { return }
            guard context.eventLoop.now - handler.readingSince >= handler.requestLimit else {
                return handler.checkReading(context)
            }
            if handler.unanswered == 1, !handler.isAnswering {
                handler.write(context: context, data: NIOAny(RequestRefusal.timeout), promise: nil)
            }
            context.flush()
            context.close(promise: nil)
        }
    }

    /// Sees to it that idleness is noticed: one timer at a time, which looks when it rings how much is left.
    private func checkIdleness(_ context: ChannelHandlerContext) {
        guard idleCheck == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        idleCheck = context.eventLoop.scheduleTask(deadline: lastActive + idleLimit) {
            let (handler, context) = bound.value
            handler.idleCheck = nil
            // While an answer is in the making, it is not the client who is slow; its end looks again.
            if handler.unanswered > 0, handler.reading.isNothing { return }
            if context.eventLoop.now - handler.lastActive >= handler.idleLimit {
                context.close(promise: nil)
            } else {
                handler.checkIdleness(context)
            }
        }
    }
}

extension HTTPResponseHead {
    /// Whether the head of the real answer is still to come.
    fileprivate var isInterim: Bool { (100..<200).contains(status.code) }
}
