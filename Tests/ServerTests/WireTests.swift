import Cluster
import Kinds
import Model
import Server
import Testing

@Suite("What goes over the wire")
struct WireTests {
    @Test("without the token only health and version answer; a wrong token never does (J1)")
    func authentication() async throws {
        try await TestServer.run { server in
            for path in ["/healthz", "/livez", "/readyz", "/version"] {
                #expect(try await RawHTTP.send("GET", path, to: server, token: nil).status == 200)
                #expect(try await RawHTTP.send("GET", path, to: server, token: "let-me-im").status == 401)
                // No token at all, as far as Kubernetes is concerned.
                let basic = try await RawHTTP.send(
                    "GET", path, to: server, token: nil, headers: ["Authorization": "Basic eDp5"])
                #expect(basic.status == 200)
            }
            for path in ["/api", "/api/v1/pods", "/openapi/v3", "/", "/nowhere"] {
                let refused = try await RawHTTP.send("GET", path, to: server, token: nil)
                #expect(refused.status == 401)
                #expect(try refused.json["reason"] == "Unauthorized")
            }
        }
    }

    @Test("readiness names the checks and withholds the reasons (A15)")
    func readiness() async throws {
        let checks = [ReadinessCheck("store"), ReadinessCheck("node", failure: "secret")]
        try await TestServer.run(readiness: { checks }) { server in
            let answer = try await RawHTTP.send("GET", "/readyz", to: server)
            #expect(answer.status == 500)
            #expect(
                answer.text == "[+]ping ok\n[+]store ok\n[-]node failed: reason withheld\nreadyz check failed\n")
            #expect(try await RawHTTP.send("GET", "/readyz/store", to: server).text == "ok")
            #expect(try await RawHTTP.send("GET", "/livez", to: server).text == "ok")
            let passedOver = try await RawHTTP.send("GET", "/readyz?exclude=node&exclude=x&verbose", to: server)
            #expect(passedOver.status == 200)
            #expect(
                passedOver.text == "[+]ping ok\n[+]store ok\n[+]node excluded: ok\n"
                    + "warn: some health checks cannot be excluded: no matches for \"x\"\nreadyz check passed\n")
            #expect(try await RawHTTP.send("GET", "/readyz?exclude=node", to: server).text == "ok")
        }
    }

    @Test("tables, partial metadata, YAML and refusals are negotiated (A12, D11, D12)")
    func negotiation() async throws {
        try await TestServer.run { server in
            _ = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/pods", to: server, body: Fixtures.pod("p").text())
            let path = "/api/v1/namespaces/default/pods"
            let kubectl =
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,"
                + "application/json"
            let table = try await RawHTTP.send("GET", path, to: server, headers: ["Accept": kubectl]).json
            #expect(table["kind"] == "Table")
            #expect(table[path: ["columnDefinitions"]]?.array?.first?["name"] == "Name")
            #expect(table["rows"]?[0]?["cells"]?[0] == "p")
            let partial = try await RawHTTP.send(
                "GET", path, to: server,
                headers: ["Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"]
            ).json
            #expect(partial["kind"] == "PartialObjectMetadataList")
            #expect(partial["items"]?[0]?["spec"] == nil)
            let yaml = try await RawHTTP.send("GET", path + "/p", to: server, headers: ["Accept": "application/yaml"])
            #expect(yaml.text.hasPrefix("apiVersion: v1\nkind: Pod\n"))
            let refused = try await RawHTTP.send("GET", path, to: server, headers: ["Accept": "text/html"])
            #expect(refused.status == 406)
        }
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        var method: String
        var path: String
        var headers: [String: String] = [:]
        var body: String?
        var status: Int
        var message: String
        var testDescription: String { "\(method) \(path) → \(status)" }
    }

    static let refusals = [
        Refusal(
            method: "GET", path: "/api/v1/pods?timeout=long", status: 400,
            message: "invalid timeout specified in the request URL - time: invalid duration"),
        Refusal(
            method: "GET", path: "/version?timeout=invalid", status: 400,
            message: "invalid timeout specified in the request URL - time: invalid duration"),
        Refusal(
            method: "POST", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            headers: ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"],
            body: "{\"spec\":{\"nonResourceAttributes\":{\"path\":\"/\",\"verb\":\"get\"}}}", status: 406,
            message: "only the following media types are accepted"),
        Refusal(
            method: "GET", path: "/api/v1/pods?timeoutSeconds=abc", status: 400,
            message: "the query parameter timeoutSeconds=abc is not an integer"),
        Refusal(
            method: "GET", path: "/api/v1/pods?sendInitialEvents=true", status: 422,
            message: "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        Refusal(method: "GET", path: "/nowhere", status: 404, message: "404 page not found"),
        Refusal(method: "GET", path: "/api/v1/namespaces/default/gadgets", status: 404, message: "404 page not found"),
        Refusal(
            method: "GET", path: "/apis/apps/v1/namespaces/default/deployments/x", status: 404,
            message: "deployments.apps \\\"x\\\" not found"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/pods/x", body: "{}", status: 405,
            message: "the server does not allow this method on the requested resource"),
        Refusal(
            method: "GET", path: "/api/v1/pods?labelSelector=a===b", status: 400,
            message: "\"message\":\"unable to parse requirement: found '="),
        Refusal(
            method: "GET", path: "/api/v1/pods?fieldSelector=foo", status: 400,
            message: "\"message\":\"invalid selector: 'foo'; can't understand 'foo'"),
        Refusal(
            method: "GET", path: "/api/v1/pods?resourceVersionMatch=Foo&resourceVersion=1", status: 422,
            message: "Unsupported value: \\\"Foo\\\": supported values: \\\"Exact\\\", \\\"NotOlderThan\\\", \\\"\\\""),
        Refusal(
            method: "GET", path: "/api/v1/pods?resourceVersionMatch=Exact&continue=abc", status: 422,
            message: "is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/pods",
            headers: ["Content-Type": "text/xml"], body: "<pod/>", status: 415,
            message: "the body of the request was in an unknown format"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/pods",
            headers: ["Content-Type": "application/vnd.kubernetes.protobuf"], body: "k8s", status: 400,
            message: "not valid protobuf"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/pods", body: "{\"kind\": ", status: 400,
            message: "not valid JSON"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/pods",
            body: "{\"kind\":\"Pod\",\"apiVersion\":\"v2\",\"metadata\":{\"name\":\"x\"}}", status: 400,
            message: "the API version in the data (v2) does not match the expected API version (v1)"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/configmaps",
            body: "{\"metadata\":{\"name\":\"x\",\"namespace\":\"other\"}}", status: 400,
            message: "the namespace of the provided object does not match the namespace sent on the request"),
        Refusal(
            method: "PATCH", path: "/api/v1/namespaces/default/configmaps/x",
            headers: ["Content-Type": "application/apply-patch+yaml"], body: "data: {}", status: 422,
            message: "fieldManager: Required value"),
        Refusal(
            method: "GET", path: "/api/v1/pods?watch=1&sendInitialEvents=true", status: 422,
            message: "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
        Refusal(
            method: "GET", path: "/api/v1/pods?resourceVersion=99999999", status: 504,
            message: "Too large resource version"),
        Refusal(
            method: "POST", path: "/api/v1/namespaces/default/configmaps?dryRun=Some",
            body: "{\"metadata\":{\"name\":\"x\"}}", status: 422, message: "supported values"),
        Refusal(
            method: "GET", path: "/api/v1/pods?labelSelector=a%20in%20b", status: 400, message: "unable to parse"),
    ]

    @Test("faults are told as Kubernetes tells them", arguments: refusals)
    func refusal(_ refusal: Refusal) async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                refusal.method, refusal.path, to: server, headers: refusal.headers, body: refusal.body)
            #expect(answer.status == refusal.status)
            #expect(answer.text.contains(refusal.message), "\(answer.text)")
        }
    }

    @Test("a body beyond 3 MiB is refused")
    func bodyLimit() async throws {
        try await TestServer.run { server in
            let text = String(repeating: "x", count: 3 << 20)
            let answer = try await RawHTTP.send(
                "POST", "/api/v1/namespaces/default/configmaps", to: server, body: "{\"data\":{\"a\":\"\(text)\"}}")
            #expect(answer.status == 413)
        }
    }

    @Test("a watch with initial events ends them with a bookmark, and itself in time (D4, D8)")
    func initialEvents() async throws {
        try await TestServer.run { server in
            let query =
                "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                + "&timeoutSeconds=1"
            let answer = try await RawHTTP.send("GET", "/api/v1/namespaces?\(query)", to: server)
            let events = try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSON(decoding: Array($0)) }
            #expect(events.map { $0["type"] } == ["ADDED", "ADDED", "BOOKMARK"])
            let annotations = events.last?[path: ["object", "metadata", "annotations"]]
            #expect(annotations == ["k8s.io/initial-events-end": "true"])
        }
    }

    @Test("a watch from a version that is no more, or not yet, is told within the stream (D5)")
    func unknownVersion() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/pods?watch=1&resourceVersion=99999999"
            let answer = try await RawHTTP.send("GET", path, to: server)
            #expect(answer.status == 200)
            let event = try JSON(decoding: answer.body)
            #expect(event["type"] == "ERROR")
            #expect(event[path: ["object", "code"]] == 504)
        }
    }

    @Test("unknown fields are warned about, unless strict or ignored (C21, C22)")
    func warnings() async throws {
        try await TestServer.run { server in
            let body = "{\"metadata\":{\"name\":\"x\"},\"dat\":{}}"
            let path = "/api/v1/namespaces/default/configmaps"
            let warned = try await RawHTTP.send("POST", path, to: server, body: body)
            #expect(warned.status == 201)
            #expect(warned.header("Warning")?.hasPrefix("299 - \"unknown field \\\"dat\\\"") == true)
            let strict = try await RawHTTP.send("POST", path + "?fieldValidation=Strict", to: server, body: body)
            #expect(strict.status == 400)
            let patched = try await RawHTTP.send(
                "PATCH", path + "/x", to: server, headers: ["Content-Type": "application/merge-patch+json"],
                body: "{\"dat\":{}}")
            #expect(patched.status == 200)
            #expect(patched.headers.filter { $0.name.lowercased() == "warning" }.count == 1)
            #expect(try JSON(decoding: patched.body)["dat"] == nil)
        }
    }

    @Test("a refused write still says what there was to warn of (C22)", arguments: ["POST", "PUT", "PATCH"])
    func warningsOfRefusals(method: String) async throws {
        try await TestServer.run { server in
            var body = Fixtures.pod("p")
            let path = "/api/v1/namespaces/default/pods"
            #expect(try await RawHTTP.send("POST", path, to: server, body: body.text()).status == 201)
            // Unknown fields are warned of; the name, the wait, and a container's lack are what it is refused for.
            body[path: ["metadata", "name"]] = method == "POST" ? "Q" : "p"
            body[path: ["spec", "terminationGracePeriodSecond"]] = 3
            body[path: ["spec", "containers"]] = [["name": "c", "imagee": "x"]]
            let answer = try await RawHTTP.send(
                method, path + (method == "POST" ? "" : "/p"), to: server,
                headers: ["Content-Type": method == "PATCH" ? "application/merge-patch+json" : "application/json"],
                body: body.text())
            #expect(answer.status == 422, "\(answer.text)")
            #expect(try answer.json["reason"] == "Invalid")
            let warnings = answer.headers.filter { $0.name.lowercased() == "warning" }.map(\.value)
            #expect(
                warnings.sorted() == [
                    "299 - \"unknown field \\\"spec.containers[0].imagee\\\"; did you mean \\\"image\\\"?\"",
                    "299 - \"unknown field \\\"spec.terminationGracePeriodSecond\\\"; did you mean \\\"terminationGracePeriodSeconds\\\"?\"",
                ])
        }
    }

    @Test("a deleted object that is gone is answered with a Status, a pod with itself (C15)")
    func deletion() async throws {
        try await TestServer.run { server in
            let maps = "/api/v1/namespaces/default/configmaps"
            _ = try await RawHTTP.send("POST", maps, to: server, body: "{\"metadata\":{\"name\":\"x\"}}")
            let status = try await RawHTTP.send("DELETE", maps + "/x", to: server).json
            #expect(status["status"] == "Success")
            #expect(status[path: ["details", "kind"]] == "configmaps")
            let pods = "/api/v1/namespaces/default/pods"
            _ = try await RawHTTP.send("POST", pods, to: server, body: Fixtures.pod("p").text())
            #expect(try await RawHTTP.send("DELETE", pods + "/p", to: server).json["kind"] == "Pod")
        }
    }

    @Test("scale answers a Scale, and takes one")
    func scale() async throws {
        try await TestServer.run { server in
            let path = "/apis/apps/v1/namespaces/default/deployments"
            let body = Fixtures.deployment("web", replicas: 2).text()
            #expect(try await RawHTTP.send("POST", path, to: server, body: body).status == 201)
            let scale = try await RawHTTP.send("GET", path + "/web/scale", to: server).json
            #expect(scale["kind"] == "Scale")
            #expect(scale[path: ["spec", "replicas"]] == 2)
            #expect(scale[path: ["status", "selector"]] == "app=web")
            var wanted = scale
            wanted[path: ["spec", "replicas"]] = 5
            let put = try await RawHTTP.send("PUT", path + "/web/scale", to: server, body: wanted.text())
            #expect(try put.json[path: ["spec", "replicas"]] == 5)
            let stale = try await RawHTTP.send("PUT", path + "/web/scale", to: server, body: wanted.text())
            #expect(stale.status == 409)
        }
    }

    @Test("discovery, legacy and aggregated, and OpenAPI agree on what there is (A1–A9, B1–B6)")
    func discovery() async throws {
        try await TestServer.run { server in
            let accept = ["Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"]
            let aggregated = try await RawHTTP.send("GET", "/apis", to: server, headers: accept)
            #expect(aggregated.header("content-type") == accept["Accept"]?.replacing("Accept: ", with: ""))
            let groups = try aggregated.json["items"]?.array?.compactMap { $0[path: ["metadata", "name"]]?.string }
            let legacy = try await RawHTTP.send("GET", "/apis", to: server).json["groups"]?.array?
                .compactMap { $0["name"]?.string }
            #expect(groups == legacy)
            #expect(groups?.contains("apps") == true)
            let index = try await RawHTTP.send("GET", "/openapi/v3", to: server).json["paths"]
            for member in index?.object ?? JSONObject() {
                let url = try #require(member.value["serverRelativeURL"]?.string)
                let document = try await RawHTTP.send("GET", url, to: server).json
                for schema in document[path: ["components", "schemas"]]?.object ?? JSONObject()
                where schema.key != "DeleteOptions" {
                    #expect(schema.value["description"] != nil, "\(schema.key)")
                }
                let paths = document["paths"]?.object ?? JSONObject()
                let patches = paths.compactMap { $0.value["patch"] }
                // Questions to the server cannot be changed.
                #expect(patches.isEmpty == member.key.hasPrefix("apis/auth"))
                for patch in patches {
                    #expect(patch["parameters"]?.array?.contains { $0["name"] == "fieldValidation" } == true)
                }
            }
        }
    }
}
