package import Model

/// The number of replicas of a workload as an object of its own (`autoscaling/v1` Scale).
package enum ScaleSubresource {
    package static let kind = GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale")

    /// What `/scale` shows of a workload: its replicas, wanted and counted, and the selector of its pods as text.
    ///
    /// - Parameter paths: where a custom resource keeps these (I5).
    package static func json(of workload: JSON, paths: CustomResource.ScalePaths? = nil) -> JSON {
        var metadata: JSON = [:]
        for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[name] = workload[path: ["metadata", name]]
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": value(paths?.specReplicas ?? ".spec.replicas", workload) ?? 0],
            "status": [
                "replicas": value(paths?.statusReplicas ?? ".status.replicas", workload) ?? 0,
                "selector": paths.map { $0.labelSelector.flatMap { value($0, workload) } ?? "" }
                    ?? .string(selector(of: workload)),
            ],
        ]
    }

    private static func value(_ path: String, _ workload: JSON) -> JSON? {
        JSONPath(path)?.values(in: workload).first
    }

    private static func selector(of workload: JSON) -> String {
        let selector = workload[path: ["spec", "selector"]] ?? .emptyObject
        // A ReplicationController selects by labels alone.
        let isPlain = workload["kind"]?.string == ReplicationController.kind.kind
        return TablePrinter.text(of: LabelSelector(viewing: isPlain ? ["matchLabels": selector] : selector))
    }
}
