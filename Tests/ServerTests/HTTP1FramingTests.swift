import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Server

@Suite("The parts of HTTP/1.1")
struct HTTP1FramingTests {
    private static let idleLimit = TimeAmount.seconds(90)
    private static let requestLimit = TimeAmount.seconds(60)

    /// Stands for TLS and the network, where one direction may end alone.
    private final class HalfClosing: ChannelOutboundHandler {
        typealias OutboundIn = Any

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            if mode != .output { context.close(mode: mode, promise: promise) }
        }
    }

    private static func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(HalfClosing())
        try channel.pipeline.syncOperations.addHandler(HTTP1Framing(idleLimit: idleLimit, requestLimit: requestLimit))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        return channel
    }

    private static func head(_ fields: HTTPHeaders = [:]) -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .POST, uri: "/", headers: fields)
    }

    private static func read(_ channel: EmbeddedChannel, _ parts: HTTPServerRequestPart...) throws {
        for part in parts { try channel.writeInbound(part) }
    }

    /// What came through, in words.
    private static func received(_ channel: EmbeddedChannel) throws -> [String] {
        var words: [String] = []
        while let part = try channel.readInbound(as: ReceivedPart.self) {
            switch part {
            case .whole(_, let body): words.append("whole \(body.readableBytes)")
            case .head: words.append("head")
            case .body(let body): words.append("body \(body.readableBytes)")
            case .end: words.append("end")
            }
        }
        return words
    }

    private static func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 65, count: count) }

    private static let answer = SentPart.whole(
        HTTPResponseHead(version: .http1_1, status: .ok), ByteBuffer(string: "ok"))

    @Test(
        "a request with a small body is one part, also where the body comes in pieces",
        arguments: [
            ([], 0), ([10], 10), ([10, 20, 30], 60), ([HTTP1Framing.gatheredLimit], HTTP1Framing.gatheredLimit),
        ]
            as [([Int], Int)])
    func gathers(pieces: [Int], whole: Int) throws {
        let channel = try Self.channel()
        try Self.read(channel, .head(Self.head()))
        for piece in pieces { try Self.read(channel, .body(Self.bytes(piece))) }
        #expect(try Self.received(channel) == [])
        try Self.read(channel, .end(nil))
        #expect(try Self.received(channel) == ["whole \(whole)"])
    }

    @Test("a longer body is passed on as it comes, and the next request is gathered again")
    func passesOn() throws {
        let channel = try Self.channel()
        let limit = HTTP1Framing.gatheredLimit
        try Self.read(channel, .head(Self.head()), .body(Self.bytes(limit)), .body(Self.bytes(1)))
        #expect(try Self.received(channel) == ["head", "body \(limit + 1)"])
        try Self.read(channel, .body(Self.bytes(5)), .end(nil))
        #expect(try Self.received(channel) == ["body 5", "end"])
        try Self.read(channel, .head(Self.head()), .end(nil))
        #expect(try Self.received(channel) == ["whole 0"])
    }

    @Test("who asks first is heard before the body is there")
    func asksFirst() throws {
        let channel = try Self.channel()
        try Self.read(channel, .head(Self.head(["Expect": "100-Continue"])))
        #expect(try Self.received(channel) == ["head"])
        try Self.read(channel, .body(Self.bytes(3)), .end(nil))
        #expect(try Self.received(channel) == ["body 3", "end"])
    }

    @Test("a connection on which nothing is asked is closed, counted from the last answer")
    func idle() throws {
        let channel = try Self.channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        try Self.read(channel, .head(Self.head()), .end(nil))
        try channel.writeOutbound(Self.answer)
        channel.embeddedEventLoop.advanceTime(by: .seconds(89))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test("an answer may take longer than a connection may be idle")
    func slowAnswer() throws {
        let channel = try Self.channel()
        try Self.read(channel, .head(Self.head()), .end(nil))
        channel.embeddedEventLoop.advanceTime(by: .minutes(10))
        #expect(channel.isActive)
        try channel.writeOutbound(Self.answer)
        channel.embeddedEventLoop.advanceTime(by: .seconds(89))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test(
        "a request whose body does not come in time is answered so, and the connection closed",
        arguments: [10, HTTP1Framing.gatheredLimit + 1])
    func slowRequest(sent: Int) throws {
        let channel = try Self.channel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(80))
        try Self.read(channel, .head(Self.head()), .body(Self.bytes(sent)))
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        // What comes meanwhile gives no more time.
        try Self.read(channel, .body(Self.bytes(1)))
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        guard case .head(let answer) = try channel.readOutbound(as: HTTPServerResponsePart.self) else {
            Issue.record("there is no answer")
            return
        }
        #expect(answer.status == .gatewayTimeout)
        #expect(answer.headers.first(name: "Connection") == "close")
    }

    @Test("a request that was answered before all of it came gets no second answer when it is given up")
    func slowAnsweredRequest() throws {
        for part in [Self.answer, .head(HTTPResponseHead(version: .http1_1, status: .ok))] {
            let channel = try Self.channel()
            try Self.read(channel, .head(Self.head(["Expect": "100-continue"])), .body(Self.bytes(1)))
            try channel.writeOutbound(part)
            channel.embeddedEventLoop.advanceTime(by: .seconds(60))
            #expect(!channel.isActive)
            var heads = 0
            while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
                if case .head = part { heads += 1 }
            }
            #expect(heads == 1)
        }
    }

    @Test("requests that come whole may be as many and as late as they like")
    func manyRequests() throws {
        let channel = try Self.channel()
        for _ in 0..<10 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(59))
            try Self.read(channel, .head(Self.head()), .body(Self.bytes(1)))
            channel.embeddedEventLoop.advanceTime(by: .seconds(2))
            try Self.read(channel, .end(nil))
            try channel.writeOutbound(Self.answer)
        }
        #expect(channel.isActive)
    }

    @Test("after the last answer nobody waits for ever: not for a client that stays, nor for what it sends")
    func lastAnswer() throws {
        for stops in [false, true] {
            let channel = try Self.channel()
            try Self.read(channel, .head(Self.head()), .end(nil), .head(Self.head()), .end(nil))
            try channel.writeOutbound(Self.answer)
            channel.close(mode: .output, promise: nil)
            _ = try Self.received(channel)
            if stops { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
            #expect(channel.isActive != stops)
            if stops { continue }
            channel.embeddedEventLoop.advanceTime(by: .seconds(60))
            try Self.read(channel, .head(Self.head()), .end(nil))
            #expect(try Self.received(channel) == [])
            channel.embeddedEventLoop.advanceTime(by: .seconds(30))
            #expect(!channel.isActive)
        }
    }

    @Test("a server that stops closes a connection at once, or after what is being answered")
    func quiesces() throws {
        let idle = try Self.channel()
        idle.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!idle.isActive)
        let busy = try Self.channel()
        try Self.read(busy, .head(Self.head()), .end(nil), .head(Self.head()), .end(nil))
        busy.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        try busy.writeOutbound(Self.answer)
        #expect(busy.isActive)
        try busy.writeOutbound(Self.answer)
        #expect(!busy.isActive)
        var ends = 0
        while let part = try busy.readOutbound(as: HTTPServerResponsePart.self) {
            if case .end = part { ends += 1 }
        }
        #expect(ends == 2)
    }

    @Test("a refusal of what was no request is no answer to one that was")
    func refusal() throws {
        let channel = try Self.channel()
        try channel.writeOutbound(Self.answer)
        try Self.read(channel, .head(Self.head()), .end(nil))
        channel.embeddedEventLoop.advanceTime(by: .minutes(10))
        #expect(channel.isActive, "the request is being answered")
    }
}
