import Model

/// Deployments: semantics-workloads A1, A2; semantics-api C26.
struct DeploymentRules: KindRules {
    var generation: GenerationRule { .specAndAnnotations }

    var fillsSpecAlone: Bool { true }

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

    var fillsSpecAlone: Bool { true }

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
        errors.checkReplicaCounts(object["status"] ?? [:], FieldPath("status"))
    }
}

extension FieldErrors {
    /// What the status of a ReplicaSet or ReplicationController counts.
    mutating func checkReplicaCounts(_ status: JSON, _ path: FieldPath) {
        let parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]
        checkNotNegative(status, ["replicas"] + parts + ["observedGeneration"], path)
        checkNotMore(status, parts, than: "replicas", path, said: "status.replicas")
        checkNotMore(status, ["availableReplicas"], than: "readyReplicas", path, said: "readyReplicas")
    }
}

extension FieldErrors {
    /// The selector and template of a workload whose pods always restart (C3, C26).
    fileprivate mutating func checkTemplate(_ spec: JSON, _ path: FieldPath) {
        let selector = spec["selector"].flatMap(LabelSelector.init(json:))
        checkWorkloadSelector(selector, path["selector"], of: "deployment")
        guard let template = spec["template"].flatMap(PodTemplateSpec.init(json:)) else {
            required(path["template"])
            return
        }
        let place = path["template"]
        checkSelection(selector, of: template, place)
        checkPodTemplate(template, place)
        checkAlwaysRestarts(template.spec, place["spec"], of: "ReplicaSet")
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
            checkNotMoreThanAll(bounds.maxUnavailable, path["maxUnavailable"])
        default: break
        }
    }
}
