import Cluster
import Model
import Server
import Testing

/// C20–C23: what a request says twice, and its own parameters.
@Suite("Field validation over the wire")
struct FieldValidationTests {
    private static let collection = "/apis/apps/v1/namespaces/default/deployments"

    private static func deployment(_ spec: String) -> String {
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"},\"spec\":{\(spec),"
            + "\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},"
            + "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"web:1\",\"image\":\"web:2\"}]}}}}"
    }

    @Test("a field that stands twice is refused where validation is strict, and else its last value counts (C21)")
    func creation() async throws {
        try await TestServer.run { server in
            let body = Self.deployment("\"foo\":1,\"replicas\":2,\"replicas\":3")
            let strict = try await RawHTTP.send(
                "POST", Self.collection + "?fieldValidation=Strict", to: server, body: body)
            #expect(strict.status == 400)
            #expect(
                try strict.json["message"]
                    == .string(
                        "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: "
                            + "unknown field \"spec.foo\", duplicate field \"spec.replicas\", "
                            + "duplicate field \"spec.template.spec.containers[0].image\""))
            let warned = try await RawHTTP.send("POST", Self.collection, to: server, body: body)
            #expect(warned.status == 201)
            #expect(try warned.json[path: ["spec", "replicas"]] == 3)
            let warnings = warned.headers.filter { $0.name.lowercased() == "warning" }.map(\.value)
            #expect(warnings.contains("299 - \"duplicate field \\\"spec.replicas\\\"\""))
            #expect(warnings.count == 3)
        }
    }

    struct Patched: CustomTestStringConvertible, Sendable {
        var type: String
        var body: String
        var status: Int
        var message: String
        var testDescription: String { "\(type) \(body)" }
    }

    static let patches = [
        Patched(
            type: "merge-patch+json", body: "{\"spec\":{\"foo\":1,\"replicas\":1,\"replicas\":2}}", status: 422,
            message: "strict decoding error: duplicate field \"spec.replicas\", unknown field \"spec.foo\""),
        Patched(
            type: "strategic-merge-patch+json", body: "{\"spec\":{\"replicas\":1,\"replicas\":2}}", status: 422,
            message: "strict decoding error: duplicate field \"spec.replicas\""),
        Patched(
            type: "json-patch+json", body: "[{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":1,\"value\":2}]",
            status: 422, message: "strict decoding error: json patch duplicate field \"[0].value\""),
        Patched(
            type: "apply-patch+yaml",
            body:
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  paused: true\n  paused: false\n",
            status: 400,
            message: "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
                + "  line 7: key \"paused\" already set in map"),
    ]

    @Test("the same holds for every form of patch (C21)", arguments: patches)
    func patching(_ patch: Patched) async throws {
        try await TestServer.run { server in
            let made = try await RawHTTP.send(
                "POST", Self.collection, to: server, body: Self.deployment("\"replicas\":0"))
            #expect(made.status == 201)
            let path = Self.collection + "/web?fieldManager=me&fieldValidation="
            let headers = ["Content-Type": "application/\(patch.type)"]
            let strict = try await RawHTTP.send(
                "PATCH", path + "Strict", to: server, headers: headers, body: patch.body)
            #expect(strict.status == patch.status)
            #expect(try strict.json["message"]?.string?.hasSuffix(patch.message) == true, "\(strict.text)")
            let warned = try await RawHTTP.send("PATCH", path + "Warn", to: server, headers: headers, body: patch.body)
            #expect(warned.status == 200)
            #expect(warned.header("warning") != nil)
            let ignored = try await RawHTTP.send(
                "PATCH", path + "Ignore", to: server, headers: headers, body: patch.body)
            #expect(ignored.status == 200)
            #expect(ignored.header("warning") == nil)
        }
    }

    static let options: [(query: String, message: String)] = [
        (
            "fieldManager=a%00b",
            "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value: \"a\\u0000b\": "
                + "invalid character U+0000 (at position 1)"
        ),
        (
            "fieldManager=" + String(repeating: "a", count: 129),
            "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes"
        ),
        (
            "fieldValidation=Maybe",
            "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Maybe\": "
                + "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
        ),
        (
            "dryRun=Some",
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: "
                + "supported values: \"All\""
        ),
    ]

    @Test("a parameter that is none is refused with its name (C20, C21, C23)", arguments: options)
    func parameters(query: String, message: String) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/configmaps?\(query)", to: server,
                body: "{\"metadata\":{\"name\":\"x\"}}")
            #expect(answer.status == 422)
            #expect(try answer.json["message"] == .string(message))
            #expect(try answer.json[path: ["details", "causes"]]?.array?.count == 1)
        }
    }

    @Test(
        "without a field manager it is the program that the user agent names (C23)",
        arguments: [
            ("kubectl/v1.36.0 (linux/amd64)", "kubectl"), ("controller", "controller"), ("", "unknown"),
            ("/v1", "unknown"), ("my\u{200B}tool/2", "mytool"),
            (String(repeating: "é", count: 100) + "/1", String(repeating: "é", count: 64)),
        ])
    func managers(agent: String, manager: String) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/configmaps", to: server, headers: ["User-Agent": agent],
                body: "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"b\"}}")
            #expect(answer.status == 201, "\(answer.text)")
            let entries = try answer.json[path: ["metadata", "managedFields"]]?.array
            #expect(entries?.map { $0["manager"] } == [.string(manager)])
        }
    }

    @Test("a question about access is decoded like every object (C4, C21)")
    func questions() async throws {
        try await TestServer.run { server in
            let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            let wrong = try await RawHTTP.send(
                "POST", path, to: server, body: "{\"spec\":{\"resourceAttributes\":{\"resource\":5}}}")
            #expect(wrong.status == 400)
            #expect(
                try wrong.json["message"]?.string?.hasPrefix(
                    "SelfSubjectAccessReview in version \"v1\" cannot be handled as a SelfSubjectAccessReview: ")
                    == true)
            let unknown = try await RawHTTP.send(
                "POST", path + "?fieldValidation=Strict", to: server,
                body: "{\"spec\":{\"resourceAttributes\":{\"verb\":\"get\"},\"who\":\"me\"}}")
            #expect(unknown.status == 400)
            #expect(try unknown.json["message"]?.string?.contains("unknown field \"spec.who\"") == true)
        }
    }

    @Test("an object of another kind is told as what it is, and as what it should be (C4)")
    func anotherKind() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/pods", to: server,
                body: "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}")
            #expect(answer.status == 400)
            #expect(
                try answer.json["message"]?.string?.hasPrefix(
                    "ConfigMap in version \"v1\" cannot be handled as a Pod: ") == true)
        }
    }

    static let deletions: [(body: String, status: Int, message: String)] = [
        ("{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", 400, "the kind in the data is \"Pod\", not DeleteOptions"),
        (
            "{\"gracePeriodSeconds\":\"x\"}", 400,
            "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: gracePeriodSeconds: "
                + "expected an integer, found \"x\""
        ),
        (
            "{\"propagationPolicy\":\"Maybe\"}", 422,
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Maybe\": "
                + "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
        ),
        (
            "{\"propagationPolicy\":\"Orphan\",\"orphanDependents\":true}", 422,
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": "
                + "orphanDependents and deletionPropagation cannot be both set"
        ),
        (
            "{\"dryRun\":[\"Some\"]}", 422,
            "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: "
                + "supported values: \"All\""
        ),
    ]

    @Test("options of a deletion are judged before anything is deleted (C15, C16, C20)", arguments: deletions)
    func deletion(body: String, status: Int, message: String) async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default/configmaps"
            let made = try await RawHTTP.send("POST", path, to: server, body: "{\"metadata\":{\"name\":\"x\"}}")
            #expect(made.status == 201)
            let answer = try await RawHTTP.send("DELETE", "\(path)/x", to: server, body: body)
            #expect(answer.status == status)
            #expect(try answer.json["message"] == .string(message))
            #expect(try await RawHTTP.send("GET", "\(path)/x", to: server).status == 200)
        }
    }
}
