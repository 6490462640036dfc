package import Kinds
package import Model

/// Everything that an Application's status is made of; `status` turns it into the API's shape.
package struct StatusReport: Sendable {
    package var rollout: Rollout
    package var target: String?
    package var health = HealthAssessment()
    /// `status.resources`: the inventory, i.e. what the application has created or is about to. See `resources(_:…)`.
    package var resources: JSON
    package var outOfSync: Set<ObjectKey> = []
    /// `type` → message of what is wrong.
    package var conditions: [String: String] = [:]
    package var operationState: OperationState?
    package var history: [RevisionHistory]
    package var isCompared = false
    /// The bases that `rollout.revision` is built on; `nil` while they are not known.
    package var bases: [BaseRevision]?
    /// Where the manifests that are reported on come from.
    package var source: ApplicationSource?

    package init(rollout: Rollout, resources: JSON = .array([]), history: [RevisionHistory]) {
        self.rollout = rollout
        self.resources = resources
        self.history = history
    }

    package var syncStatus: String {
        // As in Argo CD, nothing is known while Git cannot be asked.
        guard let target, conditions["ComparisonError"] == nil else { return "Unknown" }
        // Nothing of what Git says is there yet.
        if rollout.phase == .idle { return "OutOfSync" }
        // What was compared is the revision before, when this one is being synced or was refused.
        if let trial = rollout.trial, !trial.isSynced { return "OutOfSync" }
        guard isCompared else { return "Unknown" }
        return target == rollout.revision && outOfSync.isEmpty && !isPartial ? "Synced" : "OutOfSync"
    }

    /// With a `workload` rollback the cluster shows no commit exactly.
    private var isPartial: Bool { !(rollout.trial?.workloads.isEmpty ?? true) }

    /// - Parameter old: where unchanged times are taken from, so that an unchanged state gives an unchanged status.
    package func status(after old: ApplicationStatus, at now: Timestamp) -> ApplicationStatus {
        var status = old
        status.sync.status = syncStatus
        status.sync.revision = (rollout.revision ?? target).map { PinnedRevision($0).commit }
        if let bases { status.sync.bases = bases }
        if let source { status.sync.comparedTo = ["source": source.json] }
        let healthStatus = overallHealth
        if status.health.status != healthStatus.status.rawValue { status.health.lastTransitionTime = now }
        status.health.status = healthStatus.status.rawValue
        status.health.message = healthStatus.message.isEmpty ? nil : healthStatus.message
        status.operationState = operationState ?? old.operationState
        status.history = history
        status.conditions = conditionList(old.conditions, at: now)
        // As it is: an equal list that shares its storage is compared at once.
        status.json["resources"] = resources
        var rolloutStatus = rollout.status(at: now)
        if rollout.trial == nil, old.rollout?.revision == rollout.revision {
            rolloutStatus.startedAt = old.rollout?.startedAt
        }
        status.rollout = rolloutStatus
        status.sourceType = "Directory"
        return status
    }

    private var overallHealth: Health {
        if rollout.phase == .idle { return Health(target == nil ? .unknown : .missing, "nothing was synced yet") }
        if case .degraded(_, let failure) = rollout.phase { return Health(.degraded, failure.message) }
        return Health(health.status, health.message)
    }

    private func conditionList(_ old: [ApplicationCondition], at now: Timestamp) -> [ApplicationCondition] {
        var messages = conditions
        for held in rollout.held {
            let back = held.rolledBackTo.map { "; rolled back to \(PinnedRevision.short($0))" } ?? ""
            let (revision, failure) = (PinnedRevision.short(held.revision), held.failure)
            messages["RevisionHeld"] = "revision \(revision) is held (\(failure.reason)): \(failure.message)\(back)"
        }
        return messages.sorted { $0.key < $1.key }.map { type, message in
            let same = old.first { $0.type == type && $0.message == message }
            var condition = ApplicationCondition()
            condition.type = type
            condition.message = message
            condition.lastTransitionTime = same?.lastTransitionTime ?? now
            return condition
        }
    }

    /// The list of resources: one entry for each key.
    ///
    /// - Parameter version: in which version a kind is served.
    package static func resources(
        _ keys: [ObjectKey], outOfSync: Set<ObjectKey>, health: [ObjectKey: Health], version: (GroupKind) -> String
    ) -> JSON {
        .array(
            keys.map { key in
                var resource = ApplicationResourceStatus()
                resource.group = key.kind.group.isEmpty ? nil : key.kind.group
                resource.version = version(key.kind)
                resource.kind = key.kind.kind
                resource.namespace = key.namespace.isEmpty ? nil : key.namespace
                resource.name = key.name
                resource.status = outOfSync.contains(key) ? "OutOfSync" : "Synced"
                if let health = health[key] {
                    var status = HealthStatus()
                    status.status = health.status.rawValue
                    status.message = health.message.isEmpty ? nil : health.message
                    resource.health = status
                }
                return resource.json
            })
    }
}

extension ApplicationStatus {
    /// The objects that the status lists: what the application has created.
    package var inventory: Set<ObjectKey> {
        Set(
            resources.map {
                ObjectKey(
                    kind: GroupKind(group: $0.group ?? "", kind: $0.kind), namespace: $0.namespace ?? "", name: $0.name)
            })
    }
}
