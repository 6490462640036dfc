import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

/// semantics-workloads K9: many who write at a time never exceed a quota.
@Suite("Quotas under parallel writers", .timeLimit(.minutes(2)))
struct QuotaPropertyTests {
    private static let writers = 8
    private static let steps = 40
    private static let limit = 10

    @Test("K9: what is there never exceeds the quota, and in the end the quota says what is there", arguments: 1...4)
    func neverExceeds(_ seed: Int) async throws {
        // On a thread, so that writers meet what is not durable yet.
        try await CustomRegistry.run(persistence: ThreadedMemory()) { stage in
            let registry = stage.registry
            let hard: JSON = ["configmaps": .int(Int64(Self.limit)), "count/secrets": 3]
            try await registry.create(QuotaTests.quota("q", hard))
            _ = try await stage.wait(for: QuotaTests.key) { object -> Bool? in
                object?.view(as: ResourceQuota.self).status.used.count == 2 ? true : nil
            }
            let start = registry.store.revision
            var refusals = 0
            try await withThrowingTaskGroup(of: Int.self) { group in
                for writer in 0..<Self.writers {
                    group.addTask { try await Self.write(registry, writer, seed: UInt64(seed * 100 + writer)) }
                }
                for try await count in group { refusals += count }
            }
            #expect(refusals > 0)
            let end = try await Self.check(registry.store, since: start)
            var moments = 0
            let used = ["configmaps": end["/ConfigMap"], "count/secrets": end["/Secret"]].mapValues {
                Quantity(Int64($0 ?? 0))
            }
            try await stage.wait(for: QuotaTests.key) { object -> Void? in
                // For a count that others came between and that is tried again; too little for a periodic one.
                moments += 1
                if moments < 1000 { registry.clock.advance(by: .milliseconds(50)) }
                return object?.view(as: ResourceQuota.self).status.used == used ? () : nil
            }
        }
    }

    /// Creates and deletes by chance; answers how often a quota stood in the way.
    private static func write(_ registry: TestRegistry, _ writer: Int, seed: UInt64) async throws -> Int {
        var random = SplitMix64(seed: seed)
        var refusals = 0
        var stored: [ObjectKey] = []
        for step in 0..<steps {
            if !stored.isEmpty, Int.random(in: 0..<5, using: &random) < 2 {
                let index = Int.random(in: stored.indices, using: &random)
                try await registry.delete(stored.remove(at: index))
                continue
            }
            var object = Sample.configMap("o-\(writer)-\(step)")
            if Bool.random(using: &random) {
                object["kind"] = "Secret"
                object["data"] = nil
            }
            do throws(APIError) {
                stored.append(
                    try await registry.registry.create(Object(viewing: object), options: TestRegistry.options).key)
            } catch {
                guard error.reason == .forbidden else { throw error }
                refusals += 1
            }
        }
        return refusals
    }

    /// Goes through every change since then, in order; answers how much there is in the end.
    private static func check(_ store: Store, since start: Revision) async throws -> [String: Int] {
        let end = store.revision
        let watch = try store.watch(from: start, namespace: "default")
        store.tellProgress()
        var stored: [String: Int] = [:]
        var reached = start
        while reached < end, let batch = try await watch.next() {
            for change in batch.changes where change.revision <= end {
                let kind = change.key.kind
                stored[kind, default: 0] += change.kind == .created ? 1 : change.kind == .deleted ? -1 : 0
                guard kind == "/ResourceQuota" else { continue }
                let used = ResourceQuota(viewing: change.object.json).status.used
                for (name, kind, limit) in [("configmaps", "/ConfigMap", Self.limit), ("count/secrets", "/Secret", 3)] {
                    let used = Int(used[name]?.value ?? 0)
                    #expect(used <= limit)
                    #expect(stored[kind, default: 0] <= used, "more is there than is said to be used")
                }
            }
            for (kind, limit) in [("/ConfigMap", Self.limit), ("/Secret", 3)] {
                #expect(stored[kind, default: 0] <= limit)
            }
            reached = batch.revision
        }
        return stored
    }
}

/// A store in memory that commits as one on a disk does.
private final class ThreadedMemory: Persistence {
    private let memory = MemoryPersistence()
    let commitsInline = false

    func load() throws(StoreError) -> PersistedState { try memory.load() }
    func commit(_ batch: PersistedBatch) throws(StoreError) { try memory.commit(batch) }
    func quarantine(_ rows: [UnreadableRow]) throws(StoreError) { try memory.quarantine(rows) }
    func close() {}
}
