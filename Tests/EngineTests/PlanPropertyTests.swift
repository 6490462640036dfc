import Cluster
import Glibc
import Kinds
import Model
import Testing

@testable import Engine

/// What must hold of the workload controllers' plans in every state, not only in those that rules name.
@Suite("Plans over random states and histories")
struct PlanPropertyTests {
    private static let isSoak = getenv("MARTLET_SOAK") != nil
    private static let states = 1...(isSoak ? 20_000 : 300) as ClosedRange<UInt64>
    private static let batches = 0..<(isSoak ? 200 : 4)
    private static let histories = 5

    /// A Deployment and ReplicaSets of any sizes, lagging behind one another as they please.
    private struct RandomState {
        var deployment: Deployment
        var replicaSets: [ReplicaSet] = []
        var random: SplitMix64

        init(seed: UInt64, isScaled: Bool) {
            random = SplitMix64(seed: seed)
            let replicas = Int.random(in: 0...12, using: &random)
            let surge = Int.random(in: 0...4, using: &random)
            let unavailable = Int.random(in: surge == 0 ? 1...4 : 0...4, using: &random)
            deployment = Fixture.deployment(
                replicas: replicas, surge: .int(surge), unavailable: .int(unavailable), version: "v0")
            deployment.spec.revisionHistoryLimit = Int.random(in: 0...3, using: &random)
            for index in 0..<Int.random(in: 0...5, using: &random) {
                let spec = Bool.random(using: &random) ? 0 : Int.random(in: 0...8, using: &random)
                let status = max(0, spec + Int.random(in: -2...2, using: &random))
                var replicaSet = Fixture.replicaSet(
                    "v\(index)", of: deployment, spec: spec, available: Int.random(in: 0...status, using: &random),
                    status: status, revision: 9 - index, age: 100 + index,
                    desired: isScaled && Bool.random(using: &random) ? replicas + 1 : replicas)
                if Int.random(in: 0..<8, using: &random) == 0 { replicaSet.metadata.generation = 2 }
                replicaSets.append(replicaSet)
            }
        }

        /// A rollout that is through, with what it left behind.
        mutating func complete() {
            let replicas = deployment.spec.replicas ?? 1
            for index in replicaSets.indices {
                let size = index == 0 ? replicas : 0
                replicaSets[index].spec.replicas = size
                replicaSets[index].status.replicas = Int.random(in: 0..<6, using: &random) == 0 ? 1 : size
                replicaSets[index].status.availableReplicas = size
            }
            deployment.status.updatedReplicas = replicas
            deployment.status.replicas = replicas
            deployment.status.availableReplicas = replicas
            deployment.status.observedGeneration = 1
        }

        var plan: DeploymentPlan {
            DeploymentPlan(.init(deployment: deployment, replicaSets: replicaSets), now: Fixture.now)
        }
        var minAvailable: Int { max(0, plan.replicas - plan.maxUnavailable) }
    }

    @Test("A10: from any state, a step of a rollout neither exceeds the surge nor gives up pods that must be kept")
    func steps() {
        for seed in Self.states {
            let state = RandomState(seed: seed, isScaled: false)
            let plan = state.plan
            var sizes = Dictionary(uniqueKeysWithValues: state.replicaSets.map { ($0.metadata.name, $0.desired) })
            let before = sizes.values.reduce(0, +)
            sizes.merge(plan.sizes) { $1 }
            #expect(sizes.values.allSatisfy { $0 >= 0 }, "seed \(seed)")
            #expect(
                sizes.values.reduce(0, +) <= max(before, plan.replicas + plan.maxSurge), "seed \(seed): \(plan.sizes)")
            let available = state.replicaSets.map(\.available).reduce(0, +)
            let kept = state.replicaSets.map { min($0.available, sizes[$0.metadata.name] ?? 0) }.reduce(0, +)
            // A11 (a): a new ReplicaSet that is larger than the Deployment shrinks to its size whatever it holds.
            let isOversized = (state.replicaSets.first?.desired ?? 0) > plan.replicas
            if !isOversized { #expect(kept >= min(available, state.minAvailable), "seed \(seed): \(plan.sizes)") }
        }
    }

    @Test("A14: from any state, scaling leaves no size negative and no more pods than there were or may be")
    func scaling() {
        for seed in Self.states {
            let state = RandomState(seed: seed, isScaled: true)
            let plan = state.plan
            var sizes = Dictionary(uniqueKeysWithValues: state.replicaSets.map { ($0.metadata.name, $0.desired) })
            let before = sizes.values.reduce(0, +)
            sizes.merge(plan.sizes) { $1 }
            #expect(sizes.values.allSatisfy { $0 >= 0 }, "seed \(seed): \(plan.sizes)")
            #expect(
                sizes.values.reduce(0, +) <= max(before, plan.replicas + plan.maxSurge), "seed \(seed): \(plan.sizes)")
        }
    }

    @Test("A16: from any state, clean-up takes only empty old ReplicaSets, the oldest first, and leaves the history")
    func cleansUp() {
        var deletions = 0
        for seed in Self.states {
            var state = RandomState(seed: seed, isScaled: false)
            if seed % 4 > 0 { state.complete() }
            let limit = state.deployment.spec.revisionHistoryLimit ?? 10
            let olds = state.replicaSets.dropFirst()
            let deleted = Set(state.plan.deleted)
            deletions += deleted.count
            #expect(olds.count - deleted.count >= min(limit, olds.count), "seed \(seed)")
            let gone = olds.filter { deleted.contains($0.metadata.name) }
            #expect(gone.count == deleted.count, "seed \(seed): the present ReplicaSet was deleted")
            #expect(gone.allSatisfy { $0.desired == 0 && $0.status.replicas == 0 && $0.isObserved }, "seed \(seed)")
            let surplus = olds.sorted { $0.revision < $1.revision }.prefix(max(0, olds.count - limit))
            #expect(deleted.isSubset(of: surplus.map(\.metadata.name)), "seed \(seed)")
        }
        #expect(deletions > 0)
    }

    @Test("B1: in any state, what others own, and what the selector does not match, is left alone")
    func ownership() {
        for seed in Self.states {
            var state = RandomState(seed: seed, isScaled: false)
            var other = Fixture.deployment()
            other.metadata.uid = "another"
            var foreign = Fixture.replicaSet("foreign", of: other, spec: 3, revision: 1)
            foreign.spec.replicas = Int.random(in: 0...3, using: &state.random)
            var unrelated = Fixture.replicaSet("unrelated", of: other, spec: 0, revision: 1)
            unrelated.metadata.ownerReferences = []
            unrelated.metadata.labels = ["app": "other"]
            let alone = state.plan
            state.replicaSets += [foreign, unrelated]
            #expect(state.plan.actions == alone.actions, "seed \(seed)")
        }
    }

    @Test("B4, B5: in any state, a ReplicaSet creates what is missing, or deletes its own surplus, unready pods first")
    func replicaSets() {
        for seed in Self.states {
            var random = SplitMix64(seed: seed)
            let deployment = Fixture.deployment()
            let replicaSet = Fixture.replicaSet(
                "v1", of: deployment, spec: Int.random(in: 0...6, using: &random), status: 0)
            let other = Fixture.replicaSet("v2", of: deployment, spec: 2, revision: 2)
            var pods = (0..<Int.random(in: 0...9, using: &random)).map { index -> Pod in
                var pod = Fixture.pod(
                    "p\(index)", node: ["", "n1", "n2"].randomElement(using: &random) ?? "",
                    phase: ["Pending", "Running", "Running", "Failed"].randomElement(using: &random) ?? "",
                    readySince: Bool.random(using: &random) ? 50 : nil,
                    labels: replicaSet.spec.template.metadata.labels,
                    owner: replicaSet)
                if Int.random(in: 0..<5, using: &random) == 0 { pod.metadata.deletionTimestamp = Fixture.now }
                return pod
            }
            let active = pods.filter(\.isActive)
            pods.append(Fixture.pod("foreign", labels: replicaSet.spec.template.metadata.labels, owner: other))
            let isCurrent = Int.random(in: 0..<4, using: &random) > 0
            let plan = ReplicaSetPlan(
                .init(owner: replicaSet, pods: pods, isCurrent: isCurrent), now: Fixture.now)
            let missing = replicaSet.desired - active.count
            guard isCurrent, missing != 0 else {
                #expect(plan.actions.isEmpty, "seed \(seed)")
                continue
            }
            switch plan.actions.first {
            case .create(_, let count): #expect(count == missing, "seed \(seed)")
            case .delete(let victims):
                #expect(victims.count == -missing, "seed \(seed)")
                #expect(Set(victims).isSubset(of: active), "seed \(seed)")
                let survivors = active.filter { !victims.contains($0) }
                let isUseful = { (pod: Pod) in
                    !pod.spec.nodeName.isEmpty && pod.status.phase == "Running" && pod.isReady
                }
                let isWasteful = victims.contains(where: isUseful) && !survivors.allSatisfy(isUseful)
                #expect(!isWasteful, "seed \(seed): a useful pod went before a useless one")
            default: Issue.record("seed \(seed): \(plan.actions)")
            }
        }
    }

    @Test(
        "A10, A20: whatever commits come, bounds hold at every instant, the last good one arrives, then all rests",
        arguments: batches)
    func histories(batch: Int) throws {
        for index in 0..<Self.histories {
            let seed = UInt64(batch * Self.histories + index + 1)
            do {
                try play(PlanWorld(seed: seed))
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    @Test("A15: whatever commits come, Recreate never mixes versions", arguments: batches)
    func recreates(batch: Int) throws {
        let seed = UInt64(batch + 1)
        do {
            try play(PlanWorld(seed: seed, strategy: "Recreate"))
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    private func play(_ start: PlanWorld) throws {
        var world = start
        try settle(&world)
        for version in 2...6 {
            world.commit("v\(version)", isBad: Int.random(in: 0..<3, using: &world.random) == 0)
            for _ in 0..<Int.random(in: 0...120, using: &world.random) { try world.step() }
        }
        world.commit("last", isBad: false)
        try settle(&world)
        // A fixpoint: nothing is done to what is complete, and no more history is kept than was asked for.
        for _ in 0..<3 { try world.syncDeployment() }
        let plan = DeploymentPlan(
            .init(deployment: world.deployment, replicaSets: world.replicaSets, pods: world.pods), now: world.now)
        #expect(plan.actions.isEmpty)
        #expect(world.olds.count <= world.deployment.spec.revisionHistoryLimit ?? 10)
    }

    private func settle(_ world: inout PlanWorld) throws {
        for _ in 0..<6000 {
            if world.isComplete { return }
            try world.step()
        }
        throw PlanWorld.Broken(description: "not complete after 6000 steps")
    }
}
