import Cluster
import Kinds
import Model
import Server
import Testing

@Suite("Reads are not older than was asked, and options are told as Kubernetes tells them")
struct ReadFreshnessTests {
    struct Read: CustomTestStringConvertible, Sendable {
        var path: String
        var status: Int
        var message = ""
        var testDescription: String { "\(path) → \(status)" }
    }

    static let reads = [
        Read(path: "/api/v1/namespaces/default?resourceVersion=1", status: 200),
        Read(path: "/api/v1/namespaces/default?resourceVersion=0", status: 200),
        Read(path: "/api/v1/namespaces/default?resourceVersion=", status: 200),
        Read(
            path: "/api/v1/namespaces/default?resourceVersion=99999999", status: 504,
            message: "Too large resource version: 99999999"),
        Read(path: "/api/v1/namespaces/default?resourceVersion=x", status: 400, message: "Invalid value: \\\"x\\\""),
        Read(
            path: "/api/v1/namespaces/none?resourceVersion=1", status: 404, message: "namespaces \\\"none\\\" not found"
        ),
    ]

    @Test("one object at a version that is there, not yet there, or none (D1, D2)", arguments: reads)
    func get(_ read: Read) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send("GET", read.path, to: server)
            #expect(answer.status == read.status)
            #expect(answer.text.contains(read.message), "\(answer.text)")
        }
    }

    private static let initialEvents =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"

    @Test("a list that comes as a stream ends with an error where its version is not yet there (D2, D8)")
    func watchList() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces?\(Self.initialEvents)&resourceVersion="
            let late = try await RawHTTP.send("GET", path + "99999999", to: server)
            #expect(late.status == 200)
            let events = try late.body.split(separator: UInt8(ascii: "\n")).map { try JSON(decoding: Array($0)) }
            #expect(events.map { $0["type"] } == ["ERROR"])
            #expect(events.first?[path: ["object", "code"]] == 504)
            let good = try await RawHTTP.send("GET", path + "1", to: server)
            #expect(good.text.contains("k8s.io/initial-events-end"))
        }
    }

    @Test("a list that comes as a stream comes as tables, too (A12, D11)")
    func tables() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "GET", "/api/v1/namespaces?\(Self.initialEvents)", to: server,
                headers: ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"])
            let events = try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSON(decoding: Array($0)) }
            #expect(events.map { $0["type"] } == ["ADDED", "ADDED", "BOOKMARK"])
            #expect(events.allSatisfy { $0["object"]?["kind"] == "Table" })
            #expect(events.first?[path: ["object", "columnDefinitions"]]?[0]?["name"] == "Name")
            let end = events.last?["object"]?["rows"]?[0]?["object"]?[path: ["metadata", "annotations"]]
            #expect(end == ["k8s.io/initial-events-end": "true"])
        }
    }

    @Test("replacing what is not there creates it, where that is allowed (C9)", arguments: ["", "?dryRun=All"])
    func createOnUpdate(query: String) async throws {
        try await TestServer.run { server in
            let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
            let body = #"{"metadata":{"name":"l"},"spec":{}}"#
            #expect(try await RawHTTP.send("PUT", path + query, to: server, body: body).status == 201)
            let again = try await RawHTTP.send("PUT", path + query, to: server, body: body)
            // Without a version a Lease is replaced by nobody.
            #expect(again.status == (query.isEmpty ? 422 : 201))
            let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/r"
            let rules = #"{"metadata":{"name":"r"},"rules":[]}"#
            #expect(try await RawHTTP.send("PUT", role, to: server, body: rules).status == 201)
            #expect(try await RawHTTP.send("PUT", role + query, to: server, body: rules).status == 200)
            let map = "/api/v1/namespaces/default/configmaps/none"
            let missing = try await RawHTTP.send("PUT", map, to: server, body: #"{"metadata":{"name":"none"}}"#)
            #expect(missing.status == 404)
        }
    }

    struct LogOptions: CustomTestStringConvertible, Sendable {
        var query: String
        var message: String
        var fields: [String]
        var testDescription: String { query }
    }

    static let logOptions = [
        LogOptions(
            query: "tailLines=-1", message: "tailLines: Invalid value: -1: must be greater than or equal to 0",
            fields: ["tailLines"]),
        LogOptions(
            query: "limitBytes=0&sinceSeconds=-2",
            message: "[limitBytes: Invalid value: 0: must be greater than 0, "
                + "sinceSeconds: Invalid value: -2: must be greater than 0]", fields: ["limitBytes", "sinceSeconds"]),
        LogOptions(
            query: "sinceSeconds=0&sinceTime=2026-01-01T00:00:00Z",
            message: "[]: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified", fields: ["[]"]),
    ]

    @Test("options of logs that make no sense (K1)", arguments: logOptions)
    func logs(_ options: LogOptions) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "GET", "/api/v1/namespaces/default/pods/p/log?\(options.query)", to: server)
            #expect(answer.status == 422)
            let status = try answer.json
            #expect(status["message"]?.string == "PodLogOptions \"p\" is invalid: \(options.message)")
            let causes = status[path: ["details", "causes"]]?.array ?? []
            #expect(causes.map { $0["field"]?.string } == options.fields)
        }
    }

    @Test("a JSON patch of too many operations is too large (G2)")
    func patchLimit() async throws {
        try await TestServer.run { server in
            let operation = #"{"op":"test","path":"/kind","value":"Namespace"}"#
            let patch = "[" + Array(repeating: operation, count: 10_001).joined(separator: ",") + "]"
            let answer = try await RawHTTP.send(
                "PATCH", "/api/v1/namespaces/default", to: server,
                headers: ["Content-Type": "application/json-patch+json"], body: patch)
            #expect(answer.status == 413)
            let status = try answer.json
            #expect(status["reason"] == "RequestEntityTooLarge")
            #expect(
                status["message"]?.string
                    == "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")
        }
    }
}
