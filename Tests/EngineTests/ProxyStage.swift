import Cluster
import Engine
import Kinds
import Logging
import Model
import NIOCore
import NIOPosix
import Store
import Synchronization

/// A proxy on real sockets, told its Services by the test.
struct ProxyStage: Sendable {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static let group = MultiThreadedEventLoopGroup.singleton
    /// Where the Service of every stage listens: another address for each test, so that they run side by side.
    var frontend: ProxyPlan.Endpoint
    var proxy: ServiceProxy
    private var snapshots: AsyncStream<ServiceProxy.Snapshot>.Continuation

    /// Runs a proxy for as long as `body` takes.
    static func run(_ address: String, _ body: @escaping @Sendable (ProxyStage) async throws -> Void) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ServiceProxy.Snapshot.self)
        let proxy = ServiceProxy(
            cluster: try registry(), clock: SystemClock(), group: group, logger: quiet)
        let stage = ProxyStage(
            frontend: ProxyPlan.Endpoint(address, 8000), proxy: proxy, snapshots: continuation)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { await proxy.run(stream) }
            defer { continuation.finish() }
            try await body(stage)
        }
    }

    static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    static func registry() throws -> Registry {
        guard let addresses = AddressRange("127.98.0.0/16") else { preconditionFailure("the range is right") }
        return Registry(
            store: try Store(persistence: MemoryPersistence()), clock: SystemClock(), random: SplitMix64(seed: 5),
            configuration: .init(serviceAddresses: addresses))
    }

    /// Makes `backends` the ready endpoints and waits until the proxy listens.
    ///
    /// - Parameter nodePort: makes it a Service of type NodePort.
    func serve(_ backends: [ProxyPlan.Endpoint], nodePort: Int? = nil) async throws {
        var service = Service(named: "web", in: "default")
        service.json["spec"] = [
            "type": nodePort == nil ? "ClusterIP" : "NodePort", "clusterIP": .string(frontend.address),
            "ports": [["port": 8000]],
        ]
        if let nodePort { service.json["spec"]?["ports"] = [["port": 8000, "nodePort": .int(Int64(nodePort))]] }
        let slices = backends.enumerated().map { index, backend in
            var slice = EndpointSlice(named: "web-\(index)", in: "default")
            slice.metadata.labels = ["kubernetes.io/service-name": "web"]
            slice.addressType = "IPv4"
            slice.json["ports"] = [["name": "", "port": .int(Int64(backend.port)), "protocol": "TCP"]]
            slice.json["endpoints"] = [["addresses": [.string(backend.address)], "conditions": ["ready": true]]]
            return slice
        }
        snapshots.yield(ServiceProxy.Snapshot(services: [service], slices: slices))
        let wanted = Set([frontend] + (nodePort.map { [ProxyPlan.Endpoint("127.0.0.1", $0)] } ?? []))
        try await happens { Set(proxy.frontends) == wanted }
    }

    /// - Parameter receiveBuffer: bytes that the kernel keeps for a reader that does not read; zero for its own choice.
    func connect(to endpoint: ProxyPlan.Endpoint? = nil, receiveBuffer: Int = 0) async throws -> Connection {
        let endpoint = endpoint ?? frontend
        var bootstrap = ClientBootstrap(group: Self.group).channelOption(.allowRemoteHalfClosure, value: true)
        if receiveBuffer > 0 { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer) }
        return try await bootstrap.connect(host: endpoint.address, port: endpoint.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try Connection(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
    }

    /// Sends a text, ends the sending side, and answers all that comes back.
    func exchange(_ text: String, at endpoint: ProxyPlan.Endpoint? = nil) async throws -> String {
        try await connect(to: endpoint).executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            outbound.finish()
            var answer = ByteBuffer()
            for try await chunk in inbound { answer.writeImmutableBuffer(chunk) }
            return String(buffer: answer)
        }
    }
}

/// Returns when `condition` holds; throws after ten seconds.
func happens(_ condition: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(10)
    while try await !condition() {
        guard clock.now < deadline else { throw NeverHappened() }
        // Polled: sockets have nobody who could tell.
        try await clock.sleep(for: .milliseconds(2))
    }
}

struct NeverHappened: Error {}

/// A TCP server that runs a handler for each connection.
struct Backend: Sendable {
    var endpoint: ProxyPlan.Endpoint

    static func run(
        _ address: String, _ handle: @escaping @Sendable (ProxyStage.Connection) async throws -> Void,
        while body: @escaping @Sendable (Backend) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: ProxyStage.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: address, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try ProxyStage.Connection(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        let endpoint = ProxyPlan.Endpoint(address, server.channel.localAddress?.port ?? 0)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                try await server.executeThenClose { connections in
                    await withDiscardingTaskGroup { handlers in
                        do {
                            for try await connection in connections {
                                handlers.addTask {
                                    do {
                                        try await handle(connection)
                                    } catch {
                                        // The client's end of the test says what matters.
                                    }
                                }
                            }
                        } catch {
                            // The listener is closed: the test is over.
                        }
                    }
                }
            }
            try await body(Backend(endpoint: endpoint))
            tasks.cancelAll()
            // What a cancelled server throws is no result of the test.
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    /// Waits for the end of what a client sends, then answers its name and that.
    static func named(_ name: String) -> @Sendable (ProxyStage.Connection) async throws -> Void {
        { connection in
            try await connection.executeThenClose { inbound, outbound in
                var received = ByteBuffer()
                for try await chunk in inbound { received.writeImmutableBuffer(chunk) }
                try await outbound.write(ByteBuffer(string: "\(name):\(String(buffer: received))"))
                outbound.finish()
            }
        }
    }
}
