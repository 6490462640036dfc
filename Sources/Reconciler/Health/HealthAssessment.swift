package import Kinds
package import Model

/// The state of everything that a revision consists of, as the verdict needs it.
package struct HealthAssessment: Hashable, Sendable {
    /// The worst of all resources; missing ones count only when all are missing (gitops.md §2).
    package var status: HealthStatusCode
    /// What the worst resource says, and which one it is.
    package var message: String
    package var resource: String
    /// Set as soon as it is certain that the revision fails.
    package var failure: Rollout.Failure?
    /// A number that grows while rollouts come further.
    package var progress: Int
    /// Something that is not certain yet will be at this time.
    package var checkAgainAt: Timestamp?
    /// The longest that a ready pod took from start to ready.
    package var slowestStart: Duration?
    package var byResource: [ObjectKey: Health]

    package init(
        status: HealthStatusCode = .healthy, message: String = "", resource: String = "",
        failure: Rollout.Failure? = nil,
        progress: Int = 0, checkAgainAt: Timestamp? = nil, slowestStart: Duration? = nil,
        byResource: [ObjectKey: Health] = [:]
    ) {
        self.status = status
        self.message = message
        self.resource = resource
        self.failure = failure
        self.progress = progress
        self.checkAgainAt = checkAgainAt
        self.slowestStart = slowestStart
        self.byResource = byResource
    }
}

extension HealthAssessment {
    /// Assesses the live objects of a revision.
    ///
    /// - Parameters:
    ///   - keys: everything that the revision consists of, in sync order.
    ///   - live: what exists of it; an object whose generation is below `appliedGenerations` is not what was applied
    /// yet.
    ///   - pods: the pods by the ReplicaSet that controls them.
    ///   - replicaSets: the ReplicaSets by the Deployment that controls them, by uid.
    ///   - inert: the kinds on which nothing acts in this cluster.
    package init(
        of keys: [ObjectKey], live: (ObjectKey) -> Object?, appliedGenerations: [ObjectKey: Int],
        replicaSets: @escaping (String) -> [ReplicaSet], pods: @escaping (String) -> [Pod], slowestStart: Duration?,
        inert: Set<GroupKind> = [], observedSince: Timestamp = Timestamp(seconds: 0), at now: Timestamp
    ) {
        let context = ResourceAssessment.Context(
            replicaSets: replicaSets, pods: pods, slowestStart: slowestStart, inert: inert,
            observedSince: observedSince, now: now)
        self.init(
            combining: keys.map { key in
                (
                    key,
                    ResourceAssessment(
                        of: key, live: live(key), appliedGeneration: appliedGenerations[key] ?? 0, context)
                )
            })
    }

    /// The assessment of all, from that of each, in sync order.
    init(combining resources: [(key: ObjectKey, found: ResourceAssessment)]) {
        self.init()
        byResource.reserveCapacity(resources.count)
        for (key, found) in resources {
            if found.isMissing {
                byResource[key] = found.health
                continue
            }
            let isWorst = worsen(found.health, key)
            var health = found.health
            if let text = found.explanation {
                health.message = health.message.isEmpty ? text : "\(health.message) \(text)"
                if isWorst { message += " \(text)" }
            }
            byResource[key] = health
            failure = failure ?? found.failure
            progress += found.progress
            if let at = found.checkAgainAt { checkAgainAt = min(checkAgainAt ?? at, at) }
            if let took = found.slowestStart { slowestStart = max(slowestStart ?? took, took) }
        }
        let missing = resources.count(where: \.found.isMissing)
        guard missing > 0 else { return }
        if missing == resources.count {
            worsen(Health(.missing, "none of the resources exist"), resources[0].key)
        } else if status == .healthy {
            // What was applied and is gone again is not healthy; self-heal or the next sync brings it back.
            worsen(Health(.progressing, "\(missing) resources are missing"), resources[0].key)
        }
    }

    /// Answers whether that is the worst so far.
    @discardableResult
    private mutating func worsen(_ health: Health, _ key: ObjectKey) -> Bool {
        // A paused Deployment is as its owner wants it.
        guard health.status > status, health.status != .suspended else { return false }
        status = health.status
        message = health.message.isEmpty ? "\(key) is \(health.status.rawValue)" : "\(key): \(health.message)"
        resource = key.description
        return true
    }
}
