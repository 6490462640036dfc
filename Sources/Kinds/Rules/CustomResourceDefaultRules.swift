import Model

/// Every default in the schema of a custom resource fits the schema beside which it stands, and its validation rules
/// (semantics-api I3, I4; `k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting`).
struct CustomResourceDefaultRules {
    private(set) var errors = FieldErrors()
    /// Rules of all defaults share what one object's may cost.
    private var evaluation = RuleEvaluation(isTolerant: false)

    /// What a schema is inside of.
    private struct Surroundings {
        /// The embedded resource around a value of `metadata`, `apiVersion` or `kind`, which only make sense in one;
        /// `nil` elsewhere.
        var resource: ((JSON) -> JSON)?
        var embedded: Schema?

        func inside(_ wrap: @escaping (JSON) -> JSON) -> Surroundings {
            guard let resource else { return self }
            return Surroundings(resource: { resource(wrap($0)) }, embedded: embedded)
        }
    }

    /// - Parameters:
    ///   - rules: those of the schema, compiled; `nil` where there are none.
    ///   - path: where the schema is written.
    static func errors(_ schema: Schema, _ written: JSON, _ rules: ValidationRules?, _ path: FieldPath) -> FieldErrors {
        var check = CustomResourceDefaultRules()
        check.check(schema, written, rules, Surroundings(), path)
        return check.errors
    }

    /// Defaults of the values of maps are not looked at: Kubernetes forbids them.
    private mutating func check(
        _ schema: Schema, _ written: JSON, _ rules: ValidationRules?, _ surroundings: Surroundings, _ path: FieldPath
    ) {
        let surroundings = schema.isEmbeddedResource ? Surroundings() : surroundings
        if let value = written["default"] { check(value, schema, rules, surroundings, path["default"]) }
        if let items = schema.items, let part = written["items"] {
            check(items, part, rules?.items, surroundings.inside { [$0] }, path["items"])
        }
        for (name, child) in schema.properties {
            guard let part = written["properties"]?[name] else { continue }
            var inner = surroundings.inside { .object(JSONObject([JSONObject.Member(key: name, value: $0)])) }
            if schema.isEmbeddedResource, ["metadata", "apiVersion", "kind"].contains(name) {
                inner = Surroundings(resource: { Self.resource(with: name, $0) }, embedded: schema)
            }
            check(child, part, rules?.properties[name], inner, path["properties"].key(name))
        }
    }

    private static func resource(with member: String, _ value: JSON) -> JSON {
        var resource: JSON = ["apiVersion": "validation/v1", "kind": "Validation"]
        resource[member] = value
        return resource
    }

    private mutating func check(
        _ value: JSON, _ schema: Schema, _ rules: ValidationRules?, _ surroundings: Surroundings, _ path: FieldPath
    ) {
        if surroundings.resource == nil {
            var pruning = StructuralPruning()
            if pruning.pruned(value, schema) != nil { errors.invalid(path, value, "must not have unknown fields") }
        }
        let malformed = metadataErrors(value, schema, surroundings, path)
        let values = malformed.isEmpty ? ValueValidation.errors(value, schema) : []
        let faults = malformed + values.map { Self.moved($0, to: path) }
        errors.add(contentsOf: faults)
        guard faults.isEmpty, let rules else { return }
        // Rules about changes see a default that stays as it is.
        errors.add(contentsOf: evaluation.evaluated(value, old: value, rules, at: path))
    }

    private func metadataErrors(
        _ value: JSON, _ schema: Schema, _ surroundings: Surroundings, _ path: FieldPath
    ) -> [FieldError] {
        guard let resource = surroundings.resource, let embedded = surroundings.embedded else {
            return EmbeddedResourceValidation.errors(value, schema).map { Self.moved($0, to: path) }
        }
        let faults = EmbeddedResourceValidation.errors(resource(value), embedded).map(\.message)
        guard let first = faults.first else { return [] }
        let list = faults.count == 1 ? first : "[\(faults.joined(separator: ", "))]"
        return [FieldError(.invalid, at: path, value: value, detail: "must result in valid metadata: \(list)")]
    }

    private static func moved(_ fault: FieldError, to path: FieldPath) -> FieldError {
        var fault = fault
        let rest = fault.path == "<nil>" ? "" : fault.path
        fault.path = rest.isEmpty || rest.hasPrefix("[") ? "\(path)\(rest)" : "\(path).\(rest)"
        return fault
    }
}
