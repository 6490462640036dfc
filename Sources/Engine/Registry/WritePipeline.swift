import Cluster
import Kinds
import Model

/// The pure part of every write to objects of one kind: decode checks → defaults → admission → preparation →
/// managed fields → validation (C7). What needs the store, the clock or chance comes in as arguments.
struct WritePipeline {
    let strategy: KindStrategy
    let options: WriteOptions
    let now: Timestamp
    /// Those of the kind, for what managers recorded in others than the request's.
    let versions: ObjectVersions
    /// What the store holds that admission goes by.
    let policies: AdmissionPolicies

    private var type: ResourceType { strategy.type }
    private var kind: GroupVersionKind { strategy.type.kind }

    /// The object in a body, or what a patch made of one, with its defaults (C4, C21).
    ///
    /// - Parameter known: the object as it is stored, of which a change in process shares most.
    func decoded(
        _ object: JSON, from source: BodyDecoding.Source, knowing known: JSON? = nil
    ) throws(APIError) -> JSON {
        try BodyDecoding(strategy: strategy, options: options).decoded(object, from: source, knowing: known)
    }

    // MARK: Create

    /// A new object, named and decoded, as it is to be stored, but for what is allocated.
    ///
    /// - Parameters:
    ///   - isApplied: its managed fields are server-side apply's own and stay.
    ///   - change: what policies make of it, once it is admitted; `nil` where they leave it as it is.
    func created(
        _ object: JSON, uid: String, isApplied: Bool = false, _ change: (JSON) throws(APIError) -> JSON?
    ) throws(APIError) -> JSON {
        for warning in strategy.warnings(object, from: nil) { options.warnings?.add(warning) }
        var object = try Admission.admitting(object, kind: kind.groupKind, uid: uid, policies, from: options.requester)
        if let changed = try change(object) {
            let place: [String] = ["metadata", "namespace"]
            guard changed[path: place] == object[path: place] else {
                throw APIError(
                    .badRequest, "the namespace of the provided object does not match the namespace sent on the request"
                )
            }
            // What policies add is to be complete, too.
            object = try Admission.admitting(changed, kind: kind.groupKind, uid: uid, policies, from: options.requester)
        }
        if object["metadata"] == nil { object["metadata"] = .emptyObject }
        object.change("metadata") { metadata in
            metadata["resourceVersion"] = nil
            // A Job selects its pods by its uid, which is therefore given first.
            metadata["uid"] = .string(uid)
            metadata["creationTimestamp"] = now.json
        }
        object = strategy.prepareForCreate(object)
        guard !isApplied else { return object }
        return ServerSideApply.recordUpdate(
            from: nil, to: object, schema: strategy.schema, manager: options.fieldManager, subresource: nil, now: now,
            resetFields: strategy.resetFields(of: nil), versions: versions)
    }

    func validateCreate(_ object: JSON) throws(APIError) {
        try refuse(strategy.validateCreate(object), object)
        try Admission.check(object, from: nil, kind: kind.groupKind, policies)
    }

    // MARK: Update

    /// An update as it is to be stored, but for what is allocated.
    func updated(_ object: JSON, from old: JSON, subresource: Subresource?, isApplied: Bool = false) -> JSON {
        let name = subresource?.rawValue
        let prepared = strategy.stamped(
            strategy.prepareForUpdate(object, from: old, subresource: name), from: old, subresource: name, at: now)
        if name == nil {
            for warning in strategy.warnings(prepared, from: old) { options.warnings?.add(warning) }
        }
        guard !isApplied else { return prepared }
        return ServerSideApply.recordUpdate(
            from: old, to: prepared, schema: strategy.schema, manager: options.fieldManager, subresource: name,
            now: now, resetFields: strategy.resetFields(of: name), versions: versions)
    }

    func validateUpdate(_ object: JSON, from old: JSON, subresource: Subresource?) throws(APIError) {
        try refuse(strategy.validateUpdate(object, from: old, subresource: subresource?.rawValue), object)
        if subresource == nil { try Admission.check(object, from: old, kind: kind.groupKind, policies) }
    }

    /// Whether an update changes nothing but times of managed fields, and so is not to be written (C12).
    static func isNoOp(_ object: JSON, from old: JSON) -> Bool {
        guard let members = object.object, let oldMembers = old.object, members.count == oldMembers.count else {
            return false
        }
        // Metadata last: what comes before mostly tells.
        for position in 0..<members.count where members[position].key != "metadata" {
            let member = members[position]
            if oldMembers.value(of: member.key, near: position) != member.value { return false }
        }
        return withoutTimes(object) == withoutTimes(old)
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
        throw APIError(invalid: errors, of: kind, name: object[path: ["metadata", "name"]]?.string ?? "")
    }
}
