import Model
import Testing

@testable import Reconciler

/// The rollout verdict of docs/ARCHITECTURE.md, rule by rule.
@Suite("Verdict")
struct VerdictTests {
    let settings: ApplicationSettings = {
        var settings = ApplicationSettings()
        settings.isAutomated = true
        return settings
    }()
    let start = Timestamp(seconds: 1_000_000)

    private func decide(
        _ rollout: Rollout, target: String?, _ health: HealthAssessment = HealthAssessment(), after seconds: Int = 0,
        requested: String? = nil, with settings: ApplicationSettings? = nil
    ) -> Verdict.Decision {
        let observation = Verdict.Observation(
            now: start + .seconds(seconds), target: target, health: health, requested: requested)
        return Verdict.decide(rollout, observation, settings ?? self.settings)
    }

    /// A rollout in which `revision` was synced at the start and is being judged.
    private func judging(_ revision: String, lastHealthy: String? = nil) -> Rollout {
        var rollout = Rollout()
        rollout.lastHealthy = lastHealthy
        if let lastHealthy { rollout.phase = .healthy(revision: lastHealthy) }
        let decision = decide(rollout, target: revision)
        #expect(decision.syncs)
        return Verdict.record(.succeeded, in: decision.rollout, at: start, settings)
    }

    private var failing: HealthAssessment {
        HealthAssessment(
            status: .degraded, message: "pods crash",
            failure: Rollout.Failure(reason: "CrashLoopBackOff", message: "pods crash", resource: "Deployment.apps a/b")
        )
    }

    private var progressing: HealthAssessment { HealthAssessment(status: .progressing, message: "waiting") }

    @Test("1: a new commit is synced once")
    func syncsNewCommit() {
        let decision = decide(Rollout(), target: "a")
        #expect(decision.syncs)
        #expect(decision.rollout.revision == "a")
        let synced = Verdict.record(.succeeded, in: decision.rollout, at: start, settings)
        #expect(!decide(synced, target: "a", progressing).syncs)
    }

    @Test(
        "1: a revision that cannot be synced, with none to return to, is neither synced again nor looked at in a loop",
        arguments: [true, false])
    func restsAfterFailedSync(isRefused: Bool) {
        var rollout = decide(Rollout(), target: "a").rollout
        for attempt in 0...settings.retryLimit where rollout.phaseName == "Judging" {
            let outcome: SyncOutcome = isRefused ? .refused("no such field") : .failed("network")
            rollout = Verdict.record(outcome, in: rollout, at: start + .seconds(attempt * 200), settings)
        }
        #expect(rollout.phaseName == "Degraded")
        for second in [1000, 2000, 10_000] {
            let decision = decide(rollout, target: "a", progressing, after: second)
            #expect(!decision.syncs)
            #expect(decision.wakeAt == nil)
            rollout = decision.rollout
        }
        #expect(decide(rollout, target: "b", after: 20_000).syncs)
    }

    @Test("1: without automated sync a new commit waits for a request")
    func manualSync() {
        var manual = settings
        manual.isAutomated = false
        #expect(decide(Rollout(), target: "a", with: manual).rollout.phase == .idle)
        #expect(decide(Rollout(), target: "a", requested: "a", with: manual).syncs)
    }

    @Test("1: a sync that fails is tried again with growing delays, then counts as a failure")
    func retriesSync() {
        var rollout = decide(Rollout(), target: "a").rollout
        var delays: [Duration] = []
        for _ in 0..<settings.retryLimit {
            rollout = Verdict.record(.failed("the server is away"), in: rollout, at: start, settings)
            delays.append((rollout.trial?.nextAttemptAt ?? start) - start)
            #expect(!decide(rollout, target: "a").syncs)
        }
        #expect(delays == [5, 10, 20, 40, 80].map { .seconds($0) })
        rollout = Verdict.record(.failed("the server is away"), in: rollout, at: start, settings)
        #expect(rollout.isHeld("a"))
        #expect(rollout.phaseName == "Degraded")
    }

    @Test("5: a first revision that cannot be applied is held, and not synced again by itself")
    func givesUp() {
        let first = decide(Rollout(), target: "bad").rollout
        let refused = Verdict.record(.refused("a.yaml:1:1: no such field"), in: first, at: start, settings)
        #expect(refused.phaseName == "Degraded" && refused.isHeld("bad"))
        let later = decide(refused, target: "bad", progressing, after: 10_000)
        #expect(!later.syncs && later.wakeAt == nil && later.rollout == refused)
        #expect(decide(refused, target: "bad", requested: "bad").syncs)
        #expect(decide(refused, target: "fix").syncs)
    }

    @Test("4: a rollback whose sync fails for good is tried again, with the longest delay")
    func goesOnReturning() {
        let back = decide(judging("bad", lastHealthy: "good"), target: "bad", failing, after: 3).rollout
        let refused = Verdict.record(.refused("the disk is full"), in: back, at: start, settings)
        #expect(refused.phaseName == "Degraded" && refused.revision == "good")
        let soon = decide(refused, target: "bad", progressing, after: 100)
        #expect(!soon.syncs && soon.wakeAt == start + settings.retryMaximum)
        #expect(decide(refused, target: "bad", progressing, after: 180).syncs)
        let again = Verdict.record(.failed("the server is away"), in: refused, at: start + .seconds(180), settings)
        #expect(!decide(again, target: "bad", progressing, after: 200).syncs)
    }

    @Test("2: a revision is healthy only after it stayed so for the bake time")
    func bakes() {
        let judging = judging("a")
        let first = decide(judging, target: "a", after: 1)
        #expect(first.rollout.phaseName == "Judging")
        #expect(first.wakeAt == start + .seconds(11))
        let relapse = decide(first.rollout, target: "a", progressing, after: 5)
        #expect(relapse.rollout.trial?.healthySince == nil)
        let again = decide(relapse.rollout, target: "a", after: 6)
        #expect(decide(again.rollout, target: "a", after: 15).rollout.phaseName == "Judging")
        let healthy = decide(again.rollout, target: "a", after: 16).rollout
        #expect(healthy.phase == .healthy(revision: "a"))
        #expect(healthy.lastHealthy == "a")
    }

    @Test("3, 4, 5: what certainly fails is rolled back to the last healthy revision and held with its reason")
    func rollsBack() throws {
        let decision = decide(judging("bad", lastHealthy: "good"), target: "bad", failing, after: 3)
        #expect(decision.syncs)
        #expect(decision.rollout.revision == "good")
        #expect(decision.rollout.phaseName == "RollingBack")
        let held = try #require(decision.rollout.held.first)
        #expect(held.revision == "bad" && held.failure.reason == "CrashLoopBackOff" && held.rolledBackTo == "good")
        let synced = Verdict.record(.succeeded, in: decision.rollout, at: start + .seconds(4), settings)
        let back = decide(synced, target: "bad", after: 5).rollout
        #expect(back.phaseName == "RolledBack")
        #expect(decide(back, target: "bad", after: 500).rollout == back)
    }

    @Test("3: the health timeout counts from the last progress")
    func timesOut() {
        var advanced = progressing
        advanced.progress = 3
        let further = decide(judging("bad", lastHealthy: "good"), target: "bad", advanced, after: 500).rollout
        #expect(decide(further, target: "bad", advanced, after: 1099).rollout.phaseName == "Judging")
        let late = decide(further, target: "bad", advanced, after: 1100).rollout
        #expect(late.held.first?.failure.reason == "HealthTimeout")
    }

    @Test("4: with rollback off a failed revision stays, degraded and held")
    func rollbackOff() {
        var off = settings
        off.rollback = .off
        let rollout = decide(judging("bad", lastHealthy: "good"), target: "bad", failing, with: off).rollout
        #expect(rollout.phaseName == "Degraded")
        #expect(rollout.isHeld("bad"))
    }

    @Test("4: policy workload sends only the failed Deployment back")
    func rollbackWorkload() {
        var workload = settings
        workload.rollback = .workload
        let rollout = decide(judging("bad", lastHealthy: "good"), target: "bad", failing, with: workload).rollout
        #expect(rollout.trial?.workloads == ["Deployment.apps a/b"])
    }

    @Test("4: never back to a revision that itself failed")
    func neverToFailed() {
        var rollout = judging("bad", lastHealthy: "good")
        rollout.hold(
            Rollout.Held(revision: "good", failure: Rollout.Failure(reason: "x", message: ""), heldAt: start))
        guard case .degraded(_, let failure) = decide(rollout, target: "bad", failing).rollout.phase else {
            Issue.record("expected a degraded rollout")
            return
        }
        #expect(
            failure.message.hasSuffix("(the last healthy revision, good, is held, so there is nothing to return to)"))
    }

    @Test("5: a first deployment that fails stays degraded and says that there is nothing to return to")
    func firstDeployment() {
        let rollout = decide(judging("bad"), target: "bad", failing).rollout
        guard case .degraded(_, let failure) = rollout.phase else {
            Issue.record("expected a degraded rollout, got \(rollout.phaseName)")
            return
        }
        #expect(failure.message.contains("nothing to return to"))
    }

    @Test("5: a held revision is taken again only by request")
    func retry() {
        let decision = decide(judging("bad", lastHealthy: "good"), target: "bad", failing)
        let back = Verdict.record(.succeeded, in: decision.rollout, at: start, settings)
        let settled = decide(back, target: "bad", after: 1).rollout
        #expect(!decide(settled, target: "bad", after: 2).syncs)
        let retried = decide(settled, target: "bad", after: 3, requested: "bad")
        #expect(retried.syncs && !retried.rollout.isHeld("bad"))
    }

    @Test("5: what recovers by itself is no longer held")
    func recovers() {
        let degraded = decide(judging("slow"), target: "slow", failing).rollout
        let better = decide(degraded, target: "slow", after: 20).rollout
        let healthy = decide(better, target: "slow", after: 31).rollout
        #expect(healthy.phase == .healthy(revision: "slow"))
        #expect(!healthy.isHeld("slow"))
    }

    @Test("6: a newer commit replaces one that is being judged, or rolled back from, at once")
    func newerCommit() {
        let judged = judging("bad", lastHealthy: "good")
        #expect(decide(judged, target: "fix", progressing).rollout.revision == "fix")
        let back = decide(judged, target: "bad", failing).rollout
        let fixed = decide(back, target: "fix", progressing)
        #expect(fixed.syncs && fixed.rollout.revision == "fix")
    }

    @Test("a rollback asked for by hand is not undone by automated sync")
    func manualRollback() {
        var rollout = Rollout()
        rollout.phase = .healthy(revision: "b")
        rollout.lastHealthy = "b"
        let decision = decide(rollout, target: "b", requested: "a")
        #expect(decision.syncs && decision.rollout.revision == "a")
        let synced = Verdict.record(.succeeded, in: decision.rollout, at: start, settings)
        let settled = decide(synced, target: "b", after: 30).rollout
        #expect(settled.revision == "a")
        #expect(decide(settled, target: "c", after: 31).rollout.revision == "c")
    }

    @Test("every phase survives being written to the status and read back")
    func roundTrips() {
        var trial = Rollout.Trial("abc", at: start)
        trial.isSynced = true
        trial.attempts = 2
        trial.progress = 7
        trial.workloads = ["Deployment.apps a/b"]
        trial.healthySince = start + .milliseconds(1500)
        let failure = Rollout.Failure(reason: "r", message: "m", resource: "x")
        let phases: [Rollout.Phase] = [
            .idle, .judging(trial), .healthy(revision: "abc"), .rollingBack(from: "bad", trial),
            .rolledBack(from: "bad", to: trial), .degraded(trial, failure),
        ]
        for phase in phases {
            let rollout = Rollout(
                phase: phase, lastHealthy: "abc",
                held: [Rollout.Held(revision: "bad", failure: failure, heldAt: start, rolledBackTo: "abc")],
                slowestStart: .seconds(3))
            #expect(Rollout(rollout.status(at: start)) == rollout)
        }
    }
}
