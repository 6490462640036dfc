import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("The default ServiceCIDR") struct DefaultServiceCIDRTests {
    @Test("it says where Services' addresses come from, and is left as it is by a second start")
    func ensures() async throws {
        let test = try await TestRegistry(services: "127.96.0.0/16")
        try await test.registry.ensureDefaultServiceCIDR()
        let kind = GroupKind(group: "networking.k8s.io", kind: "ServiceCIDR")
        let key = ObjectKey(kind: kind, namespace: "", name: "kubernetes")
        let made = try await test.registry.get(key, version: nil)
        #expect(made.json[path: ["spec", "cidrs"]] == ["127.96.0.0/16"])
        let conditions = made.json[path: ["status", "conditions"]]?.array ?? []
        #expect(conditions.map { $0["type"] } == ["Ready"])
        #expect(conditions.map { $0["status"] } == ["True"])
        try await test.registry.ensureDefaultServiceCIDR()
        #expect(try await test.registry.get(key, version: nil) == made)
    }
}
