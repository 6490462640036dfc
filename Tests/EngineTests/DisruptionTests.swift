import Cluster
import Kinds
import Model
import SimulationKit
import Testing

@testable import Engine

/// semantics-workloads K7, K8.
@Suite("Disruption budgets and evictions")
struct DisruptionTests {
    private static let now = Fixture.now
    private static let deployment = Fixture.deployment(replicas: 4)
    private static let replicaSet = Fixture.replicaSet("v1", of: deployment, spec: 4)
    private static let workloads = [replicaSet.metadata.uid: DisruptionPlan.Workload(uid: "d", replicas: 4)]

    private static func budget(min: IntOrString? = nil, max: IntOrString? = nil) -> PodDisruptionBudget {
        var budget = PodDisruptionBudget(named: "web", in: "shop")
        budget.metadata.generation = 1
        var selector = LabelSelector()
        selector.matchLabels = ["app": "web"]
        budget.spec.selector = selector
        budget.spec.minAvailable = min
        budget.spec.maxUnavailable = max
        return budget
    }

    private static func pods(ready: Int, unready: Int = 0) -> [Pod] {
        (0..<ready).map { Fixture.pod("ready-\($0)", owner: replicaSet) }
            + (0..<unready).map { Fixture.pod("unready-\($0)", readySince: nil, owner: replicaSet) }
    }

    private static func plan(
        _ budget: PodDisruptionBudget, _ pods: [Pod], _ workloads: [String: DisruptionPlan.Workload] = workloads
    ) -> DisruptionPlan {
        DisruptionPlan(.init(budget: budget, pods: pods, workloads: workloads), now: now)
    }

    struct Case: CustomTestStringConvertible {
        var text: String
        var budget: PodDisruptionBudget
        var pods: [Pod]
        var expected: Int
        var desired: Int
        var allowed: Int
        var testDescription: String { text }
    }

    static let cases = [
        Case(
            text: "minAvailable counts pods", budget: budget(min: 3), pods: pods(ready: 4), expected: 4, desired: 3,
            allowed: 1),
        Case(
            text: "pods that are not ready are missing", budget: budget(min: 3), pods: pods(ready: 2, unready: 2),
            expected: 4, desired: 3, allowed: 0),
        Case(
            text: "a percentage is one of the workload's replicas, rounded up", budget: budget(min: "60%"),
            pods: pods(ready: 4), expected: 4, desired: 3, allowed: 1),
        Case(
            text: "maxUnavailable is what may be missing of the replicas", budget: budget(max: 1),
            pods: pods(ready: 4), expected: 4, desired: 3, allowed: 1),
        Case(
            text: "maxUnavailable in percent is rounded up", budget: budget(max: "30%"), pods: pods(ready: 4),
            expected: 4, desired: 2, allowed: 2),
        Case(
            text: "replicas that are still to come are missing", budget: budget(max: 1), pods: pods(ready: 3),
            expected: 4, desired: 3, allowed: 0),
        Case(
            text: "nothing is allowed where nothing is expected", budget: budget(max: 1), pods: [], expected: 0,
            desired: 0, allowed: 0),
    ]

    @Test("K7: what a budget allows", arguments: cases)
    func allows(_ test: Case) throws {
        let status = try #require(Self.plan(test.budget, test.pods).updated).status
        #expect(status.expectedPods == test.expected)
        #expect(status.desiredHealthy == test.desired)
        #expect(status.disruptionsAllowed == test.allowed)
        #expect(status.observedGeneration == 1)
        let condition = try #require(status.conditions.first)
        #expect(condition.type == "DisruptionAllowed")
        #expect(condition.status == (test.allowed > 0 ? "True" : "False"))
        #expect(condition.reason == (test.allowed > 0 ? "SufficientPods" : "InsufficientPods"))
    }

    @Test("K7: a budget whose status is current is left alone")
    func converges() throws {
        for test in Self.cases {
            let updated = try #require(Self.plan(test.budget, test.pods).updated)
            #expect(Self.plan(updated, test.pods).updated == nil, "\(test.text)")
        }
    }

    @Test("K7: where nobody knows how many pods there should be, none may be taken away")
    func unknownWorkload() throws {
        let status = try #require(Self.plan(Self.budget(max: 1), Self.pods(ready: 4), [:]).updated).status
        #expect(status.disruptionsAllowed == 0)
        #expect(status.conditions.first?.reason == "SyncFailed")
        #expect(status.conditions.first?.message.contains("ReplicaSet web-v1 has no scale") == true)
    }

    @Test("K7: a pod that was evicted does not count until it is gone, or nothing came of it for two minutes")
    func disruptedPods() throws {
        var budget = Self.budget(min: 2)
        budget.status.disruptedPods = [
            "ready-0": Self.now - .seconds(60), "ready-1": Self.now - .seconds(121), "gone": Self.now,
        ]
        let plan = Self.plan(budget, Self.pods(ready: 4))
        let status = try #require(plan.updated).status
        #expect(status.disruptedPods == ["ready-0": Self.now - .seconds(60)])
        #expect(status.currentHealthy == 3)
        #expect(status.disruptionsAllowed == 1)
        #expect(plan.checkAgainAt == Self.now + .seconds(60))
    }

    @Test("a budget without a selector covers no pod, an empty selector all of the namespace")
    func covers() {
        var budget = Self.budget(min: 1)
        let pod = Fixture.pod("p", labels: ["app": "other"])
        #expect(!budget.covers(pod))
        budget.spec.selector = LabelSelector()
        #expect(budget.covers(pod))
        budget.spec.selector = nil
        #expect(!budget.covers(pod))
    }

    // MARK: Eviction

    private static func observed(allowed: Int, healthy: Int = 3, desired: Int = 3) -> PodDisruptionBudget {
        var budget = budget(min: 3)
        budget.status.observedGeneration = 1
        budget.status.disruptionsAllowed = allowed
        budget.status.currentHealthy = healthy
        budget.status.desiredHealthy = desired
        return budget
    }

    @Test("K8: an eviction is charged to the budget")
    func charges() throws {
        let pod = Fixture.pod("p")
        let eviction = try Eviction.of(pod, budgets: [Self.observed(allowed: 1)], now: Self.now)
        guard case .charged(let budget) = eviction else {
            Issue.record("\(eviction)")
            return
        }
        #expect(budget.status.disruptionsAllowed == 0)
        #expect(budget.status.disruptedPods == ["p": Self.now])
        #expect(budget.status.conditions.first?.reason == "InsufficientPods")
    }

    @Test("K8: pods that have ended, are to come or are going, and those that no budget covers, are free")
    func free() throws {
        let exhausted = [Self.observed(allowed: 0)]
        var leaving = Fixture.pod("p")
        leaving.metadata.deletionTimestamp = Self.now
        for pod in [Fixture.pod("p", phase: "Succeeded"), Fixture.pod("p", phase: "Pending"), leaving] {
            #expect(try Eviction.of(pod, budgets: exhausted, now: Self.now) == .free)
        }
        let other = Fixture.pod("p", labels: ["app": "other"])
        #expect(try Eviction.of(other, budgets: exhausted, now: Self.now) == .free)
    }

    @Test("K8: a pod that is not ready goes when the healthy ones suffice, or when the budget says that it may")
    func unready() throws {
        let pod = Fixture.pod("p", readySince: nil)
        #expect(try Eviction.of(pod, budgets: [Self.observed(allowed: 0)], now: Self.now) == .free)
        var short = Self.observed(allowed: 0, healthy: 2)
        #expect(throws: APIError.self) { try Eviction.of(pod, budgets: [short], now: Self.now) }
        short.spec.unhealthyPodEvictionPolicy = "AlwaysAllow"
        #expect(try Eviction.of(pod, budgets: [short], now: Self.now) == .free)
    }

    @Test("K8: refusals say why and whether to try again")
    func refusals() {
        let pod = Fixture.pod("p")
        func error(_ budgets: [PodDisruptionBudget]) -> APIError? {
            #expect(throws: APIError.self) { try Eviction.of(pod, budgets: budgets, now: Self.now) }
        }
        let blocked = error([Self.observed(allowed: 0)])
        #expect(blocked?.reason == .tooManyRequests)
        #expect(blocked?.message == "Cannot evict pod as it would violate the pod's disruption budget.")
        #expect(blocked?.details.causes.first?.reason == "DisruptionBudget")
        #expect(
            blocked?.details.causes.first?.message
                == "The disruption budget web needs 3 healthy pods and has 3 currently")
        let unseen = error([Self.budget(min: 1)])
        #expect(unseen?.reason == .tooManyRequests)
        #expect(unseen?.details.retryAfterSeconds == 10)
        let two = error([Self.observed(allowed: 1), Self.observed(allowed: 1)])
        #expect(two?.reason.code == 500)
    }

    @Test("K8: evictions at once cannot spend a budget twice, and the evicted pod is marked and going")
    func evicts() async throws {
        let registry = try await TestRegistry()
        let budget: JSON = [
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": ["name": "web", "namespace": "default"],
            "spec": ["minAvailable": 1, "selector": ["matchLabels": ["app": "web"]]],
        ]
        var stored: PodDisruptionBudget = try await registry.create(budget).view()
        stored.status.observedGeneration = 1
        stored.status.disruptionsAllowed = 1
        try await registry.update(Object(viewing: stored.json), .status)
        for name in ["a", "b", "c"] {
            var pod: Pod = try await registry.create(Sample.pod(name, node: "n1")).view()
            pod.status.phase = "Running"
            pod.status.setCondition("Ready", "True", now: Self.now)
            try await registry.update(Object(viewing: pod.json), .status)
        }
        let cluster = registry.registry
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for name in ["a", "b", "c"] {
                group.addTask {
                    do {
                        try await cluster.evict(Pod.key(name, in: "default"), options: DeleteOptions())
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 }.count == 1)
        let pods = try await cluster.list(ListQuery(Pod.kind.groupKind)).items.map { $0.view(as: Pod.self) }
        let going = pods.filter { $0.metadata.isBeingDeleted }
        #expect(going.count == 1)
        #expect(going.first?.condition("DisruptionTarget")?.reason == "EvictionByEvictionAPI")
        let after: PodDisruptionBudget = try await registry.get(stored.key).view()
        #expect(after.status.disruptionsAllowed == 0)
        #expect(Array(after.status.disruptedPods.keys) == going.map(\.metadata.name))
    }

    @Test("a dry run of an eviction changes nothing, and a pod that is not there is not found")
    func dryRun() async throws {
        let registry = try await TestRegistry()
        let pod = try await registry.create(Sample.pod("a", node: "n1"))
        try await registry.registry.evict(pod.key, options: DeleteOptions(dryRun: true))
        #expect(try await registry.get(pod.key) == pod)
        let error = try await registry.error {
            try await registry.registry.evict(Pod.key("none", in: "default"), options: DeleteOptions())
        }
        #expect(error == .notFound("pods", name: "none"))
    }
}
