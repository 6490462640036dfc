import Model

extension FieldErrors {
    /// What every template of pods must be, whatever makes pods of it.
    mutating func checkPodTemplate(_ template: PodTemplateSpec, _ path: FieldPath) {
        checkLabels(template.metadata.json["labels"], path["labels"])
        checkAnnotations(template.metadata.json["annotations"], path["annotations"])
        checkPodSpec(template.spec, path["spec"])
        if !template.spec.elements("ephemeralContainers").isEmpty {
            forbidden(path["spec"]["ephemeralContainers"], "ephemeral containers not allowed in pod template")
        }
    }

    /// A workload's selector: well formed, and not one that selects everything (C26).
    mutating func checkWorkloadSelector(_ selector: LabelSelector?, _ path: FieldPath, of workload: String) {
        checkSelector(selector, path)
        if let selector, selector.isEmpty {
            invalid(path, selector.json, "empty selector is invalid for \(workload)")
        }
    }

    /// The pods of a template must be selected (C3). No selector selects nothing, so the labels do not match then
    /// either.
    mutating func checkSelection(_ selector: LabelSelector?, of template: PodTemplateSpec, _ path: FieldPath) {
        if selector == nil || selector?.selector.matches(template.metadata.labels) == false {
            let labels = template.metadata.json["labels"] ?? .emptyObject
            invalid(path["metadata"]["labels"], labels, "`selector` does not match template `labels`")
        }
    }

    /// Pods that are replaced when they end must not end by themselves.
    ///
    /// - Parameters:
    ///   - path: of the pods' specification.
    ///   - workload: the kind that the message names.
    mutating func checkAlwaysRestarts(_ spec: PodSpec, _ path: FieldPath, of workload: String) {
        if let policy = spec.restartPolicy, ["Never", "OnFailure"].contains(policy) {
            notSupported(path["restartPolicy"], .string(policy), ["Always"])
        }
        if spec.activeDeadlineSeconds != nil {
            forbidden(path["activeDeadlineSeconds"], "activeDeadlineSeconds in \(workload) is not Supported")
        }
    }

    // MARK: Counts

    mutating func checkCountOrPercentage(_ value: IntOrString?, _ path: FieldPath) {
        switch value {
        case .int(let count)?:
            if count < 0 { invalid(path, .int(Int64(count)), "must be greater than or equal to 0") }
        case .string(let text)?: invalid(path, text, NameSyntax.percentage(text))
        case nil: break
        }
    }

    mutating func checkNotMoreThanAll(_ value: IntOrString?, _ path: FieldPath) {
        if case .string(let text)? = value, Self.percentOrCount(value) > 100 {
            invalid(path, .string(text), "must not be greater than 100%")
        }
    }

    static func percentOrCount(_ value: IntOrString?) -> Int {
        switch value {
        case .int(let count)?: count
        case .string(let text)?: NameSyntax.percentage(text).isEmpty ? Int(text.dropLast()) ?? .max : 0
        case nil: 0
        }
    }

    /// The members of a status that count something.
    mutating func checkNotNegative(_ status: JSON, _ names: [String], _ path: FieldPath) {
        for name in names {
            if let count = status[name]?.int, count < 0 {
                invalid(path[name], .int(count), "must be greater than or equal to 0")
            }
        }
    }

    /// Members of a status that count some of what another member counts.
    mutating func checkNotMore(_ status: JSON, _ names: [String], than total: String, _ path: FieldPath, said: String) {
        let limit = status[total]?.int ?? 0
        for name in names {
            if let count = status[name]?.int, count > limit {
                invalid(path[name], .int(count), "cannot be greater than \(said)")
            }
        }
    }

    /// How often names of revisions clashed only grows.
    mutating func checkCollisions(_ status: JSON?, from old: JSON?, _ path: FieldPath) {
        guard let previous = old?["collisionCount"]?.int else { return }
        let count = status?["collisionCount"]?.int ?? 0
        if count < previous { invalid(path["collisionCount"], .int(count), "cannot be decremented") }
    }
}

extension PodTemplateSpec {
    /// The names of the containers that it starts, those before the others included.
    var containerNames: Set<String> {
        Set((spec.elements("containers") + spec.elements("initContainers")).compactMap { $0["name"]?.string })
    }
}
