import Kinds
import Model
import Synchronization

extension ApplicationWorker {
    /// The health of everything that the application consists of.
    ///
    /// - Complexity: constant while nothing changes; after a change that of what it concerns, and a sum over the
    ///   inventory.
    func assess() -> HealthAssessment { assessment().health }

    func assessment() -> Assessed {
        let (count, changed) = changes.withLock { changes in
            defer { changes.unassessed = [] }
            return (changes.count, changes.unassessed)
        }
        assessments.forget(changed, live: environment.live.object)
        if let assessed, assessed.changes == count, assessed.slowestStart == rollout.slowestStart,
            assessed.health.checkAgainAt.map({ now < $0 }) ?? true
        {
            return assessed
        }
        let live = environment.live
        let health = assessments.assessment(
            of: inventory.ordered, live: live.object, appliedGenerations: appliedGenerations,
            ResourceAssessment.Context(
                replicaSets: { live.objects(of: ReplicaSet.kind.groupKind, controlledBy: $0).map { $0.view() } },
                pods: { live.objects(of: Pod.kind.groupKind, controlledBy: $0).map { $0.view() } },
                slowestStart: rollout.slowestStart,
                inert: environment.inertKinds, observedSince: live.observedSince, now: now))
        // An assessment that says the same keeps what was made of it.
        if assessed?.health.byResource != health.byResource { assessmentVersion += 1 }
        let new = Assessed(
            health: health, changes: count, slowestStart: rollout.slowestStart, version: assessmentVersion)
        assessed = new
        return new
    }

    func forgetAssessments() {
        assessed = nil
        assessments.forgetAll()
    }
}

/// A health assessment with what it was made of.
struct Assessed {
    var health: HealthAssessment
    var changes: Int
    var slowestStart: Duration?
    /// Grows whenever `health.byResource` changes.
    var version: Int
}

/// `status.resources`, with what it was made of.
struct ListedResources {
    var version: Int
    var outOfSync: Set<ObjectKey>
    var inventory: Inventory
    var json: JSON
}
