import NIOCore
import NIOPosix
import NIOSSL

/// Measures how long a write takes until its event reaches a watcher: both on connections of one event loop, so that no
/// thread of the measurement itself lies on the way.
struct WatchLatency {
    var load: RequestLoad
    var watch: ByteBuffer

    /// - Returns: milliseconds, one for each write, in ascending order.
    func run(writes: Int) async throws -> [Double] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let probe = Probe(load.request, writes: writes)
        let finished = group.next().makePromise(of: [Double].self)
        let tls = load.tls
        func connect(_ handler: @escaping @Sendable (Probe) -> any ChannelHandler) async throws -> any Channel {
            try await ClientBootstrap(group: group).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                    try pipeline.addHandler(handler(probe))
                }
            }.connect(host: load.host, port: load.port).get()
        }
        let watching = try await connect { Receiver($0, of: "\"ADDED\"") { $0.eventArrived() } }
        try await watching.writeAndFlush(watch)
        // Time for the watch to stand: it would miss an earlier event, for which the next write waits.
        try await Task.sleep(for: .milliseconds(300))
        let writing = try await connect { Receiver($0, of: "HTTP/1.1 201") { $0.answerArrived() } }
        group.next().execute { probe.start(on: writing, finished) }
        let latencies = try await finished.futureResult.get()
        try await watching.close()
        try await writing.close()
        try await group.shutdownGracefully()
        return latencies.sorted()
    }
}

/// Sends a write when the last one was answered and its event has arrived.
// Sendable: once it is made, only the one event loop of the measurement touches it.
private final class Probe: @unchecked Sendable {
    private let request: @Sendable (Int) -> ByteBuffer
    private let writes: Int
    private var latencies: [Double] = []
    private var sent = NIODeadline.now()
    private var waitsForAnswer = false
    private var waitsForEvent = false
    private var channel: (any Channel)?
    private var finished: EventLoopPromise<[Double]>?

    init(_ request: @escaping @Sendable (Int) -> ByteBuffer, writes: Int) {
        self.request = request
        self.writes = writes
    }

    func start(on channel: any Channel, _ finished: EventLoopPromise<[Double]>) {
        self.channel = channel
        self.finished = finished
        next()
    }

    private func next() {
        guard latencies.count < writes else {
            finished?.succeed(latencies)
            finished = nil
            return
        }
        (waitsForAnswer, waitsForEvent) = (true, true)
        sent = .now()
        channel?.writeAndFlush(request(latencies.count), promise: nil)
    }

    func answerArrived() {
        guard waitsForAnswer else { return }
        waitsForAnswer = false
        if !waitsForEvent { next() }
    }

    func eventArrived() {
        guard waitsForEvent else { return }
        waitsForEvent = false
        latencies.append(Double((NIODeadline.now() - sent).nanoseconds) / 1e6)
        if !waitsForAnswer { next() }
    }
}

/// Tells when something with its mark comes: what an answer or an event begins with.
private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let probe: Probe
    private let mark: [UInt8]
    private let arrived: (Probe) -> Void

    init(_ probe: Probe, of mark: String, _ arrived: @escaping (Probe) -> Void) {
        self.probe = probe
        self.mark = Array(mark.utf8)
        self.arrived = arrived
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if unwrapInboundIn(data).readableBytesView.firstRange(of: mark) != nil { arrived(probe) }
    }
}
