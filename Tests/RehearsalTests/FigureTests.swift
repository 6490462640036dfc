import Kinds
import Model
import Rehearsal
import TestServers
import Testing

/// The figures of whole plays.
@Suite("What a rehearsal finds", .blocking)
struct FigureTests {
    private static let base = [
        Shop.deployment(image: "web:1"), Shop.configMap("settings", "old"), Shop.configMap("gone", "one"),
        Shop.budget(minAvailable: 3),
    ]
    private static let target = [
        Shop.deployment(image: "web:2"), Shop.configMap("settings", "new"), Shop.configMap("fresh", "one"),
        Shop.budget(minAvailable: 3),
    ]

    private func words(_ recording: Recording) -> [String] {
        recording.steps.map { step in
            switch step.kind {
            case .synced(let key, let change): "\(change.rawValue) \(key.name)"
            case .rolledOut(let key): "rolled out \(key.name)"
            case .verdict(let phase, _, _): phase
            }
        }
    }

    @Test("what is created, changed and pruned, and that the verdict comes after the rollout and the bake time")
    func steps() throws {
        let recording = try Rehearsal(Shop.scenario(from: Self.base, to: Self.target), seed: 7).run()
        #expect(
            words(recording) == [
                "Judging", "created fresh", "changed settings", "changed web", "pruned gone", "rolled out web",
                "Healthy",
            ])
        let times = recording.steps.map(\.at)
        // The bake time of an Application that names none, from when the verdict saw the end of the rollout.
        #expect((Duration.seconds(10)...Duration.milliseconds(10_020)).contains(times[6] - times[5]))
        #expect(recording.budgets.isEmpty && recording.waiting.isEmpty)
    }

    @Test(
        "how each way to fail is noticed, and that the rollback puts everything back",
        arguments: [FailureMode.probe, .crash, .pull])
    func failure(mode: FailureMode) throws {
        let failure = InjectedFailure(workload: "web", mode: mode)
        let recording = try Rehearsal(Shop.scenario(from: Self.base, to: Self.target, failing: [failure]), seed: 7)
            .run()
        #expect(
            words(recording) == [
                "Judging", "created fresh", "changed settings", "changed web", "pruned gone", "RollingBack",
                "recreated gone", "changed settings", "changed web", "pruned fresh", "rolled out web", "RolledBack",
            ])
        let story = try #require(FailureStory(recording))
        switch mode {
        case .crash:
            #expect(story.sign?.sign.text == "container web ended with exit code 1")
            #expect(story.message.contains("crashed 3 times"))
        case .pull:
            #expect(story.sign?.sign.text == "container web: ErrImagePull")
            #expect(story.message.contains("cannot be pulled"))
        case .probe:
            #expect(story.sign == nil)
            #expect(story.message.contains("has failed its readiness probe"))
        case .crashWhenReady: Issue.record("it has a test of its own")
        }
        #expect(story.rollback != nil)
        #expect(recording.workloads.first?.lowest == 3)
    }

    @Test("what crashes only once it is ready is rolled out, and caught while it bakes, if it bakes for long enough")
    func crashWhenReady() throws {
        func play(_ after: Duration) throws -> Recording {
            let failure = InjectedFailure(workload: "web", mode: .crashWhenReady(after: after))
            return try Rehearsal(Shop.scenario(failing: [failure]), seed: 7).run()
        }
        let caught = try play(.seconds(8))
        let steps = words(caught)
        let (out, back) = (steps.firstIndex(of: "rolled out web"), steps.firstIndex(of: "RollingBack"))
        #expect(try #require(out) < #require(back), "\(steps)")
        #expect(steps.last == "RolledBack" && !caught.outcome.isHealthy)
        #expect(FailureStory(caught)?.message.contains("crashed 3 times") == true)
        let web = try #require(caught.workloads.first)
        #expect(web.brokenAt != nil && web.lowest ?? 3 < 3, "the old pods were gone when the new ones crashed")
        #expect(try play(.seconds(60)).outcome == .healthy, "the bake time is 10 s")
    }

    @Test("a strategy that takes more than a disruption budget grants violates it, once for every pod")
    func budget() throws {
        let target = [Shop.deployment(image: "web:2", surge: 0, unavailable: 1), Shop.budget(minAvailable: 3)]
        let recording = try Rehearsal(Shop.scenario(from: Self.base, to: target), seed: 7).run()
        #expect(recording.budgets.count == 3)
        #expect(recording.budgets.allSatisfy { $0.healthy == 2 && $0.desired == 3 })
        #expect(recording.workloads.first?.lowest == 2 && recording.workloads.first?.promise == 2)
    }

    @Test("a surge that no node holds: which pods wait, why, and that the revision fails by its health timeout")
    func fullNode() throws {
        let recording = try Rehearsal(Shop.scenario(nodes: [Shop.node(cpu: "350m")]), seed: 7).run()
        let waiting = try #require(recording.waiting.first)
        #expect(waiting.pods == 1 && waiting.placed == 0 && waiting.longest >= .seconds(600))
        #expect(waiting.reason.contains("Insufficient cpu"))
        #expect(recording.outcome.isHealthy == false)
        #expect(recording.peakLoad.cpu == 400, "what is asked for counts, held or not")
    }

    @Test("Recreate promises nothing, and nothing is available in between")
    func recreate() throws {
        let target = [Shop.deployment(image: "web:2", strategy: "Recreate")]
        let base = [Shop.deployment(image: "web:1", strategy: "Recreate")]
        let recording = try Rehearsal(Shop.scenario(from: base, to: target), seed: 7).run()
        let web = try #require(recording.workloads.first)
        #expect(web.promise == 0 && web.lowest == 0 && web.brokenAt == nil)
        #expect(web.samples.allSatisfy { $0.counts.old == 0 || $0.counts.new == 0 })
        #expect(recording.outcome == .healthy)
    }

    @Test("of several seeds the worst is shown, and all are summed up")
    func seeds() async throws {
        let report = try await RehearsalReport(playing: Shop.scenario(), origin: "the tests", seeds: 1...6)
        #expect(report.runs.count == 6)
        let longest = report.runs.map(\.recording.duration).max()
        #expect(report.recording.duration == longest, "all end healthy, so the slowest is the worst")
        #expect(report.text(width: 80).contains("6 seeds: 6 healthy"))
    }
}
