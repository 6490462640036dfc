import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("Deployment plan") struct DeploymentPlanTests {
    let now = Fixture.now

    func plan(_ deployment: Deployment, _ replicaSets: [ReplicaSet], pods: [Pod] = []) -> DeploymentPlan {
        DeploymentPlan(.init(deployment: deployment, replicaSets: replicaSets, pods: pods), now: now)
    }

    struct Fenceposts: Sendable {
        var replicas: Int
        var surge: IntOrString
        var unavailable: IntOrString
        var expected: [Int]
    }

    @Test(
        "A10: surge rounds up, unavailable down, both zero gives one unavailable, never more than the replicas",
        arguments: [
            Fenceposts(replicas: 10, surge: "25%", unavailable: "25%", expected: [3, 2]),
            Fenceposts(replicas: 1, surge: "25%", unavailable: "25%", expected: [1, 0]),
            Fenceposts(replicas: 3, surge: "25%", unavailable: "25%", expected: [1, 0]),
            Fenceposts(replicas: 10, surge: 0, unavailable: "5%", expected: [0, 1]),
            Fenceposts(replicas: 10, surge: 0, unavailable: 0, expected: [0, 1]),
            Fenceposts(replicas: 2, surge: 1, unavailable: 5, expected: [1, 2]),
            Fenceposts(replicas: 0, surge: 1, unavailable: 1, expected: [1, 0]),
        ])
    func fenceposts(_ row: Fenceposts) {
        let plan = plan(
            Fixture.deployment(replicas: row.replicas, surge: row.surge, unavailable: row.unavailable), [])
        #expect([plan.maxSurge, plan.maxUnavailable] == row.expected)
    }

    @Test("A10: Recreate has neither surge nor unavailable")
    func recreateFenceposts() {
        let plan = plan(Fixture.deployment(strategy: "Recreate"), [])
        #expect([plan.maxSurge, plan.maxUnavailable] == [0, 0])
    }

    @Test("A3: a selector that matches everything is refused with a Warning")
    func selectingAll() {
        var deployment = Fixture.deployment()
        deployment.spec.selector = LabelSelector()
        let plan = plan(deployment, [])
        #expect(
            plan.reports == [
                "SelectingAll: This deployment is selecting all pods. A non-empty selector is required."
            ])
        #expect(plan.writtenStatus?.observedGeneration == 1)
    }

    @Test("A3: a Deployment that is being deleted only reports status")
    func deleting() {
        var deployment = Fixture.deployment()
        deployment.metadata.deletionTimestamp = now
        let plan = plan(deployment, [])
        #expect(plan.sizes.isEmpty)
        #expect(plan.writtenStatus != nil)
    }

    @Test("A5: the new ReplicaSet is the oldest with our template, whatever its hash label")
    func newReplicaSet() {
        let deployment = Fixture.deployment(version: "v2")
        let old = Fixture.replicaSet("v1", of: deployment, spec: 0)
        let first = Fixture.replicaSet("v2", of: deployment, spec: 10, age: 50)
        var second = Fixture.replicaSet("v2", of: deployment, spec: 0, age: 10)
        second.metadata.name = "web-v2-again"
        second.metadata.uid = "rs-v2-again"
        let plan = plan(deployment, [second, old, first])
        #expect(plan.newReplicaSet?.metadata.name == "web-v2")
        #expect(plan.oldReplicaSets(besides: plan.newReplicaSet).map(\.metadata.name) == ["web-v1", "web-v2-again"])
    }

    @Test("A5: a template that an older version stored with zeros is the same as one without: nothing is rolled out")
    func storedZeros() {
        let deployment = Fixture.deployment(version: "v1")
        var old = Fixture.replicaSet("v1", of: deployment, spec: 10)
        old.spec.template.json[path: ["spec", "hostNetwork"]] = false
        #expect(plan(deployment, [old]).newReplicaSet?.metadata.name == "web-v1")
        old.spec.template.json[path: ["spec", "hostNetwork"]] = true
        #expect(plan(deployment, [old]).newReplicaSet == nil)
    }

    @Test("A6, A8: the first ReplicaSet gets name, labels, selector, annotations, owner and full size")
    func createsReplicaSet() throws {
        var deployment = Fixture.deployment(replicas: 4)
        deployment.spec.minReadySeconds = 7
        deployment.metadata.annotations = [
            "team": "a", "kubectl.kubernetes.io/last-applied-configuration": "{}",
        ]
        let plan = plan(deployment, [])
        guard case .create(let created)? = plan.actions.first else {
            Issue.record("nothing is created: \(plan.actions)")
            return
        }
        let hash = try #require(created.metadata.labels["pod-template-hash"])
        #expect(hash.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
        #expect(created.metadata.name == "web-\(hash)")
        #expect(created.metadata.labels == ["app": "web", "pod-template-hash": hash])
        #expect(created.spec.selector.matchLabels == ["app": "web", "pod-template-hash": hash])
        #expect(created.spec.template.metadata.labels == ["app": "web", "pod-template-hash": hash])
        #expect(
            created.metadata.annotations == [
                "team": "a", "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "4", "deployment.kubernetes.io/max-replicas": "5",
            ])
        #expect(created.spec.replicas == 4)
        #expect(created.spec.minReadySeconds == 7)
        #expect(created.metadata.controller?.uid == "d")
        #expect(created.metadata.controller?.blockOwnerDeletion == true)
    }

    @Test("A6: the hash depends on the template's content and the collision count, not on the order of members")
    func hash() {
        let one: JSON = ["spec": ["a": 1, "b": [1, 2]], "metadata": ["x": .null]]
        let same: JSON = ["spec": ["b": [1, 2], "a": 1], "metadata": [:]]
        let other: JSON = ["spec": ["b": [2, 1], "a": 1], "metadata": [:]]
        let text = { (template: JSON, count: Int?) in PodTemplateHash.text(of: template, collisionCount: count) }
        #expect(text(one, nil) == text(same, nil))
        #expect(text(one, nil) != text(other, nil))
        #expect(text(one, nil) != text(one, 1))
        #expect(text(one, 1) != text(one, 2))
    }

    @Test("A7: a ReplicaSet that is promoted again gets the next revision and remembers its last")
    func promotes() {
        var deployment = Fixture.deployment(replicas: 3, version: "v1")
        deployment.metadata.annotations = ["team": "b"]
        deployment.status.replicas = 3
        deployment.status.readyReplicas = 3
        deployment.status.availableReplicas = 3
        let first = Fixture.replicaSet("v1", of: deployment, spec: 0, revision: 1, age: 200)
        let second = Fixture.replicaSet("v2", of: deployment, spec: 3, revision: 2)
        let plan = plan(deployment, [first, second])
        let updated = plan.actions.lazy.compactMap { action -> ReplicaSet? in
            if case .update(let replicaSet) = action, replicaSet.metadata.name == "web-v1" { replicaSet } else { nil }
        }.first
        #expect(updated?.metadata.annotations["deployment.kubernetes.io/revision"] == "3")
        #expect(updated?.metadata.annotations["deployment.kubernetes.io/revision-history"] == "1")
        #expect(updated?.metadata.annotations["team"] == "b")
        #expect(plan.deployment.metadata.annotations["deployment.kubernetes.io/revision"] == "3")
        #expect(plan.writtenStatus?.condition("Progressing")?.reason == "FoundNewReplicaSet")
    }

    @Test(
        "A8: what follows a creation: condition and event; another's name raises the collision count; errors are told")
    func afterCreating() {
        let deployment = Fixture.deployment(replicas: 3)
        let plan = plan(deployment, [])
        guard case .create(let wanted)? = plan.actions.first else {
            Issue.record("nothing is created")
            return
        }
        func status(_ actions: [DeploymentPlan.Action]) -> DeploymentStatus? {
            actions.lazy.compactMap { if case .updateStatus(let new) = $0 { new.status } else { nil } }.first
        }
        let created = plan.afterCreating(wanted, .created(wanted))
        #expect(!created.retry)
        #expect(status(created.actions)?.condition("Progressing")?.reason == "NewReplicaSetCreated")
        let event = EventReport(
            .normal, reason: "ScalingReplicaSet",
            message: "Scaled up replica set \(wanted.metadata.name) from 0 to 3")
        #expect(created.actions.contains(.report(event)))

        let mine = plan.afterCreating(wanted, .nameTaken(by: wanted))
        #expect(status(mine.actions)?.collisionCount == nil)
        var foreign = wanted
        foreign.metadata.ownerReferences = []
        let collided = plan.afterCreating(wanted, .nameTaken(by: foreign))
        #expect(status(collided.actions)?.collisionCount == 1)
        #expect(collided.retry)

        let failed = plan.afterCreating(wanted, .failed(message: "no room"))
        #expect(status(failed.actions)?.condition("Progressing")?.reason == "ReplicaSetCreateError")
        #expect(failed.retry)
    }

    @Test("B1: a ReplicaSet that matches without a controller is adopted, ours that no longer matches released, first")
    func claims() {
        let deployment = Fixture.deployment()
        var orphan = Fixture.replicaSet("v1", of: deployment, spec: 10)
        orphan.metadata.ownerReferences = []
        var lost = Fixture.replicaSet("v0", of: deployment, spec: 1)
        lost.metadata.labels = ["app": "other"]
        var foreign = Fixture.replicaSet("v9", of: deployment, spec: 1)
        foreign.metadata.ownerReferences[0].uid = "somebody"
        let plan = plan(deployment, [orphan, lost, foreign])
        #expect(Set(plan.actions) == [.adopt(orphan), .release(lost)])
    }

    @Test("A16: the oldest revisions beyond the limit go, unless they still have pods or are not observed")
    func cleanUp() {
        var deployment = Fixture.deployment(replicas: 2, version: "v5")
        deployment.spec.revisionHistoryLimit = 1
        deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "5"
        var sets = (1...4).map { Fixture.replicaSet("v\($0)", of: deployment, spec: 0, revision: $0, age: 500 - $0) }
        sets[1].status.replicas = 1
        sets.append(Fixture.replicaSet("v5", of: deployment, spec: 2, revision: 5))
        deployment.status.replicas = 2
        deployment.status.updatedReplicas = 2
        deployment.status.availableReplicas = 2
        deployment.status.observedGeneration = 1
        // v2 has a pod left, so only the first and third of the first three go.
        #expect(plan(deployment, sets).deleted == ["web-v1", "web-v3"])
        deployment.status.availableReplicas = 1
        #expect(plan(deployment, sets).deleted.isEmpty)
    }

    @Test("A22: the annotation rolls back to a revision, or says why not")
    func rollsBack() {
        var deployment = Fixture.deployment(replicas: 2, version: "v2")
        let first = Fixture.replicaSet("v1", of: deployment, spec: 0, revision: 1, age: 300)
        let second = Fixture.replicaSet("v2", of: deployment, spec: 2, revision: 2)
        func result(_ target: String) -> (DeploymentPlan, Deployment?) {
            deployment.metadata.annotations["deprecated.deployment.rollback.to"] = target
            let plan = plan(deployment, [first, second])
            let spec = plan.actions.lazy.compactMap { action -> Deployment? in
                if case .updateSpec(let changed) = action { changed } else { nil }
            }.first
            return (plan, spec)
        }
        let (back, changed) = result("0")
        #expect(back.reports == ["DeploymentRollback: Rolled back deployment \"web\" to revision 1"])
        #expect(changed?.spec.template == Fixture.template("v1"))
        #expect(changed?.metadata.annotations["deprecated.deployment.rollback.to"] == nil)
        #expect(
            result("9").0.reports == [
                "DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to."
            ])
        #expect(
            result("2").0.reports == [
                "DeploymentRollbackTemplateUnchanged: "
                    + "The rollback revision contains the same template as current deployment \"web\""
            ])
    }
}
