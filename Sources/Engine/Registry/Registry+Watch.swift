package import Cluster
import Kinds
import Model
import Store
import Synchronization

extension Registry {
    /// Changes of the objects of a query (D4–D6).
    ///
    /// Without a version, or from `0`, the present objects come first as `.added`, then a bookmark with the version
    /// they were read at, then changes. A bookmark also tells a watcher of quiet objects how far the store has come.
    ///
    /// The stream ends without an error when the engine stops, and with `.expired` when its reader is too slow.
    package func watch(_ query: ListQuery, from resourceVersion: String?) async throws(APIError) -> WatchStream {
        // Before the strategy: a change that comes between the two ends the watch.
        let generation = servedGeneration
        let strategy = try strategy(of: query.kind, version: query.version)
        let type = strategy.type
        try checkNamespace(query, type)
        let filter = try ObjectFilter(query, strategy)
        let kind = strategy.storeKind
        var start: [WatchEvent] = []
        let revision: Revision
        switch resourceVersion {
        case nil, "", "0":
            let snapshot = store.snapshot
            revision = snapshot.revision
            start = snapshot.list(kind: kind, namespace: query.namespace, where: filter.matches)
                .map { .added(Object($0, as: strategy)) }
            start.append(.bookmark(resourceVersion: Self.version(revision)))
        case let text?:
            guard let parsed = Revision(text) else {
                throw APIError(.badRequest, "resourceVersion: Invalid value: \"\(text)\": must be a number")
            }
            revision = parsed
        }
        do throws(StoreError) {
            let watch = try store.watch(from: revision, kind: kind, namespace: query.namespace, name: query.fields.name)
            if type.custom != nil {
                let isCurrent = served.withLock { $0.remember(watch, of: query.kind, since: generation) }
                if !isCurrent { watch.cancel() }
            }
            let reader = WatchReader(watch, start: start, at: revision, filter: filter, strategy: strategy)
            return WatchStream { try await reader.next() }
        } catch {
            throw APIError(error, type: type, name: "")
        }
    }
}

extension Registry {
    /// How often watchers of quiet objects hear how far the store is (D7).
    private static let progressInterval = Duration.seconds(60)

    /// Tells them so until the task is cancelled.
    func keepWatchersCurrent() async throws {
        while true {
            try await clock.sleep(for: Self.progressInterval)  // Kubernetes' own pace.
            store.tellProgress()
        }
    }
}

/// Turns the store's changes into one watcher's events, when they are asked for.
// Sendable: a stream asks for one event after the other, never two at once.
private final class WatchReader: @unchecked Sendable {
    private let watch: StoreWatch
    private let filter: ObjectFilter
    private let strategy: KindStrategy
    private var events: [WatchEvent]
    private var position = 0
    /// The version that the consumer knows.
    private var told: Revision

    /// Changes elsewhere after which the consumer is told how far the store is.
    private static let bookmarkInterval: UInt64 = 1000

    init(
        _ watch: StoreWatch, start: [WatchEvent], at revision: Revision, filter: ObjectFilter, strategy: KindStrategy
    ) {
        self.watch = watch
        self.filter = filter
        self.strategy = strategy
        events = start
        told = revision
    }

    func next() async throws -> WatchEvent? {
        while position == events.count {
            do throws(StoreError) {
                guard let batch = try await watch.next() else { return nil }
                events = batch.changes.compactMap(event)
                position = 0
                if events.isEmpty {
                    // One without changes is the store's own word of how far it is.
                    let isDue = batch.revision.rawValue - told.rawValue >= Self.bookmarkInterval
                    guard batch.changes.isEmpty || isDue else { continue }
                    events = [.bookmark(resourceVersion: Registry.version(batch.revision))]
                }
                told = batch.revision
            } catch {
                throw APIError(error, type: strategy.type, name: "")
            }
        }
        defer { position += 1 }
        return events[position]
    }

    /// What a change is to someone who sees only what the filter lets through (D6).
    private func event(_ change: Change) -> WatchEvent? {
        let object = Object(change.object, as: strategy)
        if filter.isEmpty {
            return switch change.kind {
            case .created: .added(object)
            case .updated: .modified(object)
            case .deleted: .deleted(object)
            }
        }
        let wasThere = change.previous.map(filter.matches) ?? false
        let isThere = change.kind != .deleted && filter.matches(change.object)
        switch (wasThere, isThere) {
        case (false, false): return nil
        case (false, true): return .added(object)
        case (true, true): return .modified(object)
        case (true, false):
            guard change.kind != .deleted, let previous = change.previous else { return .deleted(object) }
            // It left the selection: gone as it last was in it, under the version at which it left.
            var last = Object(previous, as: strategy).json
            last[path: ["metadata", "resourceVersion"]] = .string(Registry.version(change.revision))
            return .deleted(Object(viewing: last))
        }
    }
}
