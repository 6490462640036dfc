import Cluster
import Kinds
import Model

/// Writing to `/scale`.
enum Scale {
    /// The workload with the replicas that a request names.
    ///
    /// - Parameter paths: where a custom resource keeps its replicas (I5).
    static func scaled(
        _ workload: JSON, by request: JSON, paths: CustomResource.ScalePaths? = nil
    ) throws(APIError) -> JSON {
        var scaled = workload
        scaled[path: place(paths)] = request[path: ["spec", "replicas"]] ?? 0
        try check(scaled, paths)
        return scaled
    }

    private static func place(_ paths: CustomResource.ScalePaths?) -> [String] {
        paths.flatMap { JSONPath($0.specReplicas)?.memberNames } ?? ["spec", "replicas"]
    }

    /// Refuses replicas that are no number of pods.
    static func check(_ workload: JSON, _ paths: CustomResource.ScalePaths? = nil) throws(APIError) {
        let replicas = workload[path: place(paths)] ?? 0
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
    static func workload(
        _ config: JSON, of kind: GroupVersionKind, paths: CustomResource.ScalePaths? = nil
    ) throws(APIError) -> JSON {
        var workload: JSON = ["apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind)]
        workload["metadata"] = config["metadata"]
        if let replicas = config[path: ["spec", "replicas"]] { workload[path: place(paths)] = replicas }
        try check(workload, paths)
        return workload
    }
}
