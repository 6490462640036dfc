import Kinds
import Model

/// Why a pod cannot run on a node.
struct Rejection: Error, Hashable {
    /// As counted in the scheduler's message (H8).
    var reasons: [String]
    /// Whether removing pods of lower priority could help.
    var isResolvable: Bool
}

/// Rules out nodes.
protocol FilterPlugin: Sendable {
    /// `nil` when the pod can run there.
    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection?
}

/// Prefers nodes to others.
protocol ScorePlugin: Sendable {
    var weight: Int { get }
    /// 0 to 100 for each of the candidates.
    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int]
}

/// Which plugins decide: Kubernetes' default ones as far as a few nodes on one machine need them (H2).
struct SchedulingProfile: Sendable {
    var filters: [any FilterPlugin]
    var scores: [any ScorePlugin]

    /// - Parameter namespaces: the labels of all namespaces, by name.
    static func standard(namespaces: [String: [String: String]]) -> SchedulingProfile {
        let affinity = InterPodAffinity(namespaces: namespaces)
        return SchedulingProfile(
            filters: [
                NodeUnschedulable(), NodeName(), TaintToleration(), NodeAffinityMatch(), NodePorts(),
                NodeResourcesFit(), PodTopologySpread(), affinity,
            ],
            scores: [
                TaintToleration(), NodeAffinityMatch(), PodTopologySpread(), affinity, NodeResourcesFit(),
                BalancedAllocation(),
            ])
    }

    /// Why a pod cannot run on the node at `index`; `nil` when it can.
    ///
    /// Room kept for others of at least its priority is taken; but who only waits for that room may not be what makes
    /// the pod fit, so it must fit without them, too (H3).
    ///
    /// - Parameter nodes: as they were, when this returns.
    func rejection(of pod: PodInfo, at index: Int, in nodes: inout [NodeInfo]) -> Rejection? {
        let reserved = nodes[index].nominated.values.filter {
            $0.priority >= pod.priority && $0.pod.metadata.uid != pod.pod.metadata.uid
        }
        if !reserved.isEmpty {
            let original = nodes[index]
            for info in reserved { nodes[index].add(info) }
            defer { nodes[index] = original }
            if let rejection = firstRejection(of: pod, on: nodes[index], among: nodes) { return rejection }
        }
        return firstRejection(of: pod, on: nodes[index], among: nodes)
    }

    private func firstRejection(of pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        filters.lazy.compactMap { $0.reject(pod, on: node, among: nodes) }.first
    }
}

struct NodeUnschedulable: FilterPlugin {
    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        guard node.node.spec.unschedulable == true else { return nil }
        let taint = Taint(Taint.unschedulable, "NoSchedule")
        if pod.pod.spec.tolerations.contains(where: { $0.tolerates(taint) }) { return nil }
        return Rejection(reasons: ["node(s) were unschedulable"], isResolvable: false)
    }
}

struct NodeName: FilterPlugin {
    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        let wanted = pod.pod.spec.nodeName
        if wanted.isEmpty || wanted == node.name { return nil }
        return Rejection(reasons: ["node(s) didn't match the requested node name"], isResolvable: false)
    }
}

struct TaintToleration: FilterPlugin, ScorePlugin {
    let weight = 3

    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        let repelling = node.node.spec.taints.contains { taint in
            taint.effect != "PreferNoSchedule" && !pod.pod.spec.tolerations.contains { $0.tolerates(taint) }
        }
        return repelling ? Rejection(reasons: ["node(s) had untolerated taint(s)"], isResolvable: false) : nil
    }

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        let counts = candidates.map { node in
            node.node.spec.taints.count { taint in
                taint.effect == "PreferNoSchedule" && !pod.pod.spec.tolerations.contains { $0.tolerates(taint) }
            }
        }
        let highest = counts.max() ?? 0
        return counts.map { highest == 0 ? 100 : 100 - 100 * $0 / highest }
    }
}

/// `nodeSelector` and node affinity.
struct NodeAffinityMatch: FilterPlugin, ScorePlugin {
    let weight = 2

    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        Self.matches(pod.pod.spec, node.node)
            ? nil : Rejection(reasons: ["node(s) didn't match Pod's node affinity/selector"], isResolvable: false)
    }

    static func matches(_ spec: PodSpec, _ node: Node) -> Bool {
        let labels = node.metadata.labels
        guard spec.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) else { return false }
        guard let required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution else {
            return true
        }
        return required.nodeSelectorTerms.contains { matches($0, node) }
    }

    /// An empty term matches nothing.
    private static func matches(_ term: NodeSelectorTerm, _ node: Node) -> Bool {
        if term.matchExpressions.isEmpty, term.matchFields.isEmpty { return false }
        let fields = ["metadata.name": node.metadata.name]
        return term.matchExpressions.allSatisfy { matches($0, node.metadata.labels) }
            && term.matchFields.allSatisfy { matches($0, fields) }
    }

    private static func matches(_ requirement: NodeSelectorRequirement, _ values: [String: String]) -> Bool {
        let key = requirement.key
        let bound = requirement.values.first.flatMap { Int64($0) }
        let condition: Selector.Requirement? =
            switch requirement.operator {
            case "In": .isIn(key, Set(requirement.values))
            case "NotIn": .isNotIn(key, Set(requirement.values))
            case "Exists": .exists(key)
            case "DoesNotExist": .isAbsent(key)
            case "Gt": bound.map { .greater(key, $0) }
            case "Lt": bound.map { .less(key, $0) }
            default: nil
            }
        return condition.map { Selector([$0]).matches(values) } ?? false
    }

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        let terms = pod.pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
        let sums = candidates.map { node in
            terms.filter { Self.matches($0.preference, node.node) }.map(\.weight).reduce(0, +)
        }
        let highest = sums.max() ?? 0
        return sums.map { highest == 0 ? 0 : 100 * $0 / highest }
    }
}

struct NodePorts: FilterPlugin {
    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        if pod.ports.isEmpty { return nil }
        let isTaken = node.pods.values.contains { other in
            other.ports.contains { taken in pod.ports.contains { $0.conflicts(with: taken) } }
        }
        let reason = "node(s) didn't have free ports for the requested pod ports"
        return isTaken ? Rejection(reasons: [reason], isResolvable: true) : nil
    }
}

/// Enough of every resource left; by preference, where the most is left (LeastAllocated, H5).
struct NodeResourcesFit: FilterPlugin, ScorePlugin {
    let weight = 1

    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        var reasons: [String] = []
        var isResolvable = true
        let capacity = node.allocatable["pods"]
        if node.allocatable.amounts["pods"] != nil, Int64(node.pods.count) + 1 > capacity {
            reasons.append("Too many pods")
        }
        for (name, amount) in pod.request.amounts.sorted(by: { $0.key < $1.key }) where amount > 0 {
            if amount > node.allocatable[name] - node.requested[name] {
                reasons.append("Insufficient \(name)")
                if amount > node.allocatable[name] { isResolvable = false }
            }
        }
        return reasons.isEmpty ? nil : Rejection(reasons: reasons, isResolvable: isResolvable)
    }

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        candidates.map { node in
            var total: Int64 = 0
            var count: Int64 = 0
            for name in ["cpu", "memory"] {
                let allocatable = node.allocatable[name]
                if allocatable == 0 { continue }
                let left = allocatable - node.assumedRequested[name] - pod.assumedRequest[name]
                total += left < 0 ? 0 : left * 100 / allocatable
                count += 1
            }
            return count == 0 ? 0 : Int(total / count)
        }
    }
}

/// CPU and memory used in equal parts (H5).
struct BalancedAllocation: ScorePlugin {
    let weight = 1

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        if pod.request["cpu"] == 0, pod.request["memory"] == 0 { return candidates.map { _ in 0 } }
        return candidates.map { node in
            let with = balance(node, node.requested + pod.request)
            let without = balance(node, node.requested)
            return Int(50 + (50 + with - without) / 2)
        }
    }

    private func balance(_ node: NodeInfo, _ requested: ResourceAmounts) -> Double {
        let fractions = ["cpu", "memory"].filter { node.allocatable[$0] > 0 }.map {
            min(1, Double(requested[$0]) / Double(node.allocatable[$0]))
        }
        guard fractions.count == 2 else { return 100 }
        return (1 - abs(fractions[0] - fractions[1]) / 2) * 100
    }
}
