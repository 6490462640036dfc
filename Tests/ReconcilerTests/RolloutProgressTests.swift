import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("How a rollout's progress is told")
struct RolloutProgressTests {
    static let now = Timestamp(seconds: 1_000_000)

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var edit: @Sendable (inout RolloutStatus) -> Void
        var health: [String: String] = [:]
        var annotations: [String: String] = [:]
        var text: String
        var waits = 0
    }

    static let cases = [
        Case(testDescription: "nothing was synced", edit: { $0.phase = nil }, text: "Idle"),
        Case(testDescription: "all is well", edit: { $0.phase = "Healthy" }, text: "Healthy"),
        Case(testDescription: "it is synced", edit: { $0.synced = false }, text: "Judging (syncing)"),
        Case(
            testDescription: "the sync is tried again later",
            edit: {
                $0.synced = false
                $0.attempts = 2
                $0.nextAttemptAt = MicroTimestamp(now + .seconds(20))
            }, text: "Judging (sync failed 2 times, again in 20s)"),
        Case(
            testDescription: "one workload is not ready", edit: { _ in },
            health: ["web": "Progressing", "db": "Healthy"],
            text: "Judging (waiting for Deployment web)", waits: 1),
        Case(
            testDescription: "several are not ready", edit: { _ in },
            health: ["a": "Progressing", "b": "Missing", "c": "Suspended", "d": "Degraded"],
            text: "Judging (waiting for Deployment a and 2 more)", waits: 3),
        Case(
            testDescription: "it bakes", edit: { $0.healthySince = MicroTimestamp(now - .milliseconds(2500)) },
            health: ["web": "Healthy"], text: "Judging (baking, healthy in 8s)"),
        Case(
            testDescription: "it bakes for a time of its own",
            edit: { $0.healthySince = MicroTimestamp(now - .seconds(20)) },
            annotations: ["martlet.dev/bake-time": "2m"], text: "Judging (baking, healthy in 1m40s)"),
        Case(
            testDescription: "its bake time is over", edit: { $0.healthySince = MicroTimestamp(now - .seconds(30)) },
            text: "Judging (baking, healthy in 1s)"),
        Case(
            testDescription: "it goes back", edit: { $0.phase = "RollingBack" }, health: ["web": "Progressing"],
            text: "RollingBack (waiting for Deployment web)", waits: 1),
        Case(
            testDescription: "it is back", edit: { $0.phase = "RolledBack" }, health: ["web": "Progressing"],
            text: "RolledBack"),
    ]

    @Test("the phase says what it waits for, or how long it bakes", arguments: cases)
    func tells(_ example: Case) {
        var application = Application(named: "web", in: "martlet")
        application.metadata.annotations = example.annotations
        var rollout = RolloutStatus()
        rollout.phase = "Judging"
        rollout.synced = true
        example.edit(&rollout)
        application.status.rollout = rollout
        application.status.resources = example.health.sorted { $0.key < $1.key }.map { name, code in
            var resource = ApplicationResourceStatus()
            resource.kind = "Deployment"
            resource.name = name
            var health = HealthStatus()
            health.status = code
            health.message = "\(name) says why"
            resource.health = health
            return resource
        }
        let progress = RolloutProgress(application, at: Self.now)
        #expect(progress.text == example.text)
        #expect(progress.waitsFor.count == example.waits)
        #expect(progress.waitsFor.allSatisfy { $0.hasPrefix("Deployment ") && $0.hasSuffix(" says why") })
    }
}
