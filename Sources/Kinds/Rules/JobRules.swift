import Model

/// Jobs: semantics-api C14, C26, C27, F.
struct JobRules: KindRules {
    var generation: GenerationRule { .spec }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            // Without a number of completions, any pod's success ends the job: only then there may be many at once.
            if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
            spec.setDefault("parallelism", 1)
            let limit: Int64 = spec["backoffLimitPerIndex"] == nil ? 6 : Int64(Int32.max)
            spec.setDefault("backoffLimit", .int(limit))
            spec.setDefault("completionMode", "NonIndexed")
            spec.setDefault("suspend", false)
            spec.setDefault("manualSelector", false)
            let replacement = spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed"
            spec.setDefault("podReplacementPolicy", .string(replacement))
            spec.change("podFailurePolicy") { policy in
                policy.changeEach("rules") { rule in
                    rule.changeEach("onPodConditions") { $0.setDefault("status", "True") }
                }
            }
            spec.change("template") { $0.change("spec", PodDefaults.fill) }
        }
        Self.fillLabels(&object)
    }

    /// A job without labels has those of its pods.
    private static func fillLabels(_ object: inout JSON) {
        guard let labels = object[path: ["spec", "template", "metadata", "labels"]], labels != .emptyObject,
            (object[path: ["metadata", "labels"]] ?? .emptyObject) == .emptyObject
        else { return }
        object[path: ["metadata", "labels"]] = labels
    }

    // MARK: Selector

    static let controllerLabel = "batch.kubernetes.io/controller-uid"
    static let nameLabel = "batch.kubernetes.io/job-name"
    /// Those from before labels had prefixes, which are still given.
    private static let controllerLabels = ["controller-uid", controllerLabel]
    private static let nameLabels = ["job-name", nameLabel]

    /// C27: unless the selector is given by hand, a job selects its pods by its uid.
    func prepareForCreate(_ object: inout JSON) {
        guard object["spec"]?["manualSelector"]?.bool != true else { return }
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        for (labels, value) in [(Self.nameLabels, metadata.name), (Self.controllerLabels, metadata.uid)] {
            for label in labels {
                let path = ["spec", "template", "metadata", "labels", label]
                if object[path: path] == nil { object[path: path] = .string(value) }
            }
        }
        let path = ["spec", "selector", "matchLabels", Self.controllerLabel]
        if object[path: path] == nil { object[path: path] = .string(metadata.uid) }
        Self.fillLabels(&object)
    }

    private func checkGenerated(_ object: JSON, _ errors: inout FieldErrors) {
        guard object["spec"]?["manualSelector"]?.bool != true,
            let selector = object["spec"]?["selector"].flatMap(LabelSelector.init(json:))
        else { return }
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        if metadata.uid.isEmpty { errors.required(FieldPath("metadata", "uid")) }
        let labels = object[path: ["spec", "template", "metadata", "labels"]] ?? .emptyObject
        var expected: [String: String] = [:]
        for (controller, name) in zip(Self.controllerLabels, Self.nameLabels) {
            for (label, value) in [(controller, metadata.uid), (name, metadata.name)] {
                expected[label] = value
                let path = FieldPath("spec", "template", "metadata", "labels").key(label)
                if labels[label] == nil {
                    errors.required(path, "must be '\(value)'")
                } else if labels[label] != .string(value) {
                    errors.invalid(path, labels, "must be '\(value)'")
                }
            }
        }
        if !selector.selector.matches(expected) {
            errors.invalid(FieldPath("spec", "selector"), selector.json, "`selector` not auto-generated")
        }
    }

    // MARK: Validation

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        checkGenerated(object, &errors)
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        errors.checkJob(spec, path)
        let selector = spec["selector"].flatMap(LabelSelector.init(json:))
        if selector == nil { errors.required(path["selector"]) }
        errors.checkSelector(selector, path["selector"])
        errors.checkSelection(selector, of: PodTemplateSpec(viewing: spec["template"] ?? [:]), path["template"])
        if spec["completionMode"] == "Indexed", let count = spec["completions"]?.int, count > 0 {
            // Pods are named for their index.
            let name = object["metadata"]?["name"]?.string ?? ""
            let longest = "\(name)-\(count - 1)"
            if !NameSyntax.label(longest).isEmpty {
                let rule = "will not able to create pod with invalid DNS label: \(longest)"
                errors.invalid(FieldPath("metadata", "name"), .string(name), rule)
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let previous = old["spec"] ?? [:]
        let path = FieldPath("spec")
        checkCompletions(spec, from: previous, path["completions"], &errors)
        errors.immutable(path["selector"], spec["selector"], previous["selector"])
        var template = previous["template"] ?? [:]
        if Self.takesDirectives(old) { Self.copyDirectives(from: spec["template"] ?? [:], to: &template) }
        errors.immutable(path["template"], spec["template"] ?? [:], template)
        for name in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
            errors.immutable(path[name], spec[name], previous[name])
        }
    }

    /// An indexed job may be resized, its parallelism with it.
    private func checkCompletions(_ spec: JSON, from old: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        guard spec["completionMode"] == "Indexed" else {
            errors.immutable(path, spec["completions"], old["completions"])
            return
        }
        guard let count = spec["completions"], count != old["completions"], count != spec["parallelism"] else { return }
        errors.invalid(path, count, "can only be modified in tandem with spec.parallelism")
    }

    /// Where pods may run can be said until there are any: while the job is suspended and has none.
    private static func takesDirectives(_ job: JSON) -> Bool {
        guard job["spec"]?["suspend"]?.bool == true else { return false }
        let status = JobState(job["status"] ?? [:])
        return status.json["startTime"] == nil || (status.has("Suspended") && status.json["active"]?.int ?? 0 == 0)
    }

    private static func copyDirectives(from new: JSON, to template: inout JSON) {
        for name in ["labels", "annotations"] { template[path: ["metadata", name]] = new["metadata"]?[name] }
        for name in ["nodeSelector", "tolerations", "schedulingGates"] {
            template[path: ["spec", name]] = new["spec"]?[name]
        }
        let path = ["spec", "affinity"]
        var affinity = template[path: path] ?? .emptyObject
        affinity["nodeAffinity"] = new[path: path + ["nodeAffinity"]]
        let isGone = affinity == .emptyObject && new[path: path] == nil
        template[path: path] = isGone ? nil : affinity
        // No labels or annotations mean the same as empty metadata.
        if template["metadata"] == .emptyObject, new["metadata"] == nil { template["metadata"] = nil }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkJobStatus(object, from: old)
    }
}

/// A job's status, asked for the conditions that hold.
struct JobState {
    let json: JSON
    private let conditions: Set<String>

    init(_ status: JSON) {
        json = status
        let holding = (status["conditions"]?.array ?? []).filter { $0["status"] == "True" }
        conditions = Set(holding.compactMap { $0["type"]?.string })
    }

    func has(_ condition: String) -> Bool { conditions.contains(condition) }

    var isFinished: Bool { has("Complete") || has("Failed") }
}
