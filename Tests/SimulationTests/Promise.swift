import Cluster
import Kinds
import Model
import SimulationKit
import Store
import Synchronization

/// What a Deployment promises at every instant (A10): no fewer available pods than its strategy keeps, no more pods
/// than it may have.
///
/// A change of `replicas` moves both bounds, and pods that are killed or lost are nobody's decision: until the cluster
/// has answered to that, the lower bound does not hold.
final class Promise: Sendable {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    private struct State {
        var last = Revision.zero
        var replicas: Int?
        var isFloorOn = false
        var isDisturbed = false
        var ceiling = 0
        var looks = 0
        var looksAtFloor = 0
    }

    private let state = Mutex(State())

    /// How often the cluster was looked at, and how often the lower bound was in force.
    var looks: (all: Int, floor: Int) { state.withLock { ($0.looks, $0.looksAtFloor) } }

    /// Pods are about to be lost by no decision of the cluster's.
    func disturb() {
        state.withLock {
            $0.isDisturbed = true
            $0.isFloorOn = false
        }
    }

    /// Nothing more is lost from now on.
    func calm() { state.withLock { $0.isDisturbed = false } }

    func check(_ snapshot: Snapshot) throws {
        try state.withLock { state in
            if snapshot.revision == state.last { return }
            state.last = snapshot.revision
            guard let deployment = snapshot.all(Deployment.self).first else { return }
            let strategy = deployment.spec.strategy.rollingUpdate
            let replicas = deployment.spec.replicas ?? 1
            guard case .int(let surge)? = strategy?.maxSurge, case .int(let unavailable)? = strategy?.maxUnavailable
            else { throw Broken(description: "the Deployment has no strategy in numbers") }
            let (floor, ceiling) = (max(0, replicas - Int(unavailable)), replicas + Int(surge))
            if state.replicas != replicas {
                state.replicas = replicas
                state.isFloorOn = false
                state.ceiling = max(state.ceiling, ceiling)
            }
            let pods = snapshot.all(Pod.self).filter(\.isReplica)
            let available = pods.count(where: \.isUp)
            state.looks += 1
            if pods.count > state.ceiling {
                throw Broken(
                    description: "\(pods.count) pods of at most \(state.ceiling) at \(snapshot.revision): "
                        + Self.sizes(snapshot, pods))
            }
            if state.isFloorOn, available < floor {
                throw Broken(description: "\(available) available pods of at least \(floor) at \(snapshot.revision)")
            }
            if state.isFloorOn { state.looksAtFloor += 1 }
            guard !state.isFloorOn || state.ceiling != ceiling,
                Self.hasAnswered(snapshot, deployment, replicas, pods)
            else { return }
            if available >= floor, !state.isDisturbed { state.isFloorOn = true }
            if pods.count <= ceiling { state.ceiling = ceiling }
        }
    }

    /// Every ReplicaSet with what it wants, says and has.
    private static func sizes(_ snapshot: Snapshot, _ pods: [Pod]) -> String {
        snapshot.all(ReplicaSet.self).map { set in
            let own = pods.count { $0.metadata.controller?.uid == set.metadata.uid }
            let seen = set.status.observedGeneration == set.metadata.generation
            return "\(set.metadata.name) wants \(set.spec.replicas ?? 1), says \(set.status.replicas)"
                + "\(seen ? "" : " (behind)"), has \(own)"
        }.joined(separator: "; ")
    }

    /// Whether every controller has seen what it is to do, and has done it.
    private static func hasAnswered(
        _ snapshot: Snapshot, _ deployment: Deployment, _ replicas: Int, _ pods: [Pod]
    ) -> Bool {
        guard deployment.status.observedGeneration == deployment.metadata.generation else { return false }
        let replicaSets = snapshot.all(ReplicaSet.self)
        let annotation = "deployment.kubernetes.io/desired-replicas"
        return replicaSets.allSatisfy { replicaSet in
            replicaSet.status.observedGeneration == replicaSet.metadata.generation
                && (replicaSet.spec.replicas == 0
                    || replicaSet.metadata.annotations[annotation] == String(replicas))
        } && replicaSets.compactMap(\.spec.replicas).reduce(0, +) == pods.count
    }
}
