import Model
import Store
import Testing

@Suite("Watch fan-out", .timeLimit(.minutes(1)))
struct FanOutTests {
    private static let (watchers, writers, writes) = (100, 8, 10)

    /// Eight writers write at once while all watches are read to the end of the round.
    private static func play(round: Int, _ store: Store, _ watches: [StoreWatch]) async throws {
        let first = UInt64(round * writers * writes) + 1
        try await withThrowingTaskGroup(of: [UInt64]?.self) { group in
            for watch in watches {
                group.addTask {
                    try await WatchTests.take(writers * writes, from: watch).map(\.revision.rawValue)
                }
            }
            for writer in 0..<writers {
                group.addTask {
                    for value in 0..<writes { try await store.put(key("w\(writer)"), Int64(value)) }
                    return nil
                }
            }
            for try await revisions in group {
                guard let revisions else { continue }
                #expect(revisions == Array(first..<first + UInt64(writers * writes)))
            }
        }
    }

    @Test("a hundred watchers hear everything once and in order; those that do not read are cut off and hold nothing")
    func hundredWatchers() async throws {
        var limits = Store.Limits()
        limits.watchBuffer = 200
        limits.history = 20
        let store = try Store(persistence: FailingPersistence(commitsInline: false), limits: limits)
        let watches = try (0..<Self.watchers).map { _ in try store.watch(from: .zero) }
        let silent = try (0..<3).map { _ in try store.watch(from: .zero) }
        weak var first: StoredObject?
        try await Self.play(round: 0, store, watches)
        first = store.snapshot.list(kind: key("w0").kind).first
        try await Self.play(round: 1, store, watches)
        // Overwritten and out of history: only those who have not read it still have it.
        #expect(first != nil)
        for round in 2...3 { try await Self.play(round: round, store, watches) }
        #expect(first == nil)
        for watch in silent {
            await #expect(throws: StoreError.watcherTooSlow(limit: 200)) { try await watch.next() }
        }
    }

    @Test("watchers that come and go in the middle of the writes do not disturb the others")
    func comingAndGoing() async throws {
        let store = try Store(persistence: FailingPersistence(commitsInline: false))
        let count = Self.writers * 50
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                let watch = try store.watch(from: .zero)
                group.addTask {
                    let revisions = try await WatchTests.take(count, from: watch).map(\.revision.rawValue)
                    #expect(revisions == Array(1...UInt64(count)))
                }
            }
            for _ in 0..<80 {
                group.addTask {
                    let start = store.revision
                    let watch = try store.watch(from: start)
                    if start.rawValue < UInt64(count) {
                        #expect(try await watch.next()?.changes.first?.revision.rawValue == start.rawValue + 1)
                    }
                    watch.cancel()
                }
            }
            for writer in 0..<Self.writers {
                group.addTask { for value in 0..<50 { try await store.put(key("w\(writer)"), Int64(value)) } }
            }
            try await group.waitForAll()
        }
    }
}
