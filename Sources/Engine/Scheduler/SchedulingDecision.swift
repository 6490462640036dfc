import Kinds
import Model

/// Where a pod goes, or why it cannot go anywhere (semantics-workloads H2 to H11).
package enum SchedulingDecision: Hashable, Sendable {
    case place(node: String)
    /// It goes nowhere yet, but it could once these pods have ended; `message` says why not now.
    case preempt(Preemption, message: String)
    /// `message` is Kubernetes' text of H9; room that is kept for the pod stays so if `keepsNomination`.
    case unschedulable(message: String, keepsNomination: Bool = false)

    /// - Parameters:
    ///   - nodes: all nodes with their pods, in a stable order.
    ///   - namespaces: the labels of all namespaces, by name.
    ///   - start: where the scan begins; where it ended the last time (H3). Comes back advanced.
    package init(
        placing pod: PodInfo, on nodes: [NodeInfo], namespaces: [String: [String: String]] = [:], start: inout Int
    ) {
        self.init(placing: pod, on: nodes, start: &start, profile: .standard(namespaces: namespaces))
    }

    init(placing pod: PodInfo, on nodes: [NodeInfo], start: inout Int, profile: SchedulingProfile) {
        if nodes.isEmpty {
            self = .unschedulable(message: "no nodes available to schedule pods")
            return
        }
        var world = nodes
        // H3: the node on which room was made is tried first.
        if let name = pod.pod.status.nominatedNodeName, let index = nodes.firstIndex(where: { $0.name == name }),
            profile.rejection(of: pod, at: index, in: &world) == nil
        {
            self = .place(node: name)
            return
        }
        let wanted = Self.sampleSize(nodes.count)
        let first = start % nodes.count
        var feasible: [NodeInfo] = []
        var rejections: [Int: Rejection] = [:]
        var scanned = 0
        while scanned < nodes.count, feasible.count < wanted {
            let index = (first + scanned) % nodes.count
            scanned += 1
            if let rejection = profile.rejection(of: pod, at: index, in: &world) {
                rejections[index] = rejection
            } else {
                feasible.append(nodes[index])
            }
        }
        start = (first + scanned) % nodes.count
        if feasible.isEmpty {
            let all = nodes.indices.compactMap { rejections[$0] }
            self.init(refusing: pod, on: nodes, all, offset: first, profile: profile)
        } else {
            self = .place(node: Self.best(feasible, for: pod, among: nodes, profile: profile))
        }
    }

    /// The pod fits nowhere: perhaps it may take the room of others.
    private init(
        refusing pod: PodInfo, on nodes: [NodeInfo], _ rejections: [Rejection], offset: Int, profile: SchedulingProfile
    ) {
        let head = "0/\(nodes.count) nodes are available: "
        let message = head + Self.histogram(rejections.flatMap(\.reasons)) + "."
        switch Preemption.search(for: pod, on: nodes, rejections: rejections, offset: offset, profile: profile) {
        case .found(let preemption): self = .preempt(preemption, message: message)
        case .ineligible(let why):
            self = .unschedulable(message: message + " preemption: " + why, keepsNomination: true)
        case .none(let reasons):
            self = .unschedulable(message: message + " preemption: " + head + Self.histogram(reasons) + ".")
        }
    }

    /// The one with the highest score; the first of those with the same.
    private static func best(
        _ feasible: [NodeInfo], for pod: PodInfo, among nodes: [NodeInfo], profile: SchedulingProfile
    ) -> String {
        if feasible.count == 1 { return feasible[0].name }
        var totals = feasible.map { _ in 0 }
        for plugin in profile.scores {
            for (index, score) in plugin.score(pod, on: feasible, among: nodes).enumerated() {
                totals[index] += score * plugin.weight
            }
        }
        var best = 0
        for index in totals.indices where totals[index] > totals[best] { best = index }
        return feasible[best].name
    }

    /// H3: how many feasible nodes are enough.
    static func sampleSize(_ count: Int) -> Int {
        if count < 100 { return count }
        let percentage = max(5, 50 - count / 125)
        return max(100, count * percentage / 100)
    }

    private static func histogram(_ reasons: [String]) -> String {
        Dictionary(grouping: reasons) { $0 }.map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    }
}
