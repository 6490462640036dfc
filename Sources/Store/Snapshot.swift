import HashTreeCollections

/// The whole store at one revision. Taking one costs a few references; it never changes.
package struct Snapshot: Sendable {
    /// Everything up to here is in it, and all of it is durable.
    package let revision: Revision
    let objects: TreeDictionary<StoreKey, StoredObject>
    let index: KeyIndex

    package var count: Int { objects.count }

    /// The store before `changes`, which are all that happened after `revision`, in order.
    func undoing(_ changes: [Change], backTo revision: Revision) -> Snapshot {
        var objects = objects
        var index = index
        for change in changes.reversed() {
            objects[change.key] = change.previous
            if let previous = change.previous { index.put(previous) } else { index.remove(change.key) }
        }
        return Snapshot(revision: revision, objects: objects, index: index)
    }

    /// The kinds that have objects, sorted.
    package var kinds: [String] { index.kindNames }

    package func get(_ key: StoreKey) -> StoredObject? { objects[key] }

    /// - Parameter after: count only what is behind this key.
    package func count(kind: String, namespace: String? = nil, after: StoreKey? = nil) -> Int {
        index.count(kind: kind, namespace: namespace, after: after.map { KeyIndex.Name($0) })
    }

    /// Visits objects of a kind in key order until `body` answers `false`.
    ///
    /// - Parameter after: start behind this key, which need not exist.
    package func forEach(
        kind: String, namespace: String? = nil, after: StoreKey? = nil, _ body: (StoredObject) -> Bool
    ) {
        index.forEach(kind: kind, namespace: namespace, after: after.map { KeyIndex.Name($0) }, body)
    }

    /// Objects of a kind in key order.
    ///
    /// - Parameters:
    ///   - namespace: `nil` means all.
    ///   - after: start behind this key, which need not exist: where the page before ended.
    ///   - limit: at most so many.
    ///   - isIncluded: objects for which it answers `false` count neither for the page nor for the limit.
    /// - Complexity: linear in the number of objects visited, and logarithmic in the number stored.
    package func list(
        kind: String, namespace: String? = nil, after: StoreKey? = nil, limit: Int = .max,
        where isIncluded: (StoredObject) -> Bool = { _ in true }
    ) -> [StoredObject] {
        var found: [StoredObject] = []
        guard limit > 0 else { return found }
        forEach(kind: kind, namespace: namespace, after: after) { object in
            if isIncluded(object) { found.append(object) }
            return found.count < limit
        }
        return found
    }
}
