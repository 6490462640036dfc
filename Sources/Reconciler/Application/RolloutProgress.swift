package import Kinds
package import Model

/// How far an Application's rollout has come, in words: read from its status, for a person who looks at it.
package struct RolloutProgress: Hashable, Sendable {
    /// The phase, as `status.rollout` has it.
    package var phase: String
    /// What the phase is about at this moment: what it waits for, or how long it bakes; empty when it is over.
    package var detail: String
    /// The resources that are not healthy yet, each with its message: `Deployment web: 1 of 3 …`.
    package var waitsFor: [String] = []

    /// - Parameter now: the reader's time, for what is left of the bake time.
    package init(_ application: Application, at now: Timestamp) {
        let status = application.status
        guard let rollout = status.rollout, let phase = rollout.phase else {
            self.phase = "Idle"
            detail = ""
            return
        }
        self.phase = phase
        detail = ""
        guard phase == "Judging" || phase == "RollingBack" else { return }
        guard rollout.synced == true else {
            detail = Self.syncing(rollout, at: now)
            return
        }
        if let since = rollout.healthySince?.time, let bakeTime = Self.bakeTime(of: application), phase == "Judging" {
            let left = max(.zero, since + bakeTime - now)
            // Whole seconds, and never none while it bakes.
            let seconds = max(1, Int((Double(left.wholeNanoseconds) / 1e9).rounded(.up)))
            detail = "baking, healthy in \(DurationText.text(.seconds(seconds)))"
            return
        }
        let healthy: Set<String> = ["Healthy", "Suspended"]
        let sick = status.resources.filter { resource in resource.health?.status.map { !healthy.contains($0) } ?? false
        }
        waitsFor = sick.map { "\($0.kind) \($0.name): \($0.health?.message ?? $0.health?.status ?? "")" }
        guard let first = sick.first else { return }
        detail = "waiting for \(first.kind) \(first.name)" + (sick.count > 1 ? " and \(sick.count - 1) more" : "")
    }

    private static func syncing(_ rollout: RolloutStatus, at now: Timestamp) -> String {
        guard let attempts = rollout.attempts, attempts > 0 else { return "syncing" }
        let tried = attempts == 1 ? "once" : "\(attempts) times"
        guard let next = rollout.nextAttemptAt?.time, next > now else { return "syncing, tried \(tried)" }
        let seconds = max(1, (next - now).components.seconds)
        return "sync failed \(tried), again in \(DurationText.text(.seconds(seconds)))"
    }

    /// `nil` when the Application says it in a way that is refused.
    private static func bakeTime(of application: Application) -> Duration? {
        guard let text = application.metadata.annotations[ApplicationSettings.bakeTimeAnnotation] else {
            return ApplicationSettings().bakeTime
        }
        return DurationText.parse(text)
    }

    /// The phase with its detail: `Judging (baking, healthy in 8s)`.
    package var text: String { detail.isEmpty ? phase : "\(phase) (\(detail))" }
}
