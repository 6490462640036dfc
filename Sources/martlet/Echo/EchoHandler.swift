import Model
import NIOCore
import NIOHTTP1

/// Answers the requests of one connection, one after the other.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let options: EchoOptions
    private let state: EchoState
    /// The request that is received or waits for its answer.
    private var head: HTTPRequestHead?
    /// Requests whose answers are not written yet: more than one only when a client pipelines.
    private var outstanding = 0
    private var random = SystemRandomNumberGenerator()

    init(_ options: EchoOptions, state: EchoState) {
        self.options = options
        self.state = state
    }

    func channelActive(context: ChannelHandlerContext) {
        state.opened(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if head != nil { _ = ended(context) }
        head = nil
        state.closed(context.channel)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            outstanding += 1
            state.began(context.channel)
        case .body: break
        case .end:
            if options.delay == .zero || head?.uri == "/healthz" || head?.uri == "/readyz" {
                answer(context)
            } else {
                let delay = TimeAmount.nanoseconds(options.delay.wholeNanoseconds)
                context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
                    if context.channel.isActive { self.answer(context) }
                }
            }
        }
    }

    /// Answers whether the connection may serve another request.
    private func ended(_ context: ChannelHandlerContext) -> Bool {
        outstanding -= 1
        return state.ended(context.channel, isIdle: outstanding == 0)
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let request = head else { return }
        head = nil
        let (status, body) = content(of: request)
        var headers = HTTPHeaders()
        headers.add(name: "content-type", value: "application/json")
        headers.add(name: "content-length", value: String(body.count))
        let closes = state.isDraining || !request.isKeepAlive
        if closes {
            headers.add(name: "connection", value: "close")
        } else if request.version == .http1_0 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(version: .init(major: 1, minor: 1), status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in
            if !self.ended(context) || closes { context.close(promise: nil) }
        }
    }

    private func content(of request: HTTPRequestHead) -> (HTTPResponseStatus, [UInt8]) {
        switch request.uri {
        case "/healthz": return (.ok, Array("{\"status\":\"ok\"}\n".utf8))
        case "/readyz":
            return state.isReady
                ? (.ok, Array("{\"status\":\"ready\"}\n".utf8))
                : (.serviceUnavailable, Array("{\"status\":\"not ready\"}\n".utf8))
        default:
            if options.failRate > 0, Double.random(in: 0..<1, using: &random) < options.failRate {
                return (.internalServerError, Array("{\"error\":\"failing as told by --fail-rate\"}\n".utf8))
            }
            var answer: JSON = ["version": .string(options.version), "pod": .string(options.pod)]
            answer["path"] = .string(request.uri)
            if let message = options.message { answer["message"] = .string(message) }
            return (.ok, answer.encoded() + [UInt8(ascii: "\n")])
        }
    }
}
