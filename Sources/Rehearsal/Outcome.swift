import Kinds
import Model
import Reconciler
import SimulationKit
import Store

/// How a rehearsal ended.
package enum Outcome: Hashable, Sendable {
    case healthy
    /// The revision failed and the last healthy one is back.
    case rolledBack(String)
    /// The revision failed and nothing could be done about it.
    case degraded(String)
    /// The limit of time was reached.
    case unfinished(String)

    package var isHealthy: Bool { self == .healthy }

    /// The verdict on the revision, once the cluster shows what it says.
    init(of snapshot: Snapshot, in scenario: Scenario, wants revision: String) {
        let key = scenario.application.key
        guard let application = snapshot.all(Application.self).first(where: { $0.key == key }) else {
            self = .unfinished("the Application is gone")
            return
        }
        guard let rollout = application.status.rollout, let phase = rollout.phase else {
            self = .unfinished(application.status.conditions.first?.message ?? "nothing was synced yet")
            return
        }
        let held = rollout.held.last { $0.revision == revision }
        switch phase {
        case "Degraded" where rollout.revision == revision || held != nil:
            self = .degraded(rollout.message ?? "")
        case "Healthy" where rollout.revision == revision && Self.isSettled(snapshot, application): self = .healthy
        case "Healthy" where held != nil && Self.isSettled(snapshot, application),
            "RolledBack" where held != nil && Self.isSettled(snapshot, application):
            self = .rolledBack(held?.message ?? "")
        default:
            let conditions = application.status.conditions.map(\.message)
            self = .unfinished(conditions.first ?? application.status.health.message ?? "the rollout goes on")
        }
    }

    /// Whether a change can be one of what the outcome is read from.
    static func mayDepend(on change: Change) -> Bool { kinds.contains(change.key.kind) }

    private static let kinds = Set([Application.kind, Deployment.kind, Pod.kind].map { "\($0.group)/\($0.kind)" })

    /// Whether all rollouts of the Application are through and nothing of it is about to end.
    private static func isSettled(_ snapshot: Snapshot, _ application: Application) -> Bool {
        let deployments = snapshot.all(Deployment.self).filter {
            Tracking.owner(of: Object(viewing: $0.json)) == application.metadata.name
        }
        guard deployments.allSatisfy(\.isComplete) else { return false }
        let keys = Set(deployments.map(\.key))
        return !snapshot.all(Pod.self).contains {
            $0.metadata.isBeingDeleted && keys.contains(Workload.key(of: $0))
        }
    }
}

extension Deployment {
    /// Whether all replicas are of the present template and available, and no others are left (A20).
    var isComplete: Bool {
        guard status.observedGeneration ?? 0 >= metadata.generation ?? 0 else { return false }
        if spec.paused == true { return true }
        let wanted = spec.replicas ?? 1
        return status.updatedReplicas ?? 0 == wanted && status.availableReplicas ?? 0 == wanted
            && status.replicas ?? 0 == wanted
    }
}
