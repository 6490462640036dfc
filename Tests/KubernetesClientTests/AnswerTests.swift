import Cluster
import Kinds
import KubernetesClient
import Model
import Testing

@Suite("Answers to the Kubernetes client", .timeLimit(.minutes(1)))
struct AnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reply: ScriptedServer.Reply
        var reason: APIError.Reason
        var message: String
    }

    static let key = ConfigMap.key("a", in: "default")

    static let status: JSON = [
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": "configmaps \"a\" not found", "details": ["name": "a", "kind": "configmaps"],
    ]

    static let cases = [
        Case(
            testDescription: "a Status is the error", reply: .json(status, status: "404 Not Found"), reason: .notFound,
            message: "configmaps \"a\" not found"),
        Case(
            testDescription: "a page that is no Status is told by its first line (A16)",
            reply: .answer("404 Not Found", "404 page not found\nmore"), reason: .notFound,
            message: "answered 404 Not Found: 404 page not found"),
        Case(
            testDescription: "a proxy's page is not told whole",
            reply: .answer("403 Forbidden", "<html>" + String(repeating: "x", count: 5000)), reason: .forbidden,
            message: "answered 403 Forbidden: <html>" + String(repeating: "x", count: 506)),
        Case(
            testDescription: "JSON that is no Status is a page like another",
            reply: .json(["error": "no"], status: "401 Unauthorized"), reason: .unauthorized,
            message: "answered 401 Unauthorized: {\"error\":\"no\"}"),
        Case(
            testDescription: "a redirect is not followed: the token is for this server alone",
            reply: .answer("302 Found", headers: ["Location: http://127.0.0.1:1/"], ""), reason: .internalError,
            message: "answered 302 Found: "),
        Case(
            testDescription: "an answer that is no JSON", reply: .answer("200 OK", "<html>"), reason: .internalError,
            message: "answered 200 with a body that is no JSON: "),
        Case(
            testDescription: "an answer that is no object", reply: .answer("200 OK", "[]"), reason: .internalError,
            message: "answered something that is no Kubernetes object"),
    ]

    @Test("every answer but an object is an error that says what came", arguments: cases)
    func errors(_ item: Case) async throws {
        try await ScriptedServer.run({ _, _ in item.reply }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                let error = await #expect(throws: APIError.self) { try await client.get(Self.key) }
                #expect(error?.reason == item.reason)
                #expect(error?.message.contains(item.message) == true, "\(error?.message ?? "")")
                #expect((error?.message.utf8.count ?? 0) < 700)
            }
        }
    }

    @Test("an answer that is larger than allowed is refused, and that is what the error says")
    func bodyLimit() async throws {
        var limits = KubernetesClient.Limits()
        limits.body = 1000
        let settings = limits
        let text = String(repeating: "x", count: 2000)
        let large: JSON = [
            "kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": "a"], "data": ["a": .string(text)],
        ]
        try await ScriptedServer.run({ request, _ in
            // Announced, and not announced.
            request.path.hasSuffix("/a") ? .json(large) : .chunks([Array(large.text().utf8)])
        }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url), limits: settings) { client in
                for name in ["a", "b"] {
                    let error = await #expect(throws: APIError.self) {
                        try await client.get(ConfigMap.key(name, in: "default"))
                    }
                    #expect(error?.reason == .internalError)
                    #expect(
                        error?.message == "\(server.url) answered with more than 1000 bytes", "\(error?.message ?? "")")
                }
            }
        }
    }

    @Test("a list's items get the kind and version that Kubernetes leaves out, and its page is told")
    func lists() async throws {
        let list: JSON = [
            "kind": "ConfigMapList", "apiVersion": "v1",
            "metadata": ["resourceVersion": "77", "continue": "next", "remainingItemCount": 5],
            "items": [["metadata": ["name": "a", "namespace": "default"], "data": ["k": "v"]]],
        ]
        try await ScriptedServer.run({ _, _ in .json(list) }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                let page = try await client.list(
                    ListQuery(
                        ConfigMap.kind.groupKind, namespace: "default", labels: try Selector(parsing: "app in (a,b)"),
                        fields: try FieldSelector(parsing: "metadata.name=a"), limit: 1, continueToken: "a+b/c="))
                #expect(page.items.first?.key == Self.key)
                #expect(page.resourceVersion == "77")
                #expect(page.continueToken == "next")
                #expect(page.remainingItemCount == 5)
            }
            #expect(
                server.requests.first?.line
                    == "GET /api/v1/namespaces/default/configmaps?labelSelector=app%20in%20%28a%2Cb%29"
                    + "&fieldSelector=metadata.name%3Da&limit=1&continue=a%2Bb%2Fc%3D")
        }
    }

    @Test("a kind that is not built in is looked up once; a group whose server is away hides no other (A10)")
    func discovery() async throws {
        let gadget: JSON = [
            "kind": "Gadget", "apiVersion": "example.com/v1", "metadata": ["name": "g", "namespace": "default"],
        ]
        func group(_ name: String) -> JSON {
            let version: JSON = ["groupVersion": .string(name + "/v1"), "version": "v1"]
            return ["name": .string(name), "versions": [version], "preferredVersion": version]
        }
        let groups: JSON = ["kind": "APIGroupList", "groups": [group("away.example.com"), group("example.com")]]
        let resources: JSON = [
            "resources": [["name": "gadgets", "kind": "Gadget", "namespaced": true, "verbs": ["get"]]]
        ]
        try await ScriptedServer.run({ request, _ in
            switch request.path {
            case "/api/v1": .json(["resources": []])
            case "/apis": .json(groups)
            case "/apis/away.example.com/v1": .answer("503 Service Unavailable", "away")
            case "/apis/example.com/v1": .json(resources)
            case "/apis/example.com/v1/namespaces/default/gadgets/g": .json(gadget)
            default: .answer("404 Not Found", "404 page not found")
            }
        }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                let kind = GroupKind(group: "example.com", kind: "Gadget")
                for _ in 0..<2 {
                    let object = try await client.get(ObjectKey(kind: kind, namespace: "default", name: "g"))
                    #expect(object.json == gadget)
                }
                #expect(server.requests.count == 6)
                let unknown = GroupKind(group: "example.com", kind: "Widget")
                let error = await #expect(throws: APIError.self) {
                    try await client.get(ObjectKey(kind: unknown, namespace: "default", name: "w"))
                }
                #expect(error?.message == "the server has no kind Widget.example.com")
                // It may have been added since: asked once more, not for ever.
                #expect(server.requests.count == 10)
            }
        }
    }
}
