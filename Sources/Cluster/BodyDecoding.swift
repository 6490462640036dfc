package import Kinds
package import Model

/// The first step of every write (C7): is the body an object of its kind, field by field?
package struct BodyDecoding {
    private let strategy: KindStrategy
    private let options: WriteOptions

    private var kind: GroupVersionKind { strategy.type.kind }

    package init(strategy: KindStrategy, options: WriteOptions) {
        self.strategy = strategy
        self.options = options
    }

    /// Where a body came from decides how its faults are answered.
    package enum Source {
        case body
        /// The text of a patch; hidden where it may hold a secret.
        case patch(JSON)

        var isPatch: Bool {
            if case .patch = self { true } else { false }
        }
    }

    /// Checks the form of an object and fills in its defaults.
    ///
    /// Unknown fields are refused, or dropped with or without a warning, as the request asks (C21, C22); wrong types
    /// are refused.
    ///
    /// - Parameter known: the object as it is stored; what shares its storage with that is not looked at again.
    package func decoded(
        _ object: JSON, from source: Source, knowing known: JSON? = nil
    ) throws(APIError) -> JSON {
        var object = object
        if (object["apiVersion"]?.string ?? "").isEmpty { object["apiVersion"] = .string(kind.apiVersion) }
        if (object["kind"]?.string ?? "").isEmpty { object["kind"] = .string(kind.kind) }
        if let version = object["apiVersion"]?.string, version != kind.apiVersion {
            throw APIError(
                .badRequest,
                "the API version in the data (\(version)) does not match the expected API version (\(kind.apiVersion))")
        }
        if let name = object["kind"]?.string, name != kind.kind {
            throw APIError(
                .badRequest, "the kind in the data (\(name)) does not match the expected kind (\(kind.kind))")
        }
        let faults = strategy.decodingFaults(object, knowing: known)
        let wrong = faults.filter { !$0.isStrictOnly }
        if !wrong.isEmpty { throw refusal(wrong.map(\.description), isStrict: false, source, object) }
        let unknown = faults.map(\.description)
        let strict = source.isPatch ? options.repeatedFields + unknown : unknown + options.repeatedFields
        if !strict.isEmpty {
            switch options.fieldValidation {
            case .strict: throw refusal(strict, isStrict: true, source, object)
            case .warn: for fault in strict { options.warnings?.add(fault) }
            case .ignore: break
            }
        }
        return withoutRepeatedOwners(
            strategy.defaulted(object.withoutUnknownFields(faults), knowing: known))
    }

    /// An owner that is named twice in the same words is kept once.
    private func withoutRepeatedOwners(_ object: JSON) -> JSON {
        guard let owners = object[path: ["metadata", "ownerReferences"]]?.array, owners.count > 1 else { return object }
        var kept: [JSON] = []
        var repeated: [String] = []
        for owner in owners {
            if kept.contains(owner) { repeated.append(owner["uid"]?.string ?? "") } else { kept.append(owner) }
        }
        guard !repeated.isEmpty else { return object }
        options.warnings?.add(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and "
                + "may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
                + repeated.joined(separator: ", "))
        var object = object
        object[path: ["metadata", "ownerReferences"]] = .array(kept)
        return object
    }

    private func refusal(_ faults: [String], isStrict: Bool, _ source: Source, _ object: JSON) -> APIError {
        let list = (isStrict ? "strict decoding error: " : "") + faults.joined(separator: ", ")
        switch source {
        case .body:
            return APIError(
                .badRequest,
                "\(kind.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind): \(list)")
        case .patch(let patch):
            let shown = kind.groupKind == Secret.kind.groupKind ? "(hidden)" : patch.text()
            let body = "Invalid value: \(JSON.string(shown).text()): \(list)"
            return APIError(
                .invalid, " \"\" is invalid: patch: \(body)",
                details: APIError.Details(
                    causes: [APIError.Cause(reason: "FieldValueInvalid", message: body, field: "patch")]))
        }
    }
}
