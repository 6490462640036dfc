import Cluster
import Engine
import Kinds
import KubernetesClient
import Logging
import Model
import NIOCore
import NIOPosix
import Server
import ServiceLifecycle
import Store
import Synchronization

/// A server on a free port over a registry in memory, for as long as a test runs.
struct TestServer {
    static let token = AccessToken(secret: "let-me-in")

    var registry: Registry
    var address: APIServer.Address
    var client: KubernetesClient

    var url: String { "http://\(address)" }

    static func run(
        readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        guard let addresses = AddressRange("127.97.0.0/16") else { return }
        let registry = Registry(
            store: try Store(persistence: MemoryPersistence()), clock: SystemClock(), random: SplitMix64(seed: 3),
            configuration: .init(serviceAddresses: addresses))
        for name in ["default", "other"] {
            _ = try await registry.create(
                Object(viewing: Namespace(named: name).json), options: WriteOptions(fieldManager: "test"))
        }
        registry.attach(logs: FixedLogs())
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let quiet = logger
        let (addressStream, listening) = AsyncStream.makeStream(of: APIServer.Address.self)
        let server = APIServer(
            cluster: registry, clock: SystemClock(), token: token, address: .init(port: 0), logger: quiet,
            readiness: readiness, onListening: { listening.yield($0) })
        try await withThrowingTaskGroup { tasks in
            let group = ServiceGroup(configuration: .init(services: [server], logger: quiet))
            tasks.addTask { try await group.run() }
            for await address in addressStream {
                let client = try KubernetesClient(
                    ClusterAccess(server: "http://\(address)", credentials: .token(token.secret)),
                    clock: SystemClock(), logger: quiet)
                do {
                    try await body(TestServer(registry: registry, address: address, client: client))
                } catch {
                    try await client.shutdown()
                    await group.triggerGracefulShutdown()
                    throw error
                }
                try await client.shutdown()
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

/// Says the same for every container.
struct FixedLogs: LogSource {
    func logs(_ query: LogQuery) async throws(APIError) -> LogStream {
        guard query.pod != "absent" else { throw .notFound("pods", name: query.pod) }
        let lines = query.tailLines == 1 ? ["two\n"] : ["one\n", "two\n"]
        var rest = lines[...]
        let (stream, continuation) = LogStream.makeStream()
        while let line = rest.popFirst() { continuation.yield(Array(line.utf8)) }
        continuation.finish()
        return stream
    }
}

/// One HTTP/1.1 exchange, byte by byte: what a test sends and gets is exactly what it says.
struct RawHTTP {
    var status: Int
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    var json: JSON {
        get throws { try JSON(decoding: body) }
    }
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    static func send(
        _ method: String, _ path: String, to server: TestServer, token: String? = TestServer.token.secret,
        headers: [String: String] = [:], body: String? = nil
    ) async throws -> RawHTTP {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(server.address)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: server.address.host, port: server.address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let message = head + "\r\n" + (body ?? "")
        let bytes = try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: message))
            var bytes: [UInt8] = []
            for try await chunk in inbound { bytes += Array(buffer: chunk) }
            return bytes
        }
        return parse(bytes)
    }

    private static func parse(_ bytes: [UInt8]) -> RawHTTP {
        let separator = Array("\r\n\r\n".utf8)
        let end = bytes.indices.first { bytes[$0...].starts(with: separator) } ?? bytes.count
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            return (name: parts[0], value: String(parts.count > 1 ? parts[1].drop { $0 == " " } : ""))
        }
        let status = Int((lines.first ?? "").split(separator: " ").dropFirst().first ?? "") ?? 0
        var answer = RawHTTP(status: status, headers: headers, body: Array(bytes[min(end + 4, bytes.count)...]))
        if answer.header("transfer-encoding") == "chunked" { answer.body = unchunked(answer.body) }
        return answer
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var rest = bytes[...]
        var body: [UInt8] = []
        while let lineEnd = rest.indices.first(where: { rest[$0...].starts(with: [13, 10]) }) {
            guard let size = Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16), size > 0 else { break }
            body += rest[(lineEnd + 2)..<(lineEnd + 2 + size)]
            rest = rest[(lineEnd + 4 + size)...]
        }
        return body
    }
}
