import Kinds
import Model
import Testing

@testable import Engine

@Suite("Node lifecycle") struct NodeLifecycleTests {
    let now = Fixture.now

    func node(_ name: String, ready: String? = "True", zone: String = "z1", taints: [Taint] = []) -> Node {
        var node = Node(named: name)
        node.metadata.creationTimestamp = now - .seconds(1000)
        node.metadata.labels["topology.kubernetes.io/zone"] = zone
        node.spec.taints = taints
        if let ready {
            var condition = NodeCondition()
            condition.type = "Ready"
            condition.status = ready
            condition.lastHeartbeatTime = now - .seconds(1000)
            node.status.conditions = [condition]
        }
        return node
    }

    func plan(
        _ nodes: [Node], silent seconds: Int = 0, pods: [Pod] = [], pace: NodeLifecyclePlan.Pace = .init()
    ) -> NodeLifecyclePlan {
        var health = NodeHealth()
        for node in nodes { health.observe(node, now: now - .seconds(seconds)) }
        var pace = pace
        return NodeLifecyclePlan(nodes: nodes, health: health, podsByNode: { _ in pods }, pace: &pace, now: now)
    }

    func tainted(_ plan: NodeLifecyclePlan) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for case .updateTaints(let node) in plan.actions {
            result[node.metadata.name] = node.spec.taints.map { "\($0.key):\($0.effect)" }
        }
        return result
    }

    @Test("G3: silence for 50 s makes all conditions unknown and the node's pods not ready")
    func silence() throws {
        #expect(plan([node("n1")], silent: 49).actions.isEmpty)
        #expect(plan([node("n1")], silent: 49).checkAgainAt == now + .seconds(1))
        let pod = Fixture.pod("p")
        let plan = plan([node("n1"), node("n2")], silent: 50, pods: [pod])
        guard case .updateStatus(let node)? = plan.actions.first else {
            Issue.record("no status is written")
            return
        }
        #expect(node.status.conditions.map(\.status) == ["Unknown", "Unknown", "Unknown", "Unknown"])
        #expect(node.condition("Ready")?.reason == "NodeStatusUnknown")
        #expect(node.condition("Ready")?.message == "Kubelet stopped posting node status.")
        #expect(node.condition("DiskPressure")?.reason == "NodeStatusNeverUpdated")
        let marked = plan.actions.contains { action in
            if case .markNotReady(let pod) = action { !pod.isReady } else { false }
        }
        #expect(marked)
    }

    @Test("G3: a pod that became ready after its node failed is reported by a node that lives, and stays so")
    func recovers() {
        var failed = node("n1", ready: "Unknown")
        failed.status.conditions = failed.status.conditions.map { condition in
            var condition = condition
            condition.lastTransitionTime = now - .seconds(30)
            return condition
        }
        func marked(readySince seconds: Int) -> Bool {
            plan([failed, node("n2")], pods: [Fixture.pod("p", readySince: seconds)]).actions.contains { action in
                if case .markNotReady = action { true } else { false }
            }
        }
        #expect(marked(readySince: 31))
        #expect(!marked(readySince: 30))
        #expect(!marked(readySince: 1))
    }

    @Test("G3: a renewed lease is a sign of life")
    func renewal() {
        var health = NodeHealth()
        let node = node("n1")
        health.observe(node, now: now - .seconds(100))
        health.observe("n1", renewal: "later", now: now - .seconds(10))
        var pace = NodeLifecyclePlan.Pace()
        let plan = NodeLifecyclePlan(nodes: [node], health: health, podsByNode: { _ in [] }, pace: &pace, now: now)
        #expect(plan.actions.isEmpty)
        #expect(plan.checkAgainAt == now + .seconds(40))
    }

    @Test("G4: conditions become NoSchedule taints at once")
    func scheduleTaints() {
        var cordoned = node("n1")
        cordoned.spec.unschedulable = true
        #expect(tainted(plan([cordoned])) == ["n1": ["node.kubernetes.io/unschedulable:NoSchedule"]])
        let healed = node("n1", taints: [Taint(Taint.notReady, "NoSchedule"), Taint("gpu", "NoSchedule")])
        #expect(tainted(plan([healed])) == ["n1": ["gpu:NoSchedule"]])
    }

    @Test("G4: NoExecute goes to one node of a zone in ten seconds")
    func paced() {
        let nodes = [node("n1", ready: "Unknown"), node("n2", ready: "Unknown"), node("n3"), node("n4"), node("n5")]
        let plan = plan(nodes)
        let unreachable = "node.kubernetes.io/unreachable"
        #expect(
            tainted(plan) == [
                "n1": ["\(unreachable):NoSchedule", "\(unreachable):NoExecute"], "n2": ["\(unreachable):NoSchedule"],
            ])
    }

    @Test("G4: when every node is down, nobody is evicted: it is more likely that we are the ones cut off")
    func allDown() {
        let taint = Taint(Taint.unreachable, "NoExecute")
        let plan = plan([node("n1", ready: "Unknown", taints: [taint]), node("n2", ready: "Unknown", zone: "z2")])
        #expect(tainted(plan).values.allSatisfy { $0 == ["node.kubernetes.io/unreachable:NoSchedule"] })
        #expect(tainted(plan).count == 2)
    }

    @Test("G4: a small zone that is mostly down is left alone")
    func partial() {
        let down = (0..<3).map { node("n\($0)", ready: "Unknown") }
        let plan = plan(down + [node("n8"), node("n9", zone: "z2")])
        #expect(tainted(plan).values.allSatisfy { $0 == ["node.kubernetes.io/unreachable:NoSchedule"] })
    }

    @Test("G5: untolerated pods leave at once, others after their seconds, some never")
    func evictions() {
        var taint = Taint(Taint.unreachable, "NoExecute")
        taint.timeAdded = now - .seconds(100)
        func tolerating(_ name: String, _ seconds: Int?) -> Pod {
            var pod = Fixture.pod(name)
            var toleration = Toleration()
            toleration.key = Taint.unreachable
            toleration.operator = "Exists"
            toleration.effect = "NoExecute"
            toleration.tolerationSeconds = seconds
            pod.spec.tolerations = [toleration]
            return pod
        }
        let plan = TaintEvictionPlan(
            node: node("n1", taints: [taint]),
            pods: [Fixture.pod("now"), tolerating("later", 300), tolerating("never", nil)], now: now)
        #expect(plan.evictions.map(\.pod.metadata.name) == ["now", "later"])
        #expect(plan.evictions.map(\.due) == [now, now + .seconds(200)])
    }

    @Test("G7: pods of a missing node fail and go after 40 s; pods nobody will finish go; the oldest ended ones too")
    func collection() {
        var missing = PodCollectionPlan.Missing()
        var leaving = Fixture.pod("leaving", node: "")
        leaving.metadata.deletionTimestamp = now
        let ended = (0..<3).map { Fixture.pod("ended\($0)", phase: "Succeeded", age: 100 + $0) }
        let pods = [Fixture.pod("stray", node: "gone"), leaving, Fixture.pod("fine")] + ended
        let nodes = ["n1": node("n1")]
        let first = PodCollectionPlan(pods: pods, nodes: nodes, missing: &missing, threshold: 2, now: now)
        #expect(first.actions == [.delete(ended[2]), .delete(leaving)])
        #expect(first.checkAgainAt == now + .seconds(40))
        let second = PodCollectionPlan(
            pods: [pods[0]], nodes: nodes, missing: &missing, threshold: 2, now: now + .seconds(40))
        guard case .failAndDelete(let pod)? = second.actions.first else {
            Issue.record("the stray pod stays")
            return
        }
        #expect(pod.status.phase == "Failed")
        #expect(pod.condition("DisruptionTarget")?.reason == "DeletionByPodGC")
    }
}
