import Cluster
import Model
import Testing

@testable import Reconciler

/// Random histories of commits, health and faults, checked for what must hold in every one of them.
@Suite("Verdict over random histories")
struct VerdictPropertyTests {
    /// A world in which every revision is either good or bad and health follows what is synced.
    private struct World {
        var random: SplitMix64
        var rollout = Rollout()
        var now = Timestamp(seconds: 1_000_000)
        var commits: [(name: String, isGood: Bool)] = []
        var attempts: [String: Int] = [:]
        var settings = ApplicationSettings()
        /// No more commits come.
        var isFrozen = false

        var target: String? { commits.last?.name }

        mutating func step() {
            now = now + .milliseconds(Int.random(in: 10...8000, using: &random))
            if !isFrozen, commits.isEmpty || Int.random(in: 0..<12, using: &random) == 0 {
                commits.append(("c\(commits.count)", Int.random(in: 0..<3, using: &random) > 0))
            }
            for _ in 0..<8 {
                let decision = Verdict.decide(
                    rollout, Verdict.Observation(now: now, target: target, health: health()), settings)
                rollout = decision.rollout
                guard decision.syncs else { return }
                attempts[rollout.revision ?? "", default: 0] += rollout.phaseName == "Judging" ? 1 : 0
                rollout = Verdict.record(outcome(), in: rollout, at: now, settings)
            }
            Issue.record("the verdict did not come to rest")
        }

        private mutating func outcome() -> SyncOutcome {
            Int.random(in: 0..<6, using: &random) == 0 ? .failed("network") : .succeeded
        }

        private mutating func health() -> HealthAssessment {
            guard let trial = rollout.trial, trial.isSynced else { return HealthAssessment() }
            if Int.random(in: 0..<3, using: &random) == 0 { return HealthAssessment(status: .progressing) }
            let isGood = commits.first { $0.name == trial.revision }?.isGood ?? true
            if isGood { return HealthAssessment() }
            let failure = Rollout.Failure(reason: "CrashLoopBackOff", message: "it crashes")
            return HealthAssessment(status: .degraded, failure: failure)
        }
    }

    @Test("the verdict comes to rest, on the newest good commit or the one before a bad one", arguments: 0..<60)
    func converges(seed: UInt64) {
        var world = World(random: SplitMix64(seed: seed))
        world.settings.isAutomated = true
        for _ in 0..<150 { world.step() }
        world.isFrozen = true
        for _ in 0..<200 { world.step() }
        let commits = world.commits
        let settled = world.rollout
        let isGood = commits.last?.isGood ?? true
        if isGood, !settled.isHeld(commits.last?.name ?? "") {
            #expect(settled.phase == .healthy(revision: commits.last?.name ?? ""))
        } else if let last = settled.lastHealthy {
            #expect(settled.revision == last, "\(settled.phaseName)")
        } else {
            #expect(settled.phaseName == "Degraded")
        }
    }

    @Test(
        "no revision is taken more often than sync retries allow, and none that failed is taken again",
        arguments: 0..<60)
    func neverLoops(seed: UInt64) {
        var world = World(random: SplitMix64(seed: seed &+ 1000))
        world.settings.isAutomated = true
        var failed = Set<String>()
        for _ in 0..<300 {
            let held = Set(world.rollout.held.map(\.revision))
            failed.formUnion(held)
            let before = world.rollout.revision
            world.step()
            if case .judging(let trial) = world.rollout.phase, trial.revision != before {
                #expect(!failed.contains(trial.revision), "\(trial.revision) was taken again")
            }
        }
        #expect(world.attempts.values.allSatisfy { $0 <= world.settings.retryLimit + 1 })
    }

    @Test("deciding again on the same observation changes nothing", arguments: 0..<40)
    func isIdempotent(seed: UInt64) {
        var world = World(random: SplitMix64(seed: seed &+ 2000))
        world.settings.isAutomated = true
        for _ in 0..<100 {
            world.step()
            let health = HealthAssessment(status: .progressing)
            let observation = Verdict.Observation(now: world.now, target: world.target, health: health)
            let once = Verdict.decide(world.rollout, observation, world.settings)
            let twice = Verdict.decide(once.rollout, observation, world.settings)
            #expect(once == twice)
        }
    }
}
