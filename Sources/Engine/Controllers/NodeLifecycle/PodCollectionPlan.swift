package import Kinds
package import Model

/// Which pods nobody will ever finish (semantics-workloads G7).
package struct PodCollectionPlan: Sendable {
    package enum Action: Hashable, Sendable {
        /// Its node is gone: it has failed, and is removed without waiting for anybody.
        case failAndDelete(Pod)
        case delete(Pod)
    }

    package static let terminatedThreshold = 12500
    static let quarantine = Duration.seconds(40)
    package static let period = Duration.seconds(20)

    /// Since when pods' nodes are missing, as seen here.
    package struct Missing: Sendable {
        var since: [String: Timestamp] = [:]
        package init() {}
    }

    package private(set) var actions: [Action] = []
    package private(set) var checkAgainAt: Timestamp?

    package init(
        pods: [Pod], nodes: [String: Node], missing: inout Missing, threshold: Int = terminatedThreshold, now: Timestamp
    ) {
        let absent = Set(pods.map(\.spec.nodeName)).filter { !$0.isEmpty && nodes[$0] == nil }
        missing.since = missing.since.filter { absent.contains($0.key) }
        for name in absent where missing.since[name] == nil { missing.since[name] = now }
        let terminated = pods.filter { $0.isTerminal && !$0.metadata.isBeingDeleted }.sorted(by: Self.isOlder)
        actions += terminated.prefix(max(0, terminated.count - threshold)).map { .delete($0) }
        for pod in pods {
            let node = pod.spec.nodeName
            if let since = missing.since[node] {
                let due = since + Self.quarantine
                if due <= now {
                    actions.append(.failAndDelete(Self.failed(pod, now: now)))
                } else {
                    checkAgainAt = min(checkAgainAt ?? due, due)
                }
            } else if pod.metadata.isBeingDeleted {
                let isStranded = nodes[node].map { node in
                    node.condition("Ready")?.status != "True"
                        && node.spec.taints.contains { $0.key == Taint.outOfService }
                }
                if node.isEmpty || isStranded == true { actions.append(.delete(pod)) }
            }
        }
    }

    private static func failed(_ pod: Pod, now: Timestamp) -> Pod {
        var pod = pod
        if !pod.isTerminal { pod.status.phase = "Failed" }
        pod.status.setCondition(
            "DisruptionTarget", "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists", now: now)
        return pod
    }

    private static func isOlder(_ left: Pod, _ right: Pod) -> Bool {
        let zero = Timestamp(seconds: 0)
        return (left.metadata.creationTimestamp ?? zero, left.metadata.name)
            < (right.metadata.creationTimestamp ?? zero, right.metadata.name)
    }
}
