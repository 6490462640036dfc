import Cluster
import Engine
import Glibc
import Kinds
import KubernetesClient
import Logging
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Server
import ServiceLifecycle
import Store
import Synchronization

/// A server on a free port over a registry in memory, for as long as a test runs.
struct TestServer {
    var registry: Registry
    var identity: ServerIdentity
    var address: APIServer.Address
    var client: KubernetesClient
    /// Told whenever a followed log is no longer read.
    var logEnds: AsyncStream<Void>
    /// Asks the server to end, as a signal does.
    var stop: @Sendable () async -> Void

    var url: String { "https://\(address)" }

    /// An identity in a folder of its own, for as long as `body` runs.
    static func withIdentity<Result>(
        clock: any WallClock = SystemClock(),
        _ body: (_ identity: ServerIdentity, _ folder: String) async throws -> Result
    ) async throws -> Result {
        let folder = "/tmp/martlet-pki-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let identity = try ServerIdentity(folder: folder, hosts: [], clock: clock, logger: logger)
        defer {
            for name in ["ca.crt", "ca.key", "apiserver.crt", "apiserver.key", "admin.token", "sa.key"] {
                unlink("\(folder)/\(name)")
            }
            rmdir(folder)
        }
        return try await body(identity, folder)
    }

    /// One in memory, without a namespace.
    static func registry(
        limits: Store.Limits = Store.Limits(), clock: any WallClock = SystemClock()
    ) throws -> Registry {
        guard let addresses = AddressRange("127.97.0.0/16") else { preconditionFailure("the range is one") }
        return Registry(
            store: try Store(persistence: MemoryPersistence(), limits: limits), clock: clock,
            random: SplitMix64(seed: 3), configuration: .init(serviceAddresses: addresses))
    }

    static func run(
        limits: Store.Limits = Store.Limits(), readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await withIdentity { identity, _ in
            try await run(identity, limits: limits, readiness: readiness, body)
        }
    }

    /// With the folder of the server's authority, which signs certificates for clients.
    static func runWithAuthority(
        _ body: @escaping @Sendable (TestServer, _ folder: String) async throws -> Void
    ) async throws {
        try await withIdentity { identity, folder in
            try await run(identity) { server in try await body(server, folder) }
        }
    }

    static func run(
        _ identity: ServerIdentity, limits: Store.Limits = Store.Limits(),
        readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let registry = try registry(limits: limits)
        for name in ["default", "other"] {
            _ = try await registry.create(
                Object(viewing: Namespace(named: name).json), options: WriteOptions(fieldManager: "test"))
        }
        let (logEnds, logEnd) = AsyncStream.makeStream(of: Void.self)
        registry.attach(logs: FixedLogs(ended: logEnd))
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let quiet = logger
        let (addressStream, listening) = AsyncStream.makeStream(of: APIServer.Address.self)
        let server = APIServer(
            cluster: registry, clock: SystemClock(), identity: identity, address: .init(port: 0), logger: quiet,
            readiness: readiness, onListening: { listening.yield($0) })
        try await withThrowingTaskGroup { tasks in
            let group = ServiceGroup(configuration: .init(services: [server], logger: quiet))
            tasks.addTask { try await group.run() }
            for await address in addressStream {
                let client = try KubernetesClient(
                    ClusterAccess(
                        server: "https://\(address)", credentials: .token(identity.token.secret),
                        certificateAuthority: .data(Array(identity.authority.utf8))),
                    clock: SystemClock(), logger: quiet)
                do {
                    try await body(
                        TestServer(
                            registry: registry, identity: identity, address: address, client: client, logEnds: logEnds,
                            stop: { await group.triggerGracefulShutdown() }))
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

extension TestServer {
    /// Another client than the server's own.
    func makeClient(token: String? = nil, authority: String? = nil, host: String? = nil) throws -> KubernetesClient {
        var address = address
        if let host { address.host = host }
        return try KubernetesClient(
            ClusterAccess(
                server: "https://\(address)", credentials: .token(token ?? identity.token.secret),
                certificateAuthority: .data(Array((authority ?? identity.authority).utf8))),
            clock: SystemClock(), logger: Logger(label: "test"))
    }

    /// The certificate that the next connection gets to see.
    func shownCertificate() async throws -> NIOSSLCertificate {
        let (certificates, seen) = AsyncStream.makeStream(of: NIOSSLCertificate.self)
        _ = try await RawHTTP.send("GET", "/version", to: self) { seen.yield($0) }
        seen.finish()
        for await certificate in certificates { return certificate }
        throw NoCertificate()
    }

    struct NoCertificate: Error {}

    /// What a client's connection needs to trust the server.
    ///
    /// - Parameter accept: takes the server's certificate, which then is trusted without a look.
    func tlsHandler(
        accept: (@Sendable (NIOSSLCertificate) -> Void)? = nil
    ) throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(identity.authority.utf8)))
        configuration.applicationProtocols = ["http/1.1"]
        let context = try NIOSSLContext(configuration: configuration)
        guard let accept else { return try NIOSSLClientHandler(context: context, serverHostname: nil) }
        return try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { certificates, promise in
                if let certificate = certificates.first { accept(certificate) }
                promise.succeed(.certificateVerified)
            })
    }
}

/// Says the same for every container; a followed log goes on without a word more.
struct FixedLogs: LogSource {
    var ended: AsyncStream<Void>.Continuation

    func logs(_ query: LogQuery) async throws(APIError) -> LogStream {
        guard query.pod != "absent" else { throw .notFound("pods", name: query.pod) }
        let lines = query.tailLines == 1 ? ["two\n"] : ["one\n", "two\n"]
        var rest = lines[...]
        let (stream, continuation) = LogStream.makeStream()
        while let line = rest.popFirst() { continuation.yield(Array(line.utf8)) }
        if query.follow {
            continuation.onTermination = { [ended] _ in ended.yield() }
        } else {
            continuation.finish()
        }
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

    /// Stands for the token that the server made itself.
    static let rightToken = "<the server's token>"

    /// - Parameter asksFirst: whether the body is held back until the server wants it.
    static func send(
        _ method: String, _ path: String, to server: TestServer, token: String? = RawHTTP.rightToken,
        headers: [String: String] = [:], body: String? = nil, bytes: [UInt8]? = nil, isPlain: Bool = false,
        asksFirst: Bool = false, accept: (@Sendable (NIOSSLCertificate) -> Void)? = nil
    ) async throws -> RawHTTP {
        let token = token == rightToken ? server.identity.token.secret : token
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(server.address)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let body = bytes ?? body.map { Array($0.utf8) }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        if asksFirst { head += "Expect: 100-continue\r\n" }
        let channel = try await connect(to: server, isPlain: isPlain, accept: accept)
        let start = Array((head + "\r\n").utf8) + (asksFirst ? [] : body ?? [])
        let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        let bytes = try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: start))
            var bytes: [UInt8] = []
            var isAwaited = asksFirst
            for try await chunk in inbound {
                bytes += Array(buffer: chunk)
                guard isAwaited, bytes.starts(with: interim) else { continue }
                isAwaited = false
                bytes.removeFirst(interim.count)
                try await outbound.write(ByteBuffer(bytes: body ?? []))
            }
            return bytes
        }
        return parse(bytes)
    }

    private static func connect(
        to server: TestServer, isPlain: Bool = false, accept: (@Sendable (NIOSSLCertificate) -> Void)? = nil
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: server.address.host, port: server.address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if !isPlain { try channel.pipeline.syncOperations.addHandler(server.tlsHandler(accept: accept)) }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Sends requests in one piece, of which the last asks for the end of the connection.
    ///
    /// - Parameter requests: a line and header fields each, and the body after an empty line.
    /// - Returns: all that came back.
    static func exchange(
        _ requests: [String], with server: TestServer, host: String? = "x"
    ) async throws -> String {
        let authorization =
            "\r\nAuthorization: Bearer \(server.identity.token.secret)\r\n" + (host.map { "Host: \($0)\r\n" } ?? "")
        let texts = requests.map { request in
            let parts = request.split(separator: "\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            return parts[0] + authorization + (parts.count > 1 ? parts[1] : "\r\n")
        }
        return try await connect(to: server).executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: texts.joined()))
            var received = ""
            for try await chunk in inbound { received += String(buffer: chunk) }
            return received
        }
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
