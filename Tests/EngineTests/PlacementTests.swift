import Kinds
import Model
import Testing

@testable import Engine

/// Where pods are put, or not, because of other pods and of what nodes are (semantics-workloads H).
@Suite("Placement") struct PlacementTests {
    private static let zone = "topology.kubernetes.io/zone"

    /// Nodes n1 and n2 in zone a, n3 in zone b, n4 in none; `placed` says which labels the pods on a node have.
    private func nodes(_ placed: [String: [[String: String]]] = [:]) -> [NodeInfo] {
        [("n1", "a"), ("n2", "a"), ("n3", "b"), ("n4", "")].map { name, zone in
            let pods = (placed[name] ?? []).enumerated().map { index, labels in
                PodInfo(SchedulerTests.pod("\(name)-\(index)") { $0.metadata.labels = labels })
            }
            return NodeInfo(SchedulerTests.node(name, labels: zone.isEmpty ? [:] : [Self.zone: zone]), pods: pods)
        }
    }

    private func pod(_ labels: [String: String], _ affinity: JSON) -> PodInfo {
        PodInfo(
            SchedulerTests.pod("new") { pod in
                pod.metadata.labels = labels
                pod.json[path: ["spec", "affinity"]] = affinity
            })
    }

    private static func near(_ terms: JSON...) -> JSON {
        ["podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": .array(terms)]]
    }

    private static func term(_ labels: JSON, extra: [String: JSON] = [:]) -> JSON {
        var term: JSON = ["labelSelector": ["matchLabels": labels], "topologyKey": .string(zone)]
        for (key, value) in extra { term[key] = value }
        return term
    }

    private func allowed(_ pod: PodInfo, _ nodes: [NodeInfo]) -> [String] {
        nodes.filter { InterPodAffinity().reject(pod, on: $0, among: nodes) == nil }.map(\.name)
    }

    @Test("H7: required affinity keeps to the domain of a match; a node without the label is none")
    func required() {
        let found = allowed(pod([:], Self.near(Self.term(["app": "db"]))), nodes(["n2": [["app": "db"]]]))
        #expect(found == ["n1", "n2"])
    }

    @Test("H7: with no match anywhere only a pod that matches its own terms is placed, where the label is")
    func first() {
        let affinity = Self.near(Self.term(["app": "web"]))
        #expect(allowed(pod(["app": "web"], affinity), nodes()) == ["n1", "n2", "n3"])
        #expect(allowed(pod(["app": "other"], affinity), nodes()) == [])
    }

    private static let staging: JSON = ["matchLabels": ["stage": "test"]]

    static let selected: [(extra: [String: JSON], nodes: [String])] = [
        // n1 holds a match in the pod's own namespace, n3 one in "other", which is labelled stage=test.
        ([:], ["n1", "n2"]), (["namespaceSelector": staging], ["n3"]),
        (["namespaceSelector": [:]], ["n1", "n2", "n3"]),
        (["namespaces": ["other"]], ["n3"]),
        (["namespaces": ["shop"], "namespaceSelector": staging], ["n1", "n2", "n3"]),
        (["namespaceSelector": ["matchLabels": ["stage": "none"]]], []),
        (
            ["namespaceSelector": ["matchExpressions": [["key": "stage", "operator": "DoesNotExist"]]]], ["n1", "n2"]
        ),
    ]

    @Test(
        "H7: a namespaceSelector selects namespaces by their labels, beside those that are named", arguments: selected)
    func namespaceSelector(extra: [String: JSON], expected: [String]) {
        var all = nodes(["n1": [["app": "db"]], "n3": [["app": "db"]]])
        let foreign = all[2].pods.values.map { info in
            var pod = info.pod
            pod.metadata.namespace = "other"
            return PodInfo(pod)
        }
        all[2] = NodeInfo(all[2].node, pods: foreign)
        let namespaces = ["shop": [:], "other": ["stage": "test"]]
        let plugin = InterPodAffinity(namespaces: namespaces)
        let near = pod([:], Self.near(Self.term(["app": "db"], extra: extra)))
        #expect(all.filter { plugin.reject(near, on: $0, among: all) == nil }.map(\.name) == expected)
        // Anti-affinity keeps away from just those, and the scheduler as a whole knows the namespaces, too.
        let terms: JSON = ["requiredDuringSchedulingIgnoredDuringExecution": [Self.term(["app": "db"], extra: extra)]]
        let away = pod([:], ["podAntiAffinity": terms])
        let allowed = all.filter { node in
            var start = 0
            let decision = SchedulingDecision(
                placing: PodInfo(pinned(away.pod, to: node)), on: all, namespaces: namespaces, start: &start)
            return decision == .place(node: node.name)
        }
        #expect(allowed.map(\.name) == ["n1", "n2", "n3", "n4"].filter { !expected.contains($0) })
    }

    private func pinned(_ pod: Pod, to node: NodeInfo) -> Pod {
        var pinned = pod
        pinned.spec.nodeSelector = ["kubernetes.io/hostname": node.name]
        return pinned
    }

    @Test("H7: a pod counts for one term only if it matches all of them")
    func allTerms() {
        let affinity = Self.near(Self.term(["app": "web"]), Self.term(["tier": "front"]))
        let mine = pod(["app": "web", "tier": "front"], affinity)
        #expect(allowed(mine, nodes(["n1": [["app": "web"], ["tier": "front"]]])) == ["n1", "n2", "n3"])
        #expect(allowed(mine, nodes(["n3": [["app": "web", "tier": "front"]]])) == ["n3"])
    }

    @Test("matchLabelKeys and mismatchLabelKeys compare with the pod's own labels")
    func labelKeys() {
        let placed = nodes(["n1": [["app": "web", "version": "1"]], "n3": [["app": "web", "version": "2"]]])
        let same = Self.near(Self.term(["app": "web"], extra: ["matchLabelKeys": ["version", "absent"]]))
        let other = Self.near(Self.term(["app": "web"], extra: ["mismatchLabelKeys": ["version"]]))
        let labels = ["app": "web", "version": "2"]
        #expect(allowed(pod(labels, same), placed) == ["n3"])
        #expect(allowed(pod(labels, other), placed) == ["n1", "n2"])
    }

    @Test("H8: a pod that is there keeps away whom its own anti-affinity names")
    func existingAntiAffinity() {
        let owner = pod(
            ["app": "alone"],
            ["podAntiAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [Self.term(["app": "web"])]]])
        var all = nodes()
        all[0] = NodeInfo(all[0].node, pods: [owner])
        let mine = pod(["app": "web"], [:])
        #expect(allowed(mine, all) == ["n3", "n4"])
        let reasons = InterPodAffinity().reject(mine, on: all[1], among: all)?.reasons
        #expect(reasons == ["node(s) didn't satisfy existing pods anti-affinity rules"])
    }

    @Test("H5: preferred affinity and anti-affinity weigh, scaled to 0 … 100")
    func preferred() {
        let weigh = { (weight: Int64) -> JSON in
            [["weight": .int(weight), "podAffinityTerm": Self.term(["app": "db"])]]
        }
        let all = nodes(["n3": [["app": "db"]]])
        let key = "preferredDuringSchedulingIgnoredDuringExecution"
        let near = JSON.object(JSONObject([.init(key: key, value: weigh(10))]))
        #expect(InterPodAffinity().score(pod([:], ["podAffinity": near]), on: all, among: all) == [0, 0, 100, 0])
        let away = InterPodAffinity().score(pod([:], ["podAntiAffinity": near]), on: all, among: all)
        #expect(away == [100, 100, 0, 100])
    }

    static let terms: [(operator: String, key: String, values: JSON, nodes: [String])] = [
        ("In", zone, ["a"], ["n1", "n2"]), ("NotIn", zone, ["a"], ["n3", "n4"]),
        ("Exists", zone, [], ["n1", "n2", "n3"]), ("DoesNotExist", zone, [], ["n4"]),
        ("Gt", "rank", ["2"], ["n3", "n4"]), ("Lt", "rank", ["2"], ["n1"]),
    ]

    @Test("node affinity: every operator", arguments: terms)
    func nodeAffinity(operator: String, key: String, values: JSON, expected: [String]) {
        let requirement: JSON = ["key": .string(key), "operator": .string(`operator`), "values": values]
        let required: JSON = ["nodeSelectorTerms": [["matchExpressions": [requirement]]]]
        let affinity: JSON = ["nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": required]]
        let all = nodes().enumerated().map { index, info in
            var node = info.node
            node.metadata.labels["rank"] = String(index + 1)
            return NodeInfo(node)
        }
        let mine = pod([:], affinity)
        #expect(all.filter { NodeAffinityMatch().reject(mine, on: $0, among: all) == nil }.map(\.name) == expected)
    }

    @Test("H5: taints that only discourage, and requests out of balance, cost points; a named node is the only one")
    func scoresAndNames() {
        let soft = NodeInfo(SchedulerTests.node("n1", taints: [Taint("busy", "PreferNoSchedule")]))
        let plain = NodeInfo(SchedulerTests.node("n2"))
        let mine = PodInfo(SchedulerTests.pod(cpu: "1"))
        #expect(TaintToleration().score(mine, on: [soft, plain], among: [soft, plain]) == [0, 100])
        #expect(TaintToleration().reject(mine, on: soft, among: [soft]) == nil)
        let lopsided = NodeInfo(SchedulerTests.node("n3"), pods: [PodInfo(SchedulerTests.pod("o", cpu: "2"))])
        let balance = BalancedAllocation().score(mine, on: [plain, lopsided], among: [plain, lopsided])
        #expect(balance == [68, 68], "1 of 4 CPUs more tilts both alike: 50 + (50 − 12.5) / 2")
        let named = PodInfo(SchedulerTests.pod { $0.spec.nodeName = "n2" })
        #expect(
            NodeName().reject(named, on: soft, among: [])?.reasons == ["node(s) didn't match the requested node name"])
        #expect(NodeName().reject(named, on: plain, among: []) == nil)
    }
}
