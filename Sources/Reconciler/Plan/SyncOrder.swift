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
}
