import Glibc
import Model
import Store
import Testing

@Suite("Backups")
struct BackupTests {
    @Test("a copy taken in the middle of writes is one instant's state, and comes back whole")
    func online() async throws {
        let directory = TemporaryDirectory()
        let copies = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        // Both objects are always written one after the other, so that at any instant they differ by one at most.
        let (left, right) = (key("left"), key("right"))
        try await store.put(left, 0)
        try await store.put(right, 0)
        try await store.setMetadata("range", Array("127.8.0.0/16".utf8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for value in 1...200 {
                    try await store.put(left, Int64(value))
                    try await store.put(right, Int64(value))
                }
            }
            group.addTask {
                for number in 0..<5 {
                    let count = try StoreBackup.write(directory.path, to: "\(copies.path)/\(number)")
                    #expect(count == 2)
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        let reached = store.revision
        await store.close()
        for number in 0..<5 {
            let other = TemporaryDirectory()
            let result = try StoreBackup.restore("\(copies.path)/\(number)", into: other.path)
            #expect(result.objects == 2 && result.replaced == nil)
            let restored = try Store(directory: other.path)
            let values = try [left, right].map { try #require(restored.snapshot.contents[$0]) }
            #expect(values[0] == values[1] || values[0] == values[1] + 1)
            #expect(restored.metadata("range") == Array("127.8.0.0/16".utf8))
            #expect(restored.revision > reached, "nobody takes the lost future for the new one")
            await restored.close()
            #expect(!other.names.contains { $0.hasSuffix(".restoring") })
        }
        #expect(Set(copies.names) == ["0", "1", "2", "3", "4"])
        var status = stat()
        #expect(stat("\(copies.path)/0", &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("a file that is there is not written over, and no store is no backup")
    func refusedBackups() async throws {
        let directory = TemporaryDirectory()
        let file = "\(directory.path)/copy"
        expectRefusal("there is no store") { _ = try StoreBackup.write(directory.path, to: file) }
        #expect(directory.names == [])
        await (try Store(directory: directory.path)).close()
        #expect(try StoreBackup.write(directory.path, to: file) == 0)
        let size = directory.size("copy")
        expectRefusal("File exists") { _ = try StoreBackup.write(directory.path, to: file) }
        #expect(directory.size("copy") == size)
        expectRefusal("there is no such file; take one that 'martlet backup' wrote") {
            _ = try StoreBackup.restore("\(directory.path)/nowhere", into: directory.path)
        }
        expectRefusal("No such file") { _ = try StoreBackup.write(directory.path, to: "\(directory.path)/a/b") }
    }

    @Test("a store that is there or in use stays, a replaced one is set aside")
    func replacing() async throws {
        let directory = TemporaryDirectory()
        let copies = TemporaryDirectory()
        var store = try Store(directory: directory.path)
        try await store.put(key("a"), 1)
        _ = try StoreBackup.write(directory.path, to: copies.path + "/copy")
        try await store.put(key("b"), 2)
        expectRefusal("is in use by process") {
            _ = try StoreBackup.restore(copies.path + "/copy", into: directory.path, replacing: true)
        }
        await store.close()
        expectRefusal("there is a store already; --replace sets it aside") {
            _ = try StoreBackup.restore(copies.path + "/copy", into: directory.path)
        }
        for name in ["store.db.replaced", "store.db.replaced-2"] {
            let result = try StoreBackup.restore(copies.path + "/copy", into: directory.path, replacing: true)
            #expect(result.replaced == "\(directory.path)/\(name)")
            #expect(directory.names.contains(name))
        }
        store = try Store(directory: directory.path)
        #expect(store.snapshot.contents == [key("a"): 1])
        await store.close()
    }

    @Test(
        "what is no backup of this version's is refused and changes nothing",
        arguments: [
            ("PRAGMA user_version = 9", "has format 9"), ("PRAGMA user_version = 0", "not one of Martlet's"),
            ("", "is damaged"),
        ])
    func unfit(sql: String, words: String) async throws {
        let copies = TemporaryDirectory()
        await (try Store(directory: copies.path)).close()
        if sql.isEmpty { copies.truncate("store.db", to: 5000) } else { copies.sql(sql) }
        let directory = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        try await store.put(key("a"), 1)
        await store.close()
        expectRefusal(words) {
            _ = try StoreBackup.restore(copies.path + "/store.db", into: directory.path, replacing: true)
        }
        #expect(Set(directory.names).subtracting(["store.db-wal", "store.db-shm"]) == ["lock", "store.db"])
        let same = try Store(directory: directory.path)
        #expect(same.snapshot.contents == [key("a"): 1])
        await same.close()
    }

    @Test(
        "a backup that was damaged in the middle is told as that, and changes nothing",
        arguments: [0.25, 0.5, 0.75, 0.9])
    func damaged(place: Double) async throws {
        let directory = TemporaryDirectory()
        let copies = TemporaryDirectory()
        let store = try Store(directory: directory.path)
        for number in 0..<200 {
            let name = "object-\(number)"
            let json: JSON = ["metadata": ["name": .string(name)], "data": .string(String(repeating: "x", count: 900))]
            _ = try await store.commit([Write(key(name), .put(json), if: .any)])
        }
        await store.close()
        #expect(try StoreBackup.write(directory.path, to: copies.path + "/copy") == 200)
        copies.flip("copy", at: Int(Double(copies.size("copy")) * place), count: 3000)
        let other = TemporaryDirectory()
        expectRefusal("this backup is damaged") {
            _ = try StoreBackup.restore(copies.path + "/copy", into: other.path)
        }
        #expect(other.names == ["lock"])
    }

    private func expectRefusal(_ words: String, _ body: () throws -> Void) {
        #expect {
            try body()
        } throws: { error in
            "\(error)".contains(words)
        }
    }
}
