import Model
import Store
import Testing

@Suite("Watches")
struct WatchTests {
    /// Takes `count` changes.
    static func take(_ count: Int, from watch: StoreWatch) async throws -> [Change] {
        var changes: [Change] = []
        while changes.count < count, let batch = try await watch.next() { changes += batch.changes }
        return changes
    }

    @Test("a watch tells what happened after its revision, then what happens")
    func historyAndLive() async throws {
        let store = try Store(persistence: .memory)
        let first = try await store.put(key("a"), 1)
        try await store.put(key("a"), 2)
        let watch = try store.watch(from: first.revision)
        try await store.delete(key("a"))
        let changes = try await Self.take(2, from: watch)
        #expect(changes.map(\.kind) == [.updated, .deleted])
        #expect(changes.map { $0.previous?.json["value"] } == [1, 2])
        #expect(changes.map(\.revision.rawValue) == [2, 3])
    }

    @Test("a watch hears only of its kind, namespace and name")
    func filters() async throws {
        let store = try Store(persistence: .memory)
        let watch = try store.watch(from: .zero, kind: "/ConfigMap", namespace: "one")
        let named = try store.watch(from: .zero, kind: "/ConfigMap", name: "c")
        let all = try store.watch(from: .zero)
        try await store.put(key("a", in: "two"))
        try await store.put(key("b", in: "one", kind: "/Secret"))
        try await store.put(key("c", in: "one"))
        #expect(try await Self.take(1, from: watch).map(\.key.name) == ["c"])
        #expect(try await Self.take(1, from: named).map(\.key.name) == ["c"])
        let late = try store.watch(from: Revision(rawValue: 1), name: "c")
        #expect(try await Self.take(1, from: late).map(\.key.name) == ["c"])
        #expect(try await Self.take(3, from: all).map(\.key.name) == ["a", "b", "c"])
    }

    @Test("a revision that left the history is too old, one that never was is too new")
    func bounds() async throws {
        var limits = Store.Limits()
        limits.history = 3
        let store = try Store(persistence: .memory, limits: limits)
        for value in 1...5 { try await store.put(key("a"), Int64(value)) }
        #expect(throws: StoreError.tooOld(requested: Revision(rawValue: 1), oldest: Revision(rawValue: 2))) {
            try store.watch(from: Revision(rawValue: 1))
        }
        #expect(throws: StoreError.tooNew(requested: Revision(rawValue: 9), current: Revision(rawValue: 5))) {
            try store.watch(from: Revision(rawValue: 9))
        }
        let watch = try store.watch(from: Revision(rawValue: 2))
        #expect(try await Self.take(3, from: watch).map(\.revision.rawValue) == [3, 4, 5])
    }

    @Test("history does not survive a restart, the present revision does")
    func restart() async throws {
        let persistence = MemoryPersistence()
        var store = try Store(persistence: persistence)
        try await store.put(key("a"))
        try await store.put(key("b"))
        store = try Store(persistence: persistence)
        #expect(throws: StoreError.tooOld(requested: Revision(rawValue: 1), oldest: Revision(rawValue: 2))) {
            try store.watch(from: Revision(rawValue: 1))
        }
        let watch = try store.watch(from: store.revision)
        try await store.put(key("c"))
        #expect(try await Self.take(1, from: watch).map(\.key.name) == ["c"])
    }

    @Test("a watcher that does not keep up is ended with an error, and the others go on")
    func overflow() async throws {
        var limits = Store.Limits()
        limits.watchBuffer = 4
        let store = try Store(persistence: .memory, limits: limits)
        let slow = try store.watch(from: .zero)
        let quick = try store.watch(from: .zero)
        for value in 1...5 {
            try await store.put(key("a"), Int64(value))
            #expect(try await Self.take(1, from: quick).map(\.revision.rawValue) == [UInt64(value)])
        }
        await #expect(throws: StoreError.watcherTooSlow(limit: 4)) { try await slow.next() }
    }

    @Test("what happened before a watch began does not count against its buffer")
    func backlog() async throws {
        var limits = Store.Limits()
        limits.watchBuffer = 2
        let store = try Store(persistence: .memory, limits: limits)
        for value in 1...10 { try await store.put(key("a"), Int64(value)) }
        let watch = try store.watch(from: .zero)
        try await store.put(key("a"), 11)
        #expect(try await Self.take(11, from: watch).map(\.revision.rawValue) == Array(1...11))
    }

    @Test("a watcher of a quiet kind learns how far the store is, so that it can resume")
    func progress() async throws {
        let store = try Store(persistence: .memory)
        let watch = try store.watch(from: .zero, kind: "/Secret")
        for value in 1...1000 { try await store.put(key("a"), Int64(value)) }
        let batch = try await watch.next()
        #expect(batch?.changes.isEmpty == true)
        #expect(batch?.revision == Revision(rawValue: 1000))
    }

    @Test("a watch ends when the store is closed, and when its task is cancelled")
    func endings() async throws {
        let store = try Store(persistence: .memory)
        let closed = try store.watch(from: .zero)
        let cancelled = try store.watch(from: .zero)
        await withTaskGroup { group in
            group.addTask {
                await #expect(throws: Never.self) {
                    let batch = try await cancelled.next()
                    #expect(batch?.revision == nil)
                }
            }
            group.cancelAll()
        }
        await store.close()
        let last = try await closed.next()
        #expect(last?.revision == nil)
        await #expect(throws: StoreError.closed) { try await store.put(key("a")) }
    }

    @Test("with many writers, every watcher hears everything once, in order", arguments: [true, false])
    func completeness(inline: Bool) async throws {
        let store = try Store(persistence: FailingPersistence(commitsInline: inline))
        let (writers, writes, watchers) = (16, 50, 8)
        try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<watchers {
                let watch = try store.watch(from: .zero)
                group.addTask { try await Self.take(writers * writes, from: watch).map(\.revision.rawValue) }
            }
            for writer in 0..<writers {
                group.addTask {
                    for value in 0..<writes { try await store.put(key("w\(writer)"), Int64(value)) }
                    return []
                }
            }
            for try await revisions in group where !revisions.isEmpty {
                #expect(revisions == Array(1...UInt64(writers * writes)))
            }
        }
    }

    @Test("a watch from a snapshot continues it without gap or repetition", arguments: UInt64(1)...8)
    func snapshotThenWatch(seed: UInt64) async throws {
        let store = try Store(persistence: FailingPersistence(commitsInline: false))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var random = SeededGenerator(seed: seed &* 31 &+ UInt64(writer))
                    for value in 0..<100 {
                        let target = key("n\(writer)-\(Int.random(in: 0..<9, using: &random))")
                        if Int.random(in: 0..<3, using: &random) == 0 {
                            try await store.commit([Write(target, .delete)])
                        } else {
                            try await store.put(target, Int64(value))
                        }
                    }
                    try await store.put(key("end\(writer)"))
                }
            }
            group.addTask {
                let start = store.snapshot
                var mirror = start.contents
                let watch = try store.watch(from: start.revision)
                var ended = mirror.keys.count { $0.name.hasPrefix("end") }
                while ended < 4, let batch = try await watch.next() {
                    for change in batch.changes {
                        mirror[change.key] = change.kind == .deleted ? nil : change.object.json["value"]?.int
                        if change.key.name.hasPrefix("end") { ended += 1 }
                    }
                }
                #expect(mirror == store.snapshot.contents)
            }
            try await group.waitForAll()
        }
    }
}
