import Model

/// How the objects of one version of a custom kind are decoded, completed and judged (semantics-api I3–I5).
struct CustomResourceSchema: Sendable {
    /// With the metadata that all resources have.
    let schema: Schema
    let rules: ValidationRules?
    private let kind: GroupVersionKind
    private let metadata: Schema
    private let scale: CustomResource.ScalePaths?

    /// - Throws: `SchemaError` for what is no schema; one that was admitted never does.
    init(_ written: JSON, kind: GroupVersionKind, scale: CustomResource.ScalePaths?) throws(SchemaError) {
        guard let metadata = Catalog.builtIn.metadataSchema else {
            preconditionFailure("the embedded schemas have no ObjectMeta")
        }
        schema = try Schema.standalone(written, metadata: metadata)
        // Faults of the rules are told when the definition is admitted; a rule that has one is not evaluated.
        var faults = FieldErrors()
        rules = ValidationRules.compiled(try Schema.standalone(written), &faults)
        self.kind = kind
        self.metadata = metadata
        self.scale = scale
    }

    /// Fields that are not specified (I3), and metadata of a wrong form. What else is wrong with a value is told by its
    /// validation, with all other faults.
    func decodingFaults(_ object: JSON) -> [DecodingFault] {
        var pruning = StructuralPruning()
        _ = pruning.pruned(object, schema)
        let unknown = pruning.unknown.map {
            DecodingFault(
                path: $0.path, message: "unknown field \"\($0.path)\"",
                suggestion: $0.near.map { "did you mean \"\($0)\"?" }, isStrictOnly: true)
        }
        let malformed = metadata.decodingFaults(object["metadata"] ?? [:]).filter { !$0.isStrictOnly }.map { fault in
            var fault = fault
            fault.message = "metadata.\(fault.message)"
            return fault
        }
        return malformed + unknown
    }

    /// The object without what is not specified and with its defaults, in this order (I3); `nil` when it is so already.
    func completed(_ object: JSON) -> JSON? {
        var pruning = StructuralPruning()
        let pruned = pruning.pruned(object, schema)
        return StructuralDefaulting(metadata: metadata).filled(pruned ?? object, schema) ?? pruned
    }

    /// What is wrong with an object, beside its metadata (I4).
    ///
    /// - Parameter old: the object before, in an update: what it leaves as it was is tolerated.
    func errors(_ object: JSON, old: JSON?) -> [FieldError] {
        if let error = kindError(object) { return [error] }
        var errors = ValueValidation.errors(object, schema, old: old) + scaleErrors(object)
        errors += EmbeddedResourceValidation.errors(object, schema)
        let repeated = ListTypeValidation.errors(object, schema)
        if !repeated.isEmpty, old.map({ ListTypeValidation.errors($0, schema).isEmpty }) ?? true { errors += repeated }
        guard let rules else { return errors }
        let blocking: Set<FieldError.ErrorType> = [.notSupported, .required, .tooLong, .tooMany, .typeInvalid]
        guard !errors.contains(where: { blocking.contains($0.type) }) else {
            var error = FieldError(
                .invalid, at: .root, value: .null,
                detail: "some validation rules were not checked because the object was invalid; "
                    + "correct the existing errors to complete validation")
            error.path = "<nil>"
            return errors + [error]
        }
        return errors + RuleEvaluation.errors(object, old: old, rules)
    }

    private func kindError(_ object: JSON) -> FieldError? {
        for (member, wanted) in [("kind", kind.kind), ("apiVersion", kind.apiVersion)]
        where object.textMember(member) != wanted {
            return FieldError(.invalid, at: FieldPath(member), value: object[member], detail: "must be \(wanted)")
        }
        return nil
    }

    /// I5: how many replicas `/scale` can speak of.
    private func scaleErrors(_ object: JSON) -> [FieldError] {
        guard let scale else { return [] }
        return [scale.specReplicas, scale.statusReplicas].compactMap { text in
            guard let value = JSONPath(text)?.values(in: object).first, let count = value.int else { return nil }
            var error: FieldError?
            if count < 0 {
                error = FieldError(.invalid, at: .root, value: value, detail: "should be a non-negative integer")
            } else if count > Int64(Int32.max) {
                let rule = "should be less than or equal to \(Int32.max)"
                error = FieldError(.invalid, at: .root, value: value, detail: rule)
            }
            error?.path = text
            return error
        }
    }
}

/// What embedded resources must have (`x-kubernetes-embedded-resource`, I2).
struct EmbeddedResourceValidation {
    private var errors = FieldErrors()

    static func errors(_ value: JSON, _ schema: Schema) -> [FieldError] {
        var validation = EmbeddedResourceValidation()
        schema.walk(value) { value, schema, path in
            if schema.isEmbeddedResource, value.object != nil { validation.checkResource(value, path) }
        }
        return validation.errors.all
    }

    private mutating func checkResource(_ resource: JSON, _ path: FieldPath) {
        for member in ["apiVersion", "kind"] where resource.textMember(member).isEmpty {
            errors.required(path[member], "must not be empty")
        }
        let kind = resource.textMember("kind")
        let faults = kind.isEmpty ? [] : NameSyntax.label1035(kind.lowercased())
        if !faults.isEmpty {
            let rule = "may have mixed case, but should otherwise match: " + faults.joined(separator: ",")
            errors.invalid(path["kind"], .string(kind), rule)
        }
        if resource.textMember("apiVersion").split(separator: "/", omittingEmptySubsequences: false).count > 2 {
            let version = resource.textMember("apiVersion")
            errors.invalid(path["apiVersion"], .string(version), "unexpected GroupVersion string: \(version)")
        }
        let metadata = resource["metadata"] ?? [:]
        errors.checkLabels(metadata["labels"], path["metadata"]["labels"])
        errors.checkAnnotations(metadata["annotations"], path["metadata"]["annotations"])
    }
}
