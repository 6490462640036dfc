import Cluster
import Engine
import Kinds
import Model
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Proxy on real sockets", .timeLimit(.minutes(1)))
struct ProxySocketTests {
    @Test("end-of-file goes through in one direction while the other still speaks (half-close), round robin")
    func halfClose() async throws {
        try await ProxyStage.run("127.99.0.1") { stage in
            try await Backend.run("127.99.1.1", Backend.named("a")) { first in
                try await Backend.run("127.99.1.2", Backend.named("b")) { second in
                    try await stage.serve([first.endpoint, second.endpoint])
                    var answers: [String] = []
                    for _ in 0..<4 { answers.append(try await stage.exchange("hello")) }
                    #expect(Set(answers) == ["a:hello", "b:hello"])
                    #expect(answers[0] == answers[2])
                }
            }
        }
    }

    @Test("a backend that refuses costs no connection: the next one is tried")
    func retry() async throws {
        try await ProxyStage.run("127.99.0.2") { stage in
            try await Backend.run("127.99.1.3", Backend.named("a")) { backend in
                try await stage.serve([ProxyPlan.Endpoint("127.99.1.4", 1), backend.endpoint])
                for _ in 0..<6 { #expect(try await stage.exchange("x") == "a:x") }
                #expect(stage.proxy.statistics.failedConnects == 3)
                #expect(stage.proxy.statistics.refused == 0)
            }
        }
    }

    @Test("a node port leads where the ClusterIP leads, until the Service has none any more")
    func nodePort() async throws {
        // The kernel names a port that is free; nobody else asks for it so soon again.
        let finder = try await ServerBootstrap(group: ProxyStage.group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(finder.localAddress?.port)
        try await finder.close()
        let endpoint = ProxyPlan.Endpoint("127.0.0.1", port)
        try await ProxyStage.run("127.99.0.12") { stage in
            try await Backend.run("127.99.1.12", Backend.named("a")) { backend in
                try await stage.serve([backend.endpoint], nodePort: port)
                #expect(try await stage.exchange("x", at: endpoint) == "a:x")
                #expect(try await stage.exchange("y") == "a:y")
                try await stage.serve([backend.endpoint])
                await #expect(throws: (any Error).self) { try await stage.exchange("x", at: endpoint) }
                #expect(try await stage.exchange("z") == "a:z")
            }
        }
    }

    @Test("without endpoints a connection is reset, not answered with nothing")
    func noEndpoints() async throws {
        try await ProxyStage.run("127.99.0.3") { stage in
            try await stage.serve([])
            await #expect(throws: (any Error).self) {
                try await stage.connect().executeThenClose { inbound, _ in
                    // An orderly end would end the loop without an error.
                    for try await _ in inbound {}
                }
            }
            #expect(stage.proxy.statistics.refused == 1)
        }
    }

    @Test("a sender is held back while its reader is slow, and nothing is lost (back-pressure)")
    func backPressure() async throws {
        let total = 160 << 20
        let box = CounterBox()
        let handle: @Sendable (ProxyStage.Connection) async throws -> Void = { connection in
            try await connection.executeThenClose { inbound, outbound in
                let chunk = ByteBuffer(repeating: 7, count: 256 << 10)
                for _ in 0..<(total / chunk.readableBytes) {
                    // Counted once the kernel has it: the writer's own buffer would hide who is held back.
                    try await connection.channel.writeAndFlush(chunk)
                    box.written.add(chunk.readableBytes, ordering: .relaxed)
                }
                outbound.finish()
                // The client closes when it has read everything; closing earlier would drop what is not sent yet.
                for try await _ in inbound {}
            }
        }
        try await ProxyStage.run("127.99.0.4") { stage in
            try await Backend.run("127.99.1.5", handle) { backend in
                try await stage.serve([backend.endpoint])
                let furthest = try await stage.connect(receiveBuffer: 64 << 10).executeThenClose { inbound, _ in
                    var read = 0
                    var furthest = 0
                    for try await chunk in inbound {
                        read += chunk.readableBytes
                        furthest = max(furthest, box.written.load(ordering: .relaxed) - read)
                        // A reader slower than the sender.
                        if read % 16 == 0 { try await ContinuousClock().sleep(for: .microseconds(50)) }
                    }
                    #expect(read == total)
                    return furthest
                }
                // The kernel's buffers of both connections hold some; the proxy itself next to nothing.
                #expect(furthest < 64 << 20)
            }
        }
    }

    final class CounterBox: Sendable {
        let written = Atomic(0)
    }

    @Test("a connection to an endpoint that is taken away lives on; new ones go elsewhere")
    func draining() async throws {
        let repeater: @Sendable (ProxyStage.Connection) async throws -> Void = { connection in
            try await connection.executeThenClose { inbound, outbound in
                for try await chunk in inbound { try await outbound.write(chunk) }
                outbound.finish()
            }
        }
        try await ProxyStage.run("127.99.0.5") { stage in
            try await Backend.run("127.99.1.6", repeater) { old in
                try await Backend.run("127.99.1.7", Backend.named("new")) { new in
                    try await stage.serve([old.endpoint])
                    try await stage.connect().executeThenClose { inbound, outbound in
                        var answers = inbound.makeAsyncIterator()
                        try await outbound.write(ByteBuffer(string: "one"))
                        #expect(try await answers.next().map { String(buffer: $0) } == "one")
                        try await stage.serve([new.endpoint])
                        try await happens { try await stage.exchange("x") == "new:x" }
                        try await outbound.write(ByteBuffer(string: "two"))
                        #expect(try await answers.next().map { String(buffer: $0) } == "two")
                        outbound.finish()
                        #expect(try await answers.next() == nil)
                    }
                }
            }
        }
    }

    @Test("a port that is taken is a Warning event on the Service, and is had once it is free")
    func takenPort() async throws {
        let registry = try ProxyStage.registry()
        for object in [
            Namespace(named: "default").json,
            [
                "apiVersion": "v1", "kind": "Service", "metadata": ["name": "web", "namespace": "default"],
                "spec": ["clusterIP": "127.98.0.77", "ports": [["port": 8000]]],
            ] as JSON,
        ] {
            _ = try await registry.create(Object(viewing: object), options: WriteOptions(fieldManager: "test"))
        }
        let squatter = try await ServerBootstrap(group: ProxyStage.group).bind(host: "127.98.0.77", port: 8000).get()
        var limits = ServiceProxy.Limits()
        limits.bindRetry = (.milliseconds(10), .milliseconds(50))
        let proxy = ServiceProxy(
            cluster: registry, clock: SystemClock(), limits: limits, group: ProxyStage.group, logger: ProxyStage.quiet)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                do {
                    try await proxy.run()
                } catch is CancellationError {
                    // The test is over.
                }
            }
            try await happens {
                let events = try await registry.list(ListQuery(Event.kind.groupKind, namespace: "default")).items
                return events.contains {
                    let event = $0.view(as: Event.self)
                    return event.reason == "FailedToListen" && event.type == "Warning"
                        && event.involvedObject.name == "web"
                        && event.message?.contains("127.98.0.77:8000: the port is taken") == true
                }
            }
            #expect(proxy.frontends.isEmpty)
            try await squatter.close()
            try await happens { !proxy.frontends.isEmpty }
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        #expect(proxy.frontends.isEmpty)
    }
}
