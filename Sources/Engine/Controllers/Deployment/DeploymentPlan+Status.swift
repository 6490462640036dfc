package import Kinds
import Model

/// What the Deployment says about itself.
extension DeploymentPlan {
    /// A4
    mutating func notePause() {
        guard progressDeadline != nil else { return }
        let condition = deployment.status.condition("Progressing")
        if condition?.reason == "ProgressDeadlineExceeded" { return }
        let isNoted = condition?.reason == "DeploymentPaused"
        let isPaused = deployment.spec.paused == true
        if isPaused, !isNoted {
            deployment.status.setCondition(
                "Progressing", "Unknown", reason: "DeploymentPaused", message: "Deployment is paused", now: now)
        } else if !isPaused, isNoted {
            deployment.status.setCondition(
                "Progressing", "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed", now: now)
        }
    }

    /// A17: computes the status and plans to write it where it differs from the stored one.
    ///
    /// - Parameter inRollout: whether this sync is part of a rollout (A20, A21).
    mutating func finishWithStatus(inRollout: Bool = true) {
        let new = newReplicaSet
        let availableReplicas = replicaSets.map { $0.status.availableReplicas ?? 0 }.reduce(0, +)
        var status = deployment.status
        status.observedGeneration = deployment.metadata.generation
        status.replicas = replicaSets.map(\.status.replicas).reduce(0, +).unlessZero
        status.updatedReplicas = (new?.status.replicas ?? 0).unlessZero
        status.readyReplicas = replicaSets.map { $0.status.readyReplicas ?? 0 }.reduce(0, +).unlessZero
        status.availableReplicas = availableReplicas.unlessZero
        status.unavailableReplicas = max(0, sizeBefore - availableReplicas).unlessZero
        let terminating = replicaSets.map(\.status.terminatingReplicas)
        status.terminatingReplicas = terminating.contains(nil) ? nil : terminating.compactMap { $0 }.reduce(0, +)
        // A18
        if availableReplicas >= replicas - maxUnavailable {
            status.setCondition(
                "Available", "True", reason: "MinimumReplicasAvailable",
                message: "Deployment has minimum availability.", now: now)
        } else {
            status.setCondition(
                "Available", "False", reason: "MinimumReplicasUnavailable",
                message: "Deployment does not have minimum availability.", now: now)
        }
        if inRollout {
            judgeProgress(of: &status, name: new?.metadata.name)
            copyFailure(to: &status, new: new)
        }
        deployment.status = status
        writeStatusIfChanged()
    }

    mutating func writeStatusIfChanged() {
        if deployment != stored { actions.append(.updateStatus(deployment)) }
    }

    /// Whether there may be more to do once the planned status is written: cleaning up waits for one that says for the
    /// first time that the rollout is complete (A11), and scaling may look at the size that it tells (A14).
    package var goesOnAfterStatus: Bool {
        isComplete(deployment.status) && !isComplete(stored.status) || deployment.spec.paused == true || isScalingEvent
    }

    /// Whether a ReplicaSet gets another size, which its controller answers with a status.
    package var isAnswered: Bool {
        actions.contains { action in
            guard case .update(let changed) = action else { return false }
            return sizes[changed.metadata.uid] != changed.desired
        }
    }

    /// A20
    func isComplete(_ status: DeploymentStatus) -> Bool {
        status.updatedReplicas ?? 0 == replicas && status.replicas ?? 0 == replicas
            && status.availableReplicas ?? 0 == replicas
            && status.observedGeneration ?? 0 >= deployment.metadata.generation ?? 0
    }

    /// A20
    private func isProgressing(_ status: DeploymentStatus) -> Bool {
        let old = stored.status
        let stale = { (status: DeploymentStatus) in (status.replicas ?? 0) - (status.updatedReplicas ?? 0) }
        return status.updatedReplicas ?? 0 > old.updatedReplicas ?? 0 || stale(status) < stale(old)
            || status.readyReplicas ?? 0 > old.readyReplicas ?? 0
            || status.availableReplicas ?? 0 > old.availableReplicas ?? 0
    }

    /// A20
    private mutating func judgeProgress(of status: inout DeploymentStatus, name: String?) {
        guard let deadline = progressDeadline else { return status.removeCondition("Progressing") }
        let current = status.condition("Progressing")
        let subject = name.map { "ReplicaSet \"\($0)\"" } ?? "Deployment \"\(deployment.metadata.name)\""
        let isSettled =
            status.replicas ?? 0 == status.updatedReplicas ?? 0 && current?.reason == "NewReplicaSetAvailable"
        if isSettled { return }
        if isComplete(status) {
            status.setCondition(
                "Progressing", "True", reason: "NewReplicaSetAvailable",
                message: "\(subject) has successfully progressed.", now: now)
        } else if isProgressing(status) {
            status.removeCondition("Progressing")
            status.setCondition(
                "Progressing", "True", reason: "ReplicaSetUpdated", message: "\(subject) is progressing.", now: now,
                since: current?.status == "True" ? current?.lastTransitionTime : nil)
        } else if let current, current.reason != "NewReplicaSetAvailable" {
            let due = (current.lastUpdateTime ?? now) + deadline
            if current.reason == "ProgressDeadlineExceeded" || due < now {
                status.setCondition(
                    "Progressing", "False", reason: "ProgressDeadlineExceeded",
                    message: "\(subject) has timed out progressing.", now: now)
            }
        }
        if let progress = status.condition("Progressing"), progress.reason != "NewReplicaSetAvailable",
            progress.reason != "ProgressDeadlineExceeded"
        {
            checkAgainAt = max(now, (progress.lastUpdateTime ?? now) + deadline) + .seconds(1)
        }
    }

    /// A21
    private func copyFailure(to status: inout DeploymentStatus, new: ReplicaSet?) {
        let ordered = [new].compactMap { $0 } + oldReplicaSets(besides: new)
        let failure = ordered.lazy.compactMap { replicaSet in
            replicaSet.status.conditions.first { $0.type == "ReplicaFailure" && $0.status == "True" }
        }.first
        guard let failure else { return status.removeCondition("ReplicaFailure") }
        status.setCondition(
            "ReplicaFailure", failure.status, reason: failure.reason ?? "", message: failure.message ?? "",
            now: failure.lastTransitionTime ?? now)
    }
}

extension DeploymentStatus {
    package func condition(_ type: String) -> DeploymentCondition? { conditions.first { $0.type == type } }

    /// A19: a condition with equal status and reason is left as it is.
    ///
    /// - Parameter since: when the condition took its status, if that was before now.
    mutating func setCondition(
        _ type: String, _ value: String, reason: String, message: String, now: Timestamp, since: Timestamp? = nil
    ) {
        let current = condition(type)
        if current?.status == value, current?.reason == reason { return }
        var new = DeploymentCondition()
        new.type = type
        new.status = value
        new.lastUpdateTime = now
        new.lastTransitionTime = since ?? (current?.status == value ? current?.lastTransitionTime : nil) ?? now
        new.reason = reason
        new.message = message
        conditions = conditions.filter { $0.type != type } + [new]
    }

    mutating func removeCondition(_ type: String) {
        conditions = conditions.filter { $0.type != type }
    }
}

extension Int {
    /// Kubernetes leaves counts of zero out of a status.
    var unlessZero: Int? { self == 0 ? nil : self }
}
