import Kinds
import Model
import Testing

@testable import Engine

@Suite("Deployment status") struct DeploymentStatusTests {
    let now = Fixture.now

    func status(_ deployment: Deployment, _ sets: [ReplicaSet], at time: Timestamp? = nil) -> DeploymentStatus {
        DeploymentPlan(.init(deployment: deployment, replicaSets: sets), now: time ?? now).deployment.status
    }

    @Test("A17: counts are sums over the ReplicaSets; terminating ones unknown where one does not say")
    func counts() {
        let deployment = Fixture.deployment(replicas: 5, version: "v2")
        var old = Fixture.replicaSet("v1", of: deployment, spec: 3, available: 2, revision: 1, age: 300)
        var new = Fixture.replicaSet("v2", of: deployment, spec: 3, available: 1, revision: 2)
        old.status.terminatingReplicas = 1
        var result = status(deployment, [old, new])
        #expect(result.replicas == 6)
        #expect(result.updatedReplicas == 3)
        #expect(result.availableReplicas == 3)
        #expect(result.unavailableReplicas == 3)
        #expect(result.terminatingReplicas == nil)
        #expect(result.observedGeneration == 1)
        new.status.terminatingReplicas = 2
        result = status(deployment, [old, new])
        #expect(result.terminatingReplicas == 3)
    }

    @Test("A18: available while at least replicas less maxUnavailable are", arguments: [(3, "True"), (2, "False")])
    func availability(available: Int, expected: String) {
        let deployment = Fixture.deployment(replicas: 4, surge: 1, unavailable: 1)
        let result = status(deployment, [Fixture.replicaSet("v1", of: deployment, spec: 4, available: available)])
        let condition = result.condition("Available")
        #expect(condition?.status == expected)
        #expect(
            condition?.reason == (expected == "True" ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable"))
    }

    @Test("A19: equal status and reason change nothing; the transition time moves only with the status")
    func conditions() {
        var status = DeploymentStatus()
        status.setCondition("Progressing", "True", reason: "A", message: "1", now: now)
        status.setCondition("Progressing", "True", reason: "A", message: "2", now: now + .seconds(5))
        #expect(status.condition("Progressing")?.message == "1")
        status.setCondition("Progressing", "True", reason: "B", message: "3", now: now + .seconds(9))
        #expect(status.condition("Progressing")?.lastTransitionTime == now)
        #expect(status.condition("Progressing")?.lastUpdateTime == now + .seconds(9))
        status.setCondition("Progressing", "False", reason: "C", message: "4", now: now + .seconds(10))
        #expect(status.condition("Progressing")?.lastTransitionTime == now + .seconds(10))
    }

    /// A Deployment in mid-rollout whose status already says what its ReplicaSets do.
    func stalled(reason: String, updated seconds: Int) -> (Deployment, [ReplicaSet]) {
        var deployment = Fixture.deployment(replicas: 4, surge: 1, unavailable: 0, version: "v2")
        let sets = [
            Fixture.replicaSet("v1", of: deployment, spec: 4, revision: 1, age: 300),
            Fixture.replicaSet("v2", of: deployment, spec: 1, available: 0, revision: 2),
        ]
        deployment.status = status(deployment, sets)
        deployment.status.removeCondition("Progressing")
        deployment.status.setCondition(
            "Progressing", "True", reason: reason, message: "", now: now - .seconds(seconds))
        deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "2"
        return (deployment, sets)
    }

    @Test("A20: a rollout that makes no progress until its deadline has failed, and is looked at right after it")
    func deadline() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 599)
        let waiting = DeploymentPlan(.init(deployment: deployment, replicaSets: sets), now: now)
        #expect(waiting.deployment.status.condition("Progressing")?.status == "True")
        #expect(waiting.checkAgainAt == now + .seconds(2))
        (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 601)
        let late = status(deployment, sets).condition("Progressing")
        #expect(late?.status == "False")
        #expect(late?.reason == "ProgressDeadlineExceeded")
        #expect(late?.message == "ReplicaSet \"web-v2\" has timed out progressing.")
    }

    @Test("A1, A20: the largest 32-bit deadline is none: the condition goes")
    func noDeadline() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 9999)
        deployment.spec.progressDeadlineSeconds = 2_147_483_647
        #expect(status(deployment, sets).condition("Progressing") == nil)
    }

    @Test("A20: progress renews the time from which the deadline counts")
    func progress() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 599)
        sets[1].status.readyReplicas = 1
        let condition = status(deployment, sets).condition("Progressing")
        #expect(condition?.reason == "ReplicaSetUpdated")
        #expect(condition?.lastUpdateTime == now)
        #expect(condition?.lastTransitionTime == now - .seconds(599))
        deployment.status.removeCondition("Progressing")
    }

    @Test("A20: progress also ends a failure, and a failed rollout still goes on")
    func recovers() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 700)
        deployment.status = status(deployment, sets)
        #expect(deployment.status.condition("Progressing")?.reason == "ProgressDeadlineExceeded")
        sets[1].status.readyReplicas = 1
        sets[1].status.availableReplicas = 1
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: sets), now: now)
        #expect(plan.sizes == ["web-v1": 3])
        #expect(plan.deployment.status.condition("Progressing")?.reason == "ReplicaSetUpdated")
    }

    @Test("A20: complete when all pods are new and available; after that, no deadline")
    func completes() {
        var deployment = Fixture.deployment(replicas: 3, version: "v2")
        deployment.status.setCondition(
            "Progressing", "True", reason: "ReplicaSetUpdated", message: "", now: now - .seconds(60))
        let sets = [
            Fixture.replicaSet("v1", of: deployment, spec: 0, revision: 1, age: 300),
            Fixture.replicaSet("v2", of: deployment, spec: 3, revision: 2),
        ]
        deployment.status = status(deployment, sets)
        let condition = deployment.status.condition("Progressing")
        #expect(condition?.reason == "NewReplicaSetAvailable")
        #expect(condition?.message == "ReplicaSet \"web-v2\" has successfully progressed.")
        var failing = sets
        failing[1].status.availableReplicas = 0
        let later = DeploymentPlan(
            .init(deployment: deployment, replicaSets: failing), now: now + .seconds(10_000))
        #expect(later.deployment.status.condition("Progressing")?.reason == "NewReplicaSetAvailable")
        #expect(later.checkAgainAt == nil)
    }

    @Test("A21: a ReplicaSet's failure is the Deployment's, the new one's before others")
    func failure() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 1)
        for index in sets.indices {
            var condition = ReplicaSetCondition()
            condition.type = "ReplicaFailure"
            condition.status = "True"
            condition.reason = "FailedCreate"
            condition.message = "of \(sets[index].metadata.name)"
            sets[index].status.conditions = [condition]
        }
        deployment.status = status(deployment, sets)
        #expect(deployment.status.condition("ReplicaFailure")?.message == "of web-v2")
        for index in sets.indices { sets[index].status.conditions = [] }
        #expect(status(deployment, sets).condition("ReplicaFailure") == nil)
    }

    @Test("A4: pausing and resuming are told, but not over an exceeded deadline")
    func pausing() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 1)
        deployment.spec.paused = true
        deployment.status = status(deployment, sets)
        #expect(deployment.status.condition("Progressing")?.reason == "DeploymentPaused")
        #expect(deployment.status.condition("Progressing")?.status == "Unknown")
        deployment.spec.paused = false
        #expect(status(deployment, sets).condition("Progressing")?.reason == "DeploymentResumed")
        (deployment, sets) = stalled(reason: "ProgressDeadlineExceeded", updated: 700)
        deployment.spec.paused = true
        #expect(status(deployment, sets).condition("Progressing")?.reason == "ProgressDeadlineExceeded")
    }

    @Test("a status that says all already is not written again")
    func settles() {
        var (deployment, sets) = stalled(reason: "ReplicaSetUpdated", updated: 10)
        deployment.status = status(deployment, sets)
        #expect(DeploymentPlan(.init(deployment: deployment, replicaSets: sets), now: now).actions.isEmpty)
    }
}
