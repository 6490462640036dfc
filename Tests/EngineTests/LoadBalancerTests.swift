import Cluster
import Engine
import Glibc
import Kinds
import Logging
import Model
import NIOCore
import NIOPosix
import Testing

/// Services of type LoadBalancer (semantics-workloads J1, J7), with the proxy as their load balancer.
@Suite("Load balancer plan") struct LoadBalancerPlanTests {
    private static func balancer(
        _ name: String, ports: JSON = [["port": 8080]], created: Int64 = 0, extra: [String: JSON] = [:]
    ) -> Service {
        var service = ProxyPlanTests.service(
            name, "127.96.0.\(name.utf8.first ?? 1)", type: "LoadBalancer", ports: ports, extra: extra)
        service.metadata.creationTimestamp = Timestamp(seconds: created)
        return service
    }

    private func owners(_ plan: ProxyPlan) -> [String: String] {
        let outside = plan.listeners.filter { !$0.frontend.address.hasPrefix("127.96.") }
        return Dictionary(uniqueKeysWithValues: outside.map { ($0.frontend.description, $0.service.name) })
    }

    @Test("it listens on the Service's own ports where node ports do, and says so once all of them are there")
    func listens() throws {
        let service = Self.balancer(
            "a", ports: [["name": "x", "port": 8080, "nodePort": 30080], ["name": "y", "port": 8081]])
        let plan = ProxyPlan(services: [service], slices: [])
        #expect(owners(plan) == ["127.0.0.1:8080": "a", "127.0.0.1:8081": "a", "127.0.0.1:30080": "a"])
        #expect(plan.faults.isEmpty)
        let balancer = try #require(plan.loadBalancers.first)
        let (x, y) = (ProxyPlan.Endpoint("127.0.0.1", 8080), ProxyPlan.Endpoint("127.0.0.1", 8081))
        #expect(balancer.addresses(listening: [x]) == [])
        #expect(balancer.addresses(listening: [x, y]) == ["127.0.0.1"])
        let wide = ProxyPlan(services: [service], slices: [], options: .init(nodePortAddresses: ["0.0.0.0"]))
        #expect(owners(wide).keys.contains("0.0.0.0:8080"))
        #expect(wide.loadBalancers.first?.addresses(listening: Set(wide.listeners.map(\.frontend))) == ["127.0.0.1"])
    }

    @Test("of two Services that want the same port the older one keeps it, and a node port goes before both")
    func conflicts() {
        let young = Self.balancer(
            "a", ports: [["name": "x", "port": 8080], ["name": "y", "port": 8081]], created: 20)
        let old = Self.balancer("b", created: 10)
        let late = Self.balancer("c", ports: [["port": 30080]], created: 1)
        let node = ProxyPlanTests.service(
            "d", "127.96.0.9", type: "NodePort", ports: [["port": 80, "nodePort": 30080]])
        let plan = ProxyPlan(services: [young, old, late, node], slices: [])
        #expect(owners(plan) == ["127.0.0.1:8080": "b", "127.0.0.1:8081": "a", "127.0.0.1:30080": "d"])
        #expect(
            plan.faults.map { "\($0.service.name) \($0.reason): \($0.message)" } == [
                "c PortAlreadyClaimed: 127.0.0.1:30080 belongs to Service default/d: choose another port",
                "a PortAlreadyClaimed: 127.0.0.1:8080 belongs to Service default/b: choose another port",
            ])
        let all = Set(plan.listeners.map(\.frontend))
        #expect(plan.loadBalancers.map { $0.service.name } == ["c", "b", "a"])
        #expect(plan.loadBalancers.map { $0.addresses(listening: all) } == [[], ["127.0.0.1"], []])
        // The older one is gone: the port is the younger one's.
        #expect(owners(ProxyPlan(services: [young], slices: []))["127.0.0.1:8080"] == "a")
    }

    @Test("a loadBalancerClass names somebody else: it is left alone")
    func otherClass() {
        let service = Self.balancer("a", extra: ["loadBalancerClass": "example.com/lb"])
        let plan = ProxyPlan(services: [service], slices: [])
        #expect(owners(plan).isEmpty)
        #expect(plan.loadBalancers.isEmpty)
        #expect(plan.faults.isEmpty)
    }

    @Test("a Service that is no load balancer any more loses its address")
    func typeChanged() {
        var service = ProxyPlanTests.service("a")
        service.json["status"] = ["loadBalancer": ["ingress": [["ip": "127.0.0.1"]]]]
        let plan = ProxyPlan(services: [service], slices: [])
        #expect(plan.loadBalancers.map(\.published) == [["127.0.0.1"]])
        #expect(plan.loadBalancers.map { $0.addresses(listening: Set(plan.listeners.map(\.frontend))) } == [[]])
    }

    @Test("a loadBalancerIP that the proxy has not is a fault; one that it has is the only one it takes")
    func ownAddress() {
        let options = ProxyPlan.Options(nodePortAddresses: ["127.0.0.1", "127.0.0.2"])
        let plans = ["127.0.0.2", "192.0.2.1"].map {
            ProxyPlan(
                services: [Self.balancer("a", extra: ["loadBalancerIP": .string($0)])], slices: [], options: options)
        }
        #expect(plans.map(owners) == [["127.0.0.2:8080": "a"], [:]])
        #expect(
            plans[1].faults.map(\.message) == [
                "the proxy cannot listen on loadBalancerIP 192.0.2.1, only on 127.0.0.1, 127.0.0.2: remove it"
            ])
    }

    static let ranges: [(ranges: [JSON], admitted: Bool)] = [
        ([], true), (["127.0.0.0/8"], true), (["192.0.2.0/24", " 127.0.0.1/32"], true), (["0.0.0.0/0"], true),
        (["192.0.2.0/24"], false), (["127.0.0.2/32"], false), (["::1/128"], false),
    ]

    @Test("only clients from loadBalancerSourceRanges get through, at the ClusterIP all", arguments: ranges)
    func sources(ranges: [JSON], admitted: Bool) throws {
        var slice = EndpointSlice(named: "a-1", in: "default")
        slice.metadata.labels = ["kubernetes.io/service-name": "a"]
        slice.addressType = "IPv4"
        slice.json["ports"] = [["name": "", "port": 80, "protocol": "TCP"]]
        slice.json["endpoints"] = [["addresses": ["127.0.1.1"], "conditions": ["ready": true]]]
        let service = Self.balancer("a", extra: ["loadBalancerSourceRanges": .array(ranges)])
        for listener in ProxyPlan(services: [service], slices: [slice]).listeners {
            var balancer = ProxyBalancer(listener)
            let found = balancer.candidates(for: "127.0.0.1", at: Timestamp(seconds: 0))
            #expect(found.isEmpty == (!admitted && listener.frontend.address == "127.0.0.1"))
        }
    }

    static let obstacles: [(code: CInt, words: [String])] = [
        (EADDRINUSE, ["the port is taken by another process", "choose another port"]),
        (
            EACCES,
            [
                "permission denied", "choose a port from 1024 up", "CAP_NET_BIND_SERVICE",
                "sysctl net.ipv4.ip_unprivileged_port_start=80;",
            ]
        ),
        (EADDRNOTAVAIL, ["this machine has no such address"]),
    ]

    @Test("a port that cannot be had is told with what would help", arguments: obstacles)
    func explains(code: CInt, words: [String]) {
        let error = IOError(errnoCode: code, reason: "bind")
        let text = ServiceProxy.explain(error, listeningOn: ProxyPlan.Endpoint("127.0.0.1", 80))
        #expect(text.hasPrefix("cannot listen on 127.0.0.1:80: "))
        for word in words + ["it is tried again"] { #expect(text.contains(word)) }
    }
}

@Suite("Load balancer on real sockets", .timeLimit(.minutes(1))) struct LoadBalancerSocketTests {
    private static func service(_ name: String, _ address: String, port: Int) -> JSON {
        [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "type": "LoadBalancer", "clusterIP": .string(address), "allocateLoadBalancerNodePorts": false,
                "ports": [["port": .int(Int64(port))]],
            ],
        ]
    }

    private static func ingress(_ name: String, in registry: Registry) async throws -> [String] {
        let service: Service = try await registry.get(Service.key(name, in: "default")).view()
        return service.status.loadBalancer.ingress.map { "\($0.ip ?? "") \($0.ipMode ?? "")" }
    }

    @Test("a fault is an event also where the proxy is handed its snapshots, as the engine does")
    func eventsOfSnapshots() async throws {
        let registry = try ProxyStage.registry()
        _ = try await registry.create(
            Object(viewing: Namespace(named: "default").json), options: WriteOptions(fieldManager: "test"))
        var service = Service(named: "web", in: "default")
        service.json["spec"] = ["clusterIP": "None", "externalIPs": ["192.0.2.1"], "ports": [["port": 80]]]
        let (snapshots, continuation) = AsyncStream.makeStream(of: ServiceProxy.Snapshot.self)
        let proxy = ServiceProxy(
            cluster: registry, clock: SystemClock(), group: ProxyStage.group, logger: ProxyStage.quiet)
        continuation.yield(ServiceProxy.Snapshot(services: [service], slices: []))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { await proxy.run(snapshots) }
            defer { continuation.finish() }
            try await happens {
                let events = try await registry.list(ListQuery(Event.kind.groupKind, namespace: "default")).items
                return events.map { $0.view(as: Event.self).reason } == ["UnsupportedExternalIP"]
            }
        }
    }

    @Test("the status has the address while the port is had, and not while somebody else has it")
    func publishes() async throws {
        let registry = try ProxyStage.registry()
        // Somebody else's: the kernel names a port that is free.
        let squatter = try await ServerBootstrap(group: ProxyStage.group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(squatter.localAddress?.port)
        for object in [
            Namespace(named: "default").json, Self.service("first", "127.98.0.81", port: port),
            Self.service("second", "127.98.0.82", port: port),
        ] {
            _ = try await registry.create(Object(viewing: object), options: WriteOptions(fieldManager: "test"))
        }
        var limits = ServiceProxy.Limits()
        limits.bindRetry = (.milliseconds(10), .milliseconds(50))
        let proxy = ServiceProxy(
            cluster: registry, clock: SystemClock(), limits: limits, group: ProxyStage.group, logger: ProxyStage.quiet)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask {
                do {
                    try await proxy.run()
                } catch is CancellationError {
                    // The test is over.
                }
            }
            try await happens {
                let events = try await registry.list(ListQuery(Event.kind.groupKind, namespace: "default")).items
                let seen = events.map { $0.view(as: Event.self) }.map {
                    "\($0.involvedObject.name ?? "") \($0.reason ?? "")"
                }
                return Set(seen) == ["first FailedToListen", "second PortAlreadyClaimed"]
            }
            #expect(try await Self.ingress("first", in: registry) == [])
            try await squatter.close()
            try await happens { try await Self.ingress("first", in: registry) == ["127.0.0.1 VIP"] }
            #expect(proxy.frontends.contains(ProxyPlan.Endpoint("127.0.0.1", port)))
            #expect(try await Self.ingress("second", in: registry) == [])
            // Who is next gets it, and who is no load balancer any more has no address.
            _ = try await registry.patch(
                Service.key("first", in: "default"), .merge(["spec": ["type": "ClusterIP"]]), subresource: nil,
                options: WriteOptions(fieldManager: "test"))
            try await happens { try await Self.ingress("second", in: registry) == ["127.0.0.1 VIP"] }
            try await happens { try await Self.ingress("first", in: registry) == [] }
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }
}
