import AsyncHTTPClient
import CZlib
import Cluster
import Engine
import Kinds
import Model
import NIOCore
import NIOHTTP1
import NIOSSL
import Testing

@testable import Server

@Suite("How answers travel")
struct TransferTests {
    /// 200 ConfigMaps of a kilobyte: a list that is worth compressing.
    private static func fill(_ server: TestServer) async throws {
        for number in 0..<200 {
            var map = ConfigMap(named: "map-\(number)", in: "default")
            map.data = ["text": String(repeating: "x", count: 1000)]
            _ = try await server.registry.create(
                Object(viewing: map.json), options: WriteOptions(fieldManager: "test"))
        }
    }

    private static func client(_ server: TestServer) throws -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .automatic
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(server.identity.authority.utf8)))
        configuration.tlsConfiguration = tls
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func request(_ server: TestServer, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.url + path)
        request.headers.add(name: "Authorization", value: "Bearer \(server.identity.token.secret)")
        return request
    }

    @Test("A12: a large answer is compressed for a client that takes gzip, a small one and others' are not")
    func gzip() async throws {
        try await TestServer.run { server in
            try await Self.fill(server)
            let path = "/api/v1/namespaces/default/configmaps"
            let plain = try await RawHTTP.send("GET", path, to: server)
            #expect(plain.header("Content-Encoding") == nil)
            #expect(plain.body.count > Compression.threshold)
            let small = try await RawHTTP.send(
                "GET", path + "/map-1", to: server, headers: ["Accept-Encoding": "gzip"])
            #expect(small.header("Content-Encoding") == nil)
            let packed = try await RawHTTP.send("GET", path, to: server, headers: ["Accept-Encoding": "gzip"])
            #expect(packed.header("Content-Encoding") == "gzip")
            #expect(packed.header("Vary") == "Accept-Encoding")
            #expect(packed.body.count < plain.body.count / 4)
            #expect(Self.unpacked(packed.body) == plain.body, "what was compressed is what was meant")
        }
    }

    private static func unpacked(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { inflateEnd(&stream) }
        var input = bytes
        return input.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: 10 << 20) { target, count in
                stream.next_in = source.baseAddress
                stream.avail_in = uInt(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = uInt(target.count)
                count = inflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : 0
            }
        }
    }

    static let encodings: [(header: String?, isAccepted: Bool)] = [
        (nil, false), ("", false), ("identity", false), ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true),
        ("gzip;q=0", false), ("GZIP", true), ("gzip; q=0.0", false),
    ]

    @Test("RFC 9110, 12.5.3: which encodings a client takes", arguments: encodings)
    func encoding(header: String?, isAccepted: Bool) {
        #expect(Compression.isAccepted(header) == isAccepted)
    }

    @Test("HTTP/2: requests and watches share one connection, and a watch that is let go ends")
    func http2() async throws {
        try await TestServer.run { server in
            let client = try Self.client(server)
            let first = try await client.execute(Self.request(server, "/version"), timeout: .seconds(30))
            #expect(first.version == .http2)
            _ = try await first.body.collect(upTo: 1 << 20)
            let path = "/api/v1/namespaces/default/configmaps?watch=true"
            let watch = try await client.execute(Self.request(server, path), timeout: .seconds(60))
            #expect(watch.version == .http2)
            #expect(watch.headers["Connection"].isEmpty, "HTTP/2 knows no such field (RFC 9113, 8.2.2)")
            try await Self.fill(server)
            var received = ""
            for try await chunk in watch.body {
                received += String(buffer: chunk)
                if received.contains("\"map-199\"") { break }
            }
            #expect(received.hasPrefix("{\"type\":\"ADDED\""))
            let log = "/api/v1/namespaces/default/pods/p/log?follow=true"
            do {
                let followed = try await client.execute(Self.request(server, log), timeout: .seconds(60))
                for try await _ in followed.body { break }
            }
            // Nobody reads it any more: the stream is reset, the connection stays.
            for await _ in server.logEnds { break }
            let last = try await client.execute(Self.request(server, "/version"), timeout: .seconds(30))
            #expect(last.status == .ok)
            try await client.shutdown()
        }
    }

    @Test("HTTP/2: a stop ends streams as they would end by themselves, not as a connection that broke")
    func http2Stop() async throws {
        for _ in 0..<10 {
            try await TestServer.run { server in
                let client = try Self.client(server)
                let watch = try await client.execute(
                    Self.request(server, "/api/v1/namespaces?watch=true"), timeout: .seconds(60))
                let log = try await client.execute(
                    Self.request(server, "/api/v1/namespaces/default/pods/p/log?follow=true"), timeout: .seconds(60))
                #expect(log.version == .http2)
                await #expect(throws: Never.self) {
                    var isStopped = false
                    for try await _ in log.body {
                        if !isStopped { await server.stop() }
                        isStopped = true
                    }
                    for try await _ in watch.body {}
                }
                try await client.shutdown()
            }
        }
    }

    @Test("a header that is too large is refused, and the server is none the worse for it")
    func headerLimit() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "GET", "/version", to: server, headers: ["X-Large": String(repeating: "x", count: 2 << 20)])
            #expect(answer.status == 431)
            #expect(answer.text == "431 Request Header Fields Too Large")
            let long = try await RawHTTP.send(
                "GET", "/version", to: server, headers: ["X-Large": String(repeating: "x", count: 500_000)])
            #expect(long.status == 200)
            #expect(try await RawHTTP.send("GET", "/version", to: server).status == 200)
        }
    }
}
