package import Kinds
import Model

/// Room for a pod, made by ending pods of lower priority (H11).
package struct Preemption: Hashable, Sendable {
    /// The node on which room is made and kept for the pod.
    package var node: String
    /// Which pods end, the most important first; as few as it takes.
    package var victims: [Pod]
    /// Pods of lower priority for which room was kept on that node: they have to look for another one.
    package var displaced: [Pod]

    /// What a look for victims comes to.
    enum Search {
        case found(Preemption)
        /// Nothing helps; `reasons` has at least one reason for each node.
        case none(reasons: [String])
        /// The pod may not preempt, for now or ever.
        case ineligible(String)
    }

    /// At most so many nodes with victims are compared, or a tenth of all nodes if that is more.
    static let candidates = 100

    /// Looks for the node where the least is lost.
    ///
    /// There are no PodDisruptionBudgets here, so no victim's end violates one.
    ///
    /// - Parameters:
    ///   - rejections: why the pod cannot run on each of `nodes` as it is.
    ///   - offset: with which node the search begins.
    static func search(
        for pod: PodInfo, on nodes: [NodeInfo], rejections: [Rejection], offset: Int, profile: SchedulingProfile
    ) -> Search {
        if let obstacle = ineligibility(of: pod, on: nodes, rejections: rejections) { return .ineligible(obstacle) }
        let enough = max(candidates, nodes.count / 10)
        var world = nodes
        var found: [Preemption] = []
        var reasons: [String] = []
        for step in nodes.indices {
            let index = (offset + step) % nodes.count
            guard rejections[index].isResolvable else {
                reasons.append("Preemption is not helpful for scheduling")
                continue
            }
            if found.count >= enough { break }
            switch victims(for: pod, at: index, in: &world, profile: profile) {
            case .success(let victims):
                let priority = pod.priority
                let displaced = nodes[index].nominated.values.filter { $0.priority < priority }.map(\.pod)
                found.append(
                    Preemption(
                        node: nodes[index].name, victims: victims,
                        displaced: displaced.sorted { $0.metadata.uid < $1.metadata.uid }))
            case .failure(let rejection): reasons += rejection.reasons
            }
        }
        return found.min { $0.cost < $1.cost }.map { .found($0) } ?? .none(reasons: reasons)
    }

    /// Why the pod may not preempt. One for which pods are ending already waits for them.
    private static func ineligibility(
        of pod: PodInfo, on nodes: [NodeInfo], rejections: [Rejection]
    ) -> String? {
        if pod.pod.spec.preemptionPolicy == "Never" { return "not eligible due to preemptionPolicy=Never." }
        guard let name = pod.pod.status.nominatedNodeName, let index = nodes.firstIndex(where: { $0.name == name }),
            rejections[index].isResolvable
        else { return nil }
        let isMadeRoom = nodes[index].pods.values.contains { $0.priority < pod.priority && $0.pod.isBeingPreempted }
        return isMadeRoom ? "not eligible due to a terminating pod on the nominated node." : nil
    }

    /// The pods that have to end for `pod` to run on a node: all of lower priority go, and come back as long as it
    /// still fits, the most important first.
    private static func victims(
        for pod: PodInfo, at index: Int, in nodes: inout [NodeInfo], profile: SchedulingProfile
    ) -> Result<[Pod], Rejection> {
        let original = nodes[index]
        defer { nodes[index] = original }
        let potential = original.pods.values.filter { $0.priority < pod.priority }.sorted {
            $0.isMoreImportant(than: $1)
        }
        if potential.isEmpty {
            return .failure(
                Rejection(reasons: ["No preemption victims found for incoming pod"], isResolvable: false))
        }
        for info in potential { nodes[index].remove(info.pod.metadata.uid) }
        if let rejection = profile.rejection(of: pod, at: index, in: &nodes) { return .failure(rejection) }
        var victims: [Pod] = []
        for info in potential {
            nodes[index].add(info)
            if profile.rejection(of: pod, at: index, in: &nodes) != nil {
                nodes[index].remove(info.pod.metadata.uid)
                victims.append(info.pod)
            }
        }
        return .success(victims)
    }

    // MARK: Choice

    /// What is compared, in this order; the lower the better.
    private struct Cost: Comparable {
        var highestPriority: Int
        var prioritySum: Int
        var victims: Int
        /// Of the most important victims, when the first one started: the later, the less work is lost.
        var earliestStart: Int64

        static func < (left: Self, right: Self) -> Bool {
            if left.highestPriority != right.highestPriority { return left.highestPriority < right.highestPriority }
            if left.prioritySum != right.prioritySum { return left.prioritySum < right.prioritySum }
            if left.victims != right.victims { return left.victims < right.victims }
            return left.earliestStart > right.earliestStart
        }
    }

    private var cost: Cost {
        let priorities = victims.map { $0.spec.priority ?? 0 }
        let highest = priorities.max() ?? 0
        let starts = victims.filter { ($0.spec.priority ?? 0) == highest }.map(\.startOrder)
        return Cost(
            highestPriority: highest,
            // Raised so that every victim costs something, whatever its priority.
            prioritySum: priorities.reduce(0) { $0 + $1 + Int(Int32.max) + 1 }, victims: victims.count,
            earliestStart: starts.min() ?? .max)
    }
}

extension PodInfo {
    var priority: Int { pod.spec.priority ?? 0 }

    /// Higher priority, then longer running; the UID makes it a total order.
    fileprivate func isMoreImportant(than other: PodInfo) -> Bool {
        if priority != other.priority { return priority > other.priority }
        return (pod.startOrder, pod.metadata.uid) < (other.pod.startOrder, other.pod.metadata.uid)
    }
}

extension Pod {
    /// One that has not started counts as the last to start.
    fileprivate var startOrder: Int64 { status.startTime?.nanoseconds ?? .max }

    /// Whether it ends to make room for another pod.
    fileprivate var isBeingPreempted: Bool {
        guard metadata.isBeingDeleted, let target = condition("DisruptionTarget") else { return false }
        return target.status == "True" && target.reason == "PreemptionByScheduler"
    }
}
