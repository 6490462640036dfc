package import Kinds
import Model

/// What a Deployment's strategy allows (A1, A10): its fields with their defaults, and the fenceposts.
extension Deployment {
    package var wantedReplicas: Int { spec.replicas ?? 1 }
    package var isRolling: Bool { (spec.strategy.type ?? "RollingUpdate") == "RollingUpdate" }

    private var fenceposts: (surge: Int, unavailable: Int) {
        let rolling = spec.strategy.rollingUpdate
        let surge = (rolling?.maxSurge ?? "25%").scaled(to: wantedReplicas, rounding: .up) ?? 0
        let unavailable = (rolling?.maxUnavailable ?? "25%").scaled(to: wantedReplicas, rounding: .down) ?? 0
        return (surge, surge == 0 && unavailable == 0 ? 1 : unavailable)
    }

    package var maxSurge: Int { isRolling ? fenceposts.surge : 0 }
    package var maxUnavailable: Int {
        isRolling && wantedReplicas > 0 ? min(wantedReplicas, fenceposts.unavailable) : 0
    }

    /// How many replicas stay available through a rollout: what `Recreate` does not promise.
    package var leastAvailable: Int { isRolling ? wantedReplicas - maxUnavailable : 0 }
}
