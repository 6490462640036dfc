import Cluster
import Model

/// The number of replicas of a workload as an object of its own (`autoscaling/v1` Scale).
enum Scale {
    /// What `/scale` shows of a workload.
    static func object(of workload: JSON) -> JSON {
        var metadata: JSON = [:]
        for name in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[name] = workload["metadata"]?[name]
        }
        var status: JSON = ["replicas": workload[path: ["status", "replicas"]] ?? 0]
        let labels = workload[path: ["spec", "selector", "matchLabels"]]?.object ?? JSONObject()
        status["selector"] = .string(
            labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }.joined(separator: ","))
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": workload[path: ["spec", "replicas"]] ?? 0], "status": status,
        ]
    }

    /// The workload with the replicas that a request names.
    static func scaled(_ workload: JSON, by request: JSON) throws(APIError) -> JSON {
        guard let replicas = request[path: ["spec", "replicas"]]?.int, replicas >= 0 else {
            let message = "spec.replicas: Invalid value: must be an integer that is not negative"
            throw APIError(
                .invalid,
                "Scale.autoscaling \"\(workload[path: ["metadata", "name"]]?.string ?? "")\" is invalid: \(message)",
                details: APIError.Details(
                    group: "autoscaling", kind: "Scale",
                    causes: [
                        APIError.Cause(reason: "FieldValueInvalid", message: message, field: "spec.replicas")
                    ]))
        }
        var scaled = workload
        scaled[path: ["spec", "replicas"]] = .int(replicas)
        return scaled
    }
}
