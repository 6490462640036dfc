package import Model

/// Keep the commit, or roll back: the decision at Martlet's heart, as a function of what is known.
///
/// Nothing here touches a clock, a cluster or Git. `ApplicationWorker` gathers an `Observation`, asks, persists the
/// answer and only then carries out its action. The rules are DESIGN's *rollout verdict*, by number.
package enum Verdict {
    /// What is known at one moment.
    package struct Observation: Sendable {
        package var now: Timestamp
        /// The commit that `targetRevision` stands for, when Git could be asked.
        package var target: String?
        /// The state of the resources of `rollout.revision`.
        package var health: HealthAssessment
        /// A revision that a person asks for, held or not.
        package var requested: String?

        package init(now: Timestamp, target: String?, health: HealthAssessment, requested: String? = nil) {
            self.now = now
            self.target = target
            self.health = health
            self.requested = requested
        }
    }

    package struct Decision: Hashable, Sendable {
        package var rollout: Rollout
        /// The trial in `rollout` is to be synced now.
        package var syncs: Bool
        /// Look again at this time even if nothing changes.
        package var wakeAt: Timestamp?
    }

    /// The next state. Deciding twice on the same observation changes nothing more, unless a sync came between.
    package static func decide(
        _ rollout: Rollout, _ observation: Observation, _ settings: ApplicationSettings
    ) -> Decision {
        var next = rollout
        startIfWanted(&next, observation, settings)
        judge(&next, observation, settings)
        return Decision(
            rollout: next, syncs: wantsSync(next, at: observation.now), wakeAt: wakeTime(next, observation, settings))
    }

    /// Takes in how the sync of the current trial ended (rule 1).
    package static func record(
        _ outcome: SyncOutcome, in rollout: Rollout, at now: Timestamp, _ settings: ApplicationSettings
    ) -> Rollout {
        guard var trial = rollout.trial else { return rollout }
        var next = rollout
        switch outcome {
        case .succeeded:
            trial.isSynced = true
            trial.nextAttemptAt = nil
            trial.progressedAt = now
            next.replace(trial)
        case .failed(let message) where trial.attempts < settings.retryLimit:
            trial.attempts += 1
            trial.nextAttemptAt = now + settings.retryDelay(beforeAttempt: trial.attempts)
            _ = message
            next.replace(trial)
        case .failed(let message):
            next.fail(Rollout.Failure(reason: "SyncFailed", message: message), at: now, settings)
        case .refused(let message):
            next.fail(Rollout.Failure(reason: "InvalidManifests", message: message), at: now, settings)
        }
        next.postpone(until: now + settings.retryMaximum)
        return next
    }

    /// Rule 6: a newer commit replaces one that is still being judged, or rolled back from, at once. Rule 5: a held one
    /// is taken again only when a person asks for it.
    private static func startIfWanted(
        _ rollout: inout Rollout, _ observation: Observation, _ settings: ApplicationSettings
    ) {
        if let requested = observation.requested {
            rollout.release(requested)
            if settings.isAutomated, let target = observation.target, target != requested {
                // Else automated sync would undo at once what was asked for.
                let why = "revision \(PinnedRevision.short(requested)) was asked for by hand"
                rollout.hold(
                    Rollout.Held(
                        revision: target, failure: Rollout.Failure(reason: "ManualRollback", message: why),
                        heldAt: observation.now, rolledBackTo: requested))
            }
            rollout.phase = .judging(Rollout.Trial(requested, at: observation.now))
            return
        }
        guard settings.isAutomated, let target = observation.target, !rollout.isHeld(target) else { return }
        if target != rollout.revision {
            rollout.phase = .judging(Rollout.Trial(target, at: observation.now))
        } else if case .rolledBack = rollout.phase, rollout.lastHealthy == target {
            // Git itself went back to the last healthy revision: there is nothing left to say.
            rollout.phase = .healthy(revision: target)
        }
    }

    private static func judge(
        _ rollout: inout Rollout, _ observation: Observation, _ settings: ApplicationSettings
    ) {
        let now = observation.now
        switch rollout.phase {
        case .idle, .rolledBack: break
        case .healthy:
            // Rule 3's early judgement rests on how long healthy pods took to start.
            rollout.slowestStart = longer(rollout.slowestStart, observation.health.slowestStart)
        case .judging(var trial):
            guard trial.isSynced else { return }
            switch look(&trial, observation, settings, bakeTime: settings.bakeTime) {
            case .waiting: rollout.phase = .judging(trial)
            case .healthy: rollout.promote(trial.revision, observation.health)
            case .failed(let failure): rollout.fail(failure, at: now, settings)
            }
        case .rollingBack(let from, var trial):
            guard trial.isSynced else { return }
            switch look(&trial, observation, settings, bakeTime: .zero) {
            case .waiting: rollout.phase = .rollingBack(from: from, trial)
            case .healthy:
                rollout.phase =
                    observation.target == trial.revision && trial.workloads.isEmpty
                    ? .healthy(revision: trial.revision) : .rolledBack(from: from, to: trial)
            case .failed(let failure): rollout.fail(failure, at: now, settings)
            }
        case .degraded(var trial, let failure):
            guard trial.isSynced else { return }
            // What recovers by itself is taken back: the fault was not the commit's.
            if case .healthy = look(&trial, observation, settings, bakeTime: settings.bakeTime) {
                rollout.release(trial.revision)
                rollout.promote(trial.revision, observation.health)
            } else {
                rollout.phase = .degraded(trial, failure)
            }
        }
    }

    private enum Look {
        case waiting
        case healthy
        case failed(Rollout.Failure)
    }

    /// Rules 2 and 3 for one trial.
    private static func look(
        _ trial: inout Rollout.Trial, _ observation: Observation, _ settings: ApplicationSettings, bakeTime: Duration
    ) -> Look {
        let (now, health) = (observation.now, observation.health)
        if let failure = health.failure { return .failed(failure) }
        if health.progress > trial.progress {
            trial.progress = health.progress
            trial.progressedAt = now
        }
        if health.status == .healthy {
            let since = trial.healthySince ?? now
            trial.healthySince = since
            return now >= since + bakeTime ? .healthy : .waiting
        }
        trial.healthySince = nil
        guard now >= trial.progressedAt + settings.healthTimeout else { return .waiting }
        let message = "no progress for \(DurationText.text(settings.healthTimeout)); \(health.message)"
        return .failed(Rollout.Failure(reason: "HealthTimeout", message: message, resource: health.resource))
    }

    private static func wantsSync(_ rollout: Rollout, at now: Timestamp) -> Bool {
        guard let trial = rollout.trial, !trial.isSynced, !rollout.hasGivenUp else { return false }
        return trial.nextAttemptAt.map { now >= $0 } ?? true
    }

    private static func wakeTime(
        _ rollout: Rollout, _ observation: Observation, _ settings: ApplicationSettings
    ) -> Timestamp? {
        guard let trial = rollout.trial else { return nil }
        guard trial.isSynced else { return rollout.hasGivenUp ? nil : trial.nextAttemptAt }
        switch rollout.phase {
        case .idle, .healthy, .rolledBack: return nil
        case .judging, .rollingBack, .degraded:
            if let since = trial.healthySince { return since + settings.bakeTime }
            if case .degraded = rollout.phase { return nil }
            let timeout = trial.progressedAt + settings.healthTimeout
            return observation.health.checkAgainAt.map { min($0, timeout) } ?? timeout
        }
    }

    private static func longer(_ left: Duration?, _ right: Duration?) -> Duration? {
        guard let left, let right else { return left ?? right }
        return max(left, right)
    }
}

/// How the sync of a revision ended.
package enum SyncOutcome: Hashable, Sendable {
    case succeeded
    /// Something went wrong that may go right another time.
    case failed(String)
    /// The revision cannot be applied as it is; nothing was changed.
    case refused(String)
}

extension Rollout {
    /// Rule 5 for a revision that nothing could replace: being held, it is not synced again by itself.
    fileprivate var hasGivenUp: Bool {
        guard case .degraded(let trial, _) = phase else { return false }
        return isHeld(trial.revision)
    }

    /// Returning to a healthy revision is never given up: when its sync has failed too, it is tried again, slowly.
    fileprivate mutating func postpone(until time: Timestamp) {
        guard case .degraded(var trial, let failure) = phase, !trial.isSynced, !hasGivenUp else { return }
        trial.nextAttemptAt = time
        phase = .degraded(trial, failure)
    }

    fileprivate mutating func replace(_ trial: Trial) {
        switch phase {
        case .judging: phase = .judging(trial)
        case .rollingBack(let from, _): phase = .rollingBack(from: from, trial)
        case .rolledBack(let from, _): phase = .rolledBack(from: from, to: trial)
        case .degraded(_, let failure): phase = .degraded(trial, failure)
        case .idle, .healthy: break
        }
    }

    fileprivate mutating func promote(_ revision: String, _ health: HealthAssessment) {
        lastHealthy = revision
        // A healthy revision starts the measure anew: the next one is compared with it, not with all before.
        slowestStart = health.slowestStart ?? slowestStart
        phase = .healthy(revision: revision)
    }

    /// Rules 4 and 5: hold the revision and return to the last healthy one, if that is possible and was not just tried.
    fileprivate mutating func fail(_ failure: Failure, at now: Timestamp, _ settings: ApplicationSettings) {
        guard case .judging(let trial) = phase else {
            failReturning(failure, at: now)
            return
        }
        let target = rollbackTarget(from: trial.revision, settings)
        hold(Held(revision: trial.revision, failure: failure, heldAt: now, rolledBackTo: target))
        guard let target else {
            var failure = failure
            failure.message += " (\(whyNoRollback(from: trial.revision, settings)))"
            phase = .degraded(trial, failure)
            return
        }
        var back = Trial(target, at: now)
        if settings.rollback == .workload, !failure.resource.isEmpty { back.workloads = [failure.resource] }
        phase = .rollingBack(from: trial.revision, back)
    }

    private mutating func failReturning(_ failure: Failure, at now: Timestamp) {
        guard case .rollingBack(_, let trial) = phase else { return }
        var failure = failure
        failure.message =
            "the rollback to \(PinnedRevision.short(trial.revision)) did not become healthy either: \(failure.message)"
        phase = .degraded(trial, failure)
    }

    /// Never a revision that itself failed, and never the one that just did.
    private func rollbackTarget(from revision: String, _ settings: ApplicationSettings) -> String? {
        guard settings.rollback != .off, let target = lastHealthy, target != revision, !isHeld(target) else {
            return nil
        }
        return target
    }

    /// Why there is no `rollbackTarget`.
    private func whyNoRollback(from revision: String, _ settings: ApplicationSettings) -> String {
        if settings.rollback == .off { return "rollback is off" }
        guard let lastHealthy, lastHealthy != revision else {
            return "no earlier revision was healthy, so there is nothing to return to"
        }
        return
            "the last healthy revision, \(PinnedRevision.short(lastHealthy)), is held, so there is nothing to return to"
    }
}
