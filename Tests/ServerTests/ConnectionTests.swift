import Cluster
import Engine
import Glibc
import Kinds
import KubernetesClient
import Logging
import Model
import NIOCore
import NIOPosix
import Server
import Synchronization
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("who speaks plain HTTP is told that this is HTTPS, and nothing else")
    func plainHTTP() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send("GET", "/version", to: server, isPlain: true)
            #expect(answer.status == 400)
            #expect(answer.text == "Client sent an HTTP request to an HTTPS server.\n")
            // The server is none the worse for it.
            #expect(try await RawHTTP.send("GET", "/version", to: server).status == 200)
        }
    }

    @Test("who asks first is told to send its body (RFC 9110, 10.1.1)", .timeLimit(.minutes(1)))
    func expectContinue() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/configmaps", to: server, body: "{\"metadata\":{\"name\":\"a\"}}",
                asksFirst: true)
            #expect(answer.status == 201)
            #expect(try answer.json[path: ["metadata", "name"]] == "a")
        }
    }

    @Test("requests that are sent without waiting for answers are answered in their order", .timeLimit(.minutes(1)))
    func pipelining() async throws {
        try await TestServer.run { server in
            let maps = "/api/v1/namespaces/default/configmaps"
            let long =
                "{\"metadata\":{\"name\":\"long\"},\"data\":{\"a\":\"\(String(repeating: "x", count: 200_000))\"}}"
            let received = try await RawHTTP.exchange(
                [
                    "GET /version HTTP/1.1",
                    "POST \(maps) HTTP/1.1\r\nContent-Length: \(long.count)\r\n\r\n\(long)",
                    "GET /nowhere HTTP/1.1",
                    "GET \(maps)/long HTTP/1.1\r\nConnection: close\r\n\r\n",
                ], with: server)
            let codes = received.matches(of: /HTTP\/1\.1 (\d+)/).map { Int($0.1) }
            #expect(codes == [200, 201, 404, 200])
        }
    }

    @Test("HEAD gets the head alone, and the connection goes on", .timeLimit(.minutes(1)))
    func head() async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange(
                ["HEAD /version HTTP/1.1", "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"], with: server)
            let answers = received.split(separator: "HTTP/1.1 ").map(String.init)
            #expect(answers.count == 2)
            #expect(answers.first?.contains("Content-Length: ") == true)
            #expect(answers.first?.hasSuffix("\r\n\r\n") == true)
            #expect(answers.last?.hasSuffix("\r\n\r\nok") == true)
        }
    }

    @Test("HTTP/1.0 gets no pieces, and keeps the connection only where it asks for that", .timeLimit(.minutes(1)))
    func oldHTTP() async throws {
        try await TestServer.run { server in
            let log = "GET /api/v1/namespaces/default/pods/p/log HTTP/1.0\r\n\r\n"
            let received = try await RawHTTP.exchange(
                ["GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", log], with: server)
            let answers = received.split(separator: "HTTP/1.0 ").map(String.init)
            #expect(answers.count == 2)
            #expect(answers.first?.contains("Connection: keep-alive\r\n") == true)
            #expect(answers.last?.contains("Connection: close\r\n") == true)
            #expect(!received.contains("chunked"))
        }
    }

    @Test("what is no HTTP is refused, after the answers to what was", .timeLimit(.minutes(1)))
    func noHTTP() async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange(
                ["GET /livez HTTP/1.1", "GET /livez HTTP/1.1\r\nno field\r\n\r\n"], with: server)
            let codes = received.matches(of: /HTTP\/1\.1 (\d+)/).map { Int($0.1) }
            #expect(codes == [200, 400])
            #expect(received.hasSuffix("\r\n\r\n400 Bad Request"))
        }
    }

    static let refused: [(request: String, status: String)] = [
        (
            "GET /livez HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "501 Not Implemented: unsupported"
        ),
        ("GET /livez HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad Request: transfer"),
        ("GET /livez HTTP/1.1\r\nHost: y\r\n\r\n", "400 Bad Request: too many Host headers"),
        ("GET /livez HTTP/1.1\r\nExpect: more\r\n\r\n", "417 Expectation Failed"),
    ]

    @Test("what cannot be understood for certain is refused, and the connection ends (RFC 9112)", arguments: refused)
    func refusals(_ request: String, _ status: String) async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange([request, "GET /livez HTTP/1.1"], with: server)
            #expect(received.contains("\r\n\r\n\(status)"), "\(received)")
            #expect(received.matches(of: /HTTP\/1\.1 (\d+)/).count == 1)
        }
    }

    @Test("a request for another protocol is answered, and ends the connection", .timeLimit(.minutes(1)))
    func upgrade() async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange(
                ["GET /livez HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET /livez HTTP/1.1"],
                with: server)
            #expect(received.contains("Connection: close"))
            #expect(received.hasSuffix("\r\n\r\nok"))
            #expect(received.matches(of: /HTTP\/1\.1 (\d+)/).count == 1)
            // What is sent afterwards is not held without bound.
            let flood = String(repeating: "x", count: 4 << 20)
            let ended = try await RawHTTP.exchange(
                ["CONNECT x:1 HTTP/1.1\r\n\r\n\(flood)"], with: server)
            #expect(ended.isEmpty || ended.hasPrefix("HTTP/1.1 4"))
        }
    }

    @Test("a request without a host is none of HTTP/1.1", .timeLimit(.minutes(1)))
    func noHost() async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange(["GET /livez HTTP/1.1"], with: server, host: nil)
            #expect(received.hasSuffix("\r\n\r\n400 Bad Request: missing required Host header"))
        }
    }

    @Test("the whole address names the same as its path", .timeLimit(.minutes(1)))
    func absoluteForm() async throws {
        try await TestServer.run { server in
            let received = try await RawHTTP.exchange(
                ["GET https://x/livez HTTP/1.1", "GET HTTP://x HTTP/1.1\r\nConnection: close\r\n\r\n"], with: server)
            #expect(received.matches(of: /HTTP\/1\.1 (\d+)/).map { $0.1 } == ["200", "200"])
            #expect(received.contains("\r\n\r\nok"))
            #expect(received.contains("\"paths\""))
        }
    }

    @Test("whatever the method, the health is told; HEAD has no body", arguments: ["HEAD", "POST", "OPTIONS"])
    func healthMethods(_ method: String) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(method, "/readyz", to: server)
            #expect(answer.status == 200)
            #expect(answer.text == (method == "HEAD" ? "" : "ok"))
        }
    }

    @Test(
        "a parameter that cannot be read is refused: without its selector a deletion would take everything",
        arguments: [
            "labelSelector=x%3D%ff", "a=%-0", "fieldSelector=metadata.name%3D%ff", "labelSelector=%zz", "%ff=1", "a=%4",
        ])
    func unreadableParameters(_ query: String) async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default/configmaps"
            let map = try await RawHTTP.send("POST", path, to: server, body: "{\"metadata\":{\"name\":\"kept\"}}")
            #expect(map.status == 201)
            for method in ["DELETE", "GET"] {
                let answer = try await RawHTTP.send(method, "\(path)?\(query)", to: server)
                #expect(answer.status == 400)
                #expect(try answer.json["message"]?.string?.contains("parameter \(query) cannot be read") == true)
            }
            #expect(try await RawHTTP.send("GET", "\(path)/kept", to: server).status == 200)
        }
    }

    @Test("a body that is too long is refused, and the connection goes on", .timeLimit(.minutes(1)))
    func longBody() async throws {
        try await TestServer.run { server in
            let body = String(repeating: " ", count: (3 << 20) + 1)
            let received = try await RawHTTP.exchange(
                [
                    "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nContent-Length: \(body.count)\r\n\r\n\(body)",
                    "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
                ], with: server)
            let codes = received.matches(of: /HTTP\/1\.1 (\d+)/).map { Int($0.1) }
            #expect(codes == [413, 200])
        }
    }

    @Test("a list that is sent in pieces is the whole list, also compressed and laid out for people")
    func longList() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default/configmaps"
            let text = String(repeating: "x", count: 1000)
            for number in 0..<300 {
                let map = ConfigMap(viewing: ["apiVersion": "v1", "kind": "ConfigMap", "data": ["text": .string(text)]])
                var object = Object(viewing: map.json)
                object.metadata = ObjectMeta(viewing: ["name": .string("map-\(number)"), "namespace": "default"])
                _ = try await server.registry.create(object, options: WriteOptions(fieldManager: "test"))
            }
            let whole = try await RawHTTP.send("GET", path, to: server)
            #expect(whole.header("content-length") == "\(whole.body.count)")
            #expect(whole.body.count > 3 * 128 << 10)
            let names = try whole.json["items"]?.array?.compactMap { $0[path: ["metadata", "name"]]?.string }
            #expect(names == (0..<300).map { "map-\($0)" }.sorted())
            let pretty = try await RawHTTP.send("GET", path + "?pretty=true", to: server)
            #expect(try pretty.json == whole.json)
            let short = try await RawHTTP.send("GET", path + "?limit=1", to: server)
            #expect(try short.json["items"]?.array?.count == 1)
        }
    }

    @Test("a refusal says how to get in (RFC 9110, 11.6.1), and a wrong token is named to the client")
    func unauthorized() async throws {
        try await TestServer.run { server in
            let refused = try await RawHTTP.send("GET", "/api", to: server, token: nil)
            #expect(refused.status == 401)
            #expect(refused.header("WWW-Authenticate") == "Bearer")
            #expect(try refused.json["kind"] == "Status")
            #expect(try refused.json["code"] == 401)
            let client = try server.makeClient(token: "wrong")
            let error = await #expect(throws: APIError.self) { try await client.get(Pod.key("x", in: "default")) }
            try await client.shutdown()
            #expect(error?.reason == .unauthorized)
        }
    }

    @Test("a server that another authority vouches for is not trusted, and the message says what to do")
    func foreignAuthority() async throws {
        try await TestServer.withIdentity { other, _ in
            try await TestServer.run { server in
                let client = try server.makeClient(authority: other.authority)
                let error = await #expect(throws: APIError.self) { try await client.get(Pod.key("x", in: "default")) }
                try await client.shutdown()
                #expect(error?.reason == .serviceUnavailable)
                #expect(error?.message.contains("certificate authority") == true, "\(error?.message ?? "")")
                #expect(error?.message.contains(server.url) == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test("the server is reached under its addresses and its name", arguments: ["127.0.0.1", "localhost"])
    func names(host: String) async throws {
        try await TestServer.run { server in
            let client = try server.makeClient(host: host)
            let object = try await client.get(Namespace.key("default"))
            try await client.shutdown()
            #expect(object.metadata.name == "default")
        }
    }

    @Test("a stop ends watches, followed logs, idle and silent connections within seconds")
    func stops() async throws {
        let clock = ContinuousClock()
        let asked = Mutex(clock.now)
        try await TestServer.run { server in
            let silent = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: server.address.host, port: server.address.port).get()
            let watching = try server.makeClient()
            let watch = try await watching.watch(ListQuery(Namespace.kind.groupKind, namespace: nil), from: nil)
            var events = watch.makeAsyncIterator()
            #expect(try await events.next() != nil)
            let log = try await watching.logs(LogQuery(namespace: "default", pod: "p", follow: true))
            var chunks = log.makeAsyncIterator()
            #expect(try await chunks.next() != nil)
            asked.withLock { $0 = clock.now }
            await server.stop()
            await #expect(throws: Never.self, "an end, not a failure") {
                while try await events.next() != nil {}
                while try await chunks.next() != nil {}
            }
            try await silent.closeFuture.get()
            try await watching.shutdown()
        }
        #expect(clock.now - asked.withLock { $0 } < .seconds(5))
    }

    @Test("an answer after which the server closes says so: a streamed one, and one to a client that wants it")
    func announcesClose() async throws {
        try await TestServer.run { server in
            let log = "/api/v1/namespaces/default/pods/p/log"
            #expect(try await RawHTTP.send("GET", log, to: server).header("Connection") == "close")
            #expect(try await RawHTTP.send("GET", "/api", to: server).header("Connection") == "close")
            // A client that kept the connection would now and then find it closed.
            for _ in 0..<50 {
                let chunks = try await server.client.logs(LogQuery(namespace: "default", pod: "p"))
                for try await _ in chunks {}
                let error = await #expect(throws: APIError.self) {
                    try await server.client.logs(LogQuery(namespace: "default", pod: "absent"))
                }
                #expect(error?.reason == .notFound, "\(error?.message ?? "")")
            }
        }
    }

    @Test("a followed log is let go when its client is gone without a word")
    func goneClient() async throws {
        try await TestServer.run { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: server.address.host, port: server.address.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(server.tlsHandler())
                        return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await channel.executeThenClose { inbound, outbound in
                let head =
                    "GET /api/v1/namespaces/default/pods/p/log?follow=true HTTP/1.1\r\nHost: x\r\n"
                    + "Authorization: Bearer \(server.identity.token.secret)\r\n\r\n"
                try await outbound.write(ByteBuffer(string: head))
                for try await _ in inbound { break }
                // A reset, as from a process that was killed: no TLS goodbye.
                let socket = try #require(channel.channel as? any SocketOptionProvider)
                try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                try await channel.channel.close(mode: .all)
            }
            for await _ in server.logEnds { break }
        }
    }
}
