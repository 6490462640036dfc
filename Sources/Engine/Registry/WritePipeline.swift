import Cluster
import Kinds
import Model

/// The pure part of every write to objects of one kind: decode checks → defaults → admission → preparation →
/// managed fields → validation (C7). What needs the store, the clock or chance comes in as arguments.
struct WritePipeline {
    let strategy: KindStrategy
    let options: WriteOptions
    let now: Timestamp

    private var type: ResourceType { strategy.type }
    private var kind: GroupVersionKind { strategy.type.kind }

    /// Where a body came from decides how its faults are answered.
    enum Source {
        case body
        /// The text of a patch; hidden where it may hold a secret.
        case patch(JSON)

        var isPatch: Bool {
            if case .patch = self { true } else { false }
        }
    }

    // MARK: Decoding

    /// Checks the form of an object and fills in its defaults.
    ///
    /// Unknown fields are refused, or dropped with or without a warning, as the request asks (C21, C22); wrong types
    /// are refused.
    func decoded(_ object: JSON, from source: Source) throws(APIError) -> JSON {
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
        let faults = strategy.decodingFaults(object)
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
        return withoutRepeatedOwners(strategy.defaulted(object.withoutUnknownFields(faults)))
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

    // MARK: Create

    /// A new object, named and decoded, as it is to be stored, but for what is allocated.
    ///
    /// - Parameter isApplied: its managed fields are server-side apply's own and stay.
    func created(_ object: JSON, uid: String, isApplied: Bool = false) throws(APIError) -> JSON {
        if strategy.isInert {
            options.warnings?.add("\(kind.apiVersion) \(kind.kind) is stored, but nothing acts on it yet")
        }
        var object = try Admission.admitting(object, kind: kind.groupKind)
        object[path: ["metadata", "resourceVersion"]] = nil
        // A Job selects its pods by its uid, which is therefore given first.
        object[path: ["metadata", "uid"]] = .string(uid)
        object[path: ["metadata", "creationTimestamp"]] = now.json
        object = strategy.prepareForCreate(object)
        guard !isApplied else { return object }
        return ServerSideApply.recordUpdate(
            from: nil, to: object, schema: strategy.schema, manager: options.fieldManager, subresource: nil, now: now,
            resetFields: strategy.resetFields(of: nil))
    }

    func validateCreate(_ object: JSON) throws(APIError) {
        try refuse(strategy.validateCreate(object), object)
    }

    // MARK: Update

    /// An update as it is to be stored, but for what is allocated.
    func updated(_ object: JSON, from old: JSON, subresource: Subresource?, isApplied: Bool = false) -> JSON {
        let name = subresource?.rawValue
        let prepared = strategy.prepareForUpdate(object, from: old, subresource: name)
        guard !isApplied else { return prepared }
        return ServerSideApply.recordUpdate(
            from: old, to: prepared, schema: strategy.schema, manager: options.fieldManager, subresource: name,
            now: now, resetFields: strategy.resetFields(of: name))
    }

    func validateUpdate(_ object: JSON, from old: JSON, subresource: Subresource?) throws(APIError) {
        try refuse(strategy.validateUpdate(object, from: old, subresource: subresource?.rawValue), object)
    }

    /// Whether an update changes nothing but times of managed fields, and so is not to be written (C12).
    static func isNoOp(_ object: JSON, from old: JSON) -> Bool {
        withoutTimes(object) == withoutTimes(old)
    }

    private static func withoutTimes(_ object: JSON) -> JSON {
        var object = object
        object[path: ["metadata", "resourceVersion"]] = nil
        guard let entries = object[path: ["metadata", "managedFields"]]?.array else { return object }
        object[path: ["metadata", "managedFields"]] = .array(
            entries.map { entry in
                var entry = entry
                entry["time"] = nil
                return entry
            })
        return object
    }

    // MARK: Refusal

    /// 422 with a cause for each fault (C1, C2).
    func refuse(_ errors: [FieldError], _ object: JSON) throws(APIError) {
        guard !errors.isEmpty else { return }
        var messages: [String] = []
        for error in errors where !messages.contains(error.message) { messages.append(error.message) }
        let name = object[path: ["metadata", "name"]]?.string ?? ""
        let list = messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
        throw APIError(
            .invalid, "\(kind.groupKind) \"\(name)\" is invalid: \(list)",
            details: APIError.Details(
                name: name, group: kind.group, kind: kind.kind,
                causes: errors.map {
                    APIError.Cause(reason: $0.cause.reason, message: $0.cause.message, field: $0.path)
                }))
    }
}
