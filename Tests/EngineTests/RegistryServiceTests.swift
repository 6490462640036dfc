import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: addresses of Services (J2)")
struct RegistryServiceTests {
    @Test("a Service gets an address of the range above its low band, and keeps it")
    func clusterIP() async throws {
        let registry = try await TestRegistry(services: "127.96.0.0/24")
        let range = try #require(AddressRange("127.96.0.0/24"))
        let made = try await registry.create(Sample.service("web"))
        let text = try #require(made.json[path: ["spec", "clusterIP"]]?.string)
        let address = try #require(AddressRange.address(text))
        #expect(range.contains(address))
        #expect((16..<255).contains(Int(address - range.first)))
        #expect(made.json[path: ["spec", "clusterIPs"]] == [.string(text)])
        let updated = try await registry.update(
            made.with(["spec", "clusterIP"], nil).with(["spec", "clusterIPs"], nil).with(
                ["spec", "selector", "app"], "x"))
        #expect(updated.json[path: ["spec", "clusterIP"]]?.string == text)
    }

    @Test("no two Services have the same address, and a full range says so")
    func exhaustion() async throws {
        let registry = try await TestRegistry(services: "127.96.0.0/28")
        var addresses: Set<String> = []
        for number in 0..<14 {
            let made = try await registry.create(Sample.service("web\(number)"))
            addresses.insert(try #require(made.json[path: ["spec", "clusterIP"]]?.string))
        }
        #expect(addresses.count == 14)
        #expect(!addresses.contains("127.96.0.0") && !addresses.contains("127.96.0.15"))
        let error = try await registry.error { try await registry.create(Sample.service("one-more")) }
        #expect(error.message.contains("range is full"))
        try await registry.delete(Service.key("web3", in: "default"))
        try await registry.create(Sample.service("one-more"))
    }

    struct Explicit: CustomTestStringConvertible {
        var address: String
        var error: String?
        var testDescription: String { address }
    }

    @Test(
        "an address that was asked for is given if it is free and in the range",
        arguments: [
            Explicit(address: "127.96.0.5", error: nil),
            Explicit(address: "127.96.0.9", error: "provided IP is already allocated"),
            Explicit(address: "10.0.0.1", error: "provided IP is not in the valid range"),
            Explicit(address: "127.96.0.0", error: "provided IP is not in the valid range"),
        ])
    func explicit(_ example: Explicit) async throws {
        let registry = try await TestRegistry(services: "127.96.0.0/24")
        try await registry.create(Sample.service("first", spec: ["clusterIP": "127.96.0.9"]))
        let wanted = Sample.service("second", spec: ["clusterIP": .string(example.address)])
        if let text = example.error {
            let error = try await registry.error { try await registry.create(wanted) }
            #expect(error.reason == .invalid)
            #expect(error.message.contains(text))
            #expect(error.details.causes.first?.field == "spec.clusterIPs")
        } else {
            let made = try await registry.create(wanted)
            #expect(made.json[path: ["spec", "clusterIP"]]?.string == example.address)
        }
    }

    @Test("a headless Service and an ExternalName have no address")
    func withoutAddress() async throws {
        let registry = try await TestRegistry()
        let headless = try await registry.create(Sample.service("a", spec: ["clusterIP": "None"]))
        #expect(headless.json[path: ["spec", "clusterIPs"]] == ["None"])
        let external = try await registry.create(
            Sample.service("b", spec: ["type": "ExternalName", "externalName": "example.org"]))
        #expect(external.json[path: ["spec", "clusterIP"]] == nil)
    }

    @Test("node ports are given, kept apart, shared by TCP and UDP of one port, and given back")
    func nodePorts() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(
            Sample.service(
                "dns",
                spec: [
                    "type": "NodePort",
                    "ports": [
                        ["name": "tcp", "port": 53, "protocol": "TCP"], ["name": "udp", "port": 53, "protocol": "UDP"],
                    ],
                ]))
        let ports = made.json[path: ["spec", "ports"]]?.array?.compactMap { $0["nodePort"]?.int } ?? []
        #expect(ports.count == 2)
        #expect(Set(ports).count == 1)
        #expect(ports.allSatisfy { (30000...32767).contains($0) })
        let same: JSON = ["type": "NodePort", "ports": [["port": 80, "nodePort": .int(ports[0])]]]
        let error = try await registry.error { try await registry.create(Sample.service("web", spec: same)) }
        #expect(error.message.contains("provided port is already allocated"))
        #expect(error.details.causes.first?.field == "spec.ports[0].nodePort")
        try await registry.update(made.with(["spec", "type"], "ClusterIP"))
        try await registry.create(Sample.service("web", spec: same))
    }

    @Test("a write that fails gives back what was taken for it")
    func failedWrites() async throws {
        let registry = try await TestRegistry(services: "127.96.0.0/28")
        for _ in 0..<30 {
            _ = try await registry.error {
                try await registry.create(Sample.service("web", spec: ["ports": [["port": 0]]]))
            }
            try await registry.create(
                Sample.service("dry"), WriteOptions(fieldManager: "test", dryRun: true))
        }
        try await registry.create(Sample.service("web"))
    }

    @Test("after a restart what was given is still taken")
    func restart() async throws {
        let persistence = MemoryPersistence()
        var registry = try await TestRegistry(persistence: persistence)
        try await registry.create(Sample.service("first", spec: ["clusterIP": "127.96.0.9"]))
        registry = try await TestRegistry(persistence: persistence)
        let error = try await registry.error {
            try await registry.create(Sample.service("second", spec: ["clusterIP": "127.96.0.9"]))
        }
        #expect(error.message.contains("already allocated"))
    }

    @Test(
        "a range is a network whose address has no bits beyond the prefix",
        arguments: [
            ("127.96.0.0/16", true), ("127.96.0.1/16", false), ("127.96.0.0", false), ("127.96.0.0/31", false),
            ("127.96.0/16", false), ("127.096.0.0/16", false),
        ])
    func ranges(text: String, isValid: Bool) {
        #expect((AddressRange(text) != nil) == isValid)
    }
}
