import Model

/// DaemonSets: semantics-api C26, F.
struct DaemonSetRules: KindRules {
    var generation: GenerationRule { .spec }

    /// Counts changes of the template, for clients older than `apps/v1`.
    private static let templateGeneration = "deprecated.daemonset.template.generation"

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.change("updateStrategy") { strategy in
                guard strategy["type"] == "RollingUpdate" else { return }
                if strategy["rollingUpdate"] == nil { strategy["rollingUpdate"] = .emptyObject }
                strategy.change("rollingUpdate") { bounds in
                    bounds.setDefault("maxSurge", 0)
                    bounds.setDefault("maxUnavailable", 1)
                }
            }
            spec.change("template") { $0.change("spec", PodDefaults.fill) }
        }
    }

    func prepareForCreate(_ object: inout JSON) {
        object[path: ["metadata", "annotations", Self.templateGeneration]] = .string("1")
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        guard subresource == nil else { return }
        let path = ["metadata", "annotations", Self.templateGeneration]
        let generation = old[path: path]?.string.flatMap { Int($0) } ?? 1
        let isChanged = object["spec"]?["template"] != old["spec"]?["template"]
        // The annotation is a client's to write: it may be the highest number already.
        object[path: path] = .string(String(isChanged && generation < .max ? generation + 1 : generation))
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = DaemonSetSpec(viewing: object["spec"] ?? [:])
        let path = FieldPath("spec")
        let selector = spec.json["selector"].flatMap(LabelSelector.init(json:))
        errors.checkWorkloadSelector(selector, path["selector"], of: "daemonset")
        errors.checkSelection(selector, of: spec.template, path["template"])
        errors.checkPodTemplate(spec.template, path["template"])
        errors.checkAlwaysRestarts(spec.template.spec, path["template"]["spec"], of: "DaemonSet")
        if spec.updateStrategy.type == "RollingUpdate", let bounds = spec.updateStrategy.rollingUpdate {
            check(bounds, path["updateStrategy"]["rollingUpdate"], &errors)
        }
    }

    private func check(_ bounds: RollingUpdateDaemonSet, _ path: FieldPath, _ errors: inout FieldErrors) {
        errors.checkCountOrPercentage(bounds.maxUnavailable, path["maxUnavailable"])
        errors.checkCountOrPercentage(bounds.maxSurge, path["maxSurge"])
        errors.checkNotMoreThanAll(bounds.maxUnavailable, path["maxUnavailable"])
        errors.checkNotMoreThanAll(bounds.maxSurge, path["maxSurge"])
        let takesAway = FieldErrors.percentOrCount(bounds.maxUnavailable) != 0
        let adds = FieldErrors.percentOrCount(bounds.maxSurge) != 0
        if takesAway, adds {
            let rule = "may not be set when maxUnavailable is non-zero"
            errors.invalid(path["maxSurge"], bounds.json["maxSurge"], rule)
        } else if !takesAway, !adds {
            errors.required(path["maxUnavailable"], "cannot be 0 when maxSurge is 0")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("spec", "selector"), object["spec"]?["selector"], old["spec"]?["selector"])
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let counts = [
            "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
            "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
        ]
        errors.checkNotNegative(object["status"] ?? [:], counts, FieldPath("status"))
        errors.checkCollisions(object["status"], from: old["status"], FieldPath("status"))
    }
}
