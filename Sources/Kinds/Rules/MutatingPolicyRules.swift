import CEL
import Model

/// MutatingAdmissionPolicies (Kubernetes' `admissionregistration` validation and strategies).
struct MutatingPolicyRules: KindRules {
    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        errors.checkFailurePolicy(spec, path)
        errors.checkPolicyTarget(spec, path)
        errors.checkMutatingOperations(spec["matchConstraints"], path["matchConstraints"])
        var environment = PolicyEnvironment(
            params: spec["paramKind"] == nil ? .none : .dynamic, hasVariables: true)
        errors.checkVariables(spec.listMember("variables"), &environment, path["variables"])
        let mutations = spec.listMember("mutations")
        if mutations.isEmpty { errors.required(path["mutations"], "mutations must contain at least one item") }
        for (index, mutation) in mutations.enumerated() {
            check(mutation, environment, path["mutations"][index], &errors)
        }
        let policies = ["IfNeeded", "Never"]
        let policy = spec.textMember("reinvocationPolicy")
        if policy.isEmpty {
            errors.required(path["reinvocationPolicy"])
        } else if !policies.contains(policy) {
            errors.notSupported(path["reinvocationPolicy"], .string(policy), policies)
        }
    }

    /// The two forms of a change: the type, the field that is about it, and what its expression gives.
    private static let forms: [(type: String, field: String, result: CELType)] = [
        ("ApplyConfiguration", "applyConfiguration", .builtObject), ("JSONPatch", "jsonPatch", .patchList),
    ]

    private func check(
        _ mutation: JSON, _ environment: PolicyEnvironment, _ path: FieldPath, _ errors: inout FieldErrors
    ) {
        let type = mutation.textMember("patchType")
        guard !type.isEmpty else { return errors.required(path["patchType"]) }
        guard let form = Self.forms.first(where: { $0.type == type }) else {
            return errors.notSupported(path["patchType"], .string(type), Self.forms.map(\.type))
        }
        if let written = mutation[form.field] {
            let expression = written.textMember("expression").trimmed
            let place = path[form.field]["expression"]
            if expression.isEmpty {
                errors.required(place)
            } else {
                errors.check(expression, as: [form.result], buildsPatches: true, in: environment, place)
            }
        } else {
            errors.required(path[form.field], "must be specified when patchType is \(type)")
        }
        for other in Self.forms where other.type != type && mutation[other.field] != nil {
            errors.invalid(
                path[other.field], .string("{\(other.field)}"), "must not be specified when patchType is \(type)")
        }
    }
}

extension FieldErrors {
    /// What is deleted cannot be changed.
    mutating func checkMutatingOperations(_ resources: JSON?, _ path: FieldPath) {
        let supported = ["*", "CONNECT", "CREATE", "UPDATE"]
        for rule in resources?.listMember("resourceRules") ?? [] {
            for operation in rule.textMembers("operations") where !supported.contains(operation) {
                notSupported(path["resourceRules"]["operations"], .string(operation), supported)
            }
        }
    }
}
