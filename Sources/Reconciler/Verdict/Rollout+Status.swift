package import Kinds
package import Model

/// `Rollout` as `status.rollout` and back, without loss.
extension Rollout {
    package init(_ status: RolloutStatus?) {
        self.init()
        guard let status else { return }
        let held = status.held.map {
            Held(
                revision: $0.revision,
                failure: Failure(reason: $0.reason, message: $0.message ?? "", resource: $0.resource ?? ""),
                heldAt: $0.heldAt?.time ?? Timestamp(seconds: 0), rolledBackTo: $0.rolledBackTo)
        }
        self.init(
            phase: Self.phase(status), lastHealthy: status.lastHealthyRevision, held: held,
            slowestStart: status.slowestStartMilliseconds.map { .milliseconds($0) })
    }

    /// An unknown phase, which an older or newer version may have written, starts over: syncing again is harmless.
    private static func phase(_ status: RolloutStatus) -> Phase {
        guard let revision = status.revision, let started = status.startedAt?.time else { return .idle }
        var trial = Trial(revision, at: started)
        trial.isSynced = status.synced ?? false
        trial.attempts = status.attempts ?? 0
        trial.nextAttemptAt = status.nextAttemptAt?.time
        trial.progressedAt = status.progressedAt?.time ?? started
        trial.progress = status.progress ?? 0
        trial.healthySince = status.healthySince?.time
        trial.workloads = status.workloads
        switch status.phase {
        case "Judging": return .judging(trial)
        case "Healthy": return .healthy(revision: revision)
        case "RollingBack": return .rollingBack(from: status.rolledBackFrom ?? "", trial)
        case "RolledBack": return .rolledBack(from: status.rolledBackFrom ?? "", to: trial)
        case "Degraded":
            let failure = Failure(
                reason: status.reason ?? "", message: status.message ?? "", resource: status.resource ?? "")
            return .degraded(trial, failure)
        default: return .idle
        }
    }

    /// The name of the phase, for people.
    package var phaseName: String {
        switch phase {
        case .idle: "Idle"
        case .judging: "Judging"
        case .healthy: "Healthy"
        case .rollingBack: "RollingBack"
        case .rolledBack: "RolledBack"
        case .degraded: "Degraded"
        }
    }

    /// - Parameter now: stands in for the start of a phase that keeps none.
    package func status(at now: Timestamp) -> RolloutStatus {
        var status = RolloutStatus()
        status.phase = phaseName
        status.revision = revision
        status.startedAt = (trial?.startedAt ?? now).micro
        if case .rollingBack(let from, _) = phase { status.rolledBackFrom = from }
        if case .rolledBack(let from, _) = phase { status.rolledBackFrom = from }
        if case .degraded(_, let failure) = phase {
            status.reason = failure.reason
            status.message = failure.message
            status.resource = failure.resource.isEmpty ? nil : failure.resource
        }
        if let trial {
            status.synced = trial.isSynced
            status.attempts = trial.attempts == 0 ? nil : trial.attempts
            status.nextAttemptAt = trial.nextAttemptAt?.micro
            status.progressedAt = trial.progressedAt.micro
            status.progress = trial.progress
            status.healthySince = trial.healthySince?.micro
            status.workloads = trial.workloads
        }
        status.lastHealthyRevision = lastHealthy
        status.slowestStartMilliseconds = slowestStart.map { Int($0.wholeNanoseconds / 1_000_000) }
        status.held = held.map(Self.status)
        return status
    }

    private static func status(_ entry: Held) -> HeldRevision {
        var held = HeldRevision()
        held.revision = entry.revision
        held.reason = entry.failure.reason
        held.message = entry.failure.message
        held.resource = entry.failure.resource.isEmpty ? nil : entry.failure.resource
        held.heldAt = entry.heldAt.micro
        held.rolledBackTo = entry.rolledBackTo
        return held
    }
}

extension Timestamp {
    fileprivate var micro: MicroTimestamp { MicroTimestamp(self) }
}
