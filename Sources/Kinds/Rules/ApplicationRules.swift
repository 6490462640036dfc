import Model

/// Applications, in Argo CD's shape: served as a custom resource with a status subresource is (semantics-api C10, C14).
struct ApplicationRules: KindRules {
    var takesAnyFinalizer: Bool { true }
    var generation: GenerationRule { .content }
    var keepsMetadataOnStatusUpdate: Bool { true }
    /// Argo CD's clients update without a version.
    var allowsUnconditionalUpdate: Bool { true }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = ApplicationSpec(viewing: object["spec"] ?? [:])
        let path = FieldPath("spec")
        if let source = spec.source {
            errors.checkSource(source, path["source"])
        } else {
            errors.required(path["source"], "say which repository to follow: repoURL, path and targetRevision")
        }
        if spec.destination.server ?? "" != "", spec.destination.name ?? "" != "" {
            let rule = "application destination can't have both name and server defined"
            errors.invalid(path["destination"], spec.destination.json, rule)
        }
        if let namespace = spec.destination.namespace, !namespace.isEmpty {
            errors.invalid(path["destination"]["namespace"], namespace, NameSyntax.label(namespace))
        }
        if let policy = spec.syncPolicy { errors.checkPolicy(policy, path["syncPolicy"]) }
        for (index, difference) in spec.ignoreDifferences.enumerated() {
            errors.checkDifference(difference, path["ignoreDifferences"][index])
        }
    }
}

extension FieldErrors {
    fileprivate mutating func checkSource(_ source: ApplicationSource, _ path: FieldPath) {
        if source.repoURL.contains(where: \.isWhitespace) {
            invalid(path["repoURL"], .string(source.repoURL), "must not contain white space")
        }
        if let place = source.path { checkRelativePath(place, path["path"]) }
        if let revision = source.targetRevision, revision.hasPrefix("-") || revision.contains(where: \.isWhitespace) {
            let rule = "must be a branch, tag or commit: it may not start with '-' or contain white space"
            invalid(path["targetRevision"], .string(revision), rule)
        }
    }

    fileprivate mutating func checkPolicy(_ policy: SyncPolicy, _ path: FieldPath) {
        for (index, option) in policy.syncOptions.enumerated() where !option.contains("=") {
            let rule = "must have the form Option=value, as in CreateNamespace=true"
            invalid(path["syncOptions"][index], .string(option), rule)
        }
        guard let backoff = policy.retry?.backoff else { return }
        let place = path["retry"]["backoff"]
        for (name, text) in [("duration", backoff.duration), ("maxDuration", backoff.maxDuration)] {
            guard let text, !text.isEmpty, !Self.isDuration(text) else { continue }
            invalid(place[name], .string(text), "must be a duration, as in 5s, 2m or 1h30m, or a number of seconds")
        }
        if let factor = backoff.factor, factor < 1 {
            invalid(place["factor"], .int(Int64(factor)), "must be greater than or equal to 1")
        }
    }

    fileprivate mutating func checkDifference(_ difference: ResourceIgnoreDifferences, _ path: FieldPath) {
        if difference.jsonPointers.isEmpty, difference.jqPathExpressions.isEmpty,
            difference.managedFieldsManagers.isEmpty
        {
            required(path, "must specify `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`")
        }
        for (index, pointer) in difference.jsonPointers.enumerated() where !pointer.hasPrefix("/") {
            invalid(path["jsonPointers"][index], .string(pointer), "must start with '/', as in /spec/replicas")
        }
    }

    /// Whether the text is a duration in Go's form, or a number of seconds, which Argo CD takes too.
    private static func isDuration(_ text: String) -> Bool {
        var rest = Substring(text)
        var parts = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            if Double(number) == nil { return false }
            if unit.isEmpty { return parts == 0 && rest.isEmpty }
            if !["ns", "us", "µs", "ms", "s", "m", "h"].contains(unit) { return false }
            parts += 1
        }
        return parts > 0
    }
}
