import Kinds
import Model
import Testing

@testable import Engine

/// Which pods end for a more important one (semantics-workloads H3, H11).
@Suite("Preemption") struct PreemptionTests {
    /// A pod that asks for some of a node's four cores.
    private static func pod(
        _ name: String, priority: Int? = nil, cpu: String = "2", started: Int64? = 0,
        change: (inout Pod) -> Void = { _ in }
    ) -> Pod {
        SchedulerTests.pod(name, cpu: cpu) { pod in
            pod.spec.priority = priority
            pod.status.startTime = started.map { Timestamp(seconds: $0) }
            change(&pod)
        }
    }

    private static func node(_ name: String, _ pods: [Pod], nominated: [Pod] = []) -> NodeInfo {
        NodeInfo(
            SchedulerTests.node(name), pods: pods.map(PodInfo.init), nominated: nominated.map(PodInfo.init))
    }

    private func decide(_ pod: Pod, _ nodes: [NodeInfo]) -> SchedulingDecision {
        var start = 0
        return SchedulingDecision(placing: PodInfo(pod), on: nodes, start: &start)
    }

    private func preemption(_ pod: Pod, _ nodes: [NodeInfo]) throws -> Preemption {
        guard case .preempt(let preemption, _) = decide(pod, nodes) else { throw NoVictims() }
        return preemption
    }

    private struct NoVictims: Error {}

    @Test("H11: a pod of lower priority makes room, and the message leaves out what preemption would say")
    func victim() {
        let low = Self.pod("low", cpu: "4")
        let expected = SchedulingDecision.preempt(
            Preemption(node: "n1", victims: [low], displaced: []),
            message: "0/1 nodes are available: 1 Insufficient cpu.")
        #expect(decide(Self.pod("high", priority: 1), [Self.node("n1", [low])]) == expected)
    }

    static let fruitless: [(priority: Int?, others: [Pod], preemption: String)] = [
        // Equal priority is not lower.
        (5, [pod("a", priority: 5, cpu: "4")], "No preemption victims found for incoming pod"),
        (nil, [pod("a", priority: 0, cpu: "4")], "No preemption victims found for incoming pod"),
        // Who stays leaves too little.
        (5, [pod("a", priority: 9, cpu: "3"), pod("b", cpu: "1")], "Insufficient cpu"),
        // The priority may be below zero.
        (-5, [pod("a", cpu: "4")], "No preemption victims found for incoming pod"),
    ]

    @Test("H9, H11: where nobody's end would help, the message says so", arguments: fruitless)
    func noVictims(priority: Int?, others: [Pod], preemption: String) {
        let message =
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 \(preemption)."
        let pod = Self.pod("new", priority: priority)
        #expect(decide(pod, [Self.node("n1", others)]) == .unschedulable(message: message))
    }

    @Test("H9: nodes where preemption is no help are counted apart")
    func unresolvable() {
        let tainted = NodeInfo(SchedulerTests.node("n2", taints: [Taint("gpu", "NoSchedule")]))
        let full = Self.node("n1", [Self.pod("a", priority: 5, cpu: "4")])
        let message =
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: 0/2 nodes "
            + "are available: 1 No preemption victims found for incoming pod, "
            + "1 Preemption is not helpful for scheduling."
        #expect(decide(Self.pod("new", priority: 5), [full, tainted]) == .unschedulable(message: message))
    }

    @Test("H11: a pod with preemptionPolicy Never waits, whatever its priority")
    func never() {
        var pod = Self.pod("polite", priority: 1000)
        pod.spec.preemptionPolicy = "Never"
        let message =
            "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
        let decision = decide(pod, [Self.node("n1", [Self.pod("low", cpu: "4")])])
        #expect(decision == .unschedulable(message: message, keepsNomination: true))
    }

    @Test("H11: as many pods as fit come back, the more important and then the longer running first")
    func reprieve() throws {
        let pods = [
            Self.pod("old", priority: 1, cpu: "1", started: 10), Self.pod("new", priority: 1, cpu: "1", started: 20),
            Self.pod("mid", priority: 2, cpu: "1", started: 30), Self.pod("same", priority: 7, cpu: "1"),
        ]
        let one = try preemption(Self.pod("p", priority: 7, cpu: "1"), [Self.node("n1", pods)])
        #expect(one.victims.map(\.metadata.name) == ["new"])
        let two = try preemption(Self.pod("p", priority: 7, cpu: "2"), [Self.node("n1", pods)])
        #expect(two.victims.map(\.metadata.name) == ["old", "new"])
        // A small pod of low priority stays where its end would not help.
        let mixed = [Self.pod("big", priority: 3, cpu: "3"), Self.pod("small", priority: 1, cpu: "500m")]
        let three = try preemption(Self.pod("p", priority: 7, cpu: "3"), [Self.node("n1", mixed)])
        #expect(three.victims.map(\.metadata.name) == ["big"])
    }

    struct Choice: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// By node; the second one is right.
        var first: [Pod]
        var second: [Pod]
    }

    static let choices = [
        Choice(
            testDescription: "the lowest most important victim, though they are more",
            first: [pod("a", priority: 3, cpu: "4")],
            second: [pod("b", priority: 2, cpu: "2"), pod("c", priority: 2, cpu: "2")]),
        Choice(
            testDescription: "the lowest sum of priorities",
            first: [pod("a", priority: 3, cpu: "2"), pod("b", priority: 2, cpu: "2")],
            second: [pod("c", priority: 3, cpu: "2"), pod("d", priority: 1, cpu: "2")]),
        Choice(
            testDescription: "the fewest victims, also of negative priority",
            first: [pod("a", priority: -1, cpu: "2"), pod("b", priority: -1, cpu: "2")],
            second: [pod("c", priority: -1, cpu: "4")]),
        Choice(
            testDescription: "the most important victim that started last",
            first: [pod("a", priority: 3, cpu: "2", started: 10), pod("b", priority: 1, cpu: "2", started: 90)],
            second: [pod("c", priority: 3, cpu: "2", started: 20), pod("d", priority: 1, cpu: "2", started: 5)]),
    ]

    @Test("H11: the node where the least is lost", arguments: choices)
    func choosesNode(choice: Choice) throws {
        let pod = Self.pod("new", priority: 9, cpu: "4")
        for (left, right) in [("n1", "n2"), ("n2", "n1")] {
            let nodes = [Self.node(left, choice.first), Self.node(right, choice.second)].sorted { $0.name < $1.name }
            #expect(try preemption(pod, nodes).node == right)
        }
    }

    @Test("H11: with nothing to choose between them it is the first from where the scan begins")
    func tie() throws {
        let nodes = ["n1", "n2", "n3"].map { Self.node($0, [Self.pod($0, cpu: "4")]) }
        var start = 1
        let decision = SchedulingDecision(
            placing: PodInfo(Self.pod("new", priority: 9)), on: nodes, start: &start)
        guard case .preempt(let preemption, _) = decision else { throw NoVictims() }
        #expect(preemption.node == "n2")
    }

    @Test("H11: a port and anti-affinity are reasons to preempt, too")
    func otherReasons() throws {
        let port = Self.pod("port", change: SchedulerTests.hostPort)
        let wantsPort = Self.pod("p", priority: 1, change: SchedulerTests.hostPort)
        #expect(try preemption(wantsPort, [Self.node("n1", [port])]).victims == [port])
        let loner = SchedulerTests.pod("loner", change: SchedulerTests.away)
        var wantsAway = SchedulerTests.pod("q", change: SchedulerTests.away)
        wantsAway.spec.priority = 1
        #expect(try preemption(wantsAway, [Self.node("n1", [loner])]).victims == [loner])
    }

    @Test("H3, H11: room kept for a pod is closed to those of lower priority and open to those of higher")
    func reserved() {
        let waiting = Self.pod("waiting", priority: 5, cpu: "4")
        let node = Self.node("n1", [], nominated: [waiting])
        let message =
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
            + "1 No preemption victims found for incoming pod."
        #expect(decide(Self.pod("low", priority: 4), [node]) == .unschedulable(message: message))
        #expect(decide(Self.pod("equal", priority: 5), [node]) == .unschedulable(message: message))
        #expect(decide(Self.pod("high", priority: 6), [node]) == .place(node: "n1"))
        #expect(decide(waiting, [node]) == .place(node: "n1"))
    }

    @Test("H3: a pod that only waits for its node is no company for one that wants it")
    func reservedIsNotThere() {
        let waiting = Self.pod("waiting", priority: 5, cpu: "1") { $0.metadata.labels = ["app": "db"] }
        let term: JSON = ["labelSelector": ["matchLabels": ["app": "db"]], "topologyKey": "kubernetes.io/hostname"]
        let follower = Self.pod("follower", cpu: "1") { pod in
            pod.json[path: ["spec", "affinity"]] = [
                "podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [term]]
            ]
        }
        guard case .unschedulable(let message, _) = decide(follower, [Self.node("n1", [], nominated: [waiting])]) else {
            Issue.record("placed beside a pod that is not there")
            return
        }
        #expect(message.contains("1 node(s) didn't match pod affinity rules"))
    }

    @Test("H3: the node on which room was made is taken though another scores higher")
    func nominatedFirst() {
        var pod = Self.pod("new", priority: 5, cpu: "1")
        let nodes = [Self.node("n1", [Self.pod("busy", cpu: "2")]), Self.node("n2", [])]
        #expect(decide(pod, nodes) == .place(node: "n2"))
        pod.status.nominatedNodeName = "n1"
        #expect(decide(pod, nodes) == .place(node: "n1"))
    }

    @Test("H11: while its victims end a pod waits for them instead of looking for more")
    func waitsForVictims() throws {
        let leaving = Self.pod("leaving", cpu: "4") { pod in
            pod.metadata.deletionTimestamp = Timestamp(seconds: 100)
            pod.status.setCondition(
                "DisruptionTarget", "True", reason: "PreemptionByScheduler", now: Timestamp(seconds: 70))
        }
        let other = Self.node("n2", [Self.pod("other", cpu: "4")])
        var pod = Self.pod("new", priority: 5)
        pod.status.nominatedNodeName = "n1"
        let message =
            "0/2 nodes are available: 2 Insufficient cpu. "
            + "preemption: not eligible due to a terminating pod on the nominated node."
        let waits = SchedulingDecision.unschedulable(message: message, keepsNomination: true)
        #expect(decide(pod, [Self.node("n1", [leaving]), other]) == waits)
        // A pod that ends for another reason is not what it waits for.
        var deleted = leaving
        deleted.status.conditions = []
        #expect(throws: Never.self) { try preemption(pod, [Self.node("n1", [deleted]), other]) }
    }

    @Test("H11: those of lower priority that waited for the same node look for another")
    func displaces() throws {
        let waiting = Self.pod("waiting", priority: 3, cpu: "2")
        let node = Self.node("n1", [Self.pod("low", cpu: "4")], nominated: [waiting])
        let found = try preemption(Self.pod("new", priority: 5, cpu: "4"), [node])
        #expect(found.victims.map(\.metadata.name) == ["low"])
        #expect(found.displaced.map(\.metadata.name) == ["waiting"])
    }

    @Test("the cache keeps room for a pod until it is placed or gives it up, also before the node is known")
    func nominations() {
        var cache = SchedulerCache()
        let pod = Self.pod("p", priority: 5)
        cache.nominate(pod, on: "n1")
        cache.set(SchedulerTests.node("n1"))
        #expect(cache.nodes.map(\.nominated.count) == [1])
        cache.set(SchedulerTests.node("n2"))
        cache.nominate(pod, on: "n2")
        #expect(cache.nodes.map(\.nominated.count) == [0, 1])
        #expect(cache.nomination(of: "uid-p") == "n2")
        var placed = pod
        placed.spec.nodeName = "n1"
        cache.set(placed)
        #expect(cache.nodes.map(\.nominated.count) == [0, 0])
        #expect(cache.nomination(of: "uid-p") == nil)
    }
}
