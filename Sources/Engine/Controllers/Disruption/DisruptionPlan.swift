package import Kinds
package import Model

/// What the status of a PodDisruptionBudget should say (semantics-workloads K7): how many of its pods are well, and how
/// many may be taken away.
package struct DisruptionPlan: Sendable {
    package struct World: Sendable {
        package var budget: PodDisruptionBudget
        /// Those of the budget's namespace, at least the ones that it selects.
        package var pods: [Pod]
        /// What stands behind the pods' controllers, by the controller's UID: a ReplicaSet stands for its Deployment.
        package var workloads: [String: Workload]

        package init(budget: PodDisruptionBudget, pods: [Pod], workloads: [String: Workload]) {
            self.budget = budget
            self.pods = pods
            self.workloads = workloads
        }
    }

    /// Something that keeps a number of pods.
    package struct Workload: Hashable, Sendable {
        package var uid: String
        package var replicas: Int

        package init(uid: String, replicas: Int) {
            self.uid = uid
            self.replicas = replicas
        }
    }

    /// The budget with the status to write; `nil` when it says so already.
    package let updated: PodDisruptionBudget?
    /// When an eviction that nothing came of is to be forgotten.
    package let checkAgainAt: Timestamp?

    /// How long a pod that was evicted may stay without being deleted.
    static let evictionLimit = Duration.seconds(120)

    package init(_ world: World, now: Timestamp) {
        let budget = world.budget
        let pods = world.pods.filter { budget.covers($0) }
        let (disrupted, next) = Self.disrupted(budget.status.disruptedPods, pods, now: now)
        var status = budget.status
        status.observedGeneration = budget.metadata.generation
        do throws(Unknown) {
            let (expected, desired) = try Self.promise(budget, pods, world.workloads)
            let healthy = pods.filter { pod in
                pod.isReady && !pod.metadata.isBeingDeleted && disrupted[pod.metadata.name] == nil
            }.count
            let allowed = expected > 0 ? max(0, healthy - desired) : 0
            status.currentHealthy = healthy
            status.desiredHealthy = desired
            status.expectedPods = expected
            status.disruptionsAllowed = allowed
            status.disruptedPods = disrupted
            status.setAllowed(
                allowed > 0, reason: allowed > 0 ? "SufficientPods" : "InsufficientPods", message: "",
                generation: budget.metadata.generation, now: now)
        } catch {
            // Nobody may be evicted on a guess.
            status.disruptionsAllowed = 0
            status.setAllowed(
                false, reason: "SyncFailed", message: error.message, generation: budget.metadata.generation, now: now)
        }
        checkAgainAt = next
        var result = budget
        result.status = status
        updated = result == budget ? nil : result
    }

    private struct Unknown: Error {
        var message: String
    }

    /// How many pods there should be, and how many of them must be healthy.
    private static func promise(
        _ budget: PodDisruptionBudget, _ pods: [Pod], _ workloads: [String: Workload]
    ) throws(Unknown) -> (expected: Int, desired: Int) {
        if let unavailable = budget.spec.maxUnavailable {
            let expected = try replicas(behind: pods, workloads)
            let spared = try count(unavailable, of: expected, "maxUnavailable")
            return (expected, max(0, expected - spared))
        }
        guard let available = budget.spec.minAvailable else { return (pods.count, 0) }
        if case .int(let count) = available { return (pods.count, count) }
        let expected = try replicas(behind: pods, workloads)
        return (expected, try count(available, of: expected, "minAvailable"))
    }

    private static func count(_ value: IntOrString, of total: Int, _ field: String) throws(Unknown) -> Int {
        guard let count = value.scaled(to: total, rounding: .up) else {
            throw Unknown(message: "spec.\(field) is neither a number nor a percentage: \(value)")
        }
        return count
    }

    /// The replicas that the pods' workloads are to have; pods without a controller count for nothing.
    private static func replicas(behind pods: [Pod], _ workloads: [String: Workload]) throws(Unknown) -> Int {
        var found: Set<Workload> = []
        for pod in pods {
            guard let controller = pod.metadata.controller else { continue }
            guard let workload = workloads[controller.uid] else {
                throw Unknown(
                    message: "found no controllers for pod \"\(pod.metadata.name)\": "
                        + "\(controller.kind) \(controller.name) has no scale")
            }
            found.insert(workload)
        }
        return found.reduce(0) { $0 + $1.replicas }
    }

    /// Evictions that are still to become deletions, and when the first of them is given up.
    private static func disrupted(
        _ noted: [String: Timestamp], _ pods: [Pod], now: Timestamp
    ) -> ([String: Timestamp], next: Timestamp?) {
        var kept: [String: Timestamp] = [:]
        for pod in pods where !pod.metadata.isBeingDeleted {
            guard let time = noted[pod.metadata.name], time + evictionLimit > now else { continue }
            kept[pod.metadata.name] = time
        }
        return (kept, kept.values.min().map { $0 + evictionLimit })
    }
}

extension PodDisruptionBudget {
    /// Whether the budget speaks of this pod: one without a selector speaks of none, an empty one of all.
    func covers(_ pod: Pod) -> Bool {
        guard let selector = spec.selector, pod.metadata.namespace == metadata.namespace else { return false }
        return Selector(matching: selector).matches(pod.metadata.json["labels"])
    }
}

extension PodDisruptionBudgetStatus {
    /// The condition that tells people and tools whether a pod may be taken away.
    mutating func setAllowed(_ isAllowed: Bool, reason: String, message: String, generation: Int?, now: Timestamp) {
        var condition = conditions.first { $0.type == "DisruptionAllowed" } ?? Condition()
        let status = isAllowed ? "True" : "False"
        if condition.status != status { condition.lastTransitionTime = now }
        condition.type = "DisruptionAllowed"
        condition.status = status
        condition.reason = reason
        condition.message = message
        condition.observedGeneration = generation
        conditions = conditions.filter { $0.type != "DisruptionAllowed" } + [condition]
    }
}
