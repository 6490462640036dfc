import Glibc

/// Keeps a store in a SQLite database: `DIRECTORY/store.db`, with its write-ahead log beside it.
///
/// Objects are rows under an id that the store hands out, so that an update touches one B-tree and no index.
// Sendable although SQLite's handle is not: a store calls one method at a time (see `Persistence`).
package final class SQLitePersistence: Persistence, @unchecked Sendable {
    /// What this version writes. A reader refuses greater numbers.
    package static let format = StoreMigration.present.format
    /// `Mrtl`, so that `file` and a wrong path are told apart.
    private static let applicationID: Int64 = 0x4D72_746C

    /// Frames after which the log is moved to the database.
    private static let checkpointInterval = 4000
    /// How many more it takes until that is tried again, when a reader or a full disk stood in the way.
    private static let checkpointRetry = 500

    private struct Open {
        var lock: DirectoryLock
        var connection: SQLiteConnection
        var log: LogFile
        var insert: SQLiteConnection.Statement
        var update: SQLiteConnection.Statement
        var delete: SQLiteConnection.Statement
        var setMetadata: SQLiteConnection.Statement
        var setRevision: SQLiteConnection.Statement
        // Prepared, as every commit runs both.
        var begin: SQLiteConnection.Statement
        var end: SQLiteConnection.Statement
    }

    private let path: String
    private var open: Open?
    /// The number of frames at which a checkpoint is due.
    private var checkpointAt = checkpointInterval

    package var commitsInline: Bool { false }

    /// Opens the store in `directory`, which is made if need be, and takes its lock. A store of an earlier format is
    /// brought to the present one; `store.db.format-N` is what it was.
    ///
    /// - Parameters:
    ///   - maximumPages: the database never grows beyond so many pages of 4 KiB; then it answers `.diskFull`.
    ///   - migration: what leads from earlier formats to this one.
    /// - Throws: `.locked`, `.newerFormat`, `.damaged`, `.readOnly`, `.diskFull` or `.io`.
    package init(
        directory: String, maximumPages: Int? = nil, migration: StoreMigration = .present
    ) throws(StoreError) {
        path = directory + "/store.db"
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw DirectoryLock.error(errno, path: directory) }
        let lock = try DirectoryLock(directory: directory)
        let connection = try SQLiteConnection(path: path)
        try Self.prepare(connection, path: path, migration)
        if let maximumPages { try connection.execute("PRAGMA max_page_count = \(maximumPages)") }
        connection.countLoggedFrames()
        open = Open(
            lock: lock, connection: connection, log: LogFile(path: path + "-wal"),
            insert: try connection.prepare(
                "INSERT INTO objects (id, kind, namespace, name, revision, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
            update: try connection.prepare("UPDATE objects SET revision = ?2, value = ?3 WHERE id = ?1"),
            delete: try connection.prepare("DELETE FROM objects WHERE id = ?1"),
            setMetadata: try connection.prepare("INSERT OR REPLACE INTO metadata (key, value) VALUES (?1, ?2)"),
            setRevision: try connection.prepare("UPDATE head SET revision = ?1"),
            begin: try connection.prepare("BEGIN IMMEDIATE"), end: try connection.prepare("COMMIT"))
    }

    /// The format of a database; 0 for one that is empty.
    ///
    /// - Throws: `.newerFormat`, or `.damaged` when it is not one of Martlet's.
    static func checkFormat(
        of connection: SQLiteConnection, path: String, format: Int = format
    ) throws(StoreError) -> Int {
        let found = Int(try connection.integer("PRAGMA user_version") ?? 0)
        guard found <= format else { throw .newerFormat(path: path, found: found, supported: format) }
        if found == 0, try connection.integer("SELECT count(*) FROM sqlite_schema") ?? 0 > 0 {
            throw .damaged(path: path, message: "it is a database, but not one of Martlet's")
        }
        return found
    }

    private static func prepare(
        _ connection: SQLiteConnection, path: String, _ migration: StoreMigration
    ) throws(StoreError) {
        let found = try checkFormat(of: connection, path: path, format: migration.format)
        // WAL with FULL: a commit is one append and one fdatasync, and survives power loss when it returns.
        let mode = try connection.text("PRAGMA journal_mode = WAL")
        guard mode == "wal" else { throw .readOnly(path: path) }
        try connection.execute(
            """
            PRAGMA synchronous = FULL;
            PRAGMA journal_size_limit = 67108864;
            """)
        guard found == 0 else { return try migration.run(connection, from: found, path: path) }
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE objects (
                id INTEGER PRIMARY KEY, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                revision INTEGER NOT NULL, value BLOB NOT NULL);
            CREATE TABLE head (revision INTEGER NOT NULL);
            INSERT INTO head (revision) VALUES (0);
            CREATE TABLE metadata (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
            CREATE TABLE quarantine (
                id INTEGER NOT NULL, kind TEXT, namespace TEXT, name TEXT, revision INTEGER, value BLOB,
                reason TEXT NOT NULL, time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')));
            PRAGMA application_id = \(applicationID);
            \(migration.steps.joined(separator: "\n"))
            PRAGMA user_version = \(migration.format);
            COMMIT;
            """)
    }

    package func load() throws(StoreError) -> PersistedState {
        let connection = try opened().connection
        var state = PersistedState()
        state.revision = Revision(rawValue: UInt64(try connection.integer("SELECT revision FROM head") ?? 0))
        let rows = try connection.prepare("SELECT id, kind, namespace, name, revision, value FROM objects ORDER BY id")
        while try rows.step() {
            state.rows.append(
                PersistedRow(
                    id: Revision(rawValue: UInt64(bitPattern: rows.integer(0))),
                    key: StoreKey(kind: rows.text(1), namespace: rows.text(2), name: rows.text(3)),
                    revision: Revision(rawValue: UInt64(bitPattern: rows.integer(4))), bytes: rows.blob(5)))
        }
        let metadata = try connection.prepare("SELECT key, value FROM metadata")
        while try metadata.step() { state.metadata[metadata.text(0)] = metadata.blob(1) }
        return state
    }

    package func commit(_ batch: PersistedBatch) throws(StoreError) {
        try transaction { (open) throws(StoreError) in
            for operation in batch.operations { try Self.run(operation, open) }
            // A row says its revision itself; only a deletion leaves none. One page less for the disk.
            guard !batch.keepsItsRevision else { return }
            try open.setRevision.bind(1, Int64(bitPattern: batch.revision.rawValue))
            try open.setRevision.run()
        }
    }

    package var isUntidy: Bool {
        guard let open else { return false }
        let frames = open.connection.loggedFrames
        return frames >= checkpointAt || !open.log.hasRoom(beyond: frames)
    }

    package func tidy() throws(StoreError) {
        guard let open else { return }
        let frames = open.connection.loggedFrames
        open.log.makeRoom(beyond: frames)
        if frames < Self.checkpointInterval { checkpointAt = Self.checkpointInterval }
        guard frames >= checkpointAt else { return }
        checkpointAt = frames + Self.checkpointRetry
        try open.connection.checkpoint()
    }

    private static func run(_ operation: PersistedBatch.Operation, _ open: Open) throws(StoreError) {
        switch operation {
        case .insert(let row):
            try open.insert.bind(1, Int64(bitPattern: row.id.rawValue))
            try open.insert.bind(2, row.key.kind)
            try open.insert.bind(3, row.key.namespace)
            try open.insert.bind(4, row.key.name)
            try open.insert.bind(5, Int64(bitPattern: row.revision.rawValue))
            try open.insert.bind(6, row.bytes)
            try open.insert.run()
        case .update(let row):
            try open.update.bind(1, Int64(bitPattern: row.id.rawValue))
            try open.update.bind(2, Int64(bitPattern: row.revision.rawValue))
            try open.update.bind(3, row.bytes)
            try open.update.run()
        case .delete(let id):
            try open.delete.bind(1, Int64(bitPattern: id.rawValue))
            try open.delete.run()
        case .setMetadata(let key, let value):
            try open.setMetadata.bind(1, key)
            try open.setMetadata.bind(2, value)
            try open.setMetadata.run()
        }
    }

    package func quarantine(_ rows: [UnreadableRow]) throws(StoreError) {
        try transaction { (open) throws(StoreError) in
            let keep = try open.connection.prepare(
                """
                INSERT INTO quarantine (id, kind, namespace, name, revision, value, reason)
                SELECT id, kind, namespace, name, revision, value, ?2 FROM objects WHERE id = ?1
                """)
            for unreadable in rows {
                try keep.bind(1, Int64(bitPattern: unreadable.row.id.rawValue))
                try keep.bind(2, unreadable.reason)
                try keep.run()
                try Self.run(.delete(id: unreadable.row.id), open)
            }
            // The last revision may have been that of a row which is here no more.
            let last = rows.map(\.row.revision).max() ?? .zero
            let raise = try open.connection.prepare("UPDATE head SET revision = max(revision, ?1)")
            try raise.bind(1, Int64(bitPattern: last.rawValue))
            try raise.run()
        }
    }

    package func close() {
        open = nil
    }

    private func opened() throws(StoreError) -> Open {
        guard let open else { throw .closed }
        return open
    }

    private func transaction(_ body: (Open) throws(StoreError) -> Void) throws(StoreError) {
        let open = try opened()
        try open.begin.run()
        do throws(StoreError) {
            try body(open)
            try open.end.run()
        } catch {
            // Some errors (a full disk) have ended the transaction already. What ROLLBACK itself meets adds nothing to
            // the error that is thrown, hence `try?`.
            if open.connection.isInTransaction { try? open.connection.execute("ROLLBACK") }
            throw error
        }
    }
}
