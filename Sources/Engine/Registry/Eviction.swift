import Cluster
import Kinds
import Model

/// Whether a pod may be taken away by an eviction, decided without touching anything (semantics-workloads K8).
enum Eviction: Hashable {
    /// No budget stands in the way.
    case free
    /// The budget bears it; this is how it notes that.
    case charged(PodDisruptionBudget)

    private static let violation = "Cannot evict pod as it would violate the pod's disruption budget."
    /// Evictions of one budget that were not followed by a deletion yet.
    private static let pendingLimit = 2000

    static let kind = GroupVersionKind(group: "policy", version: "v1", kind: "Eviction")

    /// The request for an eviction, as an object.
    static func json(of pod: ObjectKey, _ options: DeleteOptions) -> JSON {
        [
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": ["name": .string(pod.name), "namespace": .string(pod.namespace)],
            "deleteOptions": options.json,
        ]
    }

    /// - Parameter budgets: all of the pod's namespace.
    /// - Throws: `.tooManyRequests` while a budget forbids it.
    static func of(_ pod: Pod, budgets: [PodDisruptionBudget], now: Timestamp) throws(APIError) -> Eviction {
        if pod.isTerminal || pod.status.phase == "Pending" || pod.metadata.isBeingDeleted { return .free }
        let covering = budgets.filter { $0.covers(pod) }
        guard covering.count <= 1 else {
            throw APIError(
                .internalError,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
                isCallersFault: true)
        }
        guard let budget = covering.first else { return .free }
        let status = budget.status
        if !pod.isReady {
            // A pod that is not healthy is none of those that the budget counts on.
            if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow" { return .free }
            if status.desiredHealthy > 0, status.currentHealthy >= status.desiredHealthy { return .free }
        }
        return .charged(try charge(budget, for: pod, now: now))
    }

    private static func charge(
        _ budget: PodDisruptionBudget, for pod: Pod, now: Timestamp
    ) throws(APIError) -> PodDisruptionBudget {
        let name = budget.metadata.name
        var status = budget.status
        if (status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0) {
            throw refusal("The disruption budget \(name) is still being processed by the server.", retryAfter: 10)
        }
        guard status.disruptionsAllowed > 0 else {
            throw refusal(
                "The disruption budget \(name) needs \(status.desiredHealthy) healthy pods and has "
                    + "\(status.currentHealthy) currently")
        }
        guard status.disruptedPods.count < pendingLimit else {
            throw APIError(
                .forbidden,
                "poddisruptionbudgets.policy \"\(name)\" is forbidden: DisruptedPods map too big - too many evictions "
                    + "not confirmed by PDB controller",
                details: APIError.Details(name: name, group: "policy", kind: "poddisruptionbudgets"))
        }
        status.disruptionsAllowed -= 1
        if status.disruptionsAllowed == 0 {
            status.setAllowed(
                false, reason: "InsufficientPods", message: "", generation: budget.metadata.generation, now: now)
        }
        status.disruptedPods[pod.metadata.name] = now
        var charged = budget
        charged.status = status
        return charged
    }

    private static func refusal(_ cause: String, retryAfter seconds: Int? = nil) -> APIError {
        APIError(
            .tooManyRequests, violation,
            details: APIError.Details(
                causes: [APIError.Cause(reason: "DisruptionBudget", message: cause, field: "")],
                retryAfterSeconds: seconds))
    }

    /// The pod with the word of why it ends.
    static func marked(_ pod: Pod, now: Timestamp) -> Pod {
        var pod = pod
        pod.status.setCondition(
            "DisruptionTarget", "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting", now: now)
        return pod
    }
}
