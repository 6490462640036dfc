import Cluster
package import Kinds
package import Model

/// What is to be done about nodes that fall silent (semantics-workloads G3, G4).
package struct NodeLifecyclePlan: Sendable {
    package enum Action: Hashable, Sendable {
        case updateStatus(Node)
        case updateTaints(Node)
        /// The pods on a failed node are no longer ready.
        case markNotReady(Pod)
    }

    package private(set) var actions: [Action] = []
    package private(set) var checkAgainAt: Timestamp?
    private let now: Timestamp

    /// When the next node of each zone may get a NoExecute taint.
    package struct Pace: Sendable {
        var nextEviction: [String: Timestamp] = [:]
        package init() {}
    }

    /// - Parameters:
    ///   - podsByNode: pods by the name of their node; only failed nodes' are looked at.
    ///   - pace: is advanced by every NoExecute taint that is planned.
    package init(
        nodes: [Node], health: NodeHealth, podsByNode: (String) -> [Pod], pace: inout Pace, now: Timestamp
    ) {
        self.now = now
        var judged: [Node] = []
        for node in nodes {
            var node = node
            let deadline = health.deadline(of: node)
            if deadline <= now {
                if declareUnknown(&node) { actions.append(.updateStatus(node)) }
            } else {
                checkAgain(deadline)
            }
            if node.condition("Ready")?.status != "True" { markPodsNotReady(podsByNode(node.metadata.name), of: node) }
            judged.append(node)
        }
        taint(judged, pace: &pace)
    }

    private mutating func checkAgain(_ time: Timestamp) {
        checkAgainAt = min(checkAgainAt ?? time, time)
    }

    /// G3: answers whether the node's conditions changed.
    private func declareUnknown(_ node: inout Node) -> Bool {
        var conditions = node.status.conditions
        var isChanged = false
        for type in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
            let index = conditions.firstIndex { $0.type == type }
            var condition = index.map { conditions[$0] } ?? NodeCondition()
            if condition.status == "Unknown" { continue }
            condition.type = type
            condition.status = "Unknown"
            condition.reason = index == nil ? "NodeStatusNeverUpdated" : "NodeStatusUnknown"
            condition.message =
                index == nil ? "Kubelet never posted node status." : "Kubelet stopped posting node status."
            condition.lastTransitionTime = now
            if let index { conditions[index] = condition } else { conditions.append(condition) }
            isChanged = true
        }
        node.status.conditions = conditions
        return isChanged
    }

    /// G3: pods that were ready when their node failed. One that became ready since is reported by a node that lives,
    /// and will say so itself: marking it again would only start a quarrel over each of its reports.
    private mutating func markPodsNotReady(_ pods: [Pod], of node: Node) {
        let failedAt = node.condition("Ready")?.lastTransitionTime
        for pod in pods where pod.isReady && !pod.isTerminal {
            if let failedAt, let readySince = pod.readySince, readySince >= failedAt { continue }
            var changed = pod
            changed.status.setCondition("Ready", "False", reason: "NodeNotReady", message: nil, now: now)
            actions.append(.markNotReady(changed))
        }
    }

    /// G4
    private mutating func taint(_ nodes: [Node], pace: inout Pace) {
        let zones = Dictionary(grouping: nodes, by: \.zone)
        let isAllDown = !nodes.isEmpty && nodes.allSatisfy { $0.condition("Ready")?.status != "True" }
        for (zone, members) in zones.sorted(by: { $0.key < $1.key }) {
            let interval = isAllDown ? nil : Self.interval(of: members)
            for node in members {
                var wanted = node.spec.taints.filter { !Self.ours($0) } + scheduleTaints(of: node)
                let present = node.spec.taints.filter { $0.effect == "NoExecute" && Self.ours($0) }
                if let needed = Self.executeTaint(of: node), !isAllDown {
                    if let same = present.first(where: { $0.isSame(as: needed) }) {
                        wanted.append(same)
                    } else if !present.isEmpty {
                        // Already being emptied: only the reason changed.
                        wanted.append(stamped(needed))
                    } else if let interval {
                        let due = pace.nextEviction[zone] ?? now
                        if due <= now {
                            wanted.append(stamped(needed))
                            pace.nextEviction[zone] = now + interval
                        } else {
                            checkAgain(due)
                        }
                    }
                }
                apply(wanted, to: node)
            }
        }
    }

    private func stamped(_ taint: Taint) -> Taint {
        var taint = taint
        taint.timeAdded = now
        return taint
    }

    private mutating func apply(_ wanted: [Taint], to node: Node) {
        let present = node.spec.taints
        let isSame =
            present.count == wanted.count && present.allSatisfy { taint in wanted.contains { $0.isSame(as: taint) } }
        if isSame { return }
        var changed = node
        changed.spec.taints = wanted
        actions.append(.updateTaints(changed))
    }

    /// How long to wait between two nodes of a zone; `nil`: leave the pods where they are.
    private static func interval(of zone: [Node]) -> Duration? {
        let down = zone.count { $0.condition("Ready")?.status != "True" }
        if down == zone.count || down < 3 || Double(down) / Double(zone.count) < 0.55 { return .seconds(10) }
        return zone.count <= 50 ? nil : .seconds(100)
    }

    private static let managed: Set<String> = [
        Taint.notReady, Taint.unreachable, Taint.unschedulable, "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure", "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/network-unavailable",
    ]

    private static func ours(_ taint: Taint) -> Bool {
        switch taint.effect {
        case "NoSchedule": managed.contains(taint.key)
        case "NoExecute": taint.key == Taint.notReady || taint.key == Taint.unreachable
        default: false
        }
    }

    private static func executeTaint(of node: Node) -> Taint? {
        switch node.condition("Ready")?.status {
        case "False": Taint(Taint.notReady, "NoExecute")
        case "Unknown": Taint(Taint.unreachable, "NoExecute")
        default: nil
        }
    }

    /// The NoSchedule taints that the node's conditions call for.
    private func scheduleTaints(of node: Node) -> [Taint] {
        var keys: [String] = []
        switch node.condition("Ready")?.status {
        case "True": break
        case "False": keys.append(Taint.notReady)
        case "Unknown": keys.append(Taint.unreachable)
        default: keys.append(Taint.notReady)
        }
        for (type, key) in [
            ("MemoryPressure", "memory-pressure"), ("DiskPressure", "disk-pressure"), ("PIDPressure", "pid-pressure"),
            ("NetworkUnavailable", "network-unavailable"),
        ] where node.condition(type)?.status == "True" { keys.append("node.kubernetes.io/\(key)") }
        if node.spec.unschedulable == true { keys.append(Taint.unschedulable) }
        return keys.map { key in
            node.spec.taints.first { $0.key == key && $0.effect == "NoSchedule" } ?? stamped(Taint(key, "NoSchedule"))
        }
    }
}

/// Which pods must leave a node because of its NoExecute taints, and when (semantics-workloads G5).
package struct TaintEvictionPlan: Sendable {
    package struct Eviction: Hashable, Sendable {
        package var pod: Pod
        package var due: Timestamp
    }

    /// In the order of their time.
    package private(set) var evictions: [Eviction] = []

    package init(node: Node, pods: [Pod], now: Timestamp) {
        let taints = node.spec.taints.filter { $0.effect == "NoExecute" }
        if taints.isEmpty { return }
        for pod in pods where pod.isActive {
            if let due = Self.due(pod, taints, now: now) { evictions.append(Eviction(pod: pod, due: due)) }
        }
        evictions.sort { ($0.due, $0.pod.metadata.name) < ($1.due, $1.pod.metadata.name) }
    }

    /// `nil`: the pod may stay for ever.
    private static func due(_ pod: Pod, _ taints: [Taint], now: Timestamp) -> Timestamp? {
        var earliest: Timestamp?
        for taint in taints {
            let matching = pod.spec.tolerations.filter { $0.tolerates(taint) }
            if matching.isEmpty { return now }
            guard let seconds = matching.compactMap(\.tolerationSeconds).min() else { continue }
            let due = (taint.timeAdded ?? now) + .seconds(max(0, seconds))
            earliest = min(earliest ?? due, due)
        }
        return earliest
    }
}
