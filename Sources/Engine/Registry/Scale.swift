import Cluster
import Kinds
import Model

/// Writing to `/scale`.
enum Scale {
    /// The workload with the replicas that a request names.
    static func scaled(_ workload: JSON, by request: JSON) throws(APIError) -> JSON {
        var scaled = workload
        scaled[path: ["spec", "replicas"]] = request[path: ["spec", "replicas"]] ?? 0
        try check(scaled)
        return scaled
    }

    /// Refuses replicas that are no number of pods.
    static func check(_ workload: JSON) throws(APIError) {
        let replicas = workload[path: ["spec", "replicas"]] ?? 0
        guard let number = replicas.int, let number = Int32(exactly: number) else {
            throw APIError(
                .badRequest,
                "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: expected an integer of 32 bits, "
                    + "found \(replicas.text())")
        }
        guard number < 0 else { return }
        let name = workload[path: ["metadata", "name"]]?.string ?? ""
        let message = "Invalid value: \(number): must be greater than or equal to 0"
        throw APIError(
            .invalid, "Scale.autoscaling \"\(name)\" is invalid: spec.replicas: \(message)",
            details: APIError.Details(
                name: name, group: "autoscaling", kind: "Scale",
                causes: [APIError.Cause(reason: "FieldValueInvalid", message: message, field: "spec.replicas")]))
    }

    /// What an applied Scale means for the workload, of which its manager then owns `spec.replicas` (H10).
    static func workload(_ config: JSON, of kind: GroupVersionKind) throws(APIError) -> JSON {
        var workload: JSON = ["apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind)]
        workload["metadata"] = config["metadata"]
        if let replicas = config[path: ["spec", "replicas"]] { workload["spec"] = ["replicas": replicas] }
        try check(workload)
        return workload
    }
}
