import Cluster
package import Kinds
import Model

/// The ReplicaSet that carries the Deployment's present template, and the numbers that order the others.
extension DeploymentPlan {
    /// A5: the oldest ReplicaSet whose template is ours.
    var newReplicaSet: ReplicaSet? {
        newReplicaSetID.flatMap { uid in replicaSets.first { $0.metadata.uid == uid } }
    }

    /// Whether two templates make the same pods. One that was stored by an older version may say in other words what is
    /// left to defaults now.
    static func areEqual(_ left: PodTemplateSpec, _ right: PodTemplateSpec) -> Bool {
        let (one, other) = (comparable(left), comparable(right))
        if one == other { return true }
        guard let schema = templateSchema else { return false }
        return schema.defaulted(one.json) == schema.defaulted(other.json)
    }

    private static let templateSchema = Catalog.builtIn.strategy(for: Deployment.kind.groupKind)?.schema
        .property("spec")?.property("template")

    /// All others, oldest first.
    func oldReplicaSets(besides new: ReplicaSet?) -> [ReplicaSet] {
        replicaSets.filter { $0.metadata.uid != new?.metadata.uid }
    }

    static func comparable(_ template: PodTemplateSpec) -> PodTemplateSpec {
        var template = template
        template.metadata.labels[hashLabel] = nil
        template.metadata.creationTimestamp = nil
        if template.metadata.json == .emptyObject { template.json["metadata"] = nil }
        return template
    }

    /// The length that a revision history may have (A7).
    static let historyLimit = 2000

    /// A7: brings the new ReplicaSet's annotations and revision up to date, and the Deployment's with them.
    mutating func adoptNewReplicaSet() -> ReplicaSet? {
        guard let found = newReplicaSet else { return nil }
        var new = found
        new.metadata.annotations.merge(copiedAnnotations) { _, ours in ours }
        let revision = (oldReplicaSets(besides: new).map(\.revision).max() ?? 0) + 1
        if new.revision < revision {
            let previous = new.metadata.annotations[Annotation.revision]
            new.metadata.annotations[Annotation.revision] = String(revision)
            if let previous, !previous.isEmpty { new.appendHistory(previous) }
        }
        if minReadySeconds != new.spec.minReadySeconds ?? 0 { new.spec.minReadySeconds = minReadySeconds }
        if new != found { replace(new) }
        deployment.metadata.annotations[Annotation.revision] = new.metadata.annotations[Annotation.revision]
        if progressDeadline != nil, deployment.status.condition("Progressing") == nil {
            deployment.status.setCondition(
                "Progressing", "True", reason: "FoundNewReplicaSet",
                message: "Found new replica set \"\(new.metadata.name)\"", now: now)
        }
        return new
    }

    private var copiedAnnotations: [String: String] {
        deployment.metadata.annotations.filter { !Annotation.notCopied.contains($0.key) }
    }

    /// A6, A8: plans a ReplicaSet for the present template.
    mutating func createNewReplicaSet() {
        let template = Self.comparable(deployment.spec.template)
        let hash = PodTemplateHash.text(of: template.json, collisionCount: deployment.status.collisionCount)
        var created = ReplicaSet(named: "\(deployment.metadata.name)-\(hash)", in: deployment.metadata.namespace)
        created.metadata.ownerReferences = [deployment.controllerReference]
        created.metadata.labels = template.metadata.labels
        created.metadata.labels[Self.hashLabel] = hash
        created.metadata.annotations = copiedAnnotations
        created.metadata.annotations[Annotation.revision] = String((replicaSets.map(\.revision).max() ?? 0) + 1)
        created.metadata.annotations[Annotation.desiredReplicas] = String(replicas)
        created.metadata.annotations[Annotation.maxReplicas] = String(replicas + maxSurge)
        created.spec.selector = deployment.spec.selector
        created.spec.selector.matchLabels[Self.hashLabel] = hash
        created.spec.template = template
        created.spec.template.metadata.labels[Self.hashLabel] = hash
        if minReadySeconds > 0 { created.spec.minReadySeconds = minReadySeconds }
        created.spec.replicas = isRolling ? growth(from: 0) : replicas
        actions.append(.create(created))
    }

    package enum Creation: Sendable {
        case created(ReplicaSet)
        /// The name was taken by this one.
        case nameTaken(by: ReplicaSet)
        case failed(message: String)
    }

    /// A8: what follows the attempt to create the new ReplicaSet.
    ///
    /// - Returns: the actions, and whether the work is to be tried again.
    package func afterCreating(_ wanted: ReplicaSet, _ outcome: Creation) -> (actions: [Action], retry: Bool) {
        var plan = self
        plan.actions = []
        var retry = false
        switch outcome {
        case .created(let created):
            plan.welcome(created)
            if created.desired > 0 {
                plan.report(
                    .normal, "ScalingReplicaSet",
                    "Scaled up replica set \(created.metadata.name) from 0 to \(created.desired)")
            }
        case .nameTaken(let other):
            let isOurs =
                other.metadata.controller?.uid == deployment.metadata.uid
                && Self.areEqual(other.spec.template, wanted.spec.template)
            if isOurs {
                plan.welcome(other)
            } else {
                plan.deployment.status.collisionCount = (deployment.status.collisionCount ?? 0) + 1
            }
            retry = true
        case .failed(let why):
            let message = "Failed to create new replica set \"\(wanted.metadata.name)\": \(why)"
            if progressDeadline != nil {
                plan.deployment.status.setCondition(
                    "Progressing", "False", reason: "ReplicaSetCreateError", message: message, now: now)
            }
            plan.report(.warning, "ReplicaSetCreateError", message)
            retry = true
        }
        plan.writeStatusIfChanged()
        return (plan.actions, retry)
    }

    private mutating func welcome(_ created: ReplicaSet) {
        if progressDeadline != nil {
            deployment.status.setCondition(
                "Progressing", "True", reason: "NewReplicaSetCreated",
                message: "Created new replica set \"\(created.metadata.name)\"", now: now)
        }
        deployment.metadata.annotations[Annotation.revision] = created.metadata.annotations[Annotation.revision]
    }

    /// A16
    mutating func cleanUp() {
        let limit = deployment.spec.revisionHistoryLimit ?? 10
        if limit == Int(Int32.max) { return }
        let olds = oldReplicaSets(besides: newReplicaSet).filter { !$0.metadata.isBeingDeleted }
        let byRevision = olds.sorted { left, right in
            left.revision != right.revision ? left.revision < right.revision : ReplicaSet.isOlder(left, right)
        }
        for old in byRevision.prefix(max(0, olds.count - limit))
        where old.desired == 0 && old.status.replicas == 0 && old.isObserved {
            actions.append(.delete(old))
        }
    }

    /// A3: the revision that an annotation asks for; 0 means the one before the present.
    var rollbackTarget: Int? { deployment.metadata.annotations[Annotation.rollbackTo].flatMap { Int($0) } }

    /// A22
    mutating func rollBack(to target: Int) {
        let name = deployment.metadata.name
        let sorted = replicaSets.sorted { $0.revision > $1.revision }
        let revision = target == 0 ? sorted.dropFirst().first?.revision ?? 0 : target
        var changed = deployment
        changed.status = stored.status
        changed.metadata.annotations[Annotation.rollbackTo] = nil
        if revision > 0, let source = sorted.first(where: { $0.revision == revision }) {
            let template = Self.comparable(source.spec.template)
            if Self.areEqual(template, deployment.spec.template) {
                report(
                    .warning, "DeploymentRollbackTemplateUnchanged",
                    "The rollback revision contains the same template as current deployment \"\(name)\"")
            } else {
                changed.spec.template = template
                let kept = changed.metadata.annotations.filter { Annotation.notCopied.contains($0.key) }
                let copied = source.metadata.annotations.filter { !Annotation.notCopied.contains($0.key) }
                changed.metadata.annotations = kept.merging(copied) { ours, _ in ours }
                report(
                    .normal, "DeploymentRollback", "Rolled back deployment \"\(name)\" to revision \(revision)")
            }
        } else {
            let message = target == 0 ? "Unable to find last revision." : "Unable to find the revision to rollback to."
            report(.warning, "DeploymentRollbackRevisionNotFound", message)
        }
        actions.append(.updateSpec(changed))
    }
}

extension ReplicaSet {
    /// Appends a revision that this ReplicaSet once was, dropping the oldest beyond the limit (A7).
    fileprivate mutating func appendHistory(_ previous: String) {
        var entries = (metadata.annotations[DeploymentPlan.Annotation.revisionHistory] ?? "")
            .split(separator: ",").map(String.init)
        entries.append(previous)
        while entries.count > 1, entries.joined(separator: ",").utf8.count > DeploymentPlan.historyLimit {
            entries.removeFirst()
        }
        metadata.annotations[DeploymentPlan.Annotation.revisionHistory] = entries.joined(separator: ",")
    }
}
