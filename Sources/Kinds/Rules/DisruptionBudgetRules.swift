import Model

/// PodDisruptionBudgets: semantics-api C10, C14.
struct DisruptionBudgetRules: KindRules {
    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        if spec["minAvailable"] != nil, spec["maxUnavailable"] != nil {
            errors.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set")
        }
        for name in ["minAvailable", "maxUnavailable"] {
            guard let value = spec[name].flatMap(IntOrString.init(json:)) else { continue }
            errors.checkCountOrPercentage(value, path[name])
            errors.checkNotMoreThanAll(value, path[name])
        }
        errors.checkSelector(spec["selector"].flatMap(LabelSelector.init(json:)), path["selector"])
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = object["status"] ?? [:]
        let path = FieldPath("status")
        errors.checkConditions(status["conditions"]?.array ?? [], path["conditions"])
        errors.checkNotNegative(
            status, ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"], path)
    }
}

extension FieldErrors {
    /// Conditions in the form that kinds share (`metav1.Condition`).
    mutating func checkConditions(_ conditions: [JSON], _ path: FieldPath) {
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let path = path[index]
            let type = condition["type"]?.string ?? ""
            invalid(path["type"], type, NameSyntax.qualifiedName(type))
            let statuses = ["False", "True", "Unknown"]
            if !statuses.contains(condition["status"]?.string ?? "") {
                notSupported(path["status"], condition["status"] ?? "", statuses)
            }
            if let generation = condition["observedGeneration"]?.int, generation < 0 {
                invalid(path["observedGeneration"], .int(generation), "must be greater than or equal to zero")
            }
            if condition["lastTransitionTime"] == nil { required(path["lastTransitionTime"], "must be set") }
            if (condition["reason"]?.string ?? "").isEmpty { required(path["reason"], "must be set") }
            for (name, limit) in [("reason", 1024), ("message", 32768)]
            where (condition[name]?.string ?? "").utf8.count > limit { tooLong(path[name], limit: limit) }
            if !seen.insert(type).inserted { duplicate(path["type"], .string(type)) }
        }
    }
}
