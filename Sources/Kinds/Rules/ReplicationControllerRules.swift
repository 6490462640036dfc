import Model

/// ReplicationControllers: semantics-api C14, F.
struct ReplicationControllerRules: KindRules {
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.change("template") { $0.change("spec", PodDefaults.fill) }
        }
        guard let labels = object[path: ["spec", "template", "metadata", "labels"]], labels != .emptyObject else {
            return
        }
        for path in [["spec", "selector"], ["metadata", "labels"]]
        where (object[path: path] ?? .emptyObject) == .emptyObject { object[path: path] = labels }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let selector = object["spec"]?["selector"] ?? .emptyObject
        if selector == .emptyObject { errors.required(path["selector"]) }
        guard let template = object["spec"]?["template"].flatMap(PodTemplateSpec.init(json:)) else {
            errors.required(path["template"])
            return
        }
        if selector != .emptyObject {
            errors.checkSelection(
                LabelSelector(viewing: ["matchLabels": selector]), of: template, path["template"])
        }
        errors.checkPodTemplate(template, path["template"])
        errors.checkAlwaysRestarts(template.spec, path["template"]["spec"], of: "ReplicationController")
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkReplicaCounts(object["status"] ?? [:], FieldPath("status"))
    }
}

/// PodTemplates: semantics-api C14.
struct PodTemplateRules: KindRules {
    var generation: GenerationRule { .content }

    func fillDefaults(_ object: inout JSON) {
        object.change("template") { $0.change("spec", PodDefaults.fill) }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkPodTemplate(PodTemplateSpec(viewing: object["template"] ?? [:]), FieldPath("template"))
    }
}
