import Kinds
import Model

/// Pods that have, or had, no node.
struct HomelessPods: Sendable {
    private struct Entry {
        var workload: ObjectKey
        var since: Timestamp
        var until: Timestamp?
        var isPlaced = false
        var reason: String
    }

    private var entries: [ObjectKey: Entry] = [:]

    mutating func take(_ pod: ObjectKey, of workload: ObjectKey, _ facts: PodFacts?, at now: Timestamp) {
        if let reason = facts?.homeless {
            entries[pod, default: Entry(workload: workload, since: now, reason: reason)].reason = reason
        } else if entries[pod] != nil, entries[pod]?.until == nil {
            entries[pod]?.until = now
            entries[pod]?.isPlaced = facts?.hasNode == true
        }
    }

    /// By workload.
    func all(at now: Timestamp) -> [Recording.Waiting] {
        Dictionary(grouping: entries.sorted { $0.key < $1.key }.map(\.value), by: \.workload)
            .sorted { $0.key < $1.key }
            .map { workload, entries in
                let longest = entries.map { ($0.until ?? now) - $0.since }.max() ?? .zero
                let last = entries.last { $0.until == nil } ?? entries.last
                return Recording.Waiting(
                    workload: workload, pods: entries.count, longest: longest,
                    placed: entries.count(where: \.isPlaced), remaining: entries.count { $0.until == nil },
                    reason: last?.reason ?? "")
            }
    }
}

/// Watches one disruption budget by its status, which the cluster keeps.
struct BudgetWatch: Sendable {
    /// What it asked for when that was last there.
    private var kept: Int?
    private var isBroken = false

    /// - Returns: a violation, and whether it begins now; `nil` while there is none.
    mutating func take(_ status: PodDisruptionBudgetStatus) -> (healthy: Int, desired: Int, isNew: Bool)? {
        let (healthy, desired) = (status.currentHealthy, status.desiredHealthy)
        if healthy >= desired {
            kept = status.expectedPods > 0 ? desired : nil
            isBroken = false
            return nil
        }
        // A budget that asks for more than before has not had it yet.
        guard let kept, desired <= kept else {
            self.kept = nil
            return nil
        }
        defer { isBroken = true }
        return (healthy, desired, !isBroken)
    }
}
