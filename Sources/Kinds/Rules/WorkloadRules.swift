import Model

/// Deployments: semantics-workloads A1, A2; semantics-api C26.
struct DeploymentRules: KindRules {
    var generation: GenerationRule { .specAndAnnotations }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.change("strategy") { strategy in
                // A1: only a rolling update has bounds.
                guard strategy["type"] == "RollingUpdate", strategy["rollingUpdate"] == nil else { return }
                strategy["rollingUpdate"] = ["maxUnavailable": "25%", "maxSurge": "25%"]
            }
            spec.change("template") { $0.change("spec", PodDefaults.fill) }
        }
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        // A2: a status update keeps the labels, but stores annotations.
        if subresource == "status" { object["metadata"]?["labels"] = old["metadata"]?["labels"] }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = DeploymentSpec(viewing: object["spec"] ?? [:])
        let path = FieldPath("spec")
        errors.checkTemplate(spec.json, path)
        errors.checkStrategy(spec.strategy, path["strategy"])
        if let deadline = spec.progressDeadlineSeconds, deadline >= 0, deadline <= spec.minReadySeconds ?? 0 {
            let rule = "must be greater than minReadySeconds"
            errors.invalid(path["progressDeadlineSeconds"], .int(Int64(deadline)), rule)
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("spec", "selector"), object["spec"]?["selector"], old["spec"]?["selector"])
    }
}

/// ReplicaSets: semantics-api C14, C26, F.
struct ReplicaSetRules: KindRules {
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { $0.change("template") { $0.change("spec", PodDefaults.fill) } }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkTemplate(object["spec"] ?? [:], FieldPath("spec"))
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("spec", "selector"), object["spec"]?["selector"], old["spec"]?["selector"])
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = ReplicaSetStatus(viewing: object["status"] ?? [:])
        let path = FieldPath("status")
        for (name, count) in [
            ("fullyLabeledReplicas", status.fullyLabeledReplicas), ("readyReplicas", status.readyReplicas),
            ("availableReplicas", status.availableReplicas),
        ] {
            if let count, count > status.replicas {
                errors.invalid(path[name], .int(Int64(count)), "cannot be greater than status.replicas")
            }
        }
        if let available = status.availableReplicas, available > status.readyReplicas ?? 0 {
            errors.invalid(path["availableReplicas"], .int(Int64(available)), "cannot be greater than readyReplicas")
        }
    }
}

extension FieldErrors {
    /// The selector and template of a workload whose pods always restart (C3, C26).
    fileprivate mutating func checkTemplate(_ spec: JSON, _ path: FieldPath) {
        let selector = spec["selector"].flatMap(LabelSelector.init(json:))
        checkSelector(selector, path["selector"])
        if let selector, selector.isEmpty {
            invalid(path["selector"], selector.json, "empty selector is invalid for deployment")
        }
        guard let template = spec["template"].flatMap(PodTemplateSpec.init(json:)) else {
            required(path["template"])
            return
        }
        let place = path["template"]
        // No selector selects nothing, so the labels do not match then either.
        if selector == nil || selector?.selector.matches(template.metadata.labels) == false {
            let labels = template.metadata.json["labels"] ?? .emptyObject
            invalid(place["metadata"]["labels"], labels, "`selector` does not match template `labels`")
        }
        checkLabels(template.metadata.json["labels"], place["labels"])
        checkAnnotations(template.metadata.json["annotations"], place["annotations"])
        checkPodSpec(template.spec, place["spec"])
        if !template.spec.elements("ephemeralContainers").isEmpty {
            forbidden(place["spec"]["ephemeralContainers"], "ephemeral containers not allowed in pod template")
        }
        if let policy = template.spec.restartPolicy, ["Never", "OnFailure"].contains(policy) {
            notSupported(place["spec"]["restartPolicy"], .string(policy), ["Always"])
        }
        if template.spec.activeDeadlineSeconds != nil {
            let rule = "activeDeadlineSeconds in ReplicaSet is not Supported"
            forbidden(place["spec"]["activeDeadlineSeconds"], rule)
        }
    }

    fileprivate mutating func checkStrategy(_ strategy: DeploymentStrategy, _ path: FieldPath) {
        switch strategy.type {
        case "Recreate":
            if strategy.rollingUpdate != nil {
                forbidden(path["rollingUpdate"], "may not be specified when strategy `type` is 'Recreate'")
            }
        case "RollingUpdate":
            guard let bounds = strategy.rollingUpdate else {
                required(path["rollingUpdate"], "this should be defaulted and never be nil")
                return
            }
            let path = path["rollingUpdate"]
            checkCountOrPercentage(bounds.maxUnavailable, path["maxUnavailable"])
            checkCountOrPercentage(bounds.maxSurge, path["maxSurge"])
            if Self.percentOrCount(bounds.maxUnavailable) == 0, Self.percentOrCount(bounds.maxSurge) == 0 {
                invalid(path["maxUnavailable"], bounds.json["maxUnavailable"], "may not be 0 when `maxSurge` is 0")
            }
            if case .string(let text)? = bounds.maxUnavailable, Self.percentOrCount(bounds.maxUnavailable) > 100 {
                invalid(path["maxUnavailable"], .string(text), "must not be greater than 100%")
            }
        default: break
        }
    }

    private mutating func checkCountOrPercentage(_ value: IntOrString?, _ path: FieldPath) {
        switch value {
        case .int(let count)?:
            if count < 0 { invalid(path, .int(Int64(count)), "must be greater than or equal to 0") }
        case .string(let text)?: invalid(path, text, NameSyntax.percentage(text))
        case nil: break
        }
    }

    private static func percentOrCount(_ value: IntOrString?) -> Int {
        switch value {
        case .int(let count)?: count
        case .string(let text)?: Int(text.dropLast()) ?? 0
        case nil: 0
        }
    }
}
