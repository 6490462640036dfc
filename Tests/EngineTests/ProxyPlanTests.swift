import Engine
import Kinds
import Model
import Testing

@Suite("Proxy plan")
struct ProxyPlanTests {
    static func service(
        _ name: String, _ address: String = "127.96.0.10", type: String = "ClusterIP", ports: JSON = [["port": 80]],
        extra: [String: JSON] = [:]
    ) -> Service {
        var service = Service(named: name, in: "default")
        service.metadata.uid = "uid-\(name)"
        service.json["spec"] = ["type": .string(type), "clusterIP": .string(address), "ports": ports]
        for (key, value) in extra { service.json[path: ["spec", key]] = value }
        return service
    }

    /// - Parameter endpoints: address and the conditions ready, serving, terminating.
    private static func slice(
        of service: String, port: Int64 = 8080, portName: String = "", _ endpoints: [(String, Bool, Bool, Bool)]
    ) -> EndpointSlice {
        var slice = EndpointSlice(named: "\(service)-1", in: "default")
        slice.metadata.labels = ["kubernetes.io/service-name": service]
        slice.addressType = "IPv4"
        slice.json["ports"] = [["name": .string(portName), "port": .int(port), "protocol": "TCP"]]
        slice.json["endpoints"] = .array(
            endpoints.map { address, ready, serving, terminating in
                [
                    "addresses": [.string(address)],
                    "conditions": [
                        "ready": .bool(ready), "serving": .bool(serving), "terminating": .bool(terminating),
                    ],
                ]
            })
        return slice
    }

    struct Choice: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var endpoints: [(String, Bool, Bool, Bool)]
        var backends: [String]
    }

    static let choices = [
        Choice(
            testDescription: "ready ones only",
            endpoints: [
                ("127.0.1.2", true, true, false), ("127.0.1.1", true, true, false), ("127.0.1.3", false, false, false),
            ],
            backends: ["127.0.1.1:8080", "127.0.1.2:8080"]),
        Choice(
            testDescription: "none that terminates while one is ready",
            endpoints: [("127.0.1.1", true, true, false), ("127.0.1.2", false, true, true)],
            backends: ["127.0.1.1:8080"]),
        Choice(
            testDescription: "those that serve while they terminate when none is ready",
            endpoints: [
                ("127.0.1.1", false, true, true), ("127.0.1.2", false, false, true), ("127.0.1.3", false, true, false),
            ],
            backends: ["127.0.1.1:8080"]),
        Choice(testDescription: "nobody", endpoints: [], backends: []),
    ]

    @Test("backends are the ready endpoints, else those that serve while they terminate (J7)", arguments: choices)
    func backends(choice: Choice) {
        let plan = ProxyPlan(
            services: [Self.service("web")], slices: [Self.slice(of: "web", choice.endpoints)])
        #expect(plan.listeners.map(\.frontend.description) == ["127.96.0.10:80"])
        #expect(plan.listeners.first?.backends.map(\.description) == choice.backends)
        #expect(plan.faults.isEmpty)
    }

    @Test("a node port listens on the loopback address, and elsewhere only when told so")
    func nodePorts() {
        let service = Self.service("web", type: "NodePort", ports: [["port": 80, "nodePort": 30080]])
        #expect(
            ProxyPlan(services: [service], slices: []).listeners.map(\.frontend.description)
                == ["127.0.0.1:30080", "127.96.0.10:80"])
        let open = ProxyPlan(services: [service], slices: [], options: .init(nodePortAddresses: ["0.0.0.0"]))
        #expect(open.listeners.map(\.frontend.description) == ["0.0.0.0:30080", "127.96.0.10:80"])
    }

    @Test("Services without an address of their own have no listener", arguments: ["None", ""])
    func withoutAddress(address: String) {
        let plan = ProxyPlan(services: [Self.service("web", address)], slices: [])
        #expect(plan.listeners.isEmpty)
        #expect(plan.faults.isEmpty)
        #expect(ProxyPlan(services: [Self.service("web", "", type: "ExternalName")], slices: []).listeners.isEmpty)
    }

    @Test("what cannot be served is a fault of that Service and disturbs no other")
    func faults() {
        let services = [
            Self.service("a"), Self.service("b"), Self.service("c", "10.0.0.1"),
            Self.service(
                "d", "127.96.0.11", ports: [["port": 53, "protocol": "UDP"], ["port": 53, "protocol": "TCP"]]),
            Self.service("f", "127.96.0.13", extra: ["externalIPs": ["192.0.2.1"]]),
        ]
        let plan = ProxyPlan(services: services.reversed(), slices: [])
        #expect(plan.listeners.map(\.service.name) == ["a", "d", "f"])
        #expect(
            plan.faults.map { "\($0.service.name) \($0.reason)" } == [
                "b PortAlreadyClaimed", "c UnsupportedClusterIP", "d UnsupportedProtocol",
                "f UnsupportedExternalIP",
            ])
    }

    @Test(
        "every endpoint is on this machine: traffic policies and distributions choose none of them and are no fault",
        arguments: [
            ["trafficDistribution": "PreferClose"], ["trafficDistribution": "PreferSameNode"],
            ["internalTrafficPolicy": "Local"],
        ] as [[String: JSON]])
    func closeness(extra: [String: JSON]) {
        let slices = [Self.slice(of: "web", [("127.0.1.1", true, true, false), ("127.0.1.2", true, true, false)])]
        let plan = ProxyPlan(services: [Self.service("web", extra: extra)], slices: slices)
        #expect(plan == ProxyPlan(services: [Self.service("web")], slices: slices))
        #expect(plan.listeners.map(\.backends.count) == [2])
    }

    @Test("a port gets the endpoints of the slice port with its name")
    func namedPorts() {
        let service = Self.service("web", ports: [["name": "http", "port": 80], ["name": "admin", "port": 81]])
        let slices = [
            Self.slice(of: "web", port: 8080, portName: "http", [("127.0.1.1", true, true, false)]),
            Self.slice(of: "web", port: 9090, portName: "admin", [("127.0.1.1", true, true, false)]),
            Self.slice(of: "other", port: 1, portName: "http", [("127.0.1.9", true, true, false)]),
        ]
        let plan = ProxyPlan(services: [service], slices: slices)
        #expect(plan.listeners.map { $0.backends.map(\.description) } == [["127.0.1.1:8080"], ["127.0.1.1:9090"]])
    }

    @Test("connections go round the backends, each also offering the others")
    func roundRobin() throws {
        let endpoints = (1...3).map { ("127.0.1.\($0)", true, true, false) }
        let plan = ProxyPlan(services: [Self.service("web")], slices: [Self.slice(of: "web", endpoints)])
        var balancer = ProxyBalancer(try #require(plan.listeners.first))
        let now = Timestamp(seconds: 0)
        let firsts = (0..<6).map { _ in balancer.candidates(for: "c", at: now).map(\.address) }
        #expect(firsts.map { $0[0].last } == ["1", "2", "3", "1", "2", "3"])
        #expect(firsts[1] == ["127.0.1.2", "127.0.1.3", "127.0.1.1"])
    }

    @Test("with ClientIP affinity a client stays with its backend until the time is over or the backend is gone")
    func affinity() throws {
        let endpoints = (1...3).map { ("127.0.1.\($0)", true, true, false) }
        let service = Self.service(
            "web",
            extra: ["sessionAffinity": "ClientIP", "sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 10]]])
        let plan = ProxyPlan(services: [service], slices: [Self.slice(of: "web", endpoints)])
        var balancer = ProxyBalancer(try #require(plan.listeners.first))
        let first = try #require(balancer.candidates(for: "c", at: Timestamp(seconds: 0)).first)
        balancer.connected("c", to: first, at: Timestamp(seconds: 0))
        for second in 1...3 {
            #expect(balancer.candidates(for: "c", at: Timestamp(seconds: Int64(second * 9))).first == first)
        }
        #expect(balancer.candidates(for: "c", at: Timestamp(seconds: 40)).first != first)
        balancer.connected("c", to: first, at: Timestamp(seconds: 40))
        let rest = Self.slice(of: "web", Array(endpoints.dropFirst()))
        balancer.update(try #require(ProxyPlan(services: [service], slices: [rest]).listeners.first))
        #expect(!balancer.candidates(for: "c", at: Timestamp(seconds: 41)).contains(first))
    }
}
