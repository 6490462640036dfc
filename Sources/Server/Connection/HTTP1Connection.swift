import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Answers the requests of a connection that speaks HTTP/1.1.
///
/// Hummingbird has the same with a step for each part of a request; here a small request is one step, as is its answer,
/// which is a seventh of what a create costs (docs/decisions/015-whole-requests.md). Reading and writing HTTP is NIO's.
struct HTTP1Connection: Sendable {
    typealias Value = NIOAsyncChannel<ReceivedPart, SentPart>

    /// 1 MiB for the address and all fields together: what `kube-apiserver` accepts.
    static let headLimit = 1 << 20
    /// How long the body of a request may take to come; likewise.
    private static let requestLimit = TimeAmount.seconds(60)

    let responder: APIResponder
    let idleLimit: TimeAmount

    func setup(channel: any Channel) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = Self.headLimit
            limits.maxHeaderListSize = Self.headLimit
            limits.maxHeaderFieldCount = 1000
            let pipeline = channel.pipeline.syncOperations
            // Requests wait for their turn in the channel; what goes into a header was looked at by `Answer`.
            try pipeline.addHandler(HTTPResponseEncoder())
            // The decoder stops at a request that asks for another protocol: what follows it is held, up to that limit.
            try pipeline.addHandler(
                ByteToMessageHandler(
                    HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits),
                    maximumBufferSize: 2 * Self.headLimit))
            try pipeline.addHandler(HTTP1Framing(idleLimit: idleLimit, requestLimit: Self.requestLimit))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// Until the connection has ended.
    func answerRequests(of value: Value, _ certificates: PeerCertificates, logger: Logger) async {
        do {
            try await value.executeThenClose { inbound, outbound in
                let requests = HTTP1Requests(inbound)
                while let head = try await next(requests, outbound) {
                    guard try await answer(head, requests, certificates, outbound) else { break }
                }
                outbound.finish()
                try await value.channel.closeFuture.get()
            }
        } catch {
            logger.trace("a connection ended: \(error)")
        }
    }

    /// The next request; what is none is refused, and ends the connection.
    private func next(
        _ requests: HTTP1Requests, _ outbound: NIOAsyncChannelOutboundWriter<SentPart>
    ) async throws -> HTTPRequestHead? {
        do {
            return try await requests.next()
        } catch let error as HTTPParserError {
            try await outbound.write(RequestRefusal(of: error).answer)
            return nil
        }
    }

    /// - Returns: whether another request may follow.
    private func answer(
        _ head: HTTPRequestHead, _ requests: HTTP1Requests, _ certificates: PeerCertificates,
        _ outbound: NIOAsyncChannelOutboundWriter<SentPart>
    ) async throws -> Bool {
        if let refusal = RequestRefusal(of: head) {
            try await outbound.write(refusal.answer)
            return false
        }
        if requests.isBodyComing, head.expectsContinue {
            // Now is its turn: `curl` waits a second otherwise.
            try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
        }
        let answer = await responder.answer(
            to: IncomingRequest(
                method: head.method.rawValue, target: head.target, headers: RequestHeaders(head.headers),
                content: requests, certificates: certificates))
        let transfer = head.method == .HEAD ? .whole(ByteBuffer()) : answer.body.transfer
        // To notice that the client goes away, a stream reads on from the connection, which ends with it; a client must
        // know that, or it may send its next request into a closing connection (RFC 9112, 9.6).
        let isLast = !head.isKeepAlive || answer.body.isStream || head.endsHTTP
        let isOld = head.version == .http1_0
        var fields = HTTPHeaders(answer.fields)
        if isLast { fields.add(name: "Connection", value: "close") }
        if isOld, !isLast { fields.add(name: "Connection", value: "keep-alive") }
        let start = HTTPResponseHead(
            version: isOld ? .http1_0 : .http1_1, status: HTTPResponseStatus(statusCode: answer.code), headers: fields)
        switch transfer {
        case .whole(let bytes): try await outbound.write(.whole(start, bytes))
        case .pieces(let write):
            try await outbound.write(.head(start))
            var writer: any ResponseBodyWriter = HTTP1BodyWriter(outbound: outbound)
            try await write(&writer)
        }
        return !isLast
    }
}

/// Writes an answer that comes about piece by piece.
private struct HTTP1BodyWriter: ResponseBodyWriter {
    let outbound: NIOAsyncChannelOutboundWriter<SentPart>

    func write(_ buffer: ByteBuffer) async throws {
        try await outbound.write(.body(buffer))
    }

    /// Trailing headers are not sent: none of our answers has any.
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await outbound.write(.end)
    }
}
