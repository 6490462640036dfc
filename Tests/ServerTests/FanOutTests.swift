import Cluster
import Engine
import Kinds
import KubernetesClient
import Model
import Store
import Testing

@Suite("Many watchers over HTTP", .timeLimit(.minutes(2)))
struct FanOutTests {
    private static let (watchers, rounds, writes) = (100, 6, 10)

    private static func write(_ server: TestServer, _ name: String, in namespace: String, _ text: String) async throws {
        let map: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string(name), "namespace": .string(namespace)], "data": ["text": .string(text)],
        ]
        _ = try await server.registry.create(Object(viewing: map), options: WriteOptions(fieldManager: "test"))
    }

    @Test(
        "a hundred connections hear everything once and in order, beside one that is not read, which ends with 410 (D5)"
    )
    func hundredConnections() async throws {
        var limits = Store.Limits()
        limits.watchBuffer = 40
        try await TestServer.run(limits: limits) { server in
            let version = try await server.registry.list(ListQuery(ConfigMap.kind.groupKind)).resourceVersion
            let unread = try await server.client.watch(ListQuery(ConfigMap.kind.groupKind), from: version)
            // One client has room for 64 connections to a server.
            let clients = try (0..<2).map { _ in try server.makeClient() }
            let (told, tell) = AsyncStream.makeStream(of: Void.self)
            let expected = (0..<Self.rounds * Self.writes).map { "m\($0)" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<Self.watchers {
                    let client = clients[index % clients.count]
                    let query = ListQuery(ConfigMap.kind.groupKind, namespace: "default")
                    let stream = try await client.watch(query, from: version)
                    group.addTask {
                        var names: [String] = []
                        for try await case .added(let object) in stream {
                            names.append(object.metadata.name)
                            tell.yield()
                            if names.count == expected.count { break }
                        }
                        #expect(names == expected)
                    }
                }
                var ticks = told.makeAsyncIterator()
                let large = String(repeating: "x", count: 300_000)
                for round in 0..<Self.rounds {
                    for index in 0..<Self.writes {
                        try await Self.write(server, "m\(round * Self.writes + index)", in: "default", "small")
                        // More than the connection's buffers hold: only the one that is not read asked for these.
                        try await Self.write(server, "l\(round * Self.writes + index)", in: "other", large)
                    }
                    for _ in 0..<Self.watchers * Self.writes { await ticks.next() }
                }
                try await group.waitForAll()
            }
            try await Self.expectCutOff(unread)
            for client in clients { try await client.shutdown() }
        }
    }

    /// What was under way when the watch was cut off arrives whole and in order, then the reason.
    private static func expectCutOff(_ stream: WatchStream) async throws {
        var versions: [Int] = []
        let error = await #expect(throws: APIError.self) {
            for try await case .added(let object) in stream {
                versions.append(Int(object.metadata.resourceVersion) ?? 0)
                // All of it: it was not cut off, and would go on for ever.
                if versions.count == rounds * writes * 2 { break }
            }
        }
        #expect(error?.reason == .expired)
        #expect(versions.count < rounds * writes * 2)
        #expect(zip(versions, versions.dropFirst()).allSatisfy { $0 + 1 == $1 })
    }
}
