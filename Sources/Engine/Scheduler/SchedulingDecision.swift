import Kinds
import Model

/// Where a pod goes, or why it cannot go anywhere (semantics-workloads H2 to H9).
package enum SchedulingDecision: Hashable, Sendable {
    case place(node: String)
    /// `message` is Kubernetes' text of H9.
    case unschedulable(message: String)

    /// - Parameters:
    ///   - nodes: all nodes with their pods, in a stable order.
    ///   - start: where the scan begins; where it ended the last time (H3). Comes back advanced.
    package init(placing pod: PodInfo, on nodes: [NodeInfo], start: inout Int) {
        self.init(placing: pod, on: nodes, start: &start, profile: .standard)
    }

    init(placing pod: PodInfo, on nodes: [NodeInfo], start: inout Int, profile: SchedulingProfile) {
        if nodes.isEmpty {
            self = .unschedulable(message: "no nodes available to schedule pods")
            return
        }
        let wanted = Self.sampleSize(nodes.count)
        var feasible: [NodeInfo] = []
        var rejections: [Rejection] = []
        var scanned = 0
        while scanned < nodes.count, feasible.count < wanted {
            let node = nodes[(start + scanned) % nodes.count]
            scanned += 1
            let rejection = profile.filters.lazy.compactMap { $0.reject(pod, on: node, among: nodes) }.first
            if let rejection { rejections.append(rejection) } else { feasible.append(node) }
        }
        start = (start + scanned) % nodes.count
        guard let first = feasible.first else {
            self = .unschedulable(message: Self.message(rejections, of: nodes.count, pod: pod.pod))
            return
        }
        if feasible.count == 1 {
            self = .place(node: first.name)
            return
        }
        var totals = feasible.map { _ in 0 }
        for plugin in profile.scores {
            for (index, score) in plugin.score(pod, on: feasible, among: nodes).enumerated() {
                totals[index] += score * plugin.weight
            }
        }
        var best = 0
        for index in totals.indices where totals[index] > totals[best] { best = index }
        self = .place(node: feasible[best].name)
    }

    /// H3: how many feasible nodes are enough.
    static func sampleSize(_ count: Int) -> Int {
        if count < 100 { return count }
        let percentage = max(5, 50 - count / 125)
        return max(100, count * percentage / 100)
    }

    /// H9
    private static func message(_ rejections: [Rejection], of count: Int, pod: Pod) -> String {
        let head = "0/\(count) nodes are available: "
        let reasons = Self.histogram(rejections.flatMap(\.reasons))
        if pod.spec.preemptionPolicy == "Never" {
            return head + reasons + ". preemption: not eligible due to preemptionPolicy=Never."
        }
        let preemption = rejections.map {
            $0.isResolvable
                ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling"
        }
        return head + reasons + ". preemption: " + head + Self.histogram(preemption) + "."
    }

    private static func histogram(_ reasons: [String]) -> String {
        Dictionary(grouping: reasons) { $0 }.map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    }
}
