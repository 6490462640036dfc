import Glibc
import Kinds
import Model

/// Spreads the pods of one controller over nodes and zones (H5, H6).
struct PodTopologySpread: FilterPlugin, ScorePlugin {
    let weight = 2

    private struct Constraint {
        var topologyKey: String
        var maxSkew: Int
        var minDomains: Int?
        var honorsAffinity: Bool
        var honorsTaints: Bool
        var counts: @Sendable (PodInfo) -> Bool
        var countsItself: Bool
    }

    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        for constraint in constraints(of: pod, whenUnsatisfiable: "DoNotSchedule") {
            let reason = "node(s) didn't match pod topology spread constraints"
            guard let domain = node.labels[constraint.topologyKey] else {
                return Rejection(reasons: [reason + " (missing required label)"], isResolvable: false)
            }
            let counts = counts(constraint, pod, nodes.filter { isEligible($0, constraint, pod) })
            var lowest = counts.values.min() ?? 0
            if let needed = constraint.minDomains, counts.count < needed { lowest = 0 }
            let skew = (counts[domain] ?? 0) + (constraint.countsItself ? 1 : 0) - lowest
            if skew > constraint.maxSkew { return Rejection(reasons: [reason], isResolvable: true) }
        }
        return nil
    }

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        var constraints = constraints(of: pod, whenUnsatisfiable: "ScheduleAnyway")
        if pod.pod.spec.topologySpreadConstraints.isEmpty { constraints = defaults(for: pod) }
        if constraints.isEmpty { return candidates.map { _ in 0 } }
        var costs = candidates.map { _ in 0.0 }
        for constraint in constraints {
            let counts = counts(constraint, pod, nodes)
            let weight = log(Double(counts.count + 2))
            for (index, node) in candidates.enumerated() {
                guard let domain = node.labels[constraint.topologyKey] else { continue }
                costs[index] += Double(counts[domain] ?? 0) * weight + Double(constraint.maxSkew - 1)
            }
        }
        let rounded = costs.map { Int($0.rounded()) }
        let (low, high) = (rounded.min() ?? 0, rounded.max() ?? 0)
        return rounded.map { high == 0 ? 100 : 100 * (high + low - $0) / high }
    }

    /// Pods per domain; domains without pods count zero. Terminating pods do not count.
    private func counts(_ constraint: Constraint, _ pod: PodInfo, _ nodes: [NodeInfo]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for node in nodes {
            guard let domain = node.labels[constraint.topologyKey] else { continue }
            let matching = node.pods.values.count {
                !$0.isLeaving && constraint.counts($0) && $0.namespace == pod.namespace
            }
            counts[domain, default: 0] += matching
        }
        return counts
    }

    private func isEligible(_ node: NodeInfo, _ constraint: Constraint, _ pod: PodInfo) -> Bool {
        if constraint.honorsAffinity, !NodeAffinityMatch.matches(pod.pod.spec, node.node) { return false }
        return !constraint.honorsTaints || TaintToleration().reject(pod, on: node, among: []) == nil
    }

    private func constraints(of pod: PodInfo, whenUnsatisfiable action: String) -> [Constraint] {
        pod.pod.spec.topologySpreadConstraints.filter { $0.whenUnsatisfiable == action }.map { constraint in
            var selector = constraint.labelSelector.map(Selector.init(matching:))
            for key in constraint.matchLabelKeys {
                if let value = pod.pod.metadata.labels[key] { selector?.requirements.append(.equals(key, value)) }
            }
            // No selector matches no pod.
            let matches: @Sendable (PodInfo) -> Bool = { [selector] in
                selector?.matches($0.pod.metadata.json["labels"]) ?? false
            }
            return Constraint(
                topologyKey: constraint.topologyKey, maxSkew: constraint.maxSkew, minDomains: constraint.minDomains,
                honorsAffinity: constraint.nodeAffinityPolicy != "Ignore",
                honorsTaints: constraint.nodeTaintsPolicy == "Honor", counts: matches, countsItself: matches(pod))
        }
    }

    /// What holds for replicas that say nothing themselves.
    private func defaults(for pod: PodInfo) -> [Constraint] {
        guard let owner = pod.controller else { return [] }
        return [("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5)].map { key, skew in
            Constraint(
                topologyKey: key, maxSkew: skew, minDomains: nil, honorsAffinity: true, honorsTaints: false,
                counts: { $0.controller == owner }, countsItself: true)
        }
    }
}

/// Pods that want to be, or must not be, where certain other pods are (H5, H7).
struct InterPodAffinity: FilterPlugin, ScorePlugin {
    let weight = 2
    /// The labels of all namespaces, by name: what a term's `namespaceSelector` selects by.
    var namespaces: [String: [String: String]] = [:]

    func reject(_ pod: PodInfo, on node: NodeInfo, among nodes: [NodeInfo]) -> Rejection? {
        let affinity = pod.affinity
        let wanted = affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
        if !wanted.isEmpty, !attracts(wanted, pod.pod, node, nodes) {
            return Rejection(reasons: ["node(s) didn't match pod affinity rules"], isResolvable: false)
        }
        let unwanted = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
        if unwanted.contains(where: { isMatched($0, of: pod.pod, at: node, nodes) }) {
            return Rejection(reasons: ["node(s) didn't match pod anti-affinity rules"], isResolvable: true)
        }
        for info in nodes {
            for other in info.choosy.values {
                let terms = other.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
                for term in terms where isSameDomain(term.topologyKey, info, node) {
                    if matches(term, of: other.pod, pod.pod) {
                        let reason = "node(s) didn't satisfy existing pods anti-affinity rules"
                        return Rejection(reasons: [reason], isResolvable: true)
                    }
                }
            }
        }
        return nil
    }

    /// Whether every term has a pod in the node's domain. A pod counts for a term only if it matches all of them; where
    /// there is none at all, a pod that matches its own terms is the first (H7).
    private func attracts(_ terms: [PodAffinityTerm], _ pod: Pod, _ node: NodeInfo, _ nodes: [NodeInfo]) -> Bool {
        guard terms.allSatisfy({ node.labels[$0.topologyKey] != nil }) else { return false }
        let homes = nodes.filter { info in
            info.pods.values.contains { other in terms.allSatisfy { matches($0, of: pod, other.pod) } }
        }
        if homes.isEmpty { return terms.allSatisfy { matches($0, of: pod, pod) } }
        return terms.allSatisfy { term in homes.contains { isSameDomain(term.topologyKey, $0, node) } }
    }

    func score(_ pod: PodInfo, on candidates: [NodeInfo], among nodes: [NodeInfo]) -> [Int] {
        let sums = candidates.map { candidate in
            nodes.map { info in
                // Between two that do not care there is nothing to weigh.
                (pod.affinity == nil ? info.choosy : info.pods).values.map { other in
                    preference(of: pod, for: other, info, candidate, isExisting: false)
                        + preference(of: other, for: pod, info, candidate, isExisting: true)
                }.reduce(0, +)
            }.reduce(0, +)
        }
        let (low, high) = (sums.min() ?? 0, sums.max() ?? 0)
        return sums.map { high == low ? 0 : 100 * ($0 - low) / (high - low) }
    }

    /// What `pod`'s terms are worth where `other` is; an existing pod's required affinity weighs 1.
    private func preference(
        of pod: PodInfo, for other: PodInfo, _ home: NodeInfo, _ candidate: NodeInfo, isExisting: Bool
    ) -> Int {
        guard let affinity = pod.affinity else { return 0 }
        let weigh = { (term: PodAffinityTerm, weight: Int) in
            isSameDomain(term.topologyKey, home, candidate) && matches(term, of: pod.pod, other.pod) ? weight : 0
        }
        var sum = 0
        for term in affinity.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [] {
            sum += weigh(term.podAffinityTerm, term.weight)
        }
        for term in affinity.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [] {
            sum -= weigh(term.podAffinityTerm, term.weight)
        }
        if isExisting {
            for term in affinity.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [] {
                sum += weigh(term, 1)
            }
        }
        return sum
    }

    private func isMatched(_ term: PodAffinityTerm, of pod: Pod, at node: NodeInfo, _ nodes: [NodeInfo]) -> Bool {
        nodes.contains { info in
            isSameDomain(term.topologyKey, info, node) && info.pods.values.contains { matches(term, of: pod, $0.pod) }
        }
    }

    private func isSameDomain(_ key: String, _ left: NodeInfo, _ right: NodeInfo) -> Bool {
        guard let domain = left.labels[key] else { return false }
        return right.labels[key] == domain
    }

    /// Whether a term of `owner` is about `pod`. It looks at the namespaces it names and at those it selects; if it
    /// says neither, at its owner's. An empty selector selects all (H7).
    private func matches(_ term: PodAffinityTerm, of owner: Pod, _ pod: Pod) -> Bool {
        guard let selector = term.labelSelector else { return false }
        let namespace = pod.metadata.namespace
        let isOwn = term.namespaces.isEmpty && term.namespaceSelector == nil && namespace == owner.metadata.namespace
        let isSelected =
            term.namespaceSelector.map { Selector(matching: $0).matches(namespaces[namespace] ?? [:]) } ?? false
        // Labels that must be as the owner's own, or must not be.
        let (own, labels) = (owner.metadata.labels, pod.metadata.labels)
        let agrees = term.matchLabelKeys.allSatisfy { own[$0] == nil || own[$0] == labels[$0] }
        let differs = term.mismatchLabelKeys.allSatisfy { own[$0] == nil || own[$0] != labels[$0] }
        return (isOwn || isSelected || term.namespaces.contains(namespace))
            && Selector(matching: selector).matches(labels) && agrees && differs
    }
}
