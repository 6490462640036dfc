import Kinds
import Model

/// How pods move from the old ReplicaSets to the new one.
///
/// Statuses lag behind specs. Kubernetes counts availability from statuses alone, so that a lagging one can cost more
/// pods than the strategy allows. Here a ReplicaSet never counts for more available pods than its spec keeps, pods that
/// a shrinking ReplicaSet still has are counted as existing, and no step is taken while a ReplicaSet's controller has
/// not seen its latest spec. Bounds therefore hold at every instant (as long as no pod fails by itself).
extension DeploymentPlan {
    /// A11: at most one step.
    mutating func roll() {
        guard let new = adoptNewReplicaSet() else { return createNewReplicaSet() }
        if replicaSets.allSatisfy(\.isObserved) {
            if new.desired > replicas {
                scale(new, to: replicas)
                return finishWithStatus()
            }
            let grown = growth(from: new.desired)
            if grown > new.desired {
                scale(new, to: grown)
                return finishWithStatus()
            }
            if shrinkOldReplicaSets(new: new) { return finishWithStatus() }
            if isComplete(stored.status) { cleanUp() }
        }
        finishWithStatus()
    }

    /// A11 (b): the size to which the new ReplicaSet may grow from `size`.
    func growth(from size: Int) -> Int {
        let existing = replicaSets.map { max($0.desired, $0.status.replicas) }.reduce(0, +)
        let room = replicas + maxSurge - existing
        return size + max(0, min(room, replicas - size))
    }

    /// A12: answers whether something was shrunk.
    private mutating func shrinkOldReplicaSets(new: ReplicaSet) -> Bool {
        let olds = oldReplicaSets(besides: new)
        if olds.allSatisfy({ $0.desired == 0 }) { return false }
        let minAvailable = replicas - maxUnavailable
        let total = replicaSets.map(\.desired).reduce(0, +)
        var budget = total - minAvailable - (new.desired - new.available)
        if budget <= 0 { return false }
        var available = replicaSets.map(\.available).reduce(0, +)
        var sizes = olds.map(\.desired)
        for index in olds.indices where budget > 0 {
            let unhealthy = min(budget, sizes[index] - olds[index].available)
            sizes[index] -= unhealthy
            budget -= unhealthy
        }
        for index in olds.indices where available > minAvailable {
            let surplus = min(sizes[index], available - minAvailable)
            sizes[index] -= surplus
            available -= surplus
        }
        var acted = false
        for index in olds.indices where sizes[index] != olds[index].desired {
            if scale(olds[index], to: sizes[index]) { acted = true }
        }
        return acted
    }

    /// A15
    mutating func recreate() {
        let new = adoptNewReplicaSet()
        let olds = oldReplicaSets(besides: new)
        var scaledDown = false
        for old in olds where old.desired > 0 {
            if scale(old, to: 0) { scaledDown = true }
        }
        let isOldPodLeft = pods.contains { pod in
            !pod.isTerminal && pod.metadata.controller?.uid != new?.metadata.uid
        }
        if scaledDown || olds.contains(where: { $0.status.replicas > 0 }) || isOldPodLeft {
            return finishWithStatus()
        }
        guard let new else { return createNewReplicaSet() }
        scale(new, to: replicas)
        if isComplete(stored.status) { cleanUp() }
        finishWithStatus()
    }
}

/// How a change of `spec.replicas` is spread over ReplicaSets in the middle of a rollout.
extension DeploymentPlan {
    /// A14
    mutating func scale(new: ReplicaSet?) {
        let olds = oldReplicaSets(besides: new)
        let active = replicaSets.filter { $0.desired > 0 }
        if active.count <= 1 {
            if let target = active.first ?? new ?? olds.last { scale(target, to: replicas) }
            return
        }
        if let new, new.desired == replicas, new.annotatedDesired == replicas, new.available == replicas {
            for old in olds where old.desired > 0 { scale(old, to: 0) }
            return
        }
        if isRolling { scaleProportionally(active) }
    }

    private mutating func scaleProportionally(_ active: [ReplicaSet]) {
        let allowed = replicas > 0 ? replicas + maxSurge : 0
        let toAdd = allowed - active.map(\.desired).reduce(0, +)
        let ordered = active.sorted { left, right in
            if left.desired != right.desired { return left.desired > right.desired }
            return toAdd > 0 ? ReplicaSet.isOlder(right, left) : ReplicaSet.isOlder(left, right)
        }
        var sizes = ordered.map(\.desired)
        var added = 0
        for (index, replicaSet) in ordered.enumerated() where toAdd != added {
            let share = proportion(of: replicaSet)
            let rest = toAdd - added
            let step = toAdd > 0 ? min(share, rest) : max(share, rest)
            sizes[index] += step
            added += step
        }
        if !sizes.isEmpty { sizes[0] = max(0, sizes[0] + toAdd - added) }
        for (replicaSet, size) in zip(ordered, sizes) { scale(replicaSet, to: size) }
    }

    private func proportion(of replicaSet: ReplicaSet) -> Int {
        if replicas == 0 { return -replicaSet.desired }
        var base = replicaSet.annotatedMax ?? 0
        if base == 0 { base = stored.status.replicas ?? 0 }
        if base == 0 { return 0 }
        let size = Double(replicaSet.desired * (replicas + maxSurge)) / Double(base)
        return Int(size.rounded(.toNearestOrAwayFromZero)) - replicaSet.desired
    }
}

extension ReplicaSet {
    /// Available pods, at most as many as its spec keeps.
    var available: Int { min(status.availableReplicas ?? 0, desired) }
}
