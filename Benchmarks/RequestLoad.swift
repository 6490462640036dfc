import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Sends HTTP/1.1 requests over kept-alive connections, each as soon as the last one is answered.
struct RequestLoad {
    var host: String
    var port: Int
    /// `nil`: without TLS.
    var tls: NIOSSLContext?
    /// The bytes of the request with that number; every request has its own.
    var request: @Sendable (_ number: Int) -> ByteBuffer

    init(host: String, port: Int) {
        self.host = host
        self.port = port
        let get = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        request = { _ in get }
    }

    init(host: String, port: Int, tls: NIOSSLContext, request: @escaping @Sendable (Int) -> ByteBuffer) {
        self.host = host
        self.port = port
        self.tls = tls
        self.request = request
    }

    /// - Returns: requests a second.
    /// - Throws: when an answer was not of the class 2xx.
    func run(connections: Int, for duration: Duration) async throws -> Double {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let counter = Counter()
        let bootstrap = ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                try pipeline.addHandler(RequestLoop(counter, request))
            }
        }
        var channels: [any Channel] = []
        for _ in 0..<connections { channels.append(try await bootstrap.connect(host: host, port: port).get()) }
        let clock = ContinuousClock()
        try await Task.sleep(for: .milliseconds(300))  // Warmed up.
        let (first, start) = (counter.answers, clock.now)
        try await Task.sleep(for: duration)  // The time over which requests are counted.
        let rate = Double(counter.answers - first) / ((clock.now - start) / .seconds(1))
        counter.stop()
        for channel in channels { try await channel.close() }
        try await group.shutdownGracefully()
        if let refusal = counter.refusal { throw BenchError("an answer was \(refusal)") }
        return rate
    }
}

private final class Counter: Sendable {
    private let answered = Atomic(0)
    private let issued = Atomic(0)
    private let isStopped = Atomic(false)
    private let refused = Mutex<String?>(nil)

    var answers: Int { answered.load(ordering: .relaxed) }
    var refusal: String? { refused.withLock { $0 } }
    var goesOn: Bool { !isStopped.load(ordering: .relaxed) }

    func next() -> Int { issued.add(1, ordering: .relaxed).oldValue }
    func stop() { isStopped.store(true, ordering: .relaxed) }

    func count(_ status: Int) {
        answered.add(1, ordering: .relaxed)
        guard !(200..<300).contains(status) else { return }
        refused.withLock { $0 = $0 ?? "\(status)" }
    }
}

/// Asks, waits for the whole answer (of a known length), and asks again.
private final class RequestLoop: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let counter: Counter
    private let request: (Int) -> ByteBuffer
    private var received = ByteBuffer()

    init(_ counter: Counter, _ request: @escaping (Int) -> ByteBuffer) {
        self.counter = counter
        self.request = request
    }

    func channelActive(context: ChannelHandlerContext) { ask(context) }

    private func ask(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(request(counter.next())), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var chunk = unwrapInboundIn(data)
        received.writeBuffer(&chunk)
        guard let answer = Answer(received), received.readableBytes >= answer.length else { return }
        received.clear()
        counter.count(answer.status)
        if counter.goesOn { ask(context) }
    }

    /// What the head of an answer says; `nil` until it is here.
    private struct Answer {
        var status: Int
        /// Of head and body.
        var length: Int

        private static let name = Array("content-length:".utf8)

        init?(_ buffer: ByteBuffer) {
            let found = buffer.withUnsafeReadableBytes { bytes -> (Int, Int)? in
                var body = 0
                var line = 0
                for position in bytes.indices where bytes[position] == UInt8(ascii: "\n") {
                    let text = bytes[line..<position]
                    if text.count <= 1 {
                        let status = bytes.count > 12 ? Self.number(bytes[9..<12]) : 0
                        return (status, position + 1 + body)
                    }
                    if text.count > Self.name.count,
                        zip(text, Self.name).allSatisfy({ ($0 | 0x20) == $1 || $0 == $1 })
                    {
                        body = Self.number(text.dropFirst(Self.name.count))
                    }
                    line = position + 1
                }
                return nil
            }
            guard let (status, length) = found else { return nil }
            self.status = status
            self.length = length
        }

        private static func number(_ text: some Sequence<UInt8>) -> Int {
            text.reduce(0) { number, byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? number * 10 + Int(byte - 48) : number
            }
        }
    }
}
