import Kinds
import Model
import Testing

@testable import Engine

@Suite("Scheduler") struct SchedulerTests {
    static func node(
        _ name: String, cpu: String = "4", memory: String = "8Gi", pods: Int64 = 110, labels: [String: String] = [:],
        taints: [Taint] = []
    ) -> Node {
        var node = Node(named: name)
        node.metadata.labels = labels.merging(["kubernetes.io/hostname": name]) { first, _ in first }
        node.spec.taints = taints
        node.status.allocatable = [
            "cpu": Quantity(cpu) ?? .zero, "memory": Quantity(memory) ?? .zero, "pods": Quantity(pods),
        ]
        return node
    }

    static func pod(_ name: String = "p", cpu: String? = nil, change: (inout Pod) -> Void = { _ in }) -> Pod {
        var pod = Pod(named: name, in: "shop")
        pod.metadata.uid = "uid-\(name)"
        var container = Container()
        container.name = "c"
        if let cpu { container.resources.requests = ["cpu": Quantity(cpu) ?? .zero] }
        pod.spec.containers = [container]
        change(&pod)
        return pod
    }

    func decide(_ pod: Pod, _ nodes: [NodeInfo]) -> SchedulingDecision {
        var start = 0
        return SchedulingDecision(placing: PodInfo(pod), on: nodes, start: &start)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var reason: String
        var node: Node
        var pod: Pod
        var others: [Pod] = []
        var isHopeless = true
        var testDescription: String { reason }
    }

    static func hostPort(_ pod: inout Pod) {
        var port = ContainerPort()
        port.containerPort = 80
        port.hostPort = 80
        pod.spec.containers[0].ports = [port]
    }

    static func away(_ pod: inout Pod) {
        pod.metadata.labels = ["app": "web"]
        pod.spec = PodSpec(
            viewing: [
                "containers": [["name": "c"]],
                "affinity": [
                    "podAntiAffinity": [
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            ["labelSelector": ["matchLabels": ["app": "web"]], "topologyKey": "kubernetes.io/hostname"]
                        ]
                    ]
                ],
            ])
    }

    @Test(
        "H8: why a node is not taken",
        arguments: [
            Refusal(
                reason: "node(s) were unschedulable",
                node: {
                    var cordoned = node("n1")
                    cordoned.spec.unschedulable = true
                    return cordoned
                }(), pod: pod()),
            Refusal(
                reason: "node(s) had untolerated taint(s)", node: node("n1", taints: [Taint("gpu", "NoSchedule")]),
                pod: pod()),
            Refusal(
                reason: "node(s) didn't match Pod's node affinity/selector", node: node("n1"),
                pod: pod { $0.spec.nodeSelector = ["disk": "ssd"] }),
            Refusal(reason: "Insufficient cpu", node: node("n1"), pod: pod(cpu: "5")),
            Refusal(
                reason: "Insufficient cpu", node: node("n1"), pod: pod(cpu: "3"), others: [pod("o", cpu: "2")],
                isHopeless: false),
            Refusal(
                reason: "Too many pods", node: node("n1", pods: 1), pod: pod(), others: [pod("o")], isHopeless: false),
            Refusal(
                reason: "node(s) didn't have free ports for the requested pod ports", node: node("n1"),
                pod: pod(change: hostPort), others: [pod("o", change: hostPort)], isHopeless: false),
            Refusal(
                reason: "node(s) didn't match pod anti-affinity rules", node: node("n1"), pod: pod(change: away),
                others: [pod("o", change: away)], isHopeless: false),
        ])
    func refuses(_ row: Refusal) {
        let info = NodeInfo(row.node, pods: row.others.map(PodInfo.init))
        let preemption =
            row.isHopeless ? "Preemption is not helpful for scheduling" : "No preemption victims found for incoming pod"
        let message =
            "0/1 nodes are available: 1 \(row.reason). preemption: 0/1 nodes are available: 1 \(preemption)."
        #expect(decide(row.pod, [info]) == .unschedulable(message: message))
    }

    @Test("H9: reasons are counted and sorted; no nodes at all is said in its own words")
    func messages() {
        let tainted = Self.node("n3", taints: [Taint("gpu", "NoSchedule")])
        let nodes = [Self.node("n1", cpu: "1"), Self.node("n2", cpu: "1"), tainted].map { NodeInfo($0) }
        var pod = Self.pod(cpu: "2")
        pod.spec.preemptionPolicy = "Never"
        #expect(
            decide(pod, nodes)
                == .unschedulable(
                    message: "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
                        + "preemption: not eligible due to preemptionPolicy=Never.", keepsNomination: true))
        #expect(decide(pod, []) == .unschedulable(message: "no nodes available to schedule pods"))
    }

    @Test("G5, H2: a toleration opens a tainted node")
    func tolerates() {
        let node = Self.node("n1", taints: [Taint("gpu", "NoSchedule")])
        let pod = Self.pod { pod in
            var toleration = Toleration()
            toleration.key = "gpu"
            toleration.operator = "Exists"
            pod.spec.tolerations = [toleration]
        }
        #expect(decide(pod, [NodeInfo(node)]) == .place(node: "n1"))
    }

    @Test("H5: the node with the most left is preferred")
    func leastAllocated() {
        let busy = NodeInfo(Self.node("n1"), pods: [PodInfo(Self.pod("o", cpu: "2"))])
        #expect(decide(Self.pod(cpu: "1"), [busy, NodeInfo(Self.node("n2"))]) == .place(node: "n2"))
    }

    @Test("H5: replicas of one controller spread over nodes")
    func spreads() {
        let owner = Fixture.replicaSet("v1", of: Fixture.deployment(), spec: 3)
        var cache = SchedulerCache()
        for name in ["n1", "n2", "n3"] { cache.set(Self.node(name)) }
        var start = 0
        for index in 0..<6 {
            var pod = Self.pod("p\(index)")
            pod.metadata.ownerReferences = [owner.controllerReference]
            let decision = SchedulingDecision(placing: PodInfo(pod), on: cache.nodes, start: &start)
            guard case .place(let node) = decision else {
                Issue.record("\(decision)")
                return
            }
            pod.spec.nodeName = node
            cache.set(pod)
        }
        #expect(cache.nodes.map(\.pods.count) == [2, 2, 2])
    }

    @Test("H6: a hard spread constraint refuses a node that would be too far ahead")
    func skew() {
        let labels = { (pod: inout Pod) in
            pod.metadata.labels = ["app": "web"]
            pod.spec = PodSpec(
                viewing: [
                    "containers": [["name": "c"]],
                    "topologySpreadConstraints": [
                        [
                            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
                            "labelSelector": ["matchLabels": ["app": "web"]],
                        ]
                    ],
                ])
        }
        let full = NodeInfo(Self.node("n1", cpu: "64"), pods: [PodInfo(Self.pod("o", change: labels))])
        #expect(decide(Self.pod(change: labels), [full, NodeInfo(Self.node("n2", cpu: "1"))]) == .place(node: "n2"))
    }

    @Test("H4: init containers count only beyond what the others ask for; sidecars with them")
    func requests() {
        let pod = Self.pod("p", cpu: "1") { pod in
            var big = Container()
            big.name = "init"
            big.resources.requests = ["cpu": Quantity(milli: 1500)]
            var sidecar = Container()
            sidecar.name = "side"
            sidecar.restartPolicy = "Always"
            sidecar.resources.requests = ["cpu": Quantity(milli: 200)]
            pod.spec.initContainers = [sidecar, big]
        }
        #expect(PodInfo(pod).request["cpu"] == 1700)
    }

    @Test("the cache counts a pod once, wherever it goes, also before its node is known")
    func cache() {
        var cache = SchedulerCache()
        var pod = Self.pod("p", cpu: "1")
        pod.spec.nodeName = "n1"
        cache.set(pod)
        cache.set(Self.node("n1"))
        cache.set(pod)
        #expect(cache.nodes.map { $0.requested["cpu"] } == [1000])
        cache.set(Self.node("n1", cpu: "8"))
        #expect(cache.nodes.map(\.pods.count) == [1])
        pod.status.phase = "Succeeded"
        cache.set(pod)
        #expect(cache.nodes.map { $0.requested["cpu"] } == [0])
    }
}
