import Cluster
import Kinds
import Model
import Server
import Testing

@Suite("Media types (A12, A13, A17)")
struct NegotiationTests {
    static let protobuf = "application/vnd.kubernetes.protobuf"
    private static let all = "application/json, application/yaml, application/vnd.kubernetes.protobuf"

    struct Choice: CustomTestStringConvertible, Sendable {
        var accept: String
        var path = "/api/v1/namespaces/default/pods"
        /// What is answered; a refusal's message otherwise.
        var contentType: String?
        var kind = ""
        var refusal = ""
        var testDescription: String { "\(path) \(accept)" }
    }

    private static let table = "as=Table;v=v1;g=meta.k8s.io"
    private static let only = "only the following media types are accepted: \(all)"
    private static let onlyStreams =
        "only the following media types are accepted: application/json;stream=watch, "
        + "application/vnd.kubernetes.protobuf;stream=watch"

    private static let listAsStream =
        "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"

    static let choices = [
        Choice(accept: "*/*", contentType: "application/json", kind: "PodList"),
        Choice(accept: "application/*", contentType: "application/json", kind: "PodList"),
        Choice(accept: "\(protobuf),application/json", contentType: protobuf, kind: "PodList"),
        Choice(accept: "application/json;q=0.5,\(protobuf);q=0.9", contentType: protobuf, kind: "PodList"),
        Choice(accept: "*/*,\(protobuf)", contentType: protobuf, kind: "PodList"),
        Choice(accept: "text/html,application/json;q=0.1", contentType: "application/json", kind: "PodList"),
        Choice(accept: "application/json;\(table)", contentType: "application/json", kind: "Table"),
        Choice(accept: "\(protobuf);\(table),application/json", contentType: "application/json", kind: "PodList"),
        Choice(
            accept: "\(protobuf);as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", contentType: protobuf,
            kind: "PartialObjectMetadataList"),
        Choice(accept: "application/json;stream=watch", contentType: "application/json", kind: "PodList"),
        Choice(accept: "application/json;stream=other", refusal: only),
        Choice(accept: "application/json;sv=v2", refusal: only),
        Choice(accept: "application/json;as=Table;v=v1;g=tables.k8s.io", refusal: only),
        Choice(accept: "application/json;as=Table;v=v2;g=meta.k8s.io", refusal: only),
        Choice(accept: "application/json;as=Chart;v=v1;g=meta.k8s.io", refusal: only),
        Choice(accept: "application/json;v=v1", refusal: only),
        Choice(accept: "\(protobuf);\(table)", refusal: only),
        Choice(accept: "text/html", refusal: only),
        Choice(accept: "application/yaml", path: "/api/v1/pods?watch=1", refusal: onlyStreams),
        Choice(accept: "text/html", path: "/api/v1/pods?watch=1", refusal: only),
        Choice(
            accept: "application/json;\(table),application/json", path: "/api/v1/namespaces\(listAsStream)",
            contentType: "application/json", kind: "Table"),
        Choice(
            accept: "application/json;\(table)", path: "/api/v1/namespaces?watch=1&timeoutSeconds=1",
            contentType: "application/json", kind: "Table"),
        Choice(accept: "\(protobuf)", path: "/apis/argoproj.io/v1alpha1/applications", refusal: only),
        Choice(
            accept: "\(protobuf),application/json", path: "/apis/argoproj.io/v1alpha1/applications",
            contentType: "application/json", kind: "ApplicationList"),
        Choice(
            accept: "\(protobuf);as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            path: "/apis/argoproj.io/v1alpha1/applications", contentType: protobuf, kind: "PartialObjectMetadataList"),
        Choice(accept: "\(protobuf)", path: "/apis/apps/v1", contentType: protobuf, kind: "APIResourceList"),
        Choice(accept: "\(protobuf)", path: "/apis", contentType: protobuf, kind: "APIGroupList"),
        Choice(accept: "\(protobuf)", path: "/api", contentType: protobuf, kind: "APIVersions"),
        Choice(accept: "application/json;g=other;v=v2;as=APIGroupDiscoveryList", path: "/apis", refusal: only),
    ]

    @Test("the first clause that can be met is met; else the types on offer are told")
    func choice() async throws {
        try await TestServer.run { server in
            for choice in Self.choices {
                let answer = try await RawHTTP.send("GET", choice.path, to: server, headers: ["Accept": choice.accept])
                let name = choice.testDescription
                guard let contentType = choice.contentType else {
                    #expect(answer.status == 406, "\(name)")
                    let status = try Self.decoded(answer)
                    #expect(status["message"]?.string == choice.refusal, "\(name)")
                    #expect(status["reason"] == "NotAcceptable", "\(name)")
                    continue
                }
                #expect(answer.status == 200, "\(name): \(answer.text)")
                #expect(answer.header("content-type") == contentType, "\(name)")
                if contentType == Self.protobuf {
                    let kind = [UInt8(choice.kind.utf8.count)] + Array(choice.kind.utf8)
                    #expect(answer.body.starts(with: Array("k8s\0".utf8)), "\(name)")
                    #expect(answer.body.indices.contains { answer.body[$0...].starts(with: kind) }, "\(name)")
                } else {
                    #expect(answer.text.contains("\"kind\":\"\(choice.kind)\""), "\(name)")
                }
            }
        }
    }

    private static func decoded(_ answer: RawHTTP) throws -> JSON {
        switch answer.header("content-type") {
        case protobuf: try ProtobufObject(decoding: answer.body).json
        case "application/yaml": try YAML.documents(answer.body, file: "answer")[0].value
        default: try answer.json
        }
    }

    @Test("a failure is told in what the client accepts, whatever it is to be shown as; else in JSON (A13)")
    func failures() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default/pods/none"
            let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
            for (accept, type) in [
                (table, "application/json"), ("\(table),application/yaml", "application/yaml"),
                (Self.protobuf, Self.protobuf), ("text/html", "application/json"),
            ] {
                let answer = try await RawHTTP.send("GET", path, to: server, headers: ["Accept": accept])
                #expect(answer.header("content-type") == type, "\(accept)")
                if type == Self.protobuf {
                    let status = try ProtobufObject(decoding: answer.body).json
                    #expect(status["kind"] == "Status")
                    #expect(status["code"] == 404)
                    #expect(status[path: ["details", "name"]] == "none")
                }
            }
        }
    }

    @Test("objects come and go in protobuf: written, read, deleted, evicted from view, watched")
    func exchange() async throws {
        try await TestServer.run { server in
            let headers = ["Accept": Self.protobuf, "Content-Type": Self.protobuf]
            func send(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> (Int, JSON) {
                let bytes = try body.map { try ProtobufEncoding.encoded($0) }
                let answer = try await RawHTTP.send(method, path, to: server, headers: headers, bytes: bytes)
                return (answer.status, try ProtobufObject(decoding: answer.body).json)
            }
            let maps = "/api/v1/namespaces/default/configmaps"
            let map: JSON = [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c"], "data": ["a": "b"],
            ]
            let (created, object) = try await send("POST", maps, map)
            #expect(created == 201)
            #expect(object["data"] == ["a": "b"])
            #expect(try await send("GET", maps + "/c").1 == object)
            let deployments = "/apis/apps/v1/namespaces/default/deployments"
            #expect(try await send("POST", deployments, Fixtures.deployment("web", replicas: 2)).0 == 201)
            var (_, scale) = try await send("GET", deployments + "/web/scale")
            #expect(scale["kind"] == "Scale")
            scale[path: ["spec", "replicas"]] = 3
            let (replaced, scaled) = try await send("PUT", deployments + "/web/scale", scale)
            #expect(replaced == 200)
            #expect(scaled[path: ["spec", "replicas"]] == 3)
            let options: JSON = [
                "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": ["uid": "another"],
            ]
            #expect(try await send("DELETE", maps + "/c", options).0 == 409)
            let (_, status) = try await send("DELETE", maps + "/c")
            #expect(status["kind"] == "Status")
            #expect(status["status"] == "Success")
        }
    }

    @Test("a watch in protobuf: frames of a length and an event (A17)")
    func watch() async throws {
        try await TestServer.run { server in
            let query =
                "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                + "&timeoutSeconds=1"
            let answer = try await RawHTTP.send(
                "GET", "/api/v1/namespaces?\(query)", to: server,
                headers: ["Accept": "\(Self.protobuf);stream=watch"])
            #expect(answer.header("content-type") == "\(Self.protobuf);stream=watch")
            var rest = answer.body[...]
            var types: [String] = []
            while rest.count > 4 {
                let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                let frame = rest.dropFirst(4).prefix(length)
                rest = rest.dropFirst(4 + length)
                // The event's type is its first field.
                types.append(
                    String(decoding: frame.dropFirst(2).prefix(Int(frame.dropFirst().first ?? 0)), as: UTF8.self))
                let start = try #require(frame.indices.first { frame[$0...].starts(with: Array("k8s\0".utf8)) })
                let object = try ProtobufObject(decoding: Array(frame[start...])).json
                #expect(object["kind"] == "Namespace")
            }
            #expect(types == ["ADDED", "ADDED", "BOOKMARK"])
        }
    }

    @Test("JSON is laid out for people who ask with true, a media type's pretty=1, or a tool of theirs (A12)")
    func pretty() async throws {
        try await TestServer.run { server in
            for (path, headers, isPretty) in [
                ("/api/v1?pretty=true", [:], true), ("/api/v1?pretty=false", ["User-Agent": "curl/8"], false),
                ("/api/v1", ["User-Agent": "curl/8"], true), ("/api/v1", ["User-Agent": "kubectl/v1.36"], false),
                ("/api/v1", ["Accept": "application/json;pretty=1"], true),
            ] as [(String, [String: String], Bool)] {
                let answer = try await RawHTTP.send("GET", path, to: server, headers: headers)
                #expect(answer.text.hasPrefix("{\n") == isPretty, "\(path) \(headers)")
            }
        }
    }

    @Test("patches have media types of their own (G1)")
    func patches() async throws {
        try await TestServer.run { server in
            let common = "application/json-patch+json, application/merge-patch+json, "
            let apply = "application/apply-patch+yaml"
            for (path, type, types) in [
                (
                    "/api/v1/namespaces/default/configmaps/c", "application/json",
                    common + "application/strategic-merge-patch+json, " + apply
                ),
                (
                    "/apis/argoproj.io/v1alpha1/namespaces/default/applications/a",
                    "application/strategic-merge-patch+json", common + apply
                ),
            ] {
                let answer = try await RawHTTP.send(
                    "PATCH", path, to: server, headers: ["Content-Type": type], body: "{}")
                #expect(answer.status == 415)
                let text = "the body of the request was in an unknown format - accepted media types include: "
                #expect(try answer.json["message"]?.string == text + types)
            }
        }
    }
}
