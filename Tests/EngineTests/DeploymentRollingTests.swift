import Kinds
import Model
import Testing

@testable import Engine

@Suite("Deployment rollout") struct DeploymentRollingTests {
    struct Step: Sendable, CustomTestStringConvertible {
        var what: String
        var replicas = 10
        var surge: IntOrString = 0
        var unavailable: IntOrString = 0
        /// Spec and available pods of the old and the new ReplicaSet.
        var old: (spec: Int, available: Int)
        var new: (spec: Int, available: Int)
        var expected: [String: Int]
        var testDescription: String { what }
    }

    @Test(
        "A11, A12: one step at a time",
        arguments: [
            Step(
                what: "a new ReplicaSet beyond the replicas shrinks first", surge: 3, old: (2, 2), new: (12, 8),
                expected: ["web-v2": 10]),
            Step(
                what: "the new one grows by the surge", surge: 3, unavailable: 2, old: (10, 10), new: (0, 0),
                expected: ["web-v2": 3]),
            Step(
                what: "the new one grows to no more than the replicas", surge: 5, old: (2, 2), new: (8, 8),
                expected: ["web-v2": 10]),
            Step(
                what: "without surge the old one makes room first", unavailable: 2, old: (10, 10), new: (0, 0),
                expected: ["web-v1": 8]),
            Step(
                what: "nothing moves until new pods are available", surge: 2, old: (10, 10), new: (2, 0),
                expected: [:]),
            Step(
                what: "an available new pod frees an old one", surge: 2, old: (10, 10), new: (2, 1),
                expected: ["web-v1": 9]),
            Step(
                what: "unhealthy old pods go first, as far as the budget allows", surge: 2, unavailable: 2,
                old: (10, 6), new: (2, 0), expected: ["web-v1": 8]),
            Step(
                what: "healthy old pods stay while the new ones fail", surge: 2, unavailable: 0, old: (10, 9),
                new: (2, 0), expected: [:]),
            Step(
                what: "the last old pods go when the new ones are available", surge: 1, old: (1, 1), new: (10, 10),
                expected: ["web-v1": 0]),
            Step(
                what: "a finished rollout stays as it is", surge: 1, old: (0, 0), new: (10, 10), expected: [:]),
        ])
    func steps(_ step: Step) {
        let deployment = Fixture.deployment(
            replicas: step.replicas, surge: step.surge, unavailable: step.unavailable, version: "v2")
        let sets = [
            Fixture.replicaSet(
                "v1", of: deployment, spec: step.old.spec, available: step.old.available, revision: 1, age: 300),
            Fixture.replicaSet(
                "v2", of: deployment, spec: step.new.spec, available: step.new.available, revision: 2),
        ]
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: sets), now: Fixture.now)
        #expect(plan.sizes == step.expected)
    }

    @Test("A9: a step is told as an event and refreshes the scale annotations")
    func tells() {
        let deployment = Fixture.deployment(replicas: 10, surge: 3, unavailable: 2, version: "v2")
        let old = Fixture.replicaSet("v1", of: deployment, spec: 10, revision: 1, age: 300, max: 99)
        let new = Fixture.replicaSet("v2", of: deployment, spec: 0, revision: 2, max: 99)
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: [old, new]), now: Fixture.now)
        #expect(plan.reports == ["ScalingReplicaSet: Scaled up replica set web-v2 from 0 to 3"])
        guard case .update(let updated)? = plan.actions.first else {
            Issue.record("no step: \(plan.actions)")
            return
        }
        #expect(updated.annotatedMax == 13)
    }

    @Test("no step is taken on news older than the last one")
    func waitsForObservation() {
        let deployment = Fixture.deployment(replicas: 3, surge: 1, unavailable: 1, version: "v2")
        var old = Fixture.replicaSet("v1", of: deployment, spec: 2, available: 3, status: 3, revision: 1, age: 300)
        let new = Fixture.replicaSet("v2", of: deployment, spec: 2, available: 1, revision: 2)
        old.metadata.generation = 2
        #expect(DeploymentPlan(.init(deployment: deployment, replicaSets: [old, new]), now: Fixture.now).sizes.isEmpty)
        // Seen, but its pods still there: it counts for no more than it keeps.
        old.status.observedGeneration = 2
        #expect(
            DeploymentPlan(.init(deployment: deployment, replicaSets: [old, new]), now: Fixture.now).sizes
                == ["web-v1": 1])
    }

    struct Scaling: Sendable, CustomTestStringConvertible {
        var what: String
        var from: Int
        var to: Int
        var surge: IntOrString = 0
        /// Spec of the old ones and the new one.
        var olds: [Int]
        var new: Int?
        var newAvailable: Int?
        var expected: [String: Int]
        var testDescription: String { what }
    }

    @Test(
        "A13, A14: a change of replicas in mid-rollout is shared in proportion",
        arguments: [
            Scaling(
                what: "one ReplicaSet takes it all", from: 10, to: 12, olds: [], new: 10, expected: ["web-v9": 12]),
            Scaling(
                what: "two share growth equally", from: 10, to: 12, olds: [5], new: 5,
                expected: ["web-v1": 6, "web-v9": 6]),
            Scaling(
                what: "two share shrinking equally", from: 10, to: 4, olds: [5], new: 5,
                expected: ["web-v1": 2, "web-v9": 2]),
            Scaling(
                what: "the larger one gets the larger share", from: 10, to: 20, olds: [8, 2], new: 0,
                expected: ["web-v1": 16, "web-v2": 4]),
            Scaling(
                what: "surge keeps its share", from: 10, to: 20, surge: 2, olds: [8], new: 4,
                expected: ["web-v1": 15, "web-v9": 7]),
            Scaling(
                what: "to zero, all go", from: 10, to: 0, olds: [5], new: 5,
                expected: ["web-v1": 0, "web-v9": 0]),
        ])
    func scaling(_ row: Scaling) {
        let before = Fixture.deployment(replicas: row.from, surge: row.surge, unavailable: 1, version: "v9")
        var after = before
        after.spec.replicas = row.to
        after.metadata.annotations["deployment.kubernetes.io/revision"] = "9"
        var sets = row.olds.enumerated().map { index, size in
            Fixture.replicaSet("v\(index + 1)", of: before, spec: size, revision: index + 1, age: 300 - index)
        }
        if let new = row.new { sets.append(Fixture.replicaSet("v9", of: before, spec: new, revision: 9)) }
        let plan = DeploymentPlan(.init(deployment: after, replicaSets: sets), now: Fixture.now)
        #expect(plan.sizes == row.expected)
    }

    @Test("A14: when the new ReplicaSet has all, the old ones go")
    func saturated() {
        let deployment = Fixture.deployment(replicas: 4, version: "v2")
        let old = Fixture.replicaSet("v1", of: deployment, spec: 2, revision: 1, age: 300, desired: 6)
        let new = Fixture.replicaSet("v2", of: deployment, spec: 4, revision: 2)
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: [old, new]), now: Fixture.now)
        #expect(plan.sizes == ["web-v1": 0])
    }

    @Test("A3: while paused, nothing is created and nothing rolls, but it scales")
    func paused() {
        var deployment = Fixture.deployment(replicas: 10, version: "v2")
        deployment.spec.paused = true
        let old = Fixture.replicaSet("v1", of: deployment, spec: 8, desired: 8)
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: [old]), now: Fixture.now)
        #expect(plan.sizes == ["web-v1": 10])
        #expect(plan.writtenStatus?.condition("Progressing")?.reason == "DeploymentPaused")
    }

    @Test("A15: Recreate empties the old ones, waits for their pods to end, then starts the new one")
    func recreates() {
        let deployment = Fixture.deployment(replicas: 3, version: "v2", strategy: "Recreate")
        func plan(_ old: ReplicaSet, _ pods: [Pod] = []) -> DeploymentPlan {
            DeploymentPlan(.init(deployment: deployment, replicaSets: [old], pods: pods), now: Fixture.now)
        }
        #expect(plan(Fixture.replicaSet("v1", of: deployment, spec: 3)).sizes == ["web-v1": 0])
        #expect(plan(Fixture.replicaSet("v1", of: deployment, spec: 0, status: 1)).sizes.isEmpty)
        let empty = Fixture.replicaSet("v1", of: deployment, spec: 0)
        var leaving = Fixture.pod("a", owner: empty)
        leaving.metadata.deletionTimestamp = Fixture.now
        #expect(plan(empty, [leaving]).sizes.isEmpty)
        leaving.status.phase = "Succeeded"
        #expect(plan(empty, [leaving]).sizes.values.map { $0 } == [3])
    }
}
