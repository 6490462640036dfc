import CSQLite
import Glibc
import Logging
import Model
import Store

extension Benchmark {
    /// Durable writes against what SQLite does one row at a time, the price of watchers, and the time to open.
    static var store: [Benchmark] {
        let rows = SingleRowCommits(objects: writers * writesPerWriter)
        let durable = DurableStore()
        let watched = WatchedStore()
        let stored = StoredDirectory(objects: 1000)
        return [
            Benchmark(
                name: "store/sqlite-single-row-commits", bytes: rows.count * object.count, operations: rows.count
            ) { rows.run() },
            // 20,000 a second where a single-row commit takes 0.15 ms.
            Benchmark(
                name: "store/durable-writes-64-writers", bytes: rows.count * object.count, operations: rows.count,
                reference: "store/sqlite-single-row-commits", goal: 3
            ) { try await durable.run() },
            Benchmark(name: "store/fan-out-100-watchers", operations: watched.events) { try await watched.run() },
            Benchmark(name: "store/open-1000-objects") { try await stored.open() },
        ]
    }

    private static let writers = 64
    private static let writesPerWriter = 16

    /// 1 KB of JSON.
    private static let object: [UInt8] = tree(0).encoded()

    private static func tree(_ number: Int) -> JSON {
        [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string("object-\(number)"), "namespace": "default", "resourceVersion": "1"],
            "data": ["text": .string(String(repeating: "x", count: 890))],
        ]
    }

    private static func key(_ number: Int) -> StoreKey {
        StoreKey(kind: "/ConfigMap", namespace: "default", name: "object-\(number)")
    }

    private static func directory() -> String {
        // Not /tmp, which may be no disk.
        var template = Array("/var/tmp/martlet-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary directory: \(errno)") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func remove(_ directory: String) {
        for name in ["lock", "store.db", "store.db-wal", "store.db-shm"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    /// The reference: the same table and settings, one row a transaction.
    private final class SingleRowCommits {
        let count: Int
        private let path = directory()
        private var database: OpaquePointer?
        private var update: OpaquePointer?

        init(objects: Int) {
            count = objects
            sqlite3_open(path + "/store.db", &database)
            sqlite3_exec(
                database,
                """
                PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
                CREATE TABLE objects (id INTEGER PRIMARY KEY, revision INTEGER, value BLOB)
                """, nil, nil, nil)
            sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO objects VALUES (?1, 1, ?2)", -1, &update, nil)
        }

        deinit {
            sqlite3_finalize(update)
            sqlite3_close(database)
            remove(path)
        }

        func run() {
            for number in 0..<count {
                sqlite3_bind_int64(update, 1, Int64(number))
                object.withUnsafeBytes { bytes in
                    sqlite3_bind_blob(update, 2, bytes.baseAddress, Int32(bytes.count), nil)
                    guard sqlite3_step(update) == SQLITE_DONE else { fatalError("the reference cannot write") }
                }
                sqlite3_reset(update)
            }
        }
    }

    private final class DurableStore: Sendable {
        private let path = directory()
        private let store: Store

        init() {
            do {
                store = try Store(directory: path)
            } catch {
                fatalError("\(error)")
            }
        }

        deinit { remove(path) }

        func run() async throws {
            try await withThrowingTaskGroup { group in
                for writer in 0..<writers {
                    group.addTask {
                        for number in 0..<writesPerWriter {
                            let number = writer * writesPerWriter + number
                            try await self.store.commit([Write(key(number), .put(tree(number)))])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// A store in memory, so that only the watchers cost.
    private final class WatchedStore: Sendable {
        private static let watchers = 100
        private static let writes = 100
        let events = watchers * writes

        func run() async throws {
            let store = try Store(persistence: .memory)
            try await withThrowingTaskGroup { group in
                for _ in 0..<Self.watchers {
                    let watch = try store.watch(from: .zero, kind: "/ConfigMap")
                    group.addTask {
                        var seen = 0
                        while seen < Self.writes, let batch = try await watch.next() { seen += batch.changes.count }
                    }
                }
                for number in 0..<Self.writes { try await store.commit([Write(key(number), .put(tree(number)))]) }
                try await group.waitForAll()
            }
        }
    }

    private final class StoredDirectory: Sendable {
        private let path = directory()
        private let objects: Int

        init(objects: Int) {
            self.objects = objects
        }

        deinit { remove(path) }

        func open() async throws {
            let store = try Store(directory: path)
            if store.snapshot.count < objects {
                try await store.commit((0..<objects).map { Write(key($0), .put(tree($0))) })
            }
            await store.close()
        }
    }
}
