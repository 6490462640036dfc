extension ServerSideApply {
    /// One configuration that one manager applies.
    struct Application {
        let config: JSON
        let schema: Schema
        let manager: String
        let subresource: String?
        let now: Timestamp
        let resetFields: FieldSet
        let versions: ObjectVersions
        /// What the configuration states and its manager will own.
        private let fields: FieldSet
        /// All that the configuration states, what nobody owns included: it is not to be removed.
        private let stated: FieldSet
        private let hasNulls: Bool
        private let apiVersion: String

        init(
            _ config: JSON, schema: Schema, manager: String, subresource: String?, now: Timestamp,
            resetFields: FieldSet, versions: ObjectVersions
        ) throws(ApplyError) {
            guard config.object != nil else {
                throw .invalid("an applied configuration is an object, not \(config.typeName)")
            }
            if let entries = config[path: managedFieldsPath], !entries.isNull {
                throw .invalid("metadata.managedFields must be nil")
            }
            var reader = FieldReader(isStrict: true)
            let stated = reader.fields(of: config, schema)
            if let message = Self.message(of: reader.faults, in: config) { throw .invalid(message) }
            fields = stated.subtracting(neverTracked).excluding(resetFields)
            self.stated = stated
            hasNulls = reader.hasNulls
            apiVersion = config["apiVersion"]?.string ?? ""
            self.config = ObjectRemoval.removing(resetFields, from: config, schema) ?? .emptyObject
            self.schema = schema
            self.manager = manager
            self.subresource = subresource
            self.now = now
            self.resetFields = resetFields
            self.versions = versions
        }

        /// In the request's version.
        private func versioned(_ json: JSON) -> VersionedObject {
            VersionedObject(json: json, apiVersion: apiVersion, schema: schema)
        }

        /// H1's text: `failed to create typed patch object (ns/name; apps/v1, Kind=Deployment): .spec.x: …`.
        private static func message(of faults: [ApplyFault], in config: JSON) -> String? {
            guard let first = faults.first else { return nil }
            let kind = GroupVersionKind(
                apiVersion: config["apiVersion"]?.string ?? "", kind: config["kind"]?.string ?? "")
            let namespace = config[path: ["metadata", "namespace"]]?.string ?? ""
            let name = config[path: ["metadata", "name"]]?.string ?? ""
            let object = "\(namespace)/\(name); \(kind.group)/\(kind.version), Kind=\(kind.kind)"
            let list = faults.count == 1 ? "\(first)" : "errors:\n" + faults.map { "  \($0)" }.joined(separator: "\n")
            return "failed to create typed patch object (\(object)): \(list)"
        }

        private var identity: FieldOwnership.Identity {
            FieldOwnership.Identity(
                manager: manager, operation: .apply, apiVersion: apiVersion, subresource: subresource)
        }

        func applied(onto live: JSON?, force: Bool) throws(ApplyError) -> JSON {
            let stored = live?[path: managedFieldsPath]
            let base = live.map(withoutManagedFields) ?? .emptyObject
            let merged = ObjectMerge.merged(base, with: config, schema)
            var own = Self.entry(of: identity, in: stored)
            if let live, merged == nil, let own, own.fields == fields, own.apiVersion == apiVersion { return live }

            guard var ownership = FieldOwnership(stored) else {
                throw .invalid(
                    "failed to decode managed fields: metadata.managedFields of the live object is no list of "
                        + "FieldsV1 entries; clear it by an update that sets it to []")
            }
            if ownership.isEmpty, live != nil { recordUntracked(base, in: &ownership) }
            if versions.schemasChange {
                ownership.adopt { versions.converted(versioned(base), to: $0)?.schema }
                own = ownership.entry(of: identity)
            }
            let last = own?.fields ?? FieldSet()
            ownership.set(FieldOwnership.Entry(identity, apiVersion: apiVersion, time: now, fields: fields))

            var result = merged ?? base
            let isSameVersion = own?.apiVersion == apiVersion
            let isPruned = !(isSameVersion ? last.subtracting(fields) : last).isEmpty
            if isPruned, let own { result = pruned(result, last: own, ownership) }
            var comparison = VersionedComparison(
                from: versioned(base), to: versioned(result), versions: versions, resetFields: resetFields)
            let conflicts = force ? [] : conflicts(over: &comparison, in: ownership)
            if !conflicts.isEmpty { throw .conflicts(conflicts) }
            ownership.take(&comparison, except: identity)

            if hasNulls || isPruned { result = ObjectMerge.withoutNulls(result, schema) }
            let isSame = result == base
            if isSame, isSameVersion, last == fields, let own { ownership.set(own) }
            if fields.isEmpty { ownership.remove(identity) }
            if let live, isSame, ownership.json == stored { return live }
            result[path: managedFieldsPath] = ownership.json
            return result
        }

        /// This manager's entry alone, so that an apply that changes nothing reads no other.
        private static func entry(of identity: FieldOwnership.Identity, in stored: JSON?) -> FieldOwnership.Entry? {
            for item in stored?.array ?? [] {
                guard item["manager"]?.string == identity.manager, let entry = FieldOwnership.Entry(item),
                    entry.identity == identity
                else { continue }
                return entry
            }
            return nil
        }

        /// What an object had before the first apply belongs to no one in particular (H8).
        private func recordUntracked(_ live: JSON, in ownership: inout FieldOwnership) {
            let all = ObjectComparison(from: .emptyObject, to: live, schema: schema).excluding(resetFields).added
            let fields = all.subtracting(neverTracked)
            if fields.isEmpty { return }
            let version = live["apiVersion"]?.string ?? apiVersion
            let identity = FieldOwnership.Identity(
                manager: "before-first-apply", operation: .update, apiVersion: version, subresource: subresource)
            ownership.set(FieldOwnership.Entry(identity, apiVersion: version, time: now, fields: fields))
        }

        private static func names(of entry: FieldOwnership.Entry) -> [String] {
            let identity = entry.identity
            return [identity.manager, identity.operation.rawValue, entry.apiVersion, identity.subresource]
        }

        private func conflicts(
            over comparison: inout VersionedComparison, in ownership: FieldOwnership
        ) -> [ApplyConflict] {
            if comparison.own.changed.isEmpty { return [] }
            let others = ownership.entries.filter { $0.identity != identity }.sorted {
                Self.names(of: $0).precedeByBytes(Self.names(of: $1))
            }
            var found: [ApplyConflict] = []
            for entry in others {
                // Whose version is no more owns nothing.
                guard let changed = comparison.change(in: entry.apiVersion)?.changed else { continue }
                found += entry.fields.intersection(changed).paths.map { ApplyConflict(path: $0, owner: entry) }
            }
            return found
        }

        /// Removes what this manager applied last time, leaves out now, and nobody else owns (H5).
        ///
        /// An item that goes takes with it all that is in it; one that another applier names, too, stays with what
        /// others own of it. What was applied last time is removed in the version of then; where there is no such
        /// version any more, nothing is.
        private func pruned(
            _ result: JSON, last: FieldOwnership.Entry, _ ownership: FieldOwnership
        ) -> JSON {
            guard let merged = versions.converted(versioned(result), to: last.apiVersion) else { return result }
            let candidates = last.fields.addingDeclaredParents(merged.schema)
            let owners = addingBackOwned(from: merged, to: merged.removing(candidates), ownership)
            guard let owners = versions.converted(owners, to: last.apiVersion) else { return result }
            // What was unowned all along was not this manager's to remove.
            let removable = merged.named.subtracting(owners.named).intersection(candidates)
            return versions.converted(merged.removing(removable), to: apiVersion)?.json ?? result
        }

        /// What others own, or this configuration states, comes back, version by version: first in the one that the
        /// objects are in.
        private func addingBackOwned(
            from merged: VersionedObject, to pruned: VersionedObject, _ ownership: FieldOwnership
        ) -> VersionedObject {
            var owned = [apiVersion: stated]
            for entry in ownership.entries {
                owned[entry.apiVersion] = owned[entry.apiVersion, default: FieldSet()].union(entry.fields)
            }
            var (merged, pruned) = (merged, pruned)
            let others = owned.keys.filter { $0 != merged.apiVersion }.sorted()
            for version in [merged.apiVersion] + others {
                guard let fields = owned[version], let from = versions.converted(merged, to: version),
                    let to = versions.converted(pruned, to: version)
                else { continue }
                let kept = to.named.union(fields.addingDeclaredParents(from.schema))
                pruned = from.removing(from.named.subtracting(kept))
                merged = from
            }
            return pruned
        }
    }
}

extension VersionedObject {
    /// Its fields, and every declared field on the way to one.
    fileprivate var named: FieldSet { FieldSet(of: json, schema: schema).addingDeclaredParents(schema) }

    fileprivate func removing(_ fields: FieldSet) -> VersionedObject {
        var object = self
        object.json = ObjectRemoval.removing(fields, from: json, schema) ?? .emptyObject
        return object
    }
}
