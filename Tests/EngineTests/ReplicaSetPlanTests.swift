import Kinds
import Model
import Testing

@testable import Engine

@Suite("ReplicaSet plan") struct ReplicaSetPlanTests {
    let now = Fixture.now

    var replicaSet: ReplicaSet {
        var replicaSet = ReplicaSet(named: "web", in: "shop")
        replicaSet.metadata.uid = "rs"
        replicaSet.metadata.generation = 2
        replicaSet.spec.replicas = 3
        replicaSet.spec.selector.matchLabels = ["app": "web"]
        replicaSet.spec.template = Fixture.template("v1")
        return replicaSet
    }

    func plan(_ replicaSet: ReplicaSet, _ pods: [Pod], isCurrent: Bool = true) -> ReplicaSetPlan<ReplicaSet> {
        ReplicaSetPlan(.init(owner: replicaSet, pods: pods, isCurrent: isCurrent), now: now)
    }

    @Test("B2: missing pods are made of the template, with generated names and a controller reference")
    func creates() {
        let plan = plan(replicaSet, [Fixture.pod("a", owner: replicaSet)])
        guard case .create(let pod, let count)? = plan.actions.first else {
            Issue.record("nothing is created")
            return
        }
        #expect(count == 2)
        #expect(pod.metadata.generateName == "web-")
        #expect(pod.metadata.namespace == "shop")
        #expect(pod.metadata.labels == ["app": "web"])
        #expect(pod.metadata.controller?.uid == "rs")
        #expect(pod.spec == replicaSet.spec.template.spec)
    }

    @Test("B1: pods that have ended or are leaving do not count as replicas")
    func countsActiveOnly() {
        var leaving = Fixture.pod("leaving", owner: replicaSet)
        leaving.metadata.deletionTimestamp = now
        let ended = Fixture.pod("ended", phase: "Failed", owner: replicaSet)
        let plan = plan(replicaSet, [leaving, ended, Fixture.pod("a", owner: replicaSet)])
        guard case .create(_, let count)? = plan.actions.first else {
            Issue.record("nothing is created")
            return
        }
        #expect(count == 2)
        #expect(plan.updated(after: nil)?.status.terminatingReplicas == 1)
    }

    @Test("B1: orphans that match are adopted, ours that no longer match released, others' left alone")
    func claims() {
        let orphan = Fixture.pod("orphan")
        let lost = Fixture.pod("lost", labels: ["app": "other"], owner: replicaSet)
        var foreign = Fixture.pod("foreign", owner: replicaSet)
        foreign.metadata.ownerReferences[0].uid = "else"
        #expect(Set(plan(replicaSet, [orphan, lost, foreign]).actions) == [.adopt(orphan), .release(lost)])
        var deleting = replicaSet
        deleting.metadata.deletionTimestamp = now
        #expect(plan(deleting, [orphan, lost]).actions.isEmpty)
    }

    @Test("B3: while earlier work has not been seen, only the status is written")
    func waitsForExpectations() {
        let plan = plan(replicaSet, [], isCurrent: false)
        #expect(plan.actions.isEmpty)
        #expect(plan.updated(after: nil)?.status.observedGeneration == 2)
    }

    @Test("B3: what was created or deleted is known before it is seen, and given up after five minutes")
    func expectations() {
        var expectations = Expectations<Pod>()
        let created = Fixture.pod("new", owner: replicaSet)
        let old = Fixture.pod("old", owner: replicaSet)
        expectations.willCreate()
        expectations.created(created, at: now)
        expectations.willDelete(old.metadata.uid, at: now)
        #expect(!expectations.areMet(at: now + .seconds(300)))
        #expect(expectations.areMet(at: now + .seconds(301)))
        #expect(expectations.completing([old]).map(\.metadata.name) == ["new"])
        expectations.observe(created.metadata.uid, isLeaving: false)
        expectations.observe(old.metadata.uid, isLeaving: true)
        #expect(expectations.areMet(at: now))
    }

    @Test("B3: a pod that is seen before its creation is answered is not waited for")
    func earlyNews() {
        var expectations = Expectations<Pod>()
        let pod = Fixture.pod("new", owner: replicaSet)
        expectations.willCreate()
        expectations.observe(pod.metadata.uid, isLeaving: false)
        expectations.created(pod, at: now)
        #expect(expectations.areMet(at: now))
    }

    @Test("B4: batches double, at most 500 at once", arguments: [(1, [1]), (6, [1, 2, 3]), (10, [1, 2, 4, 3])])
    func slowStart(count: Int, batches: [Int]) {
        #expect(SlowStart.batches(count) == batches)
    }

    @Test("B4: no more than 500 pods in one go")
    func burst() {
        var large = replicaSet
        large.spec.replicas = 2000
        guard case .create(_, let count)? = plan(large, []).actions.first else {
            Issue.record("nothing is created")
            return
        }
        #expect(count == 500)
    }

    struct Pair: Sendable, CustomTestStringConvertible {
        var rule: String
        var victim: Pod
        var survivor: Pod
        var testDescription: String { rule }
    }

    @Test(
        "B5: who goes first",
        arguments: [
            Pair(rule: "unassigned", victim: Fixture.pod("z", node: ""), survivor: Fixture.pod("a", phase: "Pending")),
            Pair(
                rule: "Pending before Running", victim: Fixture.pod("z", phase: "Pending"),
                survivor: Fixture.pod("a", readySince: nil)),
            Pair(
                rule: "Unknown before Running", victim: Fixture.pod("z", phase: "Unknown"),
                survivor: Fixture.pod("a", readySince: nil)),
            Pair(
                rule: "not ready", victim: Fixture.pod("z", readySince: nil, cost: 5),
                survivor: Fixture.pod("a", cost: -5)),
            Pair(
                rule: "lower deletion cost", victim: Fixture.pod("z", cost: -1),
                survivor: Fixture.pod("a", readySince: 1)),
            Pair(
                rule: "ready more recently", victim: Fixture.pod("z", readySince: 10),
                survivor: Fixture.pod("a", readySince: 100, restarts: 9)),
            Pair(
                rule: "more restarts", victim: Fixture.pod("z", age: 900, restarts: 2),
                survivor: Fixture.pod("a", age: 200)),
            Pair(rule: "newer", victim: Fixture.pod("z", age: 100), survivor: Fixture.pod("a", age: 900)),
            Pair(
                rule: "of about the same age, by UID", victim: Fixture.pod("a", age: 200),
                survivor: Fixture.pod("z", age: 199)),
        ])
    func victims(_ pair: Pair) {
        let chosen = PodVictims(related: [], now: now).choose(1, from: [pair.survivor, pair.victim])
        #expect(chosen.map(\.metadata.name) == [pair.victim.metadata.name])
    }

    @Test("B5: the pod on the node with more pods of the same controller goes first")
    func crowded() {
        let lonely = Fixture.pod("a", node: "n1")
        let crowded = Fixture.pod("z", node: "n2")
        let sibling = Fixture.pod("sibling", node: "n2")
        let victims = PodVictims(related: [lonely, crowded, sibling], now: now)
        #expect(victims.choose(1, from: [lonely, crowded]) == [crowded])
    }

    @Test("B6: ready and available pods are counted, and looked at again when the next becomes available")
    func status() {
        var patient = replicaSet
        patient.spec.minReadySeconds = 30
        let plan = plan(
            patient,
            [
                Fixture.pod("a", readySince: 40, owner: patient), Fixture.pod("b", readySince: 10, owner: patient),
                Fixture.pod("c", readySince: nil, labels: ["app": "web", "x": "y"], owner: patient),
            ])
        let status = plan.updated(after: nil)?.status
        #expect(status?.replicas == 3)
        #expect(status?.readyReplicas == 2)
        #expect(status?.availableReplicas == 1)
        #expect(status?.fullyLabeledReplicas == 3)
        #expect(status?.observedGeneration == 2)
        #expect(plan.checkAgainAt == now + .seconds(20))
    }

    @Test("B6: a failure is a condition until a clean sync, and the first message stays")
    func failure() throws {
        let failed = try #require(plan(replicaSet, []).updated(after: .create(message: "quota")))
        #expect(failed.status.conditions.map(\.reason) == ["FailedCreate"])
        #expect(failed.status.conditions.map(\.message) == ["quota"])
        #expect(plan(failed, []).updated(after: .create(message: "other")) == nil)
        #expect(plan(failed, []).updated(after: nil)?.status.conditions.isEmpty == true)
    }

    // MARK: ReplicationControllers

    @Test("a ReplicationController goes by the same rules, with a plain selector and a reference of its own kind")
    func replicationController() throws {
        var controller = ReplicationController(named: "web", in: "shop")
        controller.metadata.uid = "rc"
        controller.metadata.generation = 2
        controller.spec.selector = ["app": "web"]
        controller.spec.template = Fixture.template("v1")
        func plan(_ pods: [Pod]) -> ReplicaSetPlan<ReplicationController> {
            ReplicaSetPlan(.init(owner: controller, pods: pods), now: now)
        }
        guard case .create(let pod, 1)? = plan([]).actions.first else {
            Issue.record("no pod is created")
            return
        }
        let reference = try #require(pod.metadata.controller)
        #expect([reference.apiVersion, reference.kind, reference.uid] == ["v1", "ReplicationController", "rc"])
        let orphan = Fixture.pod("orphan")
        #expect(plan([orphan]).actions == [.adopt(orphan)])
        var leaving = Fixture.pod("leaving")
        leaving.metadata.ownerReferences = [reference]
        leaving.metadata.deletionTimestamp = now
        let failed = try #require(plan([leaving]).updated(after: .create(message: "quota")))
        #expect(failed.status.observedGeneration == 2)
        #expect(failed.status.conditions.map(\.type) == ["ReplicaFailure"])
        #expect(failed.status.json["terminatingReplicas"] == nil, "its status has no such field")
        controller = failed
        #expect(plan([leaving]).updated(after: .create(message: "quota")) == nil)
        controller.spec.selector = [:]
        #expect(plan([orphan]).actions.contains(.adopt(orphan)) == false, "one that selects nothing adopts nothing")
    }
}
