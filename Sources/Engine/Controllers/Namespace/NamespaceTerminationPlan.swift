package import Cluster
package import Kinds
package import Model

/// How a namespace that is being deleted is emptied, decided from what is left in it (F7, F8).
package enum NamespaceTerminationPlan {
    /// What is left of one kind.
    package struct Contents: Sendable {
        package var type: ResourceType
        package var objects: [Object]

        package init(type: ResourceType, objects: [Object]) {
            self.type = type
            self.objects = objects
        }
    }

    package struct Decision: Sendable {
        package var deletions: [(key: ObjectKey, options: DeleteOptions)] = []
        /// The status to write; `nil` when it says so already.
        package var status: Namespace?
        /// The namespace without the finalizer that held it, when it is empty.
        package var finalized: Namespace?
        /// When to look again if nothing changes before.
        package var again: Duration?
    }

    static let finalizer = "kubernetes"

    /// - Returns: nothing to do for a namespace that stays, or whose finalizer is gone.
    package static func decide(_ namespace: Namespace, contents: [Contents], now: Timestamp) -> Decision {
        var decision = Decision()
        let finalizers = namespace.json[path: ["spec", "finalizers"]]?.array ?? []
        guard namespace.metadata.isBeingDeleted, finalizers.contains(.string(finalizer)) else { return decision }
        let remaining = contents.filter { !$0.objects.isEmpty }
        let pods = remaining.first { $0.type.kind == Pod.kind }
        // Pods first: what they use should be there until they end (F7).
        let turn = pods.map { [$0] } ?? remaining
        decision.deletions = turn.flatMap(\.objects).filter { !$0.metadata.isBeingDeleted }
            .sorted { $0.key < $1.key }
            .map { ($0.key, DeleteOptions(propagation: .background, uid: $0.metadata.uid)) }
        decision.status = withConditions(namespace, remaining, now: now)
        if remaining.isEmpty {
            var finalized = namespace
            finalized.json[path: ["spec", "finalizers"]] = .array(finalizers.filter { $0 != .string(finalizer) })
            decision.finalized = finalized
        } else {
            decision.again = wait(for: pods?.objects ?? [], blocked: remaining)
        }
        return decision
    }

    /// Half of the longest time a pod may take and a second more; 15 s where only finalizers hold what is left.
    private static func wait(for pods: [Object], blocked remaining: [Contents]) -> Duration {
        let grace = pods.map { pod in
            pod.metadata.deletionGracePeriodSeconds
                ?? pod.json[path: ["spec", "terminationGracePeriodSeconds"]]?.int.map { Int($0) } ?? 30
        }
        if let longest = grace.max() { return .seconds(longest / 2 + 1) }
        let isHeld = remaining.flatMap(\.objects).allSatisfy { $0.metadata.isBeingDeleted }
        return .seconds(isHeld ? 15 : 1)
    }

    // MARK: Conditions

    private static func withConditions(_ namespace: Namespace, _ remaining: [Contents], now: Timestamp) -> Namespace? {
        var conditions = namespace.json[path: ["status", "conditions"]]?.array ?? []
        for wanted in wantedConditions(remaining) {
            var condition = wanted
            let position = conditions.firstIndex { $0["type"] == wanted["type"] }
            if let position {
                let present = conditions[position]
                let isSame = ["status", "reason", "message"].allSatisfy { present[$0] == wanted[$0] }
                if isSame { continue }
                condition["lastTransitionTime"] =
                    present["status"] == wanted["status"] ? present["lastTransitionTime"] : now.json
                conditions[position] = condition
            } else {
                condition["lastTransitionTime"] = now.json
                conditions.append(condition)
            }
        }
        var updated = namespace
        updated.json[path: ["status", "conditions"]] = .array(conditions)
        return updated.json == namespace.json ? nil : updated
    }

    private static func wantedConditions(_ remaining: [Contents]) -> [JSON] {
        let counts = remaining.map {
            "\($0.type.plural).\($0.type.kind.group) has \($0.objects.count) resource instances"
        }
        var finalizers: [String: Int] = [:]
        for object in remaining.flatMap(\.objects) {
            for finalizer in object.metadata.finalizers { finalizers[finalizer, default: 0] += 1 }
        }
        let held = finalizers.keys.sortedByBytes().map { "\($0) in \(finalizers[$0, default: 0]) resource instances" }
        return [
            condition(
                "NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered",
                "All resources successfully discovered"),
            condition(
                "NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
                "All legacy kube types successfully parsed"),
            condition(
                "NamespaceDeletionContentFailure", false, "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"),
            counts.isEmpty
                ? condition(
                    "NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed")
                : condition(
                    "NamespaceContentRemaining", true, "SomeResourcesRemain",
                    "Some resources are remaining: " + counts.sorted().joined(separator: ", ")),
            held.isEmpty
                ? condition(
                    "NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished")
                : condition(
                    "NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
                    "Some content in the namespace has finalizers remaining: " + held.joined(separator: ", ")),
        ]
    }

    private static func condition(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) -> JSON {
        [
            "type": .string(type), "status": isTrue ? "True" : "False", "reason": .string(reason),
            "message": .string(message),
        ]
    }
}
