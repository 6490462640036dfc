import Engine
import Kinds
import Model
import Testing

/// What Kubernetes' conformance tests of discovery ask (e2e/apimachinery/discovery.go), but for webhooks, which are not
/// served.
@Suite("Discovery, as the conformance tests ask for it")
struct DiscoveryConformanceTests {
    @Test("every group has a preferred version, which is one of its versions")
    func preferredVersions() async throws {
        try await TestServer.run { server in
            let groups = try await RawHTTP.send("GET", "/apis/", to: server).json["groups"]?.array ?? []
            #expect(!groups.isEmpty)
            for group in groups {
                let name = group["name"]?.string ?? ""
                let found = try await RawHTTP.send("GET", "/apis/\(name)/", to: server).json
                let versions = (found["versions"]?.array ?? []).map { $0["groupVersion"] }
                #expect(versions.contains(found["preferredVersion"]?["groupVersion"]), "\(name)")
            }
        }
    }

    static let resources: [(path: String, resource: String)] = [
        ("api/v1", "namespaces"), ("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
        ("apis/apiregistration.k8s.io/v1", "apiservices"), ("apis/apps/v1", "deployments"),
        ("apis/authentication.k8s.io/v1", "tokenreviews"),
        ("apis/authorization.k8s.io/v1", "selfsubjectaccessreviews"),
        ("apis/autoscaling/v1", "horizontalpodautoscalers"), ("apis/autoscaling/v2", "horizontalpodautoscalers"),
        ("apis/batch/v1", "jobs"), ("apis/certificates.k8s.io/v1", "certificatesigningrequests"),
        ("apis/coordination.k8s.io/v1", "leases"), ("apis/discovery.k8s.io/v1", "endpointslices"),
        ("apis/events.k8s.io/v1", "events"), ("apis/networking.k8s.io/v1", "ingresses"),
        ("apis/node.k8s.io/v1", "runtimeclasses"), ("apis/policy/v1", "poddisruptionbudgets"),
        ("apis/scheduling.k8s.io/v1", "priorityclasses"), ("apis/storage.k8s.io/v1", "csinodes"),
    ]

    @Test("every version of a group tells of its resources", arguments: resources)
    func resource(path: String, resource: String) async throws {
        try await TestServer.run { server in
            let list = try await RawHTTP.send("GET", "/\(path)", to: server).json
            let version = path.split(separator: "/").dropFirst().joined(separator: "/")
            #expect(list["groupVersion"] == .string(version))
            #expect(list["resources"]?.array?.contains { $0["name"]?.string == resource } == true)
        }
    }
}
