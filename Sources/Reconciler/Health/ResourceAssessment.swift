import Kinds
import Model

/// What one resource contributes to the assessment of all.
struct ResourceAssessment: Hashable, Sendable {
    var health: Health
    var isMissing = false
    var failure: Rollout.Failure?
    var progress = 0
    /// Something that is not certain yet will be at this time.
    var checkAgainAt: Timestamp?
    /// The longest that a ready pod of it took from start to ready.
    var slowestStart: Duration?
    /// What it waits for, while it progresses: the first thing found.
    var explanation: String?

    /// What all resources of a revision are judged by.
    struct Context {
        /// Where pods and ReplicaSets are found by the uid of their controller.
        var replicaSets: (String) -> [ReplicaSet]
        var pods: (String) -> [Pod]
        /// What pods of healthy revisions took from start to ready.
        var slowestStart: Duration?
        /// The kinds on which nothing acts in this cluster.
        var inert: Set<GroupKind> = []
        var observedSince = Timestamp(seconds: 0)
        var now: Timestamp
    }

    /// - Parameters:
    ///   - live: the object as it is; `nil` when there is none.
    ///   - appliedGeneration: an object whose generation is below that is not what was applied yet.
    init(of key: ObjectKey, live: Object?, appliedGeneration: Int, _ context: Context) {
        guard let object = live else {
            health = Health(.missing, "\(key) does not exist")
            isMissing = true
            return
        }
        if object.metadata.generation ?? 0 < appliedGeneration {
            health = Health(.progressing, "waiting for the applied change to be seen")
            return
        }
        if context.inert.contains(key.kind), Health.needsController(key.kind) {
            health = Health(.degraded, "a \(key.kind.kind) is stored here, but nothing acts on it yet")
        } else {
            health = Health.of(object)
        }
        if key.kind == Deployment.kind.groupKind {
            look(into: object.view(), context)
        } else if health.status == .degraded {
            failure = Rollout.Failure(
                reason: "ResourceDegraded", message: "\(key): \(health.message)", resource: key.description)
        }
    }

    private mutating func look(into deployment: Deployment, _ context: Context) {
        let status = deployment.status
        let (updated, replicas) = (status.updatedReplicas ?? 0, status.replicas ?? 0)
        progress = 2 * updated + (status.availableReplicas ?? 0) - max(0, replicas - updated)
        if let condition = status.conditions.first(where: { $0.type == "Progressing" }),
            condition.reason == "ProgressDeadlineExceeded",
            status.observedGeneration ?? 0 >= deployment.metadata.generation ?? 0
        {
            failure = Rollout.Failure(
                reason: "ProgressDeadlineExceeded", message: "\(deployment.key): \(condition.message ?? "")",
                resource: deployment.key.description)
        }
        // The template tells which ReplicaSet is meant even before the controller has seen the change.
        let template = deployment.spec.template
        let current = context.replicaSets(deployment.metadata.uid).first { Self.template(of: $0) == template }
        for pod in current.map({ context.pods($0.metadata.uid) }) ?? [] {
            look(into: pod, of: deployment.key, context)
        }
    }

    private mutating func look(into pod: Pod, of owner: ObjectKey, _ context: Context) {
        if let took = Self.startDuration(of: pod) { slowestStart = max(slowestStart ?? took, took) }
        let finding = FailureEvidence.find(
            in: pod, of: owner.description, at: context.now, slowestStart: context.slowestStart,
            observedSince: context.observedSince)
        switch finding {
        case .none:
            // It may fit a moment later: that is for the progress deadline to judge.
            if let why = FailureEvidence.homelessness(of: pod) { explain(why) }
        case .failure(let found): failure = failure ?? found
        case .undecided(let until, let because):
            checkAgainAt = min(checkAgainAt ?? until, until)
            explain(because)
        }
    }

    private mutating func explain(_ text: String) {
        if health.status == .progressing, explanation == nil { explanation = text }
    }

    /// A ReplicaSet's pod template as its Deployment has it: without the label that tells the two apart (A5).
    private static func template(of replicaSet: ReplicaSet) -> PodTemplateSpec {
        var template = replicaSet.spec.template
        template.metadata.labels["pod-template-hash"] = nil
        return template
    }

    /// How long the pod's containers ran before it was ready.
    private static func startDuration(of pod: Pod) -> Duration? {
        let status = pod.status
        guard let ready = status.conditions.first(where: { $0.type == "Ready" && $0.status == "True" }),
            let at = ready.lastTransitionTime,
            let started = status.containerStatuses.compactMap({ $0.state.running?.startedAt }).max()
        else { return nil }
        return max(.seconds(1), at - started)
    }
}

/// The assessments of single resources, each kept until something changes that it rests on.
struct ResourceAssessments {
    private var byKey: [ObjectKey: ResourceAssessment] = [:]
    private var slowestStart: Duration?
    private var observedSince = Timestamp(seconds: 0)

    /// Forgets what no longer holds.
    ///
    /// - Parameters:
    ///   - changed: the objects that changed, and those that control them.
    ///   - live: where the controller of a ReplicaSet is looked up: pods know only their ReplicaSet.
    mutating func forget(_ changed: Set<ObjectKey>, live: (ObjectKey) -> Object?) {
        for key in changed {
            byKey[key] = nil
            guard key.kind == ReplicaSet.kind.groupKind, let owner = live(key)?.metadata.controller else { continue }
            byKey[owner.key(in: key.namespace)] = nil
        }
    }

    mutating func forgetAll() { byKey = [:] }

    /// The assessment of everything that a revision consists of.
    ///
    /// - Complexity: linear in `keys`; only what was forgotten, or is due, is looked at.
    mutating func assessment(
        of keys: [ObjectKey], live: (ObjectKey) -> Object?, appliedGenerations: [ObjectKey: Int],
        _ context: ResourceAssessment.Context
    ) -> HealthAssessment {
        if context.slowestStart != slowestStart || context.observedSince != observedSince {
            byKey = [:]
            (slowestStart, observedSince) = (context.slowestStart, context.observedSince)
        }
        return HealthAssessment(
            combining: keys.map { key in
                if let known = byKey[key], known.checkAgainAt.map({ context.now < $0 }) ?? true { return (key, known) }
                let found = ResourceAssessment(
                    of: key, live: live(key), appliedGeneration: appliedGenerations[key] ?? 0, context)
                byKey[key] = found
                return (key, found)
            })
    }
}

extension OwnerReference {
    /// The owner of an object in that namespace.
    func key(in namespace: String) -> ObjectKey {
        ObjectKey(
            kind: GroupVersionKind(apiVersion: apiVersion, kind: kind).groupKind, namespace: namespace, name: name)
    }
}
