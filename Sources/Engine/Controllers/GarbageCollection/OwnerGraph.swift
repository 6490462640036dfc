import Cluster
import Kinds
import Model

/// Who names whom as an owner, kept current by changes.
struct OwnerGraph {
    private var keys: [String: ObjectKey] = [:]
    private var dependents: [String: Set<ObjectKey>] = [:]

    /// Takes a change in; answers the objects that should be looked at because of it.
    mutating func apply(_ change: ObjectChange) -> [ObjectKey] {
        let key = change.key
        if let old = change.old, let new = change.new, Self.isSameNode(old, new) {
            // What changed does not bear on who lives: it is looked at again only while its deletion waits for that.
            return Self.isAwaited(new) ? [key] : []
        }
        if change.old == nil, let new = change.new, Self.isFree(new) {
            keys[new.metadata.uid] = key
            return []
        }
        var visits: Set<ObjectKey> = []
        let before = Set((change.old?.metadata.ownerReferences ?? []).map(\.uid))
        let after = Set((change.new?.metadata.ownerReferences ?? []).map(\.uid))
        for uid in before {
            dependents[uid]?.remove(key)
            if dependents[uid]?.isEmpty == true { dependents[uid] = nil }
        }
        for uid in after { dependents[uid, default: []].insert(key) }
        if let old = change.old, old.metadata.uid != change.new?.metadata.uid {
            // It is gone: whoever it owned is looked at, and whoever waits for it.
            keys[old.metadata.uid] = nil
            visits.formUnion(dependents[old.metadata.uid] ?? [])
        }
        if let new = change.new {
            keys[new.metadata.uid] = key
            if !after.isEmpty || new.metadata.isBeingDeleted { visits.insert(key) }
        }
        let blockChanged = change.old?.metadata.ownerReferences != change.new?.metadata.ownerReferences
        if blockChanged { visits.formUnion(before.compactMap { keys[$0] }) }
        return visits.sorted()
    }

    private static func isSameNode(_ old: Object, _ new: Object) -> Bool {
        let (old, new) = (old.json["metadata"], new.json["metadata"])
        return old?["ownerReferences"] == new?["ownerReferences"] && old?["uid"] == new?["uid"]
    }

    /// Whether nobody owns an object, and it stays: as of most that are created.
    private static func isFree(_ object: Object) -> Bool {
        let metadata = object.json["metadata"]
        return metadata?["ownerReferences"] == nil && metadata?["deletionTimestamp"] == nil
    }

    /// Whether an object is leaving and a finalizer of garbage collection holds it (F5).
    private static func isAwaited(_ object: Object) -> Bool {
        let metadata = object.metadata
        guard metadata.isBeingDeleted else { return false }
        return metadata.finalizers.contains { $0 == Deletion.orphanFinalizer || $0 == Deletion.foregroundFinalizer }
    }

    func dependents(of uid: String) -> Set<ObjectKey> { dependents[uid] ?? [] }

    /// Where the object of that uid is, if it is anywhere.
    func key(of uid: String) -> ObjectKey? { keys[uid] }
}
