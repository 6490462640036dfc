import Model

/// StatefulSets: semantics-api C24, C26, F.
struct StatefulSetRules: KindRules {
    var names: NameRule { .label }
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.change("updateStrategy") { strategy in
                guard strategy["type"] == "RollingUpdate" else { return }
                if strategy["rollingUpdate"] == nil { strategy["rollingUpdate"] = .emptyObject }
                strategy.change("rollingUpdate") { $0.setDefault("partition", 0) }
            }
            // What a claim is made of reads as a claim of its own.
            spec.changeEach("volumeClaimTemplates") { claim in
                claim.setDefault("apiVersion", "v1")
                claim.setDefault("kind", "PersistentVolumeClaim")
                claim.setDefault("status", .emptyObject)
                claim.change("status") { $0.setDefault("phase", "Pending") }
                PersistentVolumeClaimRules.roundUp(&claim)
            }
            spec.change("template") { $0.change("spec", PodDefaults.fill) }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = StatefulSetSpec(viewing: object["spec"] ?? [:])
        let path = FieldPath("spec")
        if let policy = spec.podManagementPolicy, !["OrderedReady", "Parallel"].contains(policy) {
            errors.invalid(path["podManagementPolicy"], .string(policy), "must be 'OrderedReady' or 'Parallel'")
        }
        errors.checkStrategy(spec.updateStrategy, path["updateStrategy"])
        if let service = spec.serviceName, !service.isEmpty {
            errors.invalid(path["serviceName"], service, NameSyntax.label(service))
        }
        let selector = spec.json["selector"].flatMap(LabelSelector.init(json:))
        errors.checkWorkloadSelector(selector, path["selector"], of: "statefulset")
        let template = spec.templateWithClaims
        errors.checkSelection(selector, of: template, path["template"])
        errors.checkPodTemplate(template, path["template"])
        errors.checkAlwaysRestarts(template.spec, path["template"]["spec"], of: "StatefulSet")
    }

    private static let changeableFields = [
        "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
    ]

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        var spec = object["spec"] ?? [:]
        for name in Self.changeableFields { spec[name] = old["spec"]?[name] }
        guard spec != old["spec"] else { return }
        let names = Self.changeableFields.map { "'\($0)'" }
        let list = names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
        errors.forbidden(
            FieldPath("spec"), "updates to statefulset spec for fields other than \(list) are forbidden")
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = object["status"] ?? [:]
        let path = FieldPath("status")
        let parts = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]
        errors.checkNotNegative(status, ["replicas"] + parts + ["observedGeneration", "collisionCount"], path)
        errors.checkNotMore(status, parts, than: "replicas", path, said: "status.replicas")
        errors.checkNotMore(
            status, ["availableReplicas"], than: "readyReplicas", path, said: "status.readyReplicas")
        errors.checkCollisions(status, from: old["status"], path)
    }
}

extension FieldErrors {
    fileprivate mutating func checkStrategy(_ strategy: StatefulSetUpdateStrategy, _ path: FieldPath) {
        switch strategy.type {
        case "OnDelete":
            if let bounds = strategy.rollingUpdate {
                invalid(path["rollingUpdate"], bounds.json, "only allowed for updateStrategy 'RollingUpdate'")
            }
        case "RollingUpdate":
            guard let value = strategy.rollingUpdate?.maxUnavailable else { return }
            let path = path["rollingUpdate"]["maxUnavailable"]
            checkCountOrPercentage(value, path)
            if Self.percentOrCount(value) == 0 { invalid(path, value.json, "cannot be 0") }
            checkNotMoreThanAll(value, path)
        default: invalid(path, strategy.json, "must be 'RollingUpdate' or 'OnDelete'")
        }
    }
}

extension StatefulSetSpec {
    /// The template with a volume for each claim, which is what its pods get: containers may mount them.
    fileprivate var templateWithClaims: PodTemplateSpec {
        var template = template
        let claims = elements("volumeClaimTemplates").compactMap { $0["metadata"]?["name"]?.string }
        if claims.isEmpty { return template }
        // A claim takes the place of a volume with its name.
        let others = template.spec.elements("volumes").filter { !claims.contains($0["name"]?.string ?? "") }
        let volumes: [JSON] = claims.map {
            ["name": .string($0), "persistentVolumeClaim": ["claimName": .string($0)]]
        }
        template.json[path: ["spec", "volumes"]] = .array(others + volumes)
        return template
    }
}

/// ControllerRevisions: semantics-api C26.
struct ControllerRevisionRules: KindRules {
    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        if object["data"] == nil { errors.required(FieldPath("data"), "data is mandatory") }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("data"), object["data"], old["data"])
    }
}
