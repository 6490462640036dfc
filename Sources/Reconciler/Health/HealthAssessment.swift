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
    /// The resources of which it is said what they wait for.
    private var explained: Set<ObjectKey> = []

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
        replicaSets: (String) -> [ReplicaSet], pods: (String) -> [Pod], slowestStart: Duration?,
        inert: Set<GroupKind> = [], observedSince: Timestamp = Timestamp(seconds: 0), at now: Timestamp
    ) {
        self.init()
        var missing = 0
        for key in keys {
            guard let object = live(key) else {
                missing += 1
                byResource[key] = Health(.missing, "\(key) does not exist")
                continue
            }
            let isStale = object.metadata.generation ?? 0 < appliedGenerations[key] ?? 0
            let health =
                if isStale {
                    Health(.progressing, "waiting for the applied change to be seen")
                } else if inert.contains(key.kind), Health.needsController(key.kind) {
                    Health(.degraded, "a \(key.kind.kind) is stored here, but nothing acts on it yet")
                } else {
                    Health.of(object)
                }
            byResource[key] = health
            worsen(health, key)
            guard !isStale else { continue }
            if key.kind == Deployment.kind.groupKind {
                look(into: object.view(), replicaSets, pods, patience: slowestStart, since: observedSince, at: now)
            } else if failure == nil, health.status == .degraded {
                failure = Rollout.Failure(
                    reason: "ResourceDegraded", message: "\(key): \(health.message)", resource: key.description)
            }
        }
        if missing > 0, missing == keys.count { worsen(Health(.missing, "none of the resources exist"), keys[0]) }
        if missing > 0, missing < keys.count, status == .healthy {
            // What was applied and is gone again is not healthy; self-heal or the next sync brings it back.
            worsen(Health(.progressing, "\(missing) resources are missing"), keys[0])
        }
    }

    private mutating func worsen(_ health: Health, _ key: ObjectKey) {
        // A paused Deployment is as its owner wants it.
        guard health.status > status, health.status != .suspended else { return }
        status = health.status
        message = health.message.isEmpty ? "\(key) is \(health.status.rawValue)" : "\(key): \(health.message)"
        resource = key.description
    }

    private mutating func look(
        into deployment: Deployment, _ replicaSets: (String) -> [ReplicaSet], _ pods: (String) -> [Pod],
        patience: Duration?, since observedSince: Timestamp, at now: Timestamp
    ) {
        let status = deployment.status
        let (updated, replicas) = (status.updatedReplicas ?? 0, status.replicas ?? 0)
        progress += 2 * updated + (status.availableReplicas ?? 0) - max(0, replicas - updated)
        if let condition = status.conditions.first(where: { $0.type == "Progressing" }),
            condition.reason == "ProgressDeadlineExceeded", failure == nil,
            status.observedGeneration ?? 0 >= deployment.metadata.generation ?? 0
        {
            failure = Rollout.Failure(
                reason: "ProgressDeadlineExceeded", message: "\(deployment.key): \(condition.message ?? "")",
                resource: deployment.key.description)
        }
        // The template tells which ReplicaSet is meant even before the controller has seen the change.
        let current = replicaSets(deployment.metadata.uid).first { Self.template(of: $0) == deployment.spec.template }
        for pod in current.map({ pods($0.metadata.uid) }) ?? [] {
            look(into: pod, of: deployment.key, patience: patience, since: observedSince, at: now)
        }
    }

    private mutating func look(
        into pod: Pod, of owner: ObjectKey, patience: Duration?, since observedSince: Timestamp, at now: Timestamp
    ) {
        if let took = Self.startDuration(of: pod) { slowestStart = max(slowestStart ?? took, took) }
        let finding = FailureEvidence.find(
            in: pod, of: owner.description, at: now, slowestStart: patience, observedSince: observedSince)
        switch finding {
        case .none:
            // It may fit a moment later: that is for the progress deadline to judge.
            if let why = FailureEvidence.homelessness(of: pod) { explain(why, owner) }
        case .failure(let found): failure = failure ?? found
        case .undecided(let until, let because):
            checkAgainAt = min(checkAgainAt ?? until, until)
            explain(because, owner)
        }
    }

    /// Says of a resource that progresses what it waits for: the first thing found.
    private mutating func explain(_ text: String, _ key: ObjectKey) {
        guard let health = byResource[key], health.status == .progressing, explained.insert(key).inserted else {
            return
        }
        byResource[key] = Health(.progressing, health.message.isEmpty ? text : "\(health.message) \(text)")
        if resource == key.description { message += " \(text)" }
    }

    /// A ReplicaSet's pod template as its Deployment has it: without the label that tells the two apart (A5).
    private static func template(of replicaSet: ReplicaSet) -> PodTemplateSpec {
        var template = replicaSet.spec.template
        template.metadata.labels["pod-template-hash"] = nil
        return template
    }

    /// How long the pod's containers ran before it was ready.
    private static func startDuration(of pod: Pod) -> Duration? {
        guard let ready = pod.status.conditions.first(where: { $0.type == "Ready" && $0.status == "True" }),
            let at = ready.lastTransitionTime,
            let started = pod.status.containerStatuses.compactMap({ $0.state.running?.startedAt }).max()
        else { return nil }
        return max(.seconds(1), at - started)
    }
}
