package import Kinds
package import Model

/// Which live objects are known to be what their manifests make of them, so that a plan need not look at them again.
package struct SyncedObjects: Sendable {
    private struct Entry {
        var fingerprint: String
        /// As it was when it was compared.
        var live: Object
    }

    private var entries: [ObjectKey: Entry] = [:]

    package init() {}

    /// - Complexity: O(1); the live object is not read.
    package func contains(_ object: DesiredObject) -> Bool { entries[object.key]?.fingerprint == object.fingerprint }

    package mutating func insert(_ object: DesiredObject, live: Object) {
        entries[object.key] = Entry(fingerprint: object.fingerprint, live: live)
    }

    /// Forgets those of the changed objects in which something changed that a manifest could be about: all but the
    /// status, and who manages that.
    package mutating func forget(_ changed: Set<ObjectKey>, unless live: any LiveState) {
        for key in changed {
            guard let entry = entries[key] else { continue }
            if let now = live.object(key), Self.isSame(now.json, entry.live.json) { continue }
            entries[key] = nil
        }
    }

    private static func isSame(_ now: JSON, _ before: JSON) -> Bool {
        if now.isShared(with: before) { return true }
        var (now, before) = (now, before)
        // Where a status is no subresource it may be applied.
        let isSubresource = Catalog.builtIn.strategy(for: Object(viewing: now).kind.groupKind)?.type.subresources
            .contains { $0.name == "status" }
        if isSubresource == true {
            now["status"] = nil
            before["status"] = nil
        }
        let (entries, entriesBefore) = (managers(now), managers(before))
        for name in ["resourceVersion", "managedFields"] {
            now["metadata"]?[name] = nil
            before["metadata"]?[name] = nil
        }
        return now == before && entries == entriesBefore
    }

    /// Who manages what, the status aside.
    private static func managers(_ object: JSON) -> [JSON] {
        (object["metadata"]?["managedFields"]?.array ?? []).filter { $0["subresource"] != "status" }
    }

    package mutating func keep(only keys: Set<ObjectKey>) {
        entries = entries.filter { keys.contains($0.key) }
    }
}
