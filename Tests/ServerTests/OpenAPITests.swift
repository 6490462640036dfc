import Cluster
import FoundationEssentials
import Kinds
import Model
import Testing

@testable import Server

@Suite("OpenAPI and discovery documents (A5–A8, A14, B1–B10)")
struct OpenAPITests {
    private static func paths(_ server: TestServer) async throws -> [(name: String, url: String)] {
        let index = try await RawHTTP.send("GET", "/openapi/v3", to: server).json["paths"]?.object ?? JSONObject()
        return index.map { ($0.key, $0.value["serverRelativeURL"]?.string ?? "") }
    }

    @Test("the index names each document by its content; an address with the right name is for ever (B1, B2)")
    func hashes() async throws {
        try await TestServer.run { server in
            let index = try await RawHTTP.send("GET", "/openapi/v3", to: server)
            let tag = try #require(index.header("etag"))
            let again = try await RawHTTP.send("GET", "/openapi/v3", to: server, headers: ["If-None-Match": tag])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            let paths = try await Self.paths(server)
            #expect(paths.map(\.name).contains("api/v1"))
            let (_, url) = try #require(paths.first { $0.name == "apis/coordination.k8s.io/v1" })
            let hash = String(url.split(separator: "=")[1])
            #expect(hash.count == 128)
            #expect(url == "/openapi/v3/apis/coordination.k8s.io/v1?hash=\(hash)")
            let right = try await RawHTTP.send("GET", url, to: server)
            #expect(right.header("etag") == "\"\(hash)\"")
            #expect(right.header("cache-control") == "public, immutable")
            #expect(right.header("expires")?.hasSuffix(" GMT") == true)
            let wrong = try await RawHTTP.send("GET", url.replacing(hash, with: "00"), to: server)
            #expect(wrong.status == 301)
            #expect(wrong.header("location") == url)
            let bare = try await RawHTTP.send("GET", "/openapi/v3/apis/coordination.k8s.io/v1", to: server)
            #expect(bare.header("cache-control") == "no-cache, private")
            #expect(bare.body == right.body)
            let other = try await RawHTTP.send("GET", url, to: server, headers: ["Accept": "text/html"])
            #expect(other.status == 406)
            #expect(try await RawHTTP.send("GET", "/openapi/v3/apis/nowhere/v1", to: server).status == 404)
        }
    }

    @Test("every reference leads somewhere, and every kind is found by its group, version and kind (B3–B5)")
    func references() async throws {
        try await TestServer.run { server in
            for (name, url) in try await Self.paths(server) {
                let document = try await RawHTTP.send("GET", url, to: server).json
                let schemas = document[path: ["components", "schemas"]]?.object ?? JSONObject()
                for reference in Self.references(document) {
                    #expect(schemas[String(reference.dropFirst("#/components/schemas/".count))] != nil, "\(reference)")
                }
                #expect(!document.text().contains("x-martlet"), "\(name)")
                for type in Catalog.builtIn.types
                where type.kind.apiVersion == name.split(separator: "/").dropFirst().joined(separator: "/") {
                    let kind: JSON = [
                        "group": .string(type.kind.group), "version": .string(type.kind.version),
                        "kind": .string(type.kind.kind),
                    ]
                    #expect(schemas.contains { $0.value["x-kubernetes-group-version-kind"] == [kind] }, "\(type.kind)")
                    // Questions to the server cannot be changed.
                    guard type.verbs.contains("patch") else { continue }
                    let paths = document["paths"]?.object ?? JSONObject()
                    let patches = paths.compactMap { $0.value["patch"] }
                    let own = patches.first { $0["x-kubernetes-group-version-kind"] == kind }
                    let content = own?[path: ["requestBody", "content"]]
                    let isCustom = type.kind.group == "argoproj.io"
                    #expect((content?["application/strategic-merge-patch+json"] == nil) == isCustom, "\(type.kind)")
                    #expect(own?["parameters"]?.array?.contains { $0["name"] == "fieldValidation" } == true)
                }
            }
        }
    }

    private static func references(_ json: JSON) -> [String] {
        switch json {
        case .object(let members):
            members.flatMap { member -> [String] in
                if member.key == "$ref", let text = member.value.string { return [text] }
                return references(member.value)
            }
        case .array(let items): items.flatMap(references)
        default: []
        }
    }

    @Test("one group's document is as it was (B2)")
    func golden() async throws {
        try await TestServer.run { server in
            let document = try await RawHTTP.send("GET", "/openapi/v3/apis/coordination.k8s.io/v1", to: server).json
            try Golden.expect(document.text(.indented) + "\n", "openapi-v3-coordination.v1.json")
            let names = try await Self.paths(server).map(\.name)
            try Golden.expect(names.joined(separator: "\n") + "\n", "openapi-v3-index.txt")
        }
    }

    @Test("what v2 cannot say it does not say; numbers with units are texts (B10)")
    func version2() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send("GET", "/openapi/v2", to: server)
            #expect(answer.header("content-type") == "application/json")
            let document = try answer.json
            #expect(document["swagger"] == "2.0")
            let definitions = document["definitions"]?.object ?? JSONObject()
            for reference in Self.references(document) {
                #expect(definitions[String(reference.dropFirst("#/definitions/".count))] != nil, "\(reference)")
            }
            #expect(definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"]?["type"] == "string")
            #expect(definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]?["format"] == "int-or-string")
            let deployment = try #require(definitions["io.k8s.api.apps.v1.Deployment"])
            #expect(deployment["properties"]?["spec"]?["$ref"] == "#/definitions/io.k8s.api.apps.v1.DeploymentSpec")
            // Properties of that name are objects.
            #expect(!answer.text.contains("\"oneOf\":["))
            #expect(!answer.text.contains("\"allOf\":["))
            let patch = document["paths"]?["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]?["patch"]
            #expect(patch?["consumes"]?.array?.contains("application/strategic-merge-patch+json") == true)
            #expect(patch?["parameters"]?.array?.contains { $0["name"] == "dryRun" && $0["type"] == "string" } == true)
        }
    }

    @Test("v2 in protobuf, under its two names and the older address (B9)")
    func version2Protobuf() async throws {
        try await TestServer.run { server in
            let type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            let old = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
            let answer = try await RawHTTP.send("GET", "/openapi/v2", to: server, headers: ["Accept": old])
            #expect(answer.header("content-type") == type)
            // swagger: "2.0"
            #expect(answer.body.starts(with: [0x0A, 3] + Array("2.0".utf8)))
            let pathed = try await RawHTTP.send("GET", "/swagger-2.0.0.pb-v1", to: server)
            #expect(pathed.body == answer.body)
            let tag = try #require(answer.header("etag"))
            let again = try await RawHTTP.send(
                "GET", "/openapi/v2", to: server, headers: ["Accept": type, "If-None-Match": tag])
            #expect(again.status == 304)
            #expect(
                try await RawHTTP.send("GET", "/openapi/v2", to: server, headers: ["Accept": "text/x"]).status == 406)
        }
    }

    @Test("v3 in protobuf, under its two names, is called what it is called in JSON (B2)")
    func version3Protobuf() async throws {
        try await TestServer.run { server in
            let type = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
            let old = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
            // Also of what nobody asked the index or JSON for yet.
            let path = "/openapi/v3/apis/coordination.k8s.io/v1"
            let answer = try await RawHTTP.send("GET", path, to: server, headers: ["Accept": old])
            #expect(answer.header("content-type") == type)
            #expect(answer.header("vary") == "Accept")
            // openapi: "3.0.0"; info: title, version
            let info = [0x0A, 10] + Array("Kubernetes".utf8) + [0x32, 7] + Array("v1.36.0".utf8)
            #expect(answer.body.starts(with: [0x0A, 5] + Array("3.0.0".utf8) + [0x12, UInt8(info.count)] + info))
            let json = try await RawHTTP.send("GET", path, to: server)
            #expect(json.header("etag") == answer.header("etag"))
            // The same texts, though in other order.
            for schema in try json.json[path: ["components", "schemas"]]?.object ?? JSONObject() {
                #expect(answer.body.contains(Array(schema.key.utf8)), "\(schema.key)")
                let description = schema.value["description"]?.string ?? ""
                #expect(answer.body.contains(Array(description.utf8)), "\(schema.key)")
            }
            for path in try json.json["paths"]?.object ?? JSONObject() {
                #expect(answer.body.contains(Array(path.key.utf8)), "\(path.key)")
            }
            let both = try await RawHTTP.send(
                "GET", path, to: server, headers: ["Accept": "\(type), application/json;q=0.5"])
            #expect(both.body == answer.body)
            let hash = try #require(answer.header("etag")).replacing("\"", with: "")
            let hashed = try await RawHTTP.send("GET", "\(path)?hash=\(hash)", to: server, headers: ["Accept": type])
            #expect(hashed.header("cache-control") == "public, immutable")
        }
    }

    /// Worked out by hand from `OpenAPIv3.proto` of google/gnostic-models.
    @Test("each word of a schema is in its field of the message")
    func schemaMessages() throws {
        let minimum = try JSON(decoding: Array("1.5".utf8))
        let bytes = OpenAPIVersion3Protobuf.document(
            info: [:], paths: { _ in },
            schemas: { body in
                body("A", ["type": "string", "enum": ["x"], "default": "x", "maxLength": 3, "x-a": true])
                body("B", ["type": "array", "items": ["$ref": "#/A"], "nullable": true])
                body("C", ["additionalProperties": false, "default": [:], "minimum": minimum])
            })
        let a: [UInt8] =
            [0x78, 3] + [0xC2, 0x01, 6, 0x12, 4] + Array("\"x\"\n".utf8) + [0xCA, 0x01, 6] + Array("string".utf8)
            + [0x8A, 0x02, 3, 0x1A, 1] + Array("x".utf8) + [0xA2, 0x02, 14, 0x0A, 3] + Array("x-a".utf8)
            + [0x12, 7, 0x12, 5] + Array("true\n".utf8)
        let b: [UInt8] =
            [0x08, 1] + [0xCA, 0x01, 5] + Array("array".utf8) + [0xF2, 0x01, 9, 0x0A, 7, 0x12, 5, 0x0A, 3]
            + Array("#/A".utf8)
        let c: [UInt8] = [0x69, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F] + [0x82, 0x02, 2, 0x10, 0]
        var expected: [UInt8] = []
        for (name, schema) in [("A", a), ("B", b), ("C", c)] {
            let value: [UInt8] = [0x0A, UInt8(schema.count)] + schema
            let entry = [0x0A, 1] + Array(name.utf8) + [0x12, UInt8(value.count)] + value
            expected += [0x0A, UInt8(entry.count)] + entry
        }
        let components = [0x0A] + Self.varint(expected.count) + expected
        let head = [0x0A, 5] + Array("3.0.0".utf8) + [0x12, 0, 0x22, 0]
        #expect(bytes == head + [0x2A] + Self.varint(components.count) + components)
    }

    private static func varint(_ count: Int) -> [UInt8] {
        count < 0x80 ? [UInt8(count)] : [UInt8(count & 0x7F) | 0x80, UInt8(count >> 7)]
    }

    @Test("aggregated discovery is named by its content; storage versions by theirs; the root tells all paths")
    func discovery() async throws {
        try await TestServer.run { server in
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            for path in ["/api", "/apis"] {
                let answer = try await RawHTTP.send("GET", path, to: server, headers: ["Accept": accept])
                let tag = try #require(answer.header("etag"))
                #expect(tag.count == 130)
                #expect(tag.uppercased() == tag)
                #expect(answer.header("vary") == "Accept")
                let again = try await RawHTTP.send(
                    "GET", path, to: server, headers: ["Accept": accept, "If-None-Match": tag])
                #expect(again.status == 304)
            }
            let groups = try await RawHTTP.send("GET", "/apis", to: server).json["groups"]?.array?.map { $0["name"] }
            #expect(groups?.prefix(2) == ["apiregistration.k8s.io", "apps"])
            #expect(groups?.last == "argoproj.io")
            let pods = try await RawHTTP.send("GET", "/api/v1", to: server).json["resources"]?.array?
                .first { $0["name"] == "pods" }
            #expect(pods?["storageVersionHash"] == "xPOwRZ+Yhw8=")
            let deployments = try await RawHTTP.send("GET", "/apis/apps/v1", to: server).json["resources"]?.array?
                .first { $0["name"] == "deployments" }
            #expect(deployments?["storageVersionHash"] == "8aSe+NMegvE=")
            let paths = try await RawHTTP.send("GET", "/", to: server).json["paths"]?.array ?? []
            for path in ["/api/v1", "/apis/apps", "/apis/apps/v1", "/openapi/v2", "/openapi/v3", "/readyz/ping"] {
                #expect(paths.contains(.string(path)), "\(path)")
            }
        }
    }

    @Test("the old paths of watches still answer (A16)")
    func legacyWatch() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send("GET", "/api/v1/watch/namespaces?timeoutSeconds=1", to: server)
            let events = try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSON(decoding: Array($0)) }
            #expect(events.map { $0["type"] } == ["ADDED", "ADDED"])
        }
    }
}

/// Texts that a person has looked at. With `MARTLET_WRITE_GOLDENS=1` in the environment they are written anew.
enum Golden {
    static func expect(_ text: String, _ name: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)")
        if ProcessInfo.processInfo.environment["MARTLET_WRITE_GOLDENS"] == "1" {
            try Data(text.utf8).write(to: path)
        }
        #expect(text == String(decoding: try Data(contentsOf: path), as: UTF8.self), "\(name)")
    }
}
