package import Cluster
package import Kinds
package import Model

/// What garbage collection does about one object, decided from what it found (F4–F6).
package enum GarbageCollectionPlan {
    /// How an owner that an object names stands.
    package enum OwnerState: Hashable, Sendable {
        /// Nothing of that name is there, or another object, or one in another namespace (F6).
        case absent
        /// It is there to stay, for all that is known.
        case solid
        /// It is being deleted in the foreground and waits for its dependents.
        case waiting
    }

    package enum Action: Hashable, Sendable {
        case delete(ObjectKey, DeleteOptions)
        /// A merge patch, bound to the version that was looked at.
        case patch(ObjectKey, JSON)
        /// Look at this object next.
        case visit(ObjectKey)
    }

    /// - Parameters:
    ///   - owners: by uid, the state of every owner the object names.
    ///   - dependents: the objects that name this one as an owner.
    package static func actions(
        for object: Object, owners: [String: OwnerState], dependents: [Object]
    ) -> [Action] {
        let metadata = object.metadata
        if metadata.isBeingDeleted {
            if metadata.finalizers.contains(Deletion.orphanFinalizer) {
                return orphan(object, dependents)
            }
            if metadata.finalizers.contains(Deletion.foregroundFinalizer) {
                return awaitDependents(of: object, dependents) + judge(object, owners, dependents)
            }
            return []
        }
        return judge(object, owners, dependents)
    }

    /// F4: whether an object outlives its owners.
    private static func judge(
        _ object: Object, _ owners: [String: OwnerState], _ dependents: [Object]
    ) -> [Action] {
        let references = object.metadata.ownerReferences
        guard !references.isEmpty else { return [] }
        // An owner of unknown state counts as there: nothing is deleted for want of knowledge.
        let state = { (reference: OwnerReference) in owners[reference.uid] ?? .solid }
        let solid = references.filter { state($0) == .solid }
        if !solid.isEmpty {
            guard solid.count < references.count else { return [] }
            return [withOwners(solid, object)]
        }
        guard !object.metadata.isBeingDeleted else { return [] }
        let isAwaited = references.contains { state($0) == .waiting }
        if isAwaited, !dependents.isEmpty {
            let isCircular = dependents.contains { isDeletingForeground($0) }
            // In a circle of owners each would wait for the other.
            return (isCircular ? [unblocking(object)] : []) + [deletion(of: object, .foreground)]
        }
        return [deletion(of: object, impliedPolicy(object))]
    }

    /// The policy that an object's own finalizers ask for, else Background (F4).
    private static func impliedPolicy(_ object: Object) -> PropagationPolicy {
        let finalizers = object.metadata.finalizers
        if finalizers.contains(Deletion.orphanFinalizer) { return .orphan }
        if finalizers.contains(Deletion.foregroundFinalizer) { return .foreground }
        return .background
    }

    private static func deletion(of object: Object, _ policy: PropagationPolicy) -> Action {
        .delete(object.key, DeleteOptions(propagation: policy, uid: object.metadata.uid))
    }

    private static func isDeletingForeground(_ object: Object) -> Bool {
        object.metadata.isBeingDeleted && object.metadata.finalizers.contains(Deletion.foregroundFinalizer)
    }

    /// F5: an owner goes when no dependent that blocks it remains; until then those are looked at.
    private static func awaitDependents(of object: Object, _ dependents: [Object]) -> [Action] {
        let blocking = dependents.filter { dependent in
            dependent.metadata.ownerReferences.contains {
                $0.uid == object.metadata.uid && $0.blockOwnerDeletion == true
            }
        }
        if blocking.isEmpty { return [withoutFinalizer(Deletion.foregroundFinalizer, object)] + visits(dependents) }
        return visits(dependents.filter { !isDeletingForeground($0) })
    }

    private static func visits(_ objects: [Object]) -> [Action] {
        objects.map(\.key).sorted().map(Action.visit)
    }

    /// F5: the dependents forget their owner, then it goes.
    private static func orphan(_ object: Object, _ dependents: [Object]) -> [Action] {
        let releases = dependents.sorted { $0.key < $1.key }.map { dependent in
            withOwners(dependent.metadata.ownerReferences.filter { $0.uid != object.metadata.uid }, dependent)
        }
        return releases + [withoutFinalizer(Deletion.orphanFinalizer, object)]
    }

    // MARK: Patches

    private static func withOwners(_ owners: [OwnerReference], _ object: Object) -> Action {
        patch(object, "ownerReferences", owners.isEmpty ? .null : .array(owners.map(\.json)))
    }

    private static func unblocking(_ object: Object) -> Action {
        let owners = object.metadata.ownerReferences.map { reference in
            var reference = reference
            if reference.blockOwnerDeletion == true { reference.blockOwnerDeletion = false }
            return reference
        }
        return withOwners(owners, object)
    }

    private static func withoutFinalizer(_ finalizer: String, _ object: Object) -> Action {
        let rest = object.metadata.finalizers.filter { $0 != finalizer }
        return patch(object, "finalizers", rest.isEmpty ? .null : .array(rest.map { .string($0) }))
    }

    private static func patch(_ object: Object, _ member: String, _ value: JSON) -> Action {
        var metadata: JSON = [
            "uid": .string(object.metadata.uid), "resourceVersion": .string(object.metadata.resourceVersion),
        ]
        metadata[member] = value
        return .patch(object.key, ["metadata": metadata])
    }
}
