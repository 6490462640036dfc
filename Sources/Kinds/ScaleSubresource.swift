package import Model

/// The number of replicas of a workload as an object of its own (`autoscaling/v1` Scale).
package enum ScaleSubresource {
    package static let kind = GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale")

    /// What `/scale` shows of a workload: its replicas, wanted and counted, and the selector of its pods as text.
    package static func json(of workload: JSON) -> JSON {
        var metadata: JSON = [:]
        for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[name] = workload[path: ["metadata", name]]
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": workload[path: ["spec", "replicas"]] ?? 0],
            "status": [
                "replicas": workload[path: ["status", "replicas"]] ?? 0, "selector": .string(selector(of: workload)),
            ],
        ]
    }

    private static func selector(of workload: JSON) -> String {
        let selector = workload[path: ["spec", "selector"]] ?? .emptyObject
        // A ReplicationController selects by labels alone.
        let isPlain = workload["kind"]?.string == ReplicationController.kind.kind
        return TablePrinter.text(of: LabelSelector(viewing: isPlain ? ["matchLabels": selector] : selector))
    }
}
