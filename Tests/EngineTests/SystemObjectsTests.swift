import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("What every cluster has") struct SystemObjectsTests {
    @Test("the levels and schemas of flow control are made once, and again when they are gone")
    func flowControl() async throws {
        let test = try await TestRegistry()
        let group = "flowcontrol.apiserver.k8s.io"
        for _ in 0..<2 {
            try await test.registry.ensureSystemObjects()
            for kind in ["FlowSchema", "PriorityLevelConfiguration"] {
                let query = ListQuery(GroupKind(group: group, kind: kind))
                let items = try await test.registry.list(query).items
                #expect(items.map(\.metadata.name) == ["catch-all", "exempt"])
                #expect(items.allSatisfy { $0.metadata.generation == 1 })
            }
            try await test.delete(
                ObjectKey(kind: GroupKind(group: group, kind: "FlowSchema"), namespace: "", name: "exempt"))
        }
    }

    @Test("who asks for a certificate is known of users only")
    func requester() async throws {
        let test = try await TestRegistry()
        let content = Base64.encode([0x30, 7, 0x30, 0, 0x30, 0, 0x03, 1, 0])
        let pem = "-----BEGIN CERTIFICATE REQUEST-----\n\(content)\n-----END CERTIFICATE REQUEST-----\n"
        var request: JSON = [
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": ["name": "a"],
            "spec": [
                "request": .string(Base64.encode(pem.utf8)), "signerName": "a.b/c", "usages": ["any"],
                "username": "eve", "groups": ["system:masters"],
            ],
        ]
        let nobody = try await test.create(request)
        #expect(nobody.json["spec"]?["username"] == nil && nobody.json["spec"]?["groups"] == nil)
        request[path: ["metadata", "name"]] = "b"
        var options = TestRegistry.options
        options.requester = Requester(name: "ada", groups: ["dev"])
        let warnings = RequestWarnings()
        options.warnings = warnings
        let ada = try await test.create(request, options)
        #expect(ada.json["spec"]?["username"] == "ada" && ada.json["spec"]?["groups"] == ["dev"])
        #expect(
            warnings.all == [
                "certificates.k8s.io/v1 CertificateSigningRequest is stored, but nothing acts on it yet"
            ])
    }
}
