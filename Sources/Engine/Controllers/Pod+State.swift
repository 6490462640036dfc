package import Kinds
package import Model

extension Pod {
    /// Whether all containers have ended for good.
    package var isTerminal: Bool { status.phase == "Succeeded" || status.phase == "Failed" }

    /// Whether the pod counts as one of its controller's replicas (B1).
    var isActive: Bool { !isTerminal && !metadata.isBeingDeleted }

    package func condition(_ type: String) -> PodCondition? {
        // As it stands in the tree: it is asked for whenever a pod passes by.
        json["status"]?["conditions"]?.array?.first { $0["type"]?.string == type }.map(PodCondition.init(viewing:))
    }

    var isReady: Bool { condition("Ready")?.status == "True" }

    /// Since when the pod is ready; `nil` when it is not.
    package var readySince: Timestamp? {
        guard let ready = condition("Ready"), ready.status == "True" else { return nil }
        return ready.lastTransitionTime ?? metadata.creationTimestamp ?? Timestamp(seconds: 0)
    }

    /// When the pod counts as available, now or later, if it stays ready; `nil` when it is not ready.
    func availableSince(minReadySeconds: Int) -> Timestamp? {
        readySince.map { minReadySeconds > 0 ? $0 + .seconds(minReadySeconds) : $0 }
    }

    func isAvailable(at now: Timestamp, minReadySeconds: Int) -> Bool {
        guard let since = availableSince(minReadySeconds: minReadySeconds) else { return false }
        return minReadySeconds == 0 || since <= now
    }
}

extension PodStatus {
    /// Sets a condition; its `lastTransitionTime` changes only with its status.
    mutating func setCondition(
        _ type: String, _ value: String, reason: String? = nil, message: String? = nil, now: Timestamp
    ) {
        var conditions = conditions
        let position = conditions.firstIndex { $0.type == type }
        var condition = position.map { conditions[$0] } ?? PodCondition()
        if condition.status != value { condition.lastTransitionTime = now }
        condition.type = type
        condition.status = value
        condition.reason = reason
        condition.message = message
        if let position { conditions[position] = condition } else { conditions.append(condition) }
        self.conditions = conditions
    }
}
