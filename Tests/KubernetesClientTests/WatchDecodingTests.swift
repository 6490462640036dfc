import Cluster
import Kinds
import KubernetesClient
import Model
import Testing

@Suite("Watches of the Kubernetes client", .timeLimit(.minutes(1)))
struct WatchDecodingTests {
    static let query = ListQuery(ConfigMap.kind.groupKind, namespace: "default")

    static func line(_ type: String, _ name: String, _ version: String) -> String {
        let object: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string(name), "resourceVersion": .string(version)],
            "data": ["text": "zwölf Boxkämpfer – 日本 🐦\nquer"],
        ]
        return JSON.object(
            JSONObject([.init(key: "type", value: .string(type)), .init(key: "object", value: object)])
        ).text() + "\n"
    }

    static func text(_ event: WatchEvent) -> String {
        switch event {
        case .added(let object): "added \(object.metadata.name) \(object.json["data"]?["text"]?.string?.count ?? 0)"
        case .modified(let object): "modified \(object.metadata.name)"
        case .deleted(let object): "deleted \(object.metadata.name)"
        case .bookmark(let version): "bookmark \(version)"
        }
    }

    /// What a client tells of a watch that is answered so, and how it ends.
    static func watch(
        _ reply: ScriptedServer.Reply, from version: String? = nil
    ) async throws -> (events: [String], error: APIError?, asked: String?) {
        try await ScriptedServer.run({ _, _ in reply }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                var events: [String] = []
                do {
                    for try await event in try await client.watch(query, from: version) { events.append(text(event)) }
                } catch let error as APIError {
                    return (events, error, server.requests.first?.line)
                }
                return (events, nil, server.requests.first?.line)
            }
        }
    }

    static func pieces(_ text: String, of size: Int) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    @Test(
        "events are the same wherever the stream is cut, be it within a character",
        arguments: [1, 2, 3, 7, 64, 100_000])
    func cuts(size: Int) async throws {
        let lines =
            line("ADDED", "a", "1") + "\n\n" + line("MODIFIED", "a", "2") + line("SURPRISE", "a", "3")
            + line("DELETED", "a", "4") + line("BOOKMARK", "", "9")
        let (events, error, asked) = try await Self.watch(.chunks(Self.pieces(lines, of: size)), from: "5")
        #expect(events == ["added a 28", "modified a", "deleted a", "bookmark 9"])
        #expect(error == nil)
        #expect(
            asked == "GET /api/v1/namespaces/default/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=5")
    }

    private func line(_ type: String, _ name: String, _ version: String) -> String { Self.line(type, name, version) }

    @Test(
        "a connection that breaks in the middle of an event is an end, and the piece is not told",
        arguments: [true, false])
    func brokenMidway(isWhole: Bool) async throws {
        let whole = Array(line("ADDED", "a", "1").utf8)
        let (events, error, _) = try await Self.watch(
            .chunks([whole, Array(whole.dropLast(20))], isWhole: isWhole))
        #expect(events == ["added a 28"])
        #expect(error == nil)
    }

    @Test("an ERROR event is the error that it tells, after what came before it (D5)")
    func toldError() async throws {
        let gone = APIError(.expired, "too old resource version: 1 (5)")
        let event: JSON = ["type": "ERROR", "object": gone.status]
        let (events, error, _) = try await Self.watch(
            .chunks([Array((line("ADDED", "a", "1") + event.text() + "\n").utf8)]))
        #expect(events == ["added a 28"])
        #expect(error == gone)
    }

    @Test("what is no JSON is an error, and nothing is told after it")
    func noJSON() async throws {
        let text = line("ADDED", "a", "1") + "<html>\n" + line("ADDED", "b", "2")
        let (events, error, _) = try await Self.watch(.chunks([Array(text.utf8)]))
        #expect(events == ["added a 28"])
        #expect(error?.message.contains("a watch event that is no JSON") == true, "\(error?.message ?? "")")
    }

    @Test("a refused watch is the server's error")
    func refused() async throws {
        let gone = APIError(.expired, "too old")
        let (events, error, _) = try await Self.watch(.json(gone.status, status: "410 Gone"))
        #expect(events.isEmpty)
        #expect(error == gone)
    }

    @Test("a line without an end is refused at 16 MiB, whatever the server goes on to send")
    func endlessLine() async throws {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        let (events, error, _) = try await Self.watch(.chunks([[UInt8]](repeating: piece, count: 40)))
        #expect(events.isEmpty)
        #expect(error?.message == "the server sent a line longer than 16777216 bytes")
    }

    @Test("log text comes as it is, byte for byte, with what was asked for in the path")
    func logs() async throws {
        let bytes: [UInt8] = [0, 10, 0xFF, 0xC3, 10, 10, 65]
        try await ScriptedServer.run({ _, _ in .chunks(bytes.map { [$0] }) }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                var read: [UInt8] = []
                let query = LogQuery(namespace: "default", pod: "p", container: "c", follow: true, tailLines: 3)
                for try await piece in try await client.logs(query) { read += piece }
                #expect(read == bytes)
            }
            #expect(
                server.requests.first?.line
                    == "GET /api/v1/namespaces/default/pods/p/log?container=c&follow=true&tailLines=3")
        }
    }
}
