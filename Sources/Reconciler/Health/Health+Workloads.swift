package import Kinds
package import Model

/// Argo CD's rules per kind (gitops.md §2), which users of either tool expect to give the same words.
extension Health {
    package static func of(_ deployment: Deployment) -> Health {
        let (spec, status) = (deployment.spec, deployment.status)
        if spec.paused == true { return Health(.suspended, "Deployment is paused") }
        if deployment.metadata.generation ?? 0 > status.observedGeneration ?? 0 {
            return Health(
                .progressing, "Waiting for rollout to finish: observed deployment generation less than desired")
        }
        if let condition = status.conditions.first(where: { $0.type == "Progressing" }),
            condition.reason == "ProgressDeadlineExceeded"
        {
            return Health(.degraded, "Deployment exceeded its progress deadline" + refusal(status))
        }
        let desired = spec.replicas ?? 1
        let (updated, replicas) = (status.updatedReplicas ?? 0, status.replicas ?? 0)
        let available = status.availableReplicas ?? 0
        if updated < desired {
            return Health(
                .progressing,
                "Waiting for rollout to finish: \(updated) out of \(desired) new replicas have been updated..."
                    + refusal(status))
        }
        if replicas > updated {
            let old = replicas - updated
            return Health(
                .progressing, "Waiting for rollout to finish: \(old) old replicas are pending termination...")
        }
        if available < updated {
            return Health(
                .progressing,
                "Waiting for rollout to finish: \(available) of \(updated) updated replicas are available..."
                    + refusal(status))
        }
        return Health(.healthy)
    }

    /// Why there are not more pods, where making them fails: a quota, or an account that is not there. Argo CD does not
    /// say it.
    private static func refusal(_ status: DeploymentStatus) -> String {
        let failure = status.conditions.first { $0.type == "ReplicaFailure" && $0.status == "True" }
        return failure?.message.map { " \($0)" } ?? ""
    }

    package static func of(_ replicaSet: ReplicaSet) -> Health { ofReplicas(replicaSet, called: "replica set") }

    /// What counts pods as ReplicaSets do. Argo CD does not judge ReplicationControllers; here a commit stands or falls
    /// by them.
    static func ofReplicas(_ replicaSet: ReplicaSet, called kind: String) -> Health {
        let status = replicaSet.status
        if replicaSet.metadata.generation ?? 0 > status.observedGeneration ?? 0 {
            return Health(
                .progressing, "Waiting for rollout to finish: observed \(kind) generation less than desired")
        }
        if let failure = status.conditions.first(where: { $0.type == "ReplicaFailure" && $0.status == "True" }) {
            return Health(.degraded, failure.message ?? "")
        }
        let (available, desired) = (status.availableReplicas ?? 0, replicaSet.spec.replicas ?? 1)
        if available < desired {
            return Health(
                .progressing,
                "Waiting for rollout to finish: \(available) out of \(desired) new replicas are available...")
        }
        return Health(.healthy)
    }

    package static func ofStatefulSet(_ set: JSON) -> Health {
        let desired = set[path: ["spec", "replicas"]]?.int ?? 1
        let observed = set[path: ["status", "observedGeneration"]]?.int ?? 0
        if observed == 0 || set[path: ["metadata", "generation"]]?.int ?? 0 > observed {
            return Health(.progressing, "Waiting for statefulset spec update to be observed...")
        }
        let ready = set[path: ["status", "readyReplicas"]]?.int ?? 0
        if ready < desired { return Health(.progressing, "Waiting for \(desired - ready) pods to be ready...") }
        if set[path: ["spec", "updateStrategy", "type"]]?.string == "OnDelete" { return Health(.healthy) }
        if let partition = set[path: ["spec", "updateStrategy", "rollingUpdate", "partition"]]?.int {
            let updated = set[path: ["status", "updatedReplicas"]]?.int ?? 0
            return updated < desired - partition
                ? Health(
                    .progressing, "Waiting for partitioned roll out to finish: \(updated) new pods have been updated..."
                )
                : Health(.healthy)
        }
        let (current, update) = (set[path: ["status", "currentRevision"]], set[path: ["status", "updateRevision"]])
        return current == update
            ? Health(.healthy) : Health(.progressing, "Waiting for statefulset rolling update to complete")
    }

    package static func ofDaemonSet(_ set: JSON) -> Health {
        if set[path: ["metadata", "generation"]]?.int ?? 0 > set[path: ["status", "observedGeneration"]]?.int ?? 0 {
            return Health(
                .progressing, "Waiting for rollout to finish: observed daemon set generation less than desired")
        }
        if set[path: ["spec", "updateStrategy", "type"]]?.string == "OnDelete" { return Health(.healthy) }
        let desired = set[path: ["status", "desiredNumberScheduled"]]?.int ?? 0
        let updated = set[path: ["status", "updatedNumberScheduled"]]?.int ?? 0
        let available = set[path: ["status", "numberAvailable"]]?.int ?? 0
        if updated < desired {
            return Health(
                .progressing,
                "Waiting for rollout to finish: \(updated) out of \(desired) new pods have been updated...")
        }
        if available < desired {
            return Health(
                .progressing, "Waiting for rollout to finish: \(available) of \(desired) updated pods are available...")
        }
        return Health(.healthy)
    }

    package static func ofJob(_ job: JSON) -> Health {
        for condition in job[path: ["status", "conditions"]]?.array ?? [] where condition["status"]?.string == "True" {
            let message = condition["message"]?.string ?? ""
            switch condition["type"]?.string {
            case "Failed": return Health(.degraded, message)
            case "Complete": return Health(.healthy, message)
            case "Suspended": return Health(.suspended, message)
            default: continue
            }
        }
        return Health(.progressing)
    }

    package static func of(_ service: Service) -> Health {
        guard service.spec.type == "LoadBalancer", service.status.loadBalancer.ingress.isEmpty else {
            return Health(.healthy)
        }
        if let name = service.spec.loadBalancerClass, !name.isEmpty {
            return Health(.progressing, "Waiting for an address from the load balancer of class \(name)")
        }
        return Health(
            .progressing, "Waiting for a load balancer address; events of the Service may say what is in the way")
    }

    package static func ofClaim(_ claim: JSON) -> Health {
        switch claim[path: ["status", "phase"]]?.string {
        case "Bound": Health(.healthy)
        case "Lost": Health(.degraded, "the volume is lost")
        default: Health(.progressing)
        }
    }
}
