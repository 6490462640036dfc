import Cluster
import KubernetesClient
import Logging
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on a free port of this machine that answers each request as a script says, byte by byte.
final class ScriptedServer: Sendable {
    struct Request: Hashable, Sendable {
        var method: String
        var path: String
        /// Names in lower case.
        var headers: [String: String]
        var body: String

        var line: String { "\(method) \(path)" }
    }

    enum Reply: Sendable {
        case answer(_ status: String, headers: [String] = [], _ body: String)
        /// Each piece in an HTTP chunk of its own; `isWhole` tells whether the last one is announced.
        case chunks([[UInt8]], isWhole: Bool = true)
        /// The connection is closed without a word.
        case close
        /// Nothing is said, as long as the client waits.
        case silence

        static func json(_ json: JSON, status: String = "200 OK", headers: [String] = []) -> Reply {
            .answer(status, headers: headers, json.text())
        }
    }

    /// The answer to a request, which is the `number`th, counted from 1.
    typealias Script = @Sendable (_ request: Request, _ number: Int) -> Reply

    let port: Int
    private let script: Script
    private let greeting: String?
    private let seen = Mutex<[Request]>([])

    private init(port: Int, greeting: String?, script: @escaping Script) {
        self.port = port
        self.greeting = greeting
        self.script = script
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// What was asked, in order, over all connections.
    var requests: [Request] { seen.withLock { $0 } }

    /// Serves for as long as `body` runs.
    ///
    /// - Parameter greeting: said to whoever connects, as a server of another protocol does.
    static func run<Value: Sendable>(
        tls: NIOSSLContext? = nil, greeting: String? = nil, _ script: @escaping Script,
        _ body: @escaping @Sendable (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let server = ScriptedServer(port: listener.channel.localAddress?.port ?? 0, greeting: greeting, script: script)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    await withDiscardingTaskGroup { group in
                        do {
                            for try await connection in connections {
                                group.addTask { await server.serve(connection) }
                            }
                        } catch {
                            // The test is over.
                        }
                        group.cancelAll()
                    }
                }
                return nil
            }
            group.addTask { try await body(server) }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    private func serve(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async {
        do {
            try await connection.executeThenClose { inbound, outbound in
                if let greeting { try await outbound.write(ByteBuffer(string: greeting)) }
                var bytes: [UInt8] = []
                for try await chunk in inbound {
                    bytes += Array(buffer: chunk)
                    while let request = Self.request(from: &bytes) {
                        let number = seen.withLock { seen in
                            seen.append(request)
                            return seen.count
                        }
                        guard try await reply(script(request, number), outbound) else { return }
                    }
                }
            }
        } catch {
            // A client that goes away, or does not trust this server, is what some tests are about.
        }
    }

    /// Answers whether the connection goes on.
    private func reply(_ reply: Reply, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> Bool {
        switch reply {
        case .answer(let status, let headers, let body):
            let head = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers
            try await outbound.write(ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n" + body))
            return true
        case .chunks(let pieces, let isWhole):
            try await outbound.write(
                ByteBuffer(string: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
            for piece in pieces {
                var buffer = ByteBuffer(string: String(piece.count, radix: 16) + "\r\n")
                buffer.writeBytes(piece)
                buffer.writeString("\r\n")
                try await outbound.write(buffer)
            }
            if isWhole { try await outbound.write(ByteBuffer(string: "0\r\n\r\n")) }
            return isWhole
        case .close: return false
        case .silence: return true
        }
    }

    private static func request(from bytes: inout [UInt8]) -> Request? {
        let separator = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: separator) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= end + 4 + length else { return nil }
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        let body = String(decoding: bytes[(end + 4)..<(end + 4 + length)], as: UTF8.self)
        bytes.removeFirst(end + 4 + length)
        return Request(method: words[0], path: words[1], headers: headers, body: body)
    }
}

/// A clock on which every pause is over at once; it notes how long each would have been.
final class NotingClock: WallClock {
    private let state = Mutex((now: Timestamp(seconds: 1_700_000_000), pauses: [Duration]()))

    var now: Timestamp { state.withLock { $0.now } }
    var pauses: [Duration] { state.withLock { $0.pauses } }

    func sleep(until deadline: Timestamp) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.pauses.append(deadline - state.now)
            state.now = deadline
        }
    }
}

extension KubernetesClient {
    /// A client for as long as `body` runs.
    static func with<Value: Sendable>(
        _ access: ClusterAccess, clock: any WallClock = SystemClock(), limits: Limits = Limits(),
        _ body: (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let client = try KubernetesClient(access, clock: clock, limits: limits, logger: logger, userAgent: "test/1")
        do {
            let value = try await body(client)
            try await client.shutdown()
            return value
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}
