import NIOCore
import NIOPosix
import Synchronization

/// Sends HTTP requests over kept-alive connections, each as soon as the last one is answered.
struct RequestLoad {
    var host: String
    var port: Int

    /// - Returns: requests a second.
    func run(connections: Int, for duration: Duration) async throws -> Double {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let counter = Counter()
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(RequestLoop(counter))
            }
        }
        var channels: [any Channel] = []
        for _ in 0..<connections { channels.append(try await bootstrap.connect(host: host, port: port).get()) }
        let clock = ContinuousClock()
        try await Task.sleep(for: .milliseconds(300))  // Warmed up.
        let (first, start) = (counter.value, clock.now)
        try await Task.sleep(for: duration)  // The time over which requests are counted.
        let rate = Double(counter.value - first) / ((clock.now - start) / .seconds(1))
        for channel in channels { try await channel.close() }
        try await group.shutdownGracefully()
        return rate
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

/// Asks, waits for the whole answer (of a known length), and asks again.
private final class RequestLoop: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
    private let counter: Counter
    private var received = ByteBuffer()

    init(_ counter: Counter) { self.counter = counter }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(Self.request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        received.writeBuffer(&chunk)
        guard let length = answerLength, received.readableBytes >= length else { return }
        received.clear()
        counter.increment()
        context.writeAndFlush(wrapOutboundOut(Self.request), promise: nil)
    }

    /// Head and body, once the head is here.
    private var answerLength: Int? {
        let text = String(buffer: received)
        guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let head = text.utf8[..<end.lowerBound]
        for line in head.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2, String(Substring(parts[0])).lowercased() == "content-length" else { continue }
            let digits = parts[1].filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            return Int(String(decoding: digits, as: UTF8.self)).map {
                $0 + text.utf8.distance(from: text.utf8.startIndex, to: end.upperBound)
            }
        }
        return nil
    }
}
