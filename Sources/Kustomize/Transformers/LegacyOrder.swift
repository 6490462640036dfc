import Model

/// The order of output that does not follow the files: what others need comes first.
struct LegacyOrder {
    static let first = [
        "Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount",
        "PodSecurityPolicy", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret",
        "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim",
        "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget",
    ]
    static let last = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]

    static let standard = LegacyOrder()

    private var ranks: [String: Int] = [:]

    init(first: [String] = Self.first, last: [String] = Self.last) {
        for (position, kind) in first.enumerated() { ranks[kind] = position - first.count }
        for (position, kind) in last.enumerated() { ranks[kind] = 1 + position }
    }

    /// What is compared of a resource, in this order; texts by their bytes.
    private struct Key {
        var rank: Int
        var kind: String
        var id: String
    }

    /// - Complexity: O(n log n).
    func sorted(_ resources: [Resource]) -> [Resource] {
        let keys = resources.map { key(of: $0) }
        let sorted = resources.indices.sorted { left, right in
            let (one, other) = (keys[left], keys[right])
            if one.rank != other.rank { return one.rank < other.rank }
            let kinds = one.kind.byteOrder(to: other.kind)
            if kinds != 0 { return kinds < 0 }
            let ids = one.id.byteOrder(to: other.id)
            return ids == 0 ? left < right : ids < 0
        }
        return sorted.map { resources[$0] }
    }

    func precedes(_ left: ResourceKind, _ right: ResourceKind) -> Bool {
        let (one, other) = (ranks[left.kind] ?? 0, ranks[right.kind] ?? 0)
        return one != other
            ? one < other : Self.text(of: left).utf8.lexicographicallyPrecedes(Self.text(of: right).utf8)
    }

    private static func text(of kind: ResourceKind) -> String {
        let parts = [
            kind.group.isEmpty ? "~G" : kind.group, kind.version.isEmpty ? "~V" : kind.version,
            kind.kind.isEmpty ? "~K" : kind.kind,
        ]
        return parts.joined(separator: "_")
    }

    private func key(of resource: Resource) -> Key {
        let kind = resource.kind
        let id = [
            resource.namespace.isEmpty ? "~X" : resource.namespace, resource.name.isEmpty ? "~N" : resource.name,
        ]
        return Key(
            rank: ranks[kind.kind] ?? 0, kind: Self.text(of: kind), id: id.joined(separator: "|"))
    }
}
