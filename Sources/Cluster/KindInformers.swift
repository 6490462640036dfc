import HashTreeCollections
package import Kinds
package import Model
import Synchronization

/// One informer for each kind that a cluster serves, kinds included that come and go with CustomResourceDefinitions.
package final class KindInformers: Sendable {
    private struct Entry {
        var type: ResourceType
        var informer: Informer
        /// Somebody else runs it.
        var isShared: Bool
        let stop = Signal()
    }

    private struct State {
        var entries: [GroupKind: Entry] = [:]
        var handlers: [Informer.Handler] = []
        /// The kinds that definitions define.
        var defined: Set<GroupKind> = []
        var hasFollowed = false
        var waiters: [Signal] = []
    }

    private let cluster: any Cluster
    private let clock: any WallClock
    private let seed: UInt64
    private let isIncluded: @Sendable (ResourceType) -> Bool
    private let indexes: @Sendable (GroupKind) -> [String: Informer.IndexFunction]
    private let initial: [ResourceType]
    private let shared: [GroupKind: Informer]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - types: what the cluster serves now; each kind is followed in its preferred version.
    ///   - seed: of the jitter between attempts to list and watch.
    ///   - shared: informers of whole kinds in their preferred versions, with the indexes that are asked for, which are
    ///     used instead of own ones. Somebody else runs them.
    ///   - indexes: of the informer of a kind.
    ///   - isIncluded: which kinds to follow.
    package init(
        _ types: [ResourceType], of cluster: any Cluster, clock: any WallClock, seed: UInt64,
        sharing shared: [GroupKind: Informer] = [:],
        indexes: @escaping @Sendable (GroupKind) -> [String: Informer.IndexFunction] = { _ in [:] },
        where isIncluded: @escaping @Sendable (ResourceType) -> Bool
    ) {
        self.cluster = cluster
        self.clock = clock
        self.seed = seed
        self.isIncluded = isIncluded
        self.indexes = indexes
        self.shared = shared
        initial = types.preferred.filter(isIncluded)
        for type in initial { _ = add(type) }
    }

    package subscript(kind: GroupKind) -> Informer? { state.withLock { $0.entries[kind]?.informer } }

    package func type(of kind: GroupKind) -> ResourceType? { state.withLock { $0.entries[kind]?.type } }

    /// The kinds that are followed, sorted.
    package var kinds: [GroupKind] { state.withLock { $0.entries.keys.sorted() } }

    /// Calls the handler for what there is, as for objects that are new, and for every later change of any kind.
    package func onChange(_ handler: @escaping Informer.Handler) {
        let informers = state.withLock { state in
            state.handlers.append(handler)
            return state.entries.sorted { $0.key < $1.key }.map(\.value.informer)
        }
        for informer in informers { informer.onChange(handler) }
    }

    /// Returns when the first lists of all kinds have arrived that were served when this ran first.
    package func waitForSync() async throws {
        for type in initial { try await self[type.kind.groupKind]?.waitForSync() }
        let signal = Signal()
        let isReady = state.withLock { state in
            if !state.hasFollowed { state.waiters.append(signal) }
            return state.hasFollowed
        }
        if !isReady { await signal.wait() }
        try Task.checkCancellation()
        for kind in state.withLock({ $0.defined.sorted() }) { try await self[kind]?.waitForSync() }
    }

    /// Keeps everything current until the task is cancelled.
    package func run() async throws {
        // A definition that changed: what it says is read from its informer.
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let definitions = self[CustomResourceDefinition.kind.groupKind]
        definitions?.onChange { _ in continuation.yield() }
        try await withThrowingDiscardingTaskGroup { group in
            // In the order of the types, so that a run does not depend on hashing.
            for type in initial {
                guard let entry = state.withLock({ $0.entries[type.kind.groupKind] }), !entry.isShared else { continue }
                group.addTask { try await Self.run(entry) }
            }
            guard let definitions else {
                noteFollowed()
                return
            }
            try await definitions.waitForSync()
            follow(definitions, &group)
            noteFollowed()
            for await _ in changes { follow(definitions, &group) }
        }
    }

    private func noteFollowed() {
        let waiters = state.withLock { state in
            state.hasFollowed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.raise() }
    }

    /// Starts what definitions define now, and stops what they defined before.
    private func follow(_ definitions: Informer, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let types = definitions.snapshot.compactMap { CustomResourceDefinition(viewing: $0.value.json).types.first }
            .filter(isIncluded).sorted { $0.kind.groupKind < $1.kind.groupKind }
        let kinds = Set(types.map(\.kind.groupKind))
        let gone = state.withLock { state in
            defer { state.defined = kinds }
            return state.defined.subtracting(kinds).sorted().compactMap { state.entries.removeValue(forKey: $0) }
        }
        for entry in gone { entry.stop.raise() }
        for type in types {
            guard let entry = add(type) else { continue }
            group.addTask { try await Self.run(entry) }
        }
    }

    /// - Returns: `nil` when the kind is followed already.
    private func add(_ type: ResourceType) -> Entry? {
        let kind = type.kind.groupKind
        // Of each informer another jitter, and in every run the same.
        let salt = kind.description.utf8.reduce(5381 as UInt64) { $0 &* 33 &+ UInt64($1) }
        let informer =
            shared[kind]
            ?? Informer(ListQuery(kind), of: cluster, clock: clock, seed: seed &+ salt, indexes: indexes(kind))
        return state.withLock { state in
            guard state.entries[kind] == nil else { return nil }
            let entry = Entry(type: type, informer: informer, isShared: shared[kind] != nil)
            state.entries[kind] = entry
            for handler in state.handlers { informer.onChange(handler) }
            return entry
        }
    }

    /// Follows one kind until the task is cancelled or nobody defines the kind any more; then its objects are gone.
    private static func run(_ entry: Entry) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await entry.informer.run() }
            group.addTask { await entry.stop.wait() }
            defer { group.cancelAll() }
            try await group.next()
        }
        try Task.checkCancellation()
        entry.informer.forgetAll()
    }
}
