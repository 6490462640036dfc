import Kinds
package import Model

/// The order in which objects are applied: what others need comes first; deletion goes backwards.
package enum SyncOrder {
    /// Kinds in the order in which they can be created (Argo CD's list, gitops.md §2); others come after these.
    private static let kinds: [String] = [
        "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodDisruptionBudget", "ServiceAccount", "Secret",
        "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition",
        "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service", "Endpoints", "EndpointSlice",
        "DaemonSet", "Pod", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
        "IngressClass", "Ingress",
    ]
    private static let ranks = Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1, $0) })

    package static func rank(_ key: ObjectKey) -> Int { ranks[key.kind.kind] ?? kinds.count }

    package static func precedes(_ left: ObjectKey, _ right: ObjectKey) -> Bool {
        let (leftRank, rightRank) = (rank(left), rank(right))
        return leftRank == rightRank ? left < right : leftRank < rightRank
    }

    /// In sync order. The rank is looked up once for each element, not for each comparison.
    package static func sorted<Element>(_ elements: [Element], by key: (Element) -> ObjectKey) -> [Element] {
        var ranked = elements.map { (rank: rank(key($0)), key: key($0), element: $0) }
        ranked.sort { $0.rank == $1.rank ? $0.key < $1.key : $0.rank < $1.rank }
        return ranked.map(\.element)
    }

    package static func sorted(_ keys: some Sequence<ObjectKey>) -> [ObjectKey] { sorted(Array(keys), by: \.self) }
}
