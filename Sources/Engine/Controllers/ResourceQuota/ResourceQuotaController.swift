package import Cluster
import Kinds
package import Model

/// Carries out `ResourceQuotaPlan` for quotas that are new or changed, and when something that they count goes or uses
/// less. What is new was counted when it was admitted.
package final class ResourceQuotaController: Sendable {
    package static let component = "resourcequota-controller"
    private static let workers = 2
    /// How often each quota is counted again even if nothing is known to have changed.
    private static let resync = Duration.seconds(300)
    /// How often a status is counted anew at once, when somebody was admitted meanwhile.
    private static let attempts = 5

    private let cluster: any Cluster
    private let clock: any WallClock
    private let seed: UInt64
    private let quotas: Informer
    private let definitions: Informer
    private let shared: [GroupKind: Informer]
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: component)

    /// - Parameters:
    ///   - seed: of the jitter between attempts to list and watch.
    ///   - quotas: with `ControllerIndex.namespaced`.
    ///   - definitions: of custom kinds, which come and go.
    ///   - shared: informers of whole kinds that somebody else runs; others are followed while a quota counts them.
    package init(
        cluster: any Cluster, clock: any WallClock, seed: UInt64, quotas: Informer, definitions: Informer,
        sharing shared: [GroupKind: Informer]
    ) {
        self.cluster = cluster
        self.clock = clock
        self.seed = seed
        self.quotas = quotas
        self.definitions = definitions
        self.shared = shared
        queue = WorkQueue(clock: clock)
        quotas.onChange { [queue] change in
            // Not for a status alone: every object that is admitted writes one.
            guard let quota = change.new, quota.json["spec"] != change.old?.json["spec"] else { return }
            queue.add(change.key)
        }
    }

    /// Works until the task is cancelled. The shared informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void = { _, _ in }) async throws {
        try await quotas.waitForSync()
        for (type, kind) in try await countedTypes() {
            guard let informer = shared[type.kind.groupKind] else { continue }
            informer.onChange { [weak self] change in self?.changed(change, kind) }
        }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.followCountedKinds() }
            group.addTask {
                await self.queue.run(workers: Self.workers, failed: { key, error, _ in failed(key, error) }) { key in
                    try await self.sync(key)
                }
            }
        }
    }

    /// What is served now and can be counted.
    private func countedTypes() async throws(APIError) -> [(type: ResourceType, kind: CountedKind)] {
        try await cluster.resourceTypes().preferred.compactMap { type in CountedKind(type).map { (type, $0) } }
    }

    // MARK: What is freed

    private func changed(_ change: ObjectChange, _ kind: CountedKind) {
        // Of most kinds, objects use one for as long as they are there.
        if case .objects = kind, change.new != nil { return }
        guard let old = change.old else { return }
        let concerned = quotas(in: change.key.namespace).filter { $0.limits(kind) }
        guard !concerned.isEmpty else { return }
        let now = clock.now
        for quota in concerned {
            let used = quota.covers(old.json, of: kind) ? kind.usage(of: old.json, now: now) : [:]
            guard let new = change.new else {
                queue.add(quota.key)
                continue
            }
            let uses = quota.covers(new.json, of: kind) ? kind.usage(of: new.json, now: now) : [:]
            if uses != used { queue.add(quota.key) }
        }
    }

    private func quotas(in namespace: String) -> [ResourceQuota] {
        quotas.objects(in: ControllerIndex.namespace, under: namespace)
    }

    /// Follows the kinds that a quota counts and nobody else follows, and no others.
    private func followCountedKinds() async throws {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        quotas.onChange { change in
            if change.old?.json["spec"] != change.new?.json["spec"] { continuation.yield() }
        }
        definitions.onChange { _ in continuation.yield() }
        var followed: [GroupKind: Signal] = [:]
        try await withThrowingDiscardingTaskGroup { group in
            for await _ in changes {
                let stored = quotas.all(as: ResourceQuota.self)
                let wanted = try await countedTypes().filter { counted in
                    shared[counted.type.kind.groupKind] == nil && stored.contains { $0.limits(counted.kind) }
                }
                let kinds = Set(wanted.map(\.type.kind.groupKind))
                for (kind, stop) in followed where !kinds.contains(kind) {
                    stop.raise()
                    followed[kind] = nil
                }
                for (type, kind) in wanted where followed[type.kind.groupKind] == nil {
                    let stop = Signal()
                    followed[type.kind.groupKind] = stop
                    group.addTask { try await self.follow(type, kind, until: stop) }
                }
            }
        }
    }

    private func follow(_ type: ResourceType, _ kind: CountedKind, until stop: Signal) async throws {
        let informer = Informer(ListQuery(type.kind.groupKind), of: cluster, clock: clock, seed: seed)
        informer.onChange { [weak self] change in self?.changed(change, kind) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await informer.run()
                return true
            }
            group.addTask {
                await stop.wait()
                return true
            }
            group.addTask {
                try await informer.waitForSync()
                // What went before that was counted, perhaps.
                for quota in self.quotas.all(as: ResourceQuota.self) where quota.limits(kind) {
                    self.queue.add(quota.key)
                }
                return false
            }
            var isOver = false
            while !isOver, let result = try await group.next() { isOver = result }
        }
        try Task.checkCancellation()
    }

    // MARK: Counting

    /// Counts what is stored now, and writes it if nothing was admitted meanwhile.
    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        var attempts = Self.attempts
        while true {
            // What somebody writes after this, the next time finds.
            let due = clock.now + Self.resync
            do throws(APIError) {
                try await count(key)
                return .again(at: due)
            } catch {
                switch error.reason {
                case .notFound where quotas[key] == nil: return .done
                case .conflict where attempts > 1: attempts -= 1
                default: throw error
                }
            }
        }
    }

    /// The quota first: what is admitted after it was read makes the write a conflict, and the rest is found.
    private func count(_ key: ObjectKey) async throws(APIError) {
        let quota = try await cluster.get(key).view(as: ResourceQuota.self)
        var objects: [CountedKind: [JSON]] = [:]
        for (type, kind) in try await countedTypes() where quota.limits(kind) {
            let found = try await cluster.list(ListQuery(type.kind.groupKind, namespace: key.namespace))
            objects[kind] = found.items.map(\.json)
        }
        guard let updated = ResourceQuotaPlan(.init(quota: quota, objects: objects), now: clock.now).updated else {
            return
        }
        _ = try await cluster.update(Object(viewing: updated.json), subresource: .status, options: options)
    }
}
