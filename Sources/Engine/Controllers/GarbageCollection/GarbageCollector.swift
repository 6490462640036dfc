package import Cluster
import Kinds
package import Model
import Synchronization

/// Deletes what lost its owners, lets go of owners that waited for their dependents (F4–F6), and clears old Events
/// away (L1).
package final class GarbageCollector: Sendable {
    private static let workers = 4

    private let cluster: any Cluster
    private let clock: any WallClock
    private let seed: UInt64
    private let shared: [GroupKind: Informer]
    private let queue: WorkQueue<ObjectKey>
    private let recorder: EventRecorder
    private let graph = Mutex(OwnerGraph())

    /// - Parameters:
    ///   - seed: of the jitter between attempts to list and watch.
    ///   - shared: informers of whole kinds that somebody else runs; other kinds get their own.
    package init(
        cluster: any Cluster, clock: any WallClock, seed: UInt64 = 1, sharing shared: [GroupKind: Informer] = [:]
    ) {
        self.shared = shared
        self.cluster = cluster
        self.clock = clock
        self.seed = seed
        queue = WorkQueue(clock: clock)
        recorder = EventRecorder(component: "garbage-collector-controller", cluster: cluster, clock: clock)
    }

    /// Whether nothing is left to look at.
    package var isIdle: Bool { queue.isIdle }

    /// Collects until the task is cancelled.
    package func run() async throws {
        let informers = KindInformers(
            try await cluster.resourceTypes(), of: cluster, clock: clock, seed: seed, sharing: shared,
            where: Self.isCollectable)
        informers.onChange { change in
            for key in self.graph.withLock({ $0.apply(change) }) { self.queue.add(key) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await informers.run() }
            group.addTask { try await self.recorder.run() }
            group.addTask { try await EventExpiryController(cluster: self.cluster, clock: self.clock).run() }
            group.addTask {
                // Dependents that are not known yet would be taken for none.
                try await informers.waitForSync()
                await self.queue.run(workers: Self.workers) { key in
                    try await self.collect(key, informers)
                    return .done
                }
            }
            try await group.waitForAll()
        }
    }

    /// All kinds that can be listed, watched and deleted, except Events (F4).
    @Sendable private static func isCollectable(_ type: ResourceType) -> Bool {
        type.kind.kind != "Event" && ["list", "watch", "delete"].allSatisfy(type.verbs.contains)
    }

    private func collect(_ key: ObjectKey, _ informers: KindInformers) async throws {
        guard let object = try await find(key) else { return }
        var owners: [String: GarbageCollectionPlan.OwnerState] = [:]
        for reference in object.metadata.ownerReferences {
            owners[reference.uid] = try await state(of: reference, for: object, informers)
        }
        let metadata = object.metadata
        let dependents: [Object]
        if metadata.isBeingDeleted, metadata.finalizers.contains(Deletion.orphanFinalizer) {
            // The caches may lag behind, and what is overlooked here would be deleted later: ask for the present state.
            dependents = try await liveDependents(of: object, informers)
        } else {
            let keys = graph.withLock { $0.dependents(of: metadata.uid) }
            dependents = keys.sorted().compactMap { informers[$0.kind]?[$0] }
        }
        let actions = GarbageCollectionPlan.actions(for: object, owners: owners, dependents: dependents)
        for action in actions { try await carryOut(action) }
    }

    private func find(_ key: ObjectKey) async throws(APIError) -> Object? {
        do throws(APIError) {
            return try await cluster.get(key)
        } catch  where error.reason == .notFound {
            return nil
        }
    }

    private func state(
        of reference: OwnerReference, for object: Object, _ informers: KindInformers
    ) async throws(APIError) -> GarbageCollectionPlan.OwnerState {
        let kind = GroupVersionKind(apiVersion: reference.apiVersion, kind: reference.kind).groupKind
        let namespace = object.metadata.namespace
        // Nothing is concluded about kinds we do not know, nor about namespaced owners of cluster-scoped objects (F6).
        guard let isNamespacedOwner = informers.type(of: kind)?.isNamespaced, !(isNamespacedOwner && namespace.isEmpty)
        else {
            return .solid
        }
        let key = ObjectKey(kind: kind, namespace: isNamespacedOwner ? namespace : "", name: reference.name)
        guard let owner = try await find(key), owner.metadata.uid == reference.uid else {
            warnOfForeignOwner(reference, object)
            return .absent
        }
        let isWaiting =
            owner.metadata.isBeingDeleted && owner.metadata.finalizers.contains(Deletion.foregroundFinalizer)
        return isWaiting ? .waiting : .solid
    }

    /// F6: an owner in another namespace counts as absent, which its author should hear of.
    private func warnOfForeignOwner(_ reference: OwnerReference, _ object: Object) {
        guard let elsewhere = graph.withLock({ $0.key(of: reference.uid) }),
            elsewhere.namespace != object.metadata.namespace
        else { return }
        let text =
            "ownerRef [\(reference.apiVersion)/\(reference.kind), namespace: \(object.metadata.namespace), "
            + "name: \(reference.name), uid: \(reference.uid)] does not exist in namespace "
            + "\"\(object.metadata.namespace)\""
        recorder.record(
            EventReport(.warning, reason: "OwnerRefInvalidNamespace", message: text), about: object.reference)
    }

    private func liveDependents(of owner: Object, _ informers: KindInformers) async throws(APIError) -> [Object] {
        let namespace = owner.metadata.namespace
        var found: [Object] = []
        for kind in informers.kinds {
            if informers.type(of: kind)?.isNamespaced == false, !namespace.isEmpty { continue }
            let list = try await cluster.list(ListQuery(kind, namespace: namespace.isEmpty ? nil : namespace))
            found += list.items.filter { object in
                object.metadata.ownerReferences.contains { $0.uid == owner.metadata.uid }
            }
        }
        return found
    }

    private func carryOut(_ action: GarbageCollectionPlan.Action) async throws(APIError) {
        let options = WriteOptions(fieldManager: "garbage-collector")
        do throws(APIError) {
            switch action {
            case .visit(let key): queue.add(key)
            case .delete(let key, let options): _ = try await cluster.delete(key, options: options)
            case .patch(let key, let patch):
                _ = try await cluster.patch(key, .merge(patch), subresource: nil, options: options)
            }
        } catch  where error.reason == .notFound {
            // Gone already: that is what was wanted, or nothing is left to change.
            return
        }
    }
}

extension Object {
    var reference: ObjectReference {
        var reference = ObjectReference()
        reference.apiVersion = apiVersion
        reference.kind = kindName
        reference.name = metadata.name
        if !metadata.namespace.isEmpty { reference.namespace = metadata.namespace }
        reference.uid = metadata.uid
        return reference
    }
}
