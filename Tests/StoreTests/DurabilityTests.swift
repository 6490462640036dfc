import Glibc
import Model
import Store
import Synchronization
import Testing

@Suite("Durability")
struct DurabilityTests {
    @Test("what was acknowledged is there when the store is opened again")
    func reopen() async throws {
        let directory = TemporaryDirectory()
        var store = try Store(directory: directory.path)
        try await store.put(key("a"), 1)
        try await store.put(key("b"), 2)
        try await store.put(key("a"), 3)
        try await store.delete(key("b"))
        try await store.setMetadata("range", Array("127.8.0.0/16".utf8))
        await store.close()
        store = try Store(directory: directory.path)
        #expect(store.snapshot.contents == [key("a"): 3])
        #expect(store.revision == Revision(rawValue: 4))
        #expect(store.metadata("range") == Array("127.8.0.0/16".utf8))
        let next = try await store.put(key("c"))
        #expect(next.revision == Revision(rawValue: 5))
        await store.close()
    }

    @Test("after a crash at any moment exactly the acknowledged writes are there, and at most those under way")
    func crash() async throws {
        let directory = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        let acknowledged = Shared<[Int: Int64]>([:])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for value in 1...40 {
                        try await store.put(key("w\(writer)"), Int64(value))
                        acknowledged.change { $0[writer] = Int64(value) }
                    }
                }
            }
            group.addTask {
                for _ in 0..<12 {
                    let before = acknowledged.value
                    let crashed = directory.copy()
                    let after = acknowledged.value
                    let recovered = try Store(directory: crashed.path)
                    for writer in 0..<8 {
                        let value = recovered.snapshot.get(key("w\(writer)"))?.json["value"]?.int ?? 0
                        #expect(value >= before[writer] ?? 0, "an acknowledged write was lost")
                        // One more may have been durable, but not acknowledged yet, while the files were copied.
                        #expect(value <= (after[writer] ?? 0) + 1)
                    }
                    await recovered.close()
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        await store.close()
    }

    @Test("a log that was cut off in the middle of a frame loses whole commits only", arguments: [1, 100, 2000, 5000])
    func tornLog(cut: Int) async throws {
        let directory = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        for value in 1...20 {
            try await store.commit([
                Write(key("a"), .put(object("a", value: Int64(value)))),
                Write(key("b"), .put(object("b", value: Int64(value)))),
            ])
        }
        let crashed = directory.copy()
        crashed.truncate("store.db-wal", to: crashed.contentSize("store.db-wal") - cut)
        let recovered = try Store(directory: crashed.path)
        let contents = recovered.snapshot.contents
        #expect(contents[key("a")] == contents[key("b")])
        #expect((1...20).contains(contents[key("a")] ?? 0))
        #expect(recovered.revision.rawValue == UInt64(contents[key("a")] ?? 0) * 2)
        await recovered.close()
        await store.close()
    }

    @Test("the log's file is longer than what is in it, and starts over once that is in the database")
    func logFile() async throws {
        let directory = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        try await store.put(key("a"), 1)
        try await store.settle()
        #expect(directory.size("store.db-wal") >= 1 << 19)
        #expect(directory.contentSize("store.db-wal") < 1 << 18)
        let text = JSON.string(String(repeating: "x", count: 1 << 20))
        for round in 0..<4 {
            // More than after which the log is moved to the database.
            for number in 0..<17 {
                let name = "big-\(number)"
                try await store.commit([Write(key(name), .put(["round": .int(Int64(round)), "text": text]))])
            }
        }
        try await store.settle()
        #expect(directory.size("store.db-wal") < 24 << 20)
        let crashed = directory.copy()
        let recovered = try Store(directory: crashed.path)
        #expect(recovered.snapshot.get(key("big-3"))?.json["round"] == 3)
        #expect(recovered.snapshot.contents.count == 18)
        await recovered.close()
        await store.close()
    }

    @Test("a second process on the same directory is refused with the pid of the first")
    func lock() async throws {
        let directory = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        let error = #expect(throws: StoreError.self) { try Store(directory: directory.path) }
        #expect(error?.description.contains("in use by process") == true)
        await store.close()
        await (try Store(directory: directory.path)).close()
    }

    @Test("revisions go on from the last one, whether it was of a write, a deletion or a row that was set aside")
    func revisionsGoOn() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path
        func reopened(_ body: (Store) async throws -> Void) async throws -> Revision {
            let store = try Store(directory: path)
            try await body(store)
            let revision = store.revision
            await store.close()
            #expect(try await Self.revision(of: path) == revision)
            return revision
        }
        let written = try await reopened { try await $0.put(key("a"), 1) }
        let deleted = try await reopened { store in
            try await store.put(key("b"), 2)
            try await store.commit([Write(key("b"), .delete)])
        }
        #expect(deleted > written)
        let last = try await reopened { try await $0.put(key("c"), 3) }
        directory.sql("UPDATE objects SET value = 'no JSON' WHERE name = 'c'")
        #expect(try await Self.revision(of: path) == last)
        #expect(try await Self.revision(of: path) == last, "also once the row has been set aside")
    }

    private static func revision(of path: String) async throws -> Revision {
        let store = try Store(directory: path)
        let revision = store.revision
        await store.close()
        return revision
    }

    @Test("a store of a newer format is refused and left as it is")
    func newerFormat() async throws {
        let directory = TemporaryDirectory()
        await (try Store(directory: directory.path)).close()
        directory.sql("PRAGMA user_version = 9")
        #expect(
            throws: StoreError.newerFormat(
                path: directory.path + "/store.db", found: 9, supported: SQLitePersistence.format)
        ) { try Store(directory: directory.path) }
        #expect(directory.sql("PRAGMA user_version") == "9")
    }

    @Test("a store of an earlier format is brought to the present one, and a copy of what it was is kept")
    func migration() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path
        let older = try Store(directory: path)
        try await older.commit([Write(StoreKey(kind: "/A", name: "a"), .put(["text": "old"]))])
        await older.close()
        let migration = StoreMigration(steps: [
            "ALTER TABLE objects ADD COLUMN note TEXT NOT NULL DEFAULT 'new';", "CREATE TABLE more (x);",
        ])
        let store = try Store(persistence: SQLitePersistence(directory: path, migration: migration))
        #expect(store.snapshot.get(StoreKey(kind: "/A", name: "a"))?.json["text"] == "old")
        try await store.commit([Write(StoreKey(kind: "/A", name: "b"), .put([:]))])
        await store.close()
        #expect(directory.sql("PRAGMA user_version") == "3")
        #expect(directory.sql("SELECT count(*) FROM objects WHERE note = 'new'") == "2")
        #expect(access("\(path)/store.db.format-1", F_OK) == 0)
        #expect(directory.sql("PRAGMA user_version", in: "store.db.format-1") == "1")
        #expect(directory.sql("SELECT count(*) FROM objects", in: "store.db.format-1") == "1")
        // The version that wrote it says that it is too new now, and a second start copies nothing.
        #expect(throws: StoreError.newerFormat(path: "\(path)/store.db", found: 3, supported: 1)) {
            try Store(directory: path)
        }
        await (try Store(persistence: SQLitePersistence(directory: path, migration: migration))).close()
        #expect(access("\(path)/store.db.format-3", F_OK) != 0)
    }

    @Test("a migration that fails leaves the store as it was")
    func failedMigration() async throws {
        let directory = TemporaryDirectory()
        await (try Store(directory: directory.path)).close()
        let broken = StoreMigration(steps: ["CREATE TABLE more (x);", "no SQL at all;"])
        #expect(throws: StoreError.self) { try SQLitePersistence(directory: directory.path, migration: broken) }
        #expect(directory.sql("PRAGMA user_version") == "1")
        #expect(directory.sql("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == "0")
        await (try Store(directory: directory.path)).close()
    }

    @Test("a database that is not Martlet's, or none at all, is refused and left as it is")
    func foreign() async throws {
        let directory = TemporaryDirectory()
        directory.sql("CREATE TABLE other (x)")
        let error = #expect(throws: StoreError.self) { try Store(directory: directory.path) }
        guard case .damaged = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(directory.sql("SELECT count(*) FROM other") == "0")
    }

    @Test("an unreadable object is set aside with its bytes, and everything else is served")
    func quarantine() async throws {
        let directory = TemporaryDirectory()
        var store = try Store(directory: directory.path)
        for name in ["a", "b", "c"] { try await store.put(key(name), 7) }
        await store.close()
        directory.sql("UPDATE objects SET value = CAST('{\"half' AS BLOB) WHERE name = 'b'")
        store = try Store(directory: directory.path)
        #expect(store.snapshot.contents == [key("a"): 7, key("c"): 7])
        // The revision of the lost object is never given to another.
        #expect(store.revision == Revision(rawValue: 3))
        await store.close()
        #expect(directory.sql("SELECT CAST(value AS TEXT) FROM quarantine WHERE name = 'b'") == "{\"half")
        #expect(directory.sql("SELECT count(*) FROM objects") == "2")
    }

    @Test("a full disk refuses the write, keeps what was acknowledged, and heals", arguments: [true, false])
    func fullDisk(inline: Bool) async throws {
        let persistence = FailingPersistence(commitsInline: inline)
        let store = try Store(persistence: persistence)
        try await store.put(key("a"), 1)
        persistence.failure.withLock { $0 = .diskFull(path: "x") }
        await #expect(throws: StoreError.diskFull(path: "x")) { try await store.put(key("a"), 2) }
        await #expect(throws: StoreError.diskFull(path: "x")) { try await store.put(key("b"), 2, if: .absent) }
        #expect(store.failure == .diskFull(path: "x"))
        #expect(store.snapshot.contents == [key("a"): 1])
        persistence.failure.withLock { $0 = nil }
        try await store.put(key("b"), 3, if: .absent)
        #expect(store.failure == nil)
        try await store.put(key("a"), 4, if: .revision(Revision(rawValue: 1)))
        #expect(store.snapshot.contents == [key("a"): 4, key("b"): 3])
        #expect(try Store(persistence: persistence.memory).snapshot.contents == store.snapshot.contents)
    }

    @Test("SQLite's own full database is answered as a full disk, and the store goes on")
    func fullDatabase() async throws {
        let directory = TemporaryDirectory()
        let store = try Store(persistence: SQLitePersistence(directory: directory.path, maximumPages: 40))
        var kept = 0
        let text = JSON.string(String(repeating: "x", count: 4000))
        await #expect(throws: StoreError.diskFull(path: directory.path + "/store.db")) {
            while kept < 1000 {
                _ = try await store.commit([Write(key("n\(kept)"), .put(["text": text]))])
                kept += 1
            }
        }
        #expect(store.snapshot.count == kept)
        try await store.delete(key("n0"))
        await store.close()
        let reopened = try Store(directory: directory.path)
        #expect(reopened.snapshot.count == kept - 1)
        await reopened.close()
    }

    @Test("writers see what is pending, readers only what is durable")
    func pending() async throws {
        let persistence = FailingPersistence(commitsInline: false)
        let store = try Store(persistence: persistence)
        try await withThrowingTaskGroup(of: Void.self) { group in
            persistence.isHeld.store(true, ordering: .releasing)
            group.addTask { try await store.put(key("a"), 1, if: .absent) }
            // The first writer is there once its batch is on the way to the disk.
            while persistence.commits.load(ordering: .relaxed) == 0 { await Task.yield() }
            #expect(store.snapshot.get(key("a")) == nil)
            #expect(store.get(key("a")) == nil)
            #expect(store.latest(key("a"))?.revision == Revision(rawValue: 1))
            await #expect(throws: StoreError.alreadyExists(key: key("a"), found: Revision(rawValue: 1))) {
                try await store.put(key("a"), 2, if: .absent)
            }
            persistence.isHeld.store(false, ordering: .releasing)
            try await group.waitForAll()
        }
        #expect(store.snapshot.contents == [key("a"): 1])
    }

    @Test("writes that arrive while the disk is busy share one commit")
    func groupCommit() async throws {
        let persistence = FailingPersistence(commitsInline: false)
        let store = try Store(persistence: persistence)
        try await withThrowingTaskGroup(of: Void.self) { group in
            persistence.isHeld.store(true, ordering: .releasing)
            group.addTask { try await store.put(key("first")) }
            while persistence.commits.load(ordering: .relaxed) == 0 { await Task.yield() }
            let entered = Shared(0)
            for writer in 0..<50 {
                group.addTask {
                    entered.change { $0 += 1 }
                    try await store.put(key("w\(writer)"))
                }
            }
            // All but those between the counter and the queue, which are at most as many as there are threads.
            while entered.value < 50 { await Task.yield() }
            persistence.isHeld.store(false, ordering: .releasing)
            try await group.waitForAll()
        }
        #expect(store.snapshot.count == 51)
        #expect(persistence.commits.load(ordering: .relaxed) < 20)
    }

    @Test("more waiting writes than the limit are refused")
    func overload() async throws {
        let persistence = FailingPersistence(commitsInline: false)
        var limits = Store.Limits()
        limits.pendingWrites = 2
        let store = try Store(persistence: persistence, limits: limits)
        let three = ["a", "b", "c"].map { Write(key($0), .put(object($0))) }
        await #expect(throws: StoreError.overloaded(limit: 2)) { try await store.commit(three) }
        try await store.commit(Array(three.prefix(2)))
    }
}
