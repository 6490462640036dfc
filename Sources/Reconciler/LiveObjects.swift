package import Cluster
package import Kinds
package import Model

/// The live objects of every kind that manifests can hold, kept current by one informer per kind.
package final class LiveObjects: LiveState {
    /// Kinds that no manifest holds and that change all the time.
    private static let uninteresting: Set<GroupKind> = [
        Event.kind.groupKind, GroupKind(group: "events.k8s.io", kind: "Event"), Lease.kind.groupKind,
        Endpoints.kind.groupKind, EndpointSlice.kind.groupKind,
    ]

    package let types: [ResourceType]
    private let informers: [GroupKind: Informer]
    /// In the order of the types, so that a run does not depend on hashing.
    private let ordered: [Informer]

    package init(types: [ResourceType], cluster: any Cluster, clock: any WallClock, seed: UInt64) {
        self.types = types
        var informers: [GroupKind: Informer] = [:]
        for type in types where type.verbs.contains("watch") && !Self.uninteresting.contains(type.kind.groupKind) {
            informers[type.kind.groupKind] = Informer(
                ListQuery(type.kind.groupKind), of: cluster, clock: clock, seed: seed)
        }
        self.informers = informers
        ordered = types.compactMap { informers[$0.kind.groupKind] }
    }

    package func object(_ key: ObjectKey) -> Object? { informers[key.kind]?[key] }

    package func objects(of kind: GroupKind) -> [Object] { informers[kind]?.snapshot.map(\.value) ?? [] }

    /// When the pods were last listed: what they did before that was not seen.
    package var observedSince: Timestamp {
        informers[Pod.kind.groupKind]?.listedAt ?? Timestamp(seconds: 0)
    }

    /// Calls the handler for every later change of any object.
    package func onChange(_ handler: @escaping Informer.Handler) {
        for informer in ordered { informer.onChange(handler) }
    }

    package func waitForSync() async throws {
        for informer in ordered { try await informer.waitForSync() }
    }

    /// Keeps everything current until the task is cancelled.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for informer in ordered { group.addTask { try await informer.run() } }
            try await group.waitForAll()
        }
    }
}
