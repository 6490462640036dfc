package import Kinds
package import Model

/// Whether nodes still report, judged by when this process saw their Lease or status change: nodes' own clocks do not
/// matter (G3).
package struct NodeHealth: Sendable {
    struct Observation: Sendable {
        var renewal: String
        var heartbeat: String
        /// When either of them last changed, as seen here.
        var seen: Timestamp
    }

    private(set) var observations: [String: Observation] = [:]

    package init() {}

    /// How long a node may be silent.
    package static let grace = Duration.seconds(50)
    /// The same before it has ever said anything.
    package static let startupGrace = Duration.seconds(60)

    /// Takes note of what a node last said: its Lease's renewal time, or its status's heartbeat, as texts.
    package mutating func observe(_ node: String, renewal: String? = nil, heartbeat: String? = nil, now: Timestamp) {
        guard var known = observations[node] else {
            observations[node] = Observation(renewal: renewal ?? "", heartbeat: heartbeat ?? "", seen: now)
            return
        }
        if let renewal, renewal != known.renewal {
            known.renewal = renewal
            known.seen = now
        }
        if let heartbeat, heartbeat != known.heartbeat {
            known.heartbeat = heartbeat
            known.seen = now
        }
        observations[node] = known
    }

    package mutating func observe(_ node: Node, now: Timestamp) {
        let heartbeat = node.condition("Ready")?.json["lastHeartbeatTime"]?.string
        observe(node.metadata.name, heartbeat: heartbeat ?? "", now: now)
    }

    package mutating func observe(_ lease: Lease, now: Timestamp) {
        observe(lease.metadata.name, renewal: lease.json[path: ["spec", "renewTime"]]?.string ?? "", now: now)
    }

    package mutating func forget(_ node: String) { observations[node] = nil }

    /// When silence becomes a failure.
    func deadline(of node: Node) -> Timestamp {
        let name = node.metadata.name
        let seen = observations[name]?.seen ?? node.metadata.creationTimestamp ?? Timestamp(seconds: 0)
        let hasReported = node.condition("Ready") != nil
        return seen + (hasReported ? Self.grace : Self.startupGrace)
    }
}

extension Node {
    func condition(_ type: String) -> NodeCondition? { status.conditions.first { $0.type == type } }

    var zone: String {
        let labels = metadata.labels
        return [labels["topology.kubernetes.io/region"] ?? "", labels["topology.kubernetes.io/zone"] ?? ""]
            .joined(separator: "/")
    }
}

extension Taint {
    init(_ key: String, _ effect: String) {
        self.init()
        self.key = key
        self.effect = effect
    }

    /// Taints are the same when key and effect are.
    func isSame(as other: Taint) -> Bool { key == other.key && effect == other.effect }

    static let notReady = "node.kubernetes.io/not-ready"
    static let unreachable = "node.kubernetes.io/unreachable"
    static let unschedulable = "node.kubernetes.io/unschedulable"
    static let outOfService = "node.kubernetes.io/out-of-service"
}

extension Toleration {
    /// Whether this toleration covers the taint; an empty key with `Exists` covers every one, an empty effect all
    /// effects.
    func tolerates(_ taint: Taint) -> Bool {
        if let effect, !effect.isEmpty, effect != taint.effect { return false }
        if let key, !key.isEmpty, key != taint.key { return false }
        switch self.operator ?? "" {
        case "", "Equal": return (key ?? "").isEmpty ? false : (value ?? "") == (taint.value ?? "")
        case "Exists": return true
        default: return false
        }
    }
}
