/// An object as one version of its kind has it.
package struct VersionedObject: Sendable {
    package var json: JSON
    package var apiVersion: String
    package var schema: Schema

    package init(json: JSON, apiVersion: String, schema: Schema) {
        self.json = json
        self.apiVersion = apiVersion
        self.schema = schema
    }
}

/// The versions of an object's kind: managers may have recorded what they own in any of them (semantics-api H2).
package struct ObjectVersions: Sendable {
    private let convert: @Sendable (VersionedObject, String) -> VersionedObject?
    /// Whether their schemas may have changed since fields were recorded, as those of custom kinds may.
    let schemasChange: Bool

    /// - Parameter convert: an object in the version that is named; `nil` where its kind has no such version any more.
    package init(
        schemasChange: Bool = false,
        _ convert: @escaping @Sendable (_ object: VersionedObject, _ apiVersion: String) -> VersionedObject?
    ) {
        self.schemasChange = schemasChange
        self.convert = convert
    }

    /// All of one shape, whatever their names are: for who does not know them.
    package static let alike = ObjectVersions {
        VersionedObject(json: $0.json, apiVersion: $1, schema: $0.schema)
    }

    func converted(_ object: VersionedObject, to apiVersion: String) -> VersionedObject? {
        object.apiVersion == apiVersion ? object : convert(object, apiVersion)
    }
}

/// What a write changes, as each version has it in which somebody recorded fields: a field set is only to be compared
/// with what changes in its own version (`structured-merge-diff`, `merge.Updater`).
struct VersionedComparison {
    struct Change {
        /// What the write sets.
        let changed: FieldSet
        let removed: FieldSet
        /// Both.
        let touched: FieldSet

        init(_ comparison: ObjectComparison) {
            changed = comparison.changed
            removed = comparison.removed
            touched = changed.union(removed)
        }
    }

    /// In the request's version.
    let own: Change
    private let old: VersionedObject
    private let new: VersionedObject
    private let versions: ObjectVersions
    private let resetFields: FieldSet
    /// Those that were asked for; most objects have one version.
    private var others: [String: Change?] = [:]

    /// Both objects in the request's version.
    init(from old: VersionedObject, to new: VersionedObject, versions: ObjectVersions, resetFields: FieldSet) {
        self.old = old
        self.new = new
        self.versions = versions
        self.resetFields = resetFields
        own = Self.change(old, new, resetFields)
    }

    /// `nil` where the kind has no such version any more.
    mutating func change(in apiVersion: String) -> Change? {
        if apiVersion == new.apiVersion { return own }
        if let known = others[apiVersion] { return known }
        var change: Change?
        if let after = versions.converted(new, to: apiVersion) {
            // Nothing, as there is before a creation, is of no kind.
            let nothing = VersionedObject(json: .emptyObject, apiVersion: apiVersion, schema: after.schema)
            let before = old.json == .emptyObject ? nothing : versions.converted(old, to: apiVersion)
            change = before.map { Self.change($0, after, resetFields) }
        }
        others[apiVersion] = .some(change)
        return change
    }

    private static func change(
        _ old: VersionedObject, _ new: VersionedObject, _ resetFields: FieldSet
    ) -> Change {
        Change(ObjectComparison(from: old.json, to: new.json, schema: new.schema).excluding(resetFields))
    }
}
