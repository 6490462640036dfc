/// Server-side apply and the tracking of who owns which field, as pure functions (semantics-api H).
package enum ServerSideApply {
    /// Merges an applied configuration into an object and records what its manager owns.
    ///
    /// When nothing changes, neither the object nor what the manager owns, the answer is `live` itself, old times
    /// included (H5).
    ///
    /// - Parameters:
    ///   - live: the stored object, or `nil` when the apply creates it.
    ///   - manager: the field manager's name.
    ///   - force: whether to take fields that others own with other values.
    ///   - subresource: the subresource the request goes to, such as `status`.
    ///   - resetFields: what this endpoint does not write (H10); by default `status`, or `spec` for `status` itself.
    ///   - versions: those of the kind, for what managers recorded in others than the request's.
    package static func apply(
        _ config: JSON, onto live: JSON?, schema: Schema, manager: String, force: Bool, subresource: String?,
        now: Timestamp, resetFields: FieldSet? = nil, versions: ObjectVersions = .alike
    ) throws(ApplyError) -> JSON {
        let application = try Application(
            config, schema: schema, manager: manager, subresource: subresource, now: now,
            resetFields: resetFields ?? Self.resetFields(of: subresource), versions: versions)
        guard manager == LastApplied.manager else { return try application.applied(onto: live, force: force) }
        return try LastApplied.applying(application, onto: live, force: force)
    }

    /// Records in `new` what a create or update by `manager` came to own (H7).
    ///
    /// An object that nobody's ownership was ever recorded of stays so (H8). What others owned and this write changed
    /// is silently theirs no more. The entry's time moves when the write changes a field, as the API's documentation of
    /// `ManagedFieldsEntry.time` has it.
    ///
    /// - Parameters:
    ///   - old: the stored object, or `nil` for a create.
    ///   - new: the object to be stored, whose own `managedFields`, when it names any, replaces the old one's; an empty
    ///     list, or one empty entry, clears it (H8).
    package static func recordUpdate(
        from old: JSON?, to new: JSON, schema: Schema, manager: String, subresource: String?, now: Timestamp,
        resetFields: FieldSet? = nil, versions: ObjectVersions = .alike
    ) -> JSON {
        var result = new
        let previous = old?[path: managedFieldsPath]
        let requested = new[path: managedFieldsPath]
        var ownership = ownership(previous: previous, requested: requested, isSubresource: subresource != nil)
        // What is one in memory on both sides is not compared, and so need not be taken out.
        let isKept = previous.flatMap { requested?.isShared(with: $0) } ?? false
        if requested != nil, !isKept || ownership.isEmpty { result[path: managedFieldsPath] = nil }
        let resetFields = resetFields ?? Self.resetFields(of: subresource)
        let apiVersion = new["apiVersion"]?.string ?? ""
        let identity = FieldOwnership.Identity(
            manager: manager, operation: .update, apiVersion: apiVersion, subresource: subresource)
        if ownership.isEmpty {
            if old == nil { recordCreate(of: &result, schema, identity, now, resetFields) }
            return result
        }

        let before = (isKept ? old : old.map(withoutManagedFields)) ?? .emptyObject
        let updated = VersionedObject(json: result, apiVersion: apiVersion, schema: schema)
        if versions.schemasChange { ownership.adopt { versions.converted(updated, to: $0)?.schema } }
        var comparison = VersionedComparison(
            from: VersionedObject(json: before, apiVersion: apiVersion, schema: schema), to: updated,
            versions: versions, resetFields: resetFields)
        if !versions.schemasChange, comparison.own.touched.isEmpty, requested == nil || requested == previous {
            // Nothing came, went or changed: everybody owns what they owned.
            result[path: managedFieldsPath] = previous
            return result
        }
        ownership.take(&comparison, except: identity)
        ownership.note(comparison.own, of: identity, at: now)
        ownership.collapseOldUpdates()
        result[path: managedFieldsPath] = ownership.json
        return result
    }

    /// Of a new object its creator owns all; nothing is compared.
    private static func recordCreate(
        of object: inout JSON, _ schema: Schema, _ identity: FieldOwnership.Identity, _ now: Timestamp,
        _ resetFields: FieldSet
    ) {
        let fields = FieldSet(ofNew: object, schema: schema, excluding: resetFields, untracked: neverTracked)
        if fields.isEmpty { return }
        let entry = FieldOwnership.Entry(identity, apiVersion: identity.apiVersion, time: now, fields: fields)
        object[path: managedFieldsPath] = .array([entry.json])
    }

    static let managedFieldsPath = ["metadata", "managedFields"]

    /// What every object has and nobody owns (H4).
    static let neverTracked = FieldSet(
        fields: ["apiVersion"], ["kind"], ["metadata"], ["metadata", "name"], ["metadata", "namespace"],
        ["metadata", "uid"], ["metadata", "creationTimestamp"], ["metadata", "generation"],
        ["metadata", "resourceVersion"], ["metadata", "selfLink"], ["metadata", "managedFields"])

    private static let spec = FieldSet(fields: ["spec"])
    private static let status = FieldSet(fields: ["status"])

    private static func resetFields(of subresource: String?) -> FieldSet { subresource == "status" ? spec : status }

    static func withoutManagedFields(_ object: JSON) -> JSON {
        guard object[path: managedFieldsPath] != nil else { return object }
        var result = object
        result[path: managedFieldsPath] = nil
        return result
    }

    private static func ownership(previous: JSON?, requested: JSON?, isSubresource: Bool) -> FieldOwnership {
        let stored = FieldOwnership(previous, isStored: true) ?? FieldOwnership()
        guard !isSubresource, let requested, let list = requested.array else { return stored }
        if list.isEmpty || list == [.emptyObject] { return FieldOwnership() }
        if requested == previous { return stored }
        guard let ownership = FieldOwnership(requested), !ownership.isEmpty else { return stored }
        return ownership
    }
}
