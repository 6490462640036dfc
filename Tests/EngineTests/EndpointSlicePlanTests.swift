import Kinds
import Model
import Testing

@testable import Engine

@Suite("EndpointSlices") struct EndpointSlicePlanTests {
    let nodes = ["n1": Node(named: "n1")]

    func service(target: IntOrString = 8080) -> Service {
        var service = Service(named: "web", in: "shop")
        service.metadata.uid = "svc"
        service.spec.clusterIP = "127.1.0.1"
        service.spec.selector = ["app": "web"]
        service.spec.ipFamilies = ["IPv4"]
        var port = ServicePort()
        port.name = "http"
        port.port = 80
        port.protocol = "TCP"
        port.targetPort = target
        service.spec.ports = [port]
        return service
    }

    func pod(_ name: String, _ ip: String, isReady: Bool = true, port: Int? = nil) -> Pod {
        var pod = Fixture.pod(name, readySince: isReady ? 100 : nil)
        pod.status.podIP = ip
        if let port {
            var container = Container()
            container.name = "web"
            var named = ContainerPort()
            named.name = "http"
            named.containerPort = port
            named.protocol = "TCP"
            container.ports = [named]
            pod.spec.containers = [container]
        }
        return pod
    }

    func plan(_ service: Service, _ pods: [Pod], _ slices: [EndpointSlice] = []) -> EndpointSlicePlan {
        EndpointSlicePlan(.init(service: service, pods: pods, nodes: nodes, slices: slices))
    }

    func created(_ plan: EndpointSlicePlan) -> [EndpointSlice] {
        plan.actions.compactMap { if case .create(let slice) = $0 { slice } else { nil } }
    }

    /// What the API makes of created slices.
    func stored(_ slices: [EndpointSlice]) -> [EndpointSlice] {
        slices.enumerated().map { index, slice in
            var slice = slice
            slice.metadata.name = "web-\(index)"
            slice.metadata.uid = "slice-\(index)"
            return slice
        }
    }

    @Test("J4, J5: a slice names its service, its manager, its owner and the resolved port")
    func slice() throws {
        let slice = try #require(created(plan(service(), [pod("a", "127.2.0.1")])).first)
        #expect(slice.metadata.generateName == "web-")
        #expect(
            slice.metadata.labels == [
                "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            ])
        #expect(slice.metadata.controller?.uid == "svc")
        #expect(slice.addressType == "IPv4")
        #expect(slice.ports.map(\.port) == [8080])
        #expect(slice.ports.map(\.name) == ["http"])
        let endpoint = try #require(slice.endpoints.first)
        #expect(endpoint.addresses == ["127.2.0.1"])
        #expect(endpoint.nodeName == "n1")
        #expect(endpoint.targetRef?.name == "a")
        #expect(endpoint.conditions.ready == true)
        #expect(endpoint.conditions.terminating == false)
    }

    struct Condition: Sendable {
        var isReady: Bool
        var isLeaving: Bool
        var publishes: Bool
        /// ready, serving, terminating
        var expected: [Bool]
    }

    @Test(
        "J4: serving is the pod's readiness, terminating its deletion, ready both or published anyway",
        arguments: [
            Condition(isReady: true, isLeaving: false, publishes: false, expected: [true, true, false]),
            Condition(isReady: false, isLeaving: false, publishes: false, expected: [false, false, false]),
            Condition(isReady: true, isLeaving: true, publishes: false, expected: [false, true, true]),
            Condition(isReady: false, isLeaving: true, publishes: false, expected: [false, false, true]),
            Condition(isReady: false, isLeaving: false, publishes: true, expected: [true, false, false]),
            Condition(isReady: true, isLeaving: true, publishes: true, expected: [true, true, true]),
        ])
    func conditions(_ row: Condition) throws {
        var service = service()
        service.spec.publishNotReadyAddresses = row.publishes
        var pod = pod("a", "127.2.0.1", isReady: row.isReady)
        if row.isLeaving { pod.metadata.deletionTimestamp = Fixture.now }
        let conditions = try #require(created(plan(service, [pod])).first?.endpoints.first?.conditions)
        #expect([conditions.ready, conditions.serving, conditions.terminating] == row.expected)
    }

    @Test("J4: pods without address, ended pods and pods on unknown nodes have no endpoint")
    func skips() {
        let ended = Fixture.pod("ended", phase: "Succeeded")
        var elsewhere = pod("elsewhere", "127.2.0.9")
        elsewhere.spec.nodeName = "n9"
        let slices = created(plan(service(), [pod("new", ""), ended, elsewhere]))
        #expect(slices.flatMap(\.endpoints).isEmpty)
        #expect(slices.count == 1)
    }

    @Test("J4: a named port is looked up in each pod: different numbers, different slices; none, no endpoint")
    func namedPorts() {
        let pods = [
            pod("a", "127.2.0.1", port: 8080), pod("b", "127.2.0.2", port: 9090), pod("c", "127.2.0.3"),
        ]
        let slices = created(plan(service(target: "http"), pods))
        #expect(slices.map { $0.ports.map(\.port) } == [[8080], [9090]])
        #expect(slices.map { $0.endpoints.flatMap(\.addresses) } == [["127.2.0.1"], ["127.2.0.2"]])
    }

    @Test("J5: a headless service says so, and a pod of its subdomain has a hostname")
    func headless() throws {
        var service = service()
        service.spec.clusterIP = "None"
        var pod = pod("a", "127.2.0.1")
        pod.spec.hostname = "first"
        pod.spec.subdomain = "web"
        let slice = try #require(created(plan(service, [pod])).first)
        #expect(slice.metadata.labels["service.kubernetes.io/headless"] == "")
        #expect(slice.endpoints.first?.hostname == "first")
    }

    @Test("a service without selector, or ExternalName, is somebody else's")
    func unmanaged() {
        var manual = service()
        manual.spec.selector = [:]
        var external = service()
        external.spec.type = "ExternalName"
        #expect(plan(manual, []).actions.isEmpty)
        #expect(plan(external, [pod("a", "127.2.0.1")]).actions.isEmpty)
    }

    @Test("J5: at most 100 endpoints a slice; what is settled stays as it is; a new pod goes where room is")
    func capacity() throws {
        var pods = (0..<150).map { pod("p\($0)", "127.2.\($0 / 100).\($0 % 100 + 1)") }
        let slices = stored(created(plan(service(), pods)))
        #expect(slices.map(\.endpoints.count) == [100, 50])
        #expect(plan(service(), pods, slices).actions.isEmpty)
        pods.append(pod("late", "127.3.0.1"))
        let plan = plan(service(), pods, slices)
        guard case .update(let updated)? = plan.actions.first, plan.actions.count == 1 else {
            Issue.record("expected one update: \(plan.actions.count)")
            return
        }
        #expect(updated.metadata.name == "web-1")
        #expect(updated.endpoints.count == 51)
    }

    @Test("J5: a service that loses its last pod keeps one empty slice")
    func placeholder() {
        let slices = stored(created(plan(service(), [pod("a", "127.2.0.1")])))
        let emptied = plan(service(), [], slices)
        #expect(emptied.actions.contains(.delete(slices[0])))
        let placeholder = stored(created(emptied))
        #expect(placeholder.map(\.endpoints.count) == [0])
        #expect(plan(service(), [], placeholder).actions.isEmpty)
    }

    @Test("a change of readiness changes one slice and nothing else")
    func update() {
        let slices = stored(created(plan(service(), [pod("a", "127.2.0.1"), pod("b", "127.2.0.2")])))
        let plan = plan(service(), [pod("a", "127.2.0.1", isReady: false), pod("b", "127.2.0.2")], slices)
        guard case .update(let updated)? = plan.actions.first, plan.actions.count == 1 else {
            Issue.record("expected one update: \(plan.actions)")
            return
        }
        #expect(updated.endpoints.map(\.conditions.ready) == [false, true])
    }

    @Test("J6: Endpoints list ready and not ready addresses, cut at 1000 with a note")
    func endpoints() throws {
        let pods = [pod("a", "127.2.0.1"), pod("b", "127.2.0.2", isReady: false)]
        guard case .create(let endpoints)? = EndpointsPlan(service: service(), pods: pods, existing: nil).action else {
            Issue.record("nothing is created")
            return
        }
        #expect(endpoints.metadata.name == "web")
        #expect(endpoints.subsets.map { $0.addresses.map(\.ip) } == [["127.2.0.1"]])
        #expect(endpoints.subsets.map { $0.notReadyAddresses.map(\.ip) } == [["127.2.0.2"]])
        #expect(endpoints.subsets.flatMap(\.ports).map(\.port) == [8080])
        #expect(EndpointsPlan(service: service(), pods: pods, existing: endpoints).action == nil)
        #expect(EndpointsPlan(service: nil, pods: [], existing: endpoints).action == .delete(endpoints))
        let many = (0..<1001).map { pod("p\($0)", "127.2.\($0 / 200).\($0 % 200 + 1)") }
        guard case .update(let large)? = EndpointsPlan(service: service(), pods: many, existing: endpoints).action
        else {
            Issue.record("nothing is updated")
            return
        }
        #expect(large.subsets.flatMap(\.addresses).count == 1000)
        #expect(large.metadata.annotations["endpoints.kubernetes.io/over-capacity"] == "truncated")
    }
}
