import Cluster
import Engine
import Kinds
import Model
import Testing

@Suite("What every namespace has (J4)")
struct NamespaceDefaultsTests {
    private static let account = ServiceAccount(named: "default", in: "team")

    private static func authority(_ certificate: String) -> ConfigMap {
        var map = ConfigMap(named: "kube-root-ca.crt", in: "team")
        map.metadata.annotations = [
            "kubernetes.io/description": "The authority that signs the API server's certificate."
        ]
        map.data = ["ca.crt": certificate]
        return map
    }

    private static let namespace = Namespace(named: "team")

    @Test("an account and the authority's certificate are made where they are missing, and kept")
    func decisions() {
        #expect(
            NamespaceDefaultsPlan.decide(Self.namespace, serviceAccount: nil, authority: nil, certificate: "PEM")
                == [.createServiceAccount(Self.account), .createAuthority(Self.authority("PEM"))])
        #expect(
            NamespaceDefaultsPlan.decide(Self.namespace, serviceAccount: nil, authority: nil, certificate: nil)
                == [.createServiceAccount(Self.account)], "nobody serves the API yet")
        #expect(
            NamespaceDefaultsPlan.decide(
                Self.namespace, serviceAccount: Self.account, authority: Self.authority("old"), certificate: "PEM")
                == [.updateAuthority(Self.authority("PEM"))])
        #expect(
            NamespaceDefaultsPlan.decide(
                Self.namespace, serviceAccount: Self.account, authority: Self.authority("PEM"), certificate: "PEM"
            ).isEmpty)
        var going = Self.namespace
        going.json[path: ["metadata", "deletionTimestamp"]] = "2026-01-01T00:00:00Z"
        #expect(
            NamespaceDefaultsPlan.decide(going, serviceAccount: nil, authority: nil, certificate: "PEM").isEmpty)
    }

    @Test("a new namespace gets them, they come back when deleted, and follow a new authority")
    func controller() async throws {
        let registry = try await TestRegistry()
        let controller = NamespaceDefaultsController(cluster: registry.registry, clock: registry.clock)
        let account = ServiceAccount.key("default", in: "team")
        let authority = ConfigMap.key("kube-root-ca.crt", in: "team")
        let published = { (certificate: String) in
            try await RegistryGarbageTests.until {
                registry.clock.advance(by: .milliseconds(10))
                guard try await registry.exists(authority) else { return false }
                return try await registry.get(authority).json[path: ["data", "ca.crt"]] == .string(certificate)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controller.run() }
            controller.publish(authority: "one")
            try await registry.create(Sample.namespace("team"))
            try await published("one")
            try await registry.delete(account)
            try await RegistryGarbageTests.until { try await registry.exists(account) }
            controller.publish(authority: "two")
            try await published("two")
            group.cancelAll()
        }
    }
}
