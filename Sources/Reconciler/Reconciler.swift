package import Cluster
import Kinds
package import Logging
package import Model
import Synchronization

/// The GitOps half of Martlet: one worker for every Application in the cluster.
package final class Reconciler: Sendable {
    private let cluster: any Cluster
    private let clock: any WallClock
    private let source: any RevisionSource
    private let logger: Logger
    private let interval: Duration
    private let inertKinds: Set<GroupKind>
    private let seed: UInt64
    private let shared: [GroupKind: Informer]
    private let workers = Mutex(Workers())

    private struct Workers {
        var byKey: [ObjectKey: ApplicationWorker] = [:] {
            didSet { ordered = byKey.sorted { $0.key < $1.key }.map(\.value) }
        }
        /// In the order of their keys: who is woken first does not depend on hashing.
        private(set) var ordered: [ApplicationWorker] = []
    }

    /// - Parameters:
    ///   - interval: how often Git is asked when nothing else gives a reason to.
    ///   - inertKinds: those on which nothing acts in this cluster: what should run pods and cannot fails at once.
    ///   - seed: of the jitter on that interval.
    ///   - shared: informers that somebody else runs, as `LiveObjects` takes them; other kinds get their own. Handlers
    ///     are not taken back, so that a reconciler runs on them once.
    package init(
        cluster: any Cluster, clock: any WallClock, source: any RevisionSource, logger: Logger, interval: Duration,
        inertKinds: Set<GroupKind> = [], seed: UInt64, sharing shared: [GroupKind: Informer] = [:]
    ) {
        self.shared = shared
        self.cluster = cluster
        self.clock = clock
        self.source = source
        self.logger = logger
        self.interval = interval
        self.inertKinds = inertKinds
        self.seed = seed
    }

    /// Asks Git about every Application now (SIGHUP).
    package func refreshAll() async {
        for worker in workers.withLock(\.ordered) { await worker.refresh() }
    }

    /// Reconciles until the task is cancelled.
    package func run() async throws {
        let types = try await cluster.resourceTypes()
        let live = LiveObjects(types: types, cluster: cluster, clock: clock, seed: seed, sharing: shared)
        let events = EventRecorder(component: "martlet", cluster: cluster, clock: clock)
        // Keys of Applications that may have no worker yet. Unbounded is safe: one entry per Application and change.
        let (arrivals, continuation) = AsyncStream.makeStream(of: ObjectKey.self)
        live.onChange { [self] change in wake(for: change, arrivals: continuation) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await live.run() }
            group.addTask { try await events.run() }
            group.addTask { try await self.supervise(arrivals, live, events) }
            try await group.waitForAll()
        }
    }

    /// Starts a worker for every Application that has none.
    private func supervise(_ arrivals: AsyncStream<ObjectKey>, _ live: LiveObjects, _ events: EventRecorder)
        async throws
    {
        try await live.waitForSync()
        let environment = ApplicationWorker.Environment(
            cluster: cluster, clock: clock, source: source, live: live, logger: logger, interval: interval,
            inertKinds: inertKinds,
            record: { application, type, reason, message in
                let type = type == "Warning" ? EventType.warning : .normal
                events.record(type, reason: reason, message: String(message.prefix(1024)), about: application)
            })
        await withDiscardingTaskGroup { group in
            for object in live.objects(of: Application.kind.groupKind) { start(object.key, environment, live, &group) }
            for await key in arrivals { start(key, environment, live, &group) }
        }
    }

    private func start(
        _ key: ObjectKey, _ environment: ApplicationWorker.Environment, _ live: LiveObjects,
        _ group: inout DiscardingTaskGroup
    ) {
        let worker = workers.withLock { workers -> ApplicationWorker? in
            guard workers.byKey[key] == nil else { return nil }
            let random = SplitMix64(
                seed: seed &+ UInt64(truncatingIfNeeded: key.description.utf8.reduce(5381) { $0 &* 33 &+ Int($1) }))
            let worker = ApplicationWorker(key: key, environment: environment, random: random)
            workers.byKey[key] = worker
            return worker
        }
        guard let worker else { return }
        group.addTask {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await worker.run() }
                tasks.addTask { await worker.askGit() }
                tasks.addTask { await worker.followRepository() }
                await tasks.next()
                tasks.cancelAll()
            }
            self.workers.withLock { $0.byKey[key] = nil }
        }
    }

    /// Wakes the workers that a change may concern: an Application's own, and those that deploy to its namespace.
    private func wake(for change: ObjectChange, arrivals: AsyncStream<ObjectKey>.Continuation) {
        if change.key.kind == Application.kind.groupKind {
            let known = workers.withLock { $0.byKey[change.key] }
            if let known { known.noteChange(change) } else if change.new != nil { arrivals.yield(change.key) }
            return
        }
        let namespace = change.key.namespace
        for worker in workers.withLock(\.ordered) {
            let deploysTo = worker.destination.withLock { $0 }
            guard namespace.isEmpty || deploysTo.isEmpty || deploysTo.contains(namespace) else { continue }
            worker.noteChange(change)
        }
    }
}
