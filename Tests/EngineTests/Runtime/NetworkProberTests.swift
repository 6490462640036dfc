import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Engine

/// Answers as the request's path says: `/status/500`, `/to?…` redirects, `/hang` never.
private final class Answerer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        var answer = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Content-Length": "0"])
        if head.uri.hasPrefix("/status/") {
            answer.status = HTTPResponseStatus(statusCode: Int(head.uri.dropFirst(8)) ?? 500)
        } else if head.uri.hasPrefix("/to?") {
            answer.status = .found
            answer.headers.add(name: "Location", value: String(head.uri.dropFirst(4)))
        } else if head.uri == "/agent", head.headers.first(name: "User-Agent") != "kube-probe/1.36" {
            answer.status = .badRequest
        } else if head.uri == "/header", head.headers.first(name: "X-Check") != "yes" {
            answer.status = .badRequest
        } else if head.uri == "/hang" {
            return
        }
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

@Suite("I7: probes over the network")
struct NetworkProberTests {
    private func withServer(_ body: (Int) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Answerer())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        do {
            try await body(port)
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    static let paths: [(path: String, outcome: ProbeOutcome)] = [
        ("/", .success), ("/status/204", .success), ("/status/399", .success), ("/agent", .success),
        ("/header", .success), ("/status/400", .failure("HTTP probe failed with statuscode: 400")),
        ("/status/500", .failure("HTTP probe failed with statuscode: 500")), ("/to?/status/200", .success),
        ("/to?/status/503", .failure("HTTP probe failed with statuscode: 503")),
        ("/to?http://example.com/", .warning("Probe terminated redirects, Response body: ")),
    ]

    @Test("200 to 399 pass, redirects are followed on the same host only", arguments: paths)
    func http(path: String, outcome: ProbeOutcome) async throws {
        try await withServer { port in
            let probe = HTTPProbe(
                scheme: "http", host: "127.0.0.1", port: port, path: path, headers: [["X-Check", "yes"]])
            #expect(await NetworkProber().perform(.http(probe), timeout: .seconds(5)) == outcome)
        }
    }

    @Test("an answer that does not come fails when the time is up")
    func hangs() async throws {
        try await withServer { port in
            let probe = HTTPProbe(scheme: "http", host: "127.0.0.1", port: port, path: "/hang", headers: [])
            guard case .failure(let message) = await NetworkProber().perform(.http(probe), timeout: .milliseconds(200))
            else {
                Issue.record("the probe passed")
                return
            }
            #expect(message.contains("context deadline exceeded"))
        }
    }

    @Test("a port that listens passes, one that does not fails")
    func tcp() async throws {
        try await withServer { port in
            let action = ProbeAction.tcp(host: "127.0.0.1", port: port)
            #expect(await NetworkProber().perform(action, timeout: .seconds(5)) == .success)
            // An address that nobody listens on: a port just closed may be another test's already.
            let outcome = await NetworkProber().perform(.tcp(host: "127.15.0.9", port: port), timeout: .seconds(5))
            #expect(outcome == .failure("dial tcp 127.15.0.9:\(port): connect: connection refused"))
        }
    }
}
