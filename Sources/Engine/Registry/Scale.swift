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
        scaled[path: paths.flatMap { JSONPath($0.specReplicas)?.memberNames } ?? ["spec", "replicas"]] = .int(replicas)
        return scaled
    }
}
