import Kinds
import Model

/// What is known of a ValidatingAdmissionPolicy's expressions.
enum PolicyStatusPlan {
    static let kind = GroupVersionKind(
        group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicy")

    /// What is to be applied to the policy's status; `nil` when its present generation has been looked at.
    ///
    /// - Parameter types: all that are served.
    static func applied(to policy: JSON, types: [ResourceType]) -> JSON? {
        let generation = policy[path: ["metadata", "generation"]]?.int ?? 0
        guard generation > (policy[path: ["status", "observedGeneration"]]?.int ?? 0) else { return nil }
        let warnings = PolicyTypeCheck.warnings(of: policy, types: types)
        // That it is there says that types were checked.
        let found: JSON = warnings.isEmpty ? [:] : ["expressionWarnings": .array(warnings)]
        return [
            "apiVersion": .string(kind.apiVersion), "kind": .string(kind.kind),
            "metadata": ["name": policy[path: ["metadata", "name"]] ?? ""],
            "status": ["observedGeneration": .int(generation), "typeChecking": found],
        ]
    }
}
