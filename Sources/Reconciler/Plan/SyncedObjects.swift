import Kinds
package import Model

/// Which live objects are known to be what their manifests make of them, so that a plan need not look at them again.
package struct SyncedObjects: Sendable {
    private struct Entry {
        var fingerprint: String
        var resourceVersion: String
    }

    private var entries: [ObjectKey: Entry] = [:]

    package init() {}

    /// - Complexity: O(1); the live object is not read.
    package func contains(_ object: DesiredObject) -> Bool { entries[object.key]?.fingerprint == object.fingerprint }

    package mutating func insert(_ object: DesiredObject, resourceVersion: String) {
        entries[object.key] = Entry(fingerprint: object.fingerprint, resourceVersion: resourceVersion)
    }

    /// Forgets those of the changed objects whose live version is another one now.
    package mutating func forget(_ changed: Set<ObjectKey>, unless live: any LiveState) {
        for key in changed {
            guard let entry = entries[key] else { continue }
            if live.object(key)?.metadata.resourceVersion != entry.resourceVersion { entries[key] = nil }
        }
    }

    package mutating func keep(only keys: Set<ObjectKey>) {
        entries = entries.filter { keys.contains($0.key) }
    }
}
