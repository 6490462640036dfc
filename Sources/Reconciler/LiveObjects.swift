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

    private static let controller = "controller"

    private static func indexes(of kind: GroupKind) -> [String: Informer.IndexFunction] {
        guard kind == Pod.kind.groupKind || kind == ReplicaSet.kind.groupKind else { return [:] }
        return [controller: { $0.metadata.controller.map { [$0.uid] } ?? [] }]
    }

    private let informers: KindInformers

    /// - Parameter shared: informers that somebody else runs, those of pods and ReplicaSets with an index `controller`.
    package init(
        types: [ResourceType], cluster: any Cluster, clock: any WallClock, seed: UInt64,
        sharing shared: [GroupKind: Informer] = [:]
    ) {
        informers = KindInformers(
            types, of: cluster, clock: clock, seed: seed, sharing: shared, indexes: Self.indexes(of:)
        ) {
            $0.verbs.contains("watch") && !Self.uninteresting.contains($0.kind.groupKind)
        }
    }

    /// The version in which a kind's objects are followed.
    package func version(of kind: GroupKind) -> String? { informers.type(of: kind)?.kind.version }

    package func object(_ key: ObjectKey) -> Object? { informers[key.kind]?[key] }

    package func objects(of kind: GroupKind) -> [Object] { informers[kind]?.snapshot.map(\.value) ?? [] }

    package func objects(of kind: GroupKind, controlledBy uid: String) -> [Object] {
        guard !Self.indexes(of: kind).isEmpty else {
            return objects(of: kind).filter { $0.metadata.controller?.uid == uid }
        }
        return informers[kind]?.objects(in: Self.controller, under: uid) ?? []
    }

    /// When the pods were last listed: what they did before that was not seen.
    package var observedSince: Timestamp {
        informers[Pod.kind.groupKind]?.listedAt ?? Timestamp(seconds: 0)
    }

    /// Calls the handler for what there is, as for objects that are new, and for every later change.
    package func onChange(_ handler: @escaping Informer.Handler) { informers.onChange(handler) }

    package func waitForSync() async throws { try await informers.waitForSync() }

    /// Keeps everything current until the task is cancelled.
    package func run() async throws { try await informers.run() }
}
