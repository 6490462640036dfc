import Cluster
import Kinds
import Model

@testable import Engine

/// A Deployment with its ReplicaSets and pods as values: controllers and node take turns in an order drawn from a seed,
/// each acting by its pure plan, and nothing is as new to one as to the other.
struct PlanWorld {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    var random: SplitMix64
    var now = Fixture.now
    var deployment: Deployment
    var replicaSets: [ReplicaSet] = []
    var pods: [Pod] = []
    /// Versions whose pods never become ready.
    var bad: Set<String> = []
    /// How many templates the Deployment has had.
    private(set) var rollouts = 1
    private var lastUID = 0
    private var hasBeenUp = false
    let minAvailable: Int
    let maxPods: Int

    init(seed: UInt64, strategy: String = "RollingUpdate") {
        random = SplitMix64(seed: seed)
        let replicas = Int.random(in: 1...6, using: &random)
        let surge = Int.random(in: 0...2, using: &random)
        let unavailable = Int.random(in: surge == 0 ? 1...2 : 0...2, using: &random)
        deployment = Fixture.deployment(
            replicas: replicas, surge: .int(surge), unavailable: .int(unavailable), strategy: strategy)
        deployment.spec.revisionHistoryLimit = Int.random(in: 0...3, using: &random)
        minAvailable = strategy == "Recreate" ? 0 : max(0, replicas - unavailable)
        maxPods = strategy == "Recreate" ? replicas : replicas + surge
    }

    var replicas: Int { deployment.spec.replicas ?? 1 }
    var active: [Pod] { pods.filter(\.isActive) }
    var olds: [ReplicaSet] { replicaSets.filter { $0.spec.template.spec.containers.first?.image != image } }
    var image: String? { deployment.spec.template.spec.containers.first?.image }

    /// A20, seen from outside; nothing is left to happen.
    var isComplete: Bool {
        pods.count == replicas && active.allSatisfy { $0.isReady && $0.spec.containers.first?.image == image }
            && deployment.status.updatedReplicas == replicas && deployment.status.replicas == replicas
            && deployment.status.availableReplicas == replicas
            && deployment.status.observedGeneration == deployment.metadata.generation
    }

    mutating func commit(_ version: String, isBad: Bool) {
        rollouts += 1
        if isBad { bad.insert("web:\(version)") }
        deployment.spec.template = Fixture.template(version)
        deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1
    }

    /// One thing happens.
    mutating func step() throws {
        now = now + .milliseconds(Int.random(in: 1...2000, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try syncDeployment()
        case 1:
            if let index = replicaSets.indices.randomElement(using: &random) { try syncReplicaSet(index) }
        default:
            if let index = pods.indices.randomElement(using: &random) { runPod(index) }
        }
        try check()
    }

    private func check() throws {
        let active = active
        if active.count > maxPods { throw Broken(description: "\(active.count) pods of at most \(maxPods)") }
        let available = active.count(where: \.isReady)
        if hasBeenUp, available < minAvailable {
            throw Broken(description: "\(available) available pods of at least \(minAvailable)")
        }
        if deployment.spec.strategy.type == "Recreate", Set(pods.map { $0.spec.containers.first?.image }).count > 1 {
            throw Broken(description: "two versions at once")
        }
    }

    mutating func settleBounds() { if active.count(where: \.isReady) >= minAvailable { hasBeenUp = true } }

    private mutating func uid(_ prefix: String) -> String {
        lastUID += 1
        return "\(prefix)-\(lastUID)"
    }

    mutating func syncDeployment() throws {
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: replicaSets, pods: pods), now: now)
        for action in plan.actions { try apply(action, plan) }
        settleBounds()
        if case .updateStatus? = plan.actions.first, plan.actions.count == 1, !plan.goesOnAfterStatus {
            let next = DeploymentPlan(.init(deployment: deployment, replicaSets: replicaSets, pods: pods), now: now)
            if !next.actions.isEmpty { throw Broken(description: "its own status was not the end of it") }
        }
    }

    private mutating func apply(_ action: DeploymentPlan.Action, _ plan: DeploymentPlan) throws {
        switch action {
        case .adopt, .release: throw Broken(description: "all ReplicaSets are owned already")
        case .create(let wanted):
            var created = wanted
            created.metadata.uid = uid("rs")
            created.metadata.generation = 1
            created.metadata.creationTimestamp = now
            replicaSets.append(created)
            for action in plan.afterCreating(wanted, .created(created)).actions { try apply(action, plan) }
        case .update(let changed):
            guard let index = replicaSets.firstIndex(where: { $0.metadata.uid == changed.metadata.uid }) else {
                throw Broken(description: "a ReplicaSet that is gone was updated")
            }
            var changed = changed
            if changed.spec != replicaSets[index].spec {
                changed.metadata.generation = (changed.metadata.generation ?? 0) + 1
            }
            changed.status = replicaSets[index].status
            replicaSets[index] = changed
        case .delete(let gone):
            if pods.contains(where: { $0.metadata.controller?.uid == gone.metadata.uid && $0.isActive }) {
                throw Broken(description: "a ReplicaSet with pods was deleted")
            }
            replicaSets.removeAll { $0.metadata.uid == gone.metadata.uid }
        case .updateStatus(let changed):
            deployment.status = changed.status
            deployment.metadata.annotations = changed.metadata.annotations
        case .updateSpec(let changed):
            deployment = changed
            deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1
        case .report: break
        }
    }

    private mutating func syncReplicaSet(_ index: Int) throws {
        let replicaSet = replicaSets[index]
        let owned = pods.filter { $0.metadata.controller?.uid == replicaSet.metadata.uid }
        let siblings = pods.filter { $0.metadata.controller?.uid != replicaSet.metadata.uid }
        let plan = ReplicaSetPlan(.init(owner: replicaSet, pods: owned, siblings: siblings), now: now)
        for action in plan.actions {
            switch action {
            case .adopt, .release: throw Broken(description: "all pods are owned already")
            case .create(let template, let count):
                for _ in 0..<count {
                    var pod = template
                    pod.metadata.uid = uid("pod")
                    pod.metadata.name = pod.metadata.uid
                    pod.metadata.creationTimestamp = now
                    pod.status.phase = "Pending"
                    pods.append(pod)
                }
            case .delete(let victims):
                let uids = Set(victims.map(\.metadata.uid))
                for index in pods.indices where uids.contains(pods[index].metadata.uid) {
                    pods[index].metadata.deletionTimestamp = now
                }
            }
        }
        if let updated = plan.updated(after: nil) { replicaSets[index].status = updated.status }
    }

    /// What the node makes of one pod.
    private mutating func runPod(_ index: Int) {
        var pod = pods[index]
        if pod.metadata.isBeingDeleted {
            pods.remove(at: index)
            return
        }
        if pod.status.phase == "Pending" {
            pod.status.phase = "Running"
            pod.spec.nodeName = "n1"
            pod.status.setCondition("Ready", "False", now: now)
        } else if !bad.contains(pod.spec.containers.first?.image ?? "") {
            pod.status.setCondition("Ready", "True", now: now)
        }
        pods[index] = pod
    }
}
