import CSQLite

/// The few things of SQLite's C API that the store needs.
///
/// Not thread-safe: whoever holds it takes care that one thread at a time uses it.
final class SQLiteConnection {
    private let path: String
    private let handle: OpaquePointer
    /// The frames in the write-ahead log after the last commit, when they are counted.
    private(set) var loggedFrames = 0

    /// Opens or creates the database file.
    init(path: String, isReadOnly: Bool = false) throws(StoreError) {
        var opened: OpaquePointer?
        let access = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw Self.error(code, path: path, message: String(cString: sqlite3_errstr(code)))
        }
        self.path = path
        handle = opened
    }

    deinit {
        // The variant that waits for statements which are still being let go of.
        sqlite3_close_v2(handle)
    }

    /// Counts the log's frames from now on. Checkpoints are the caller's then: SQLite's own count in the same place.
    func countLoggedFrames() {
        sqlite3_wal_hook(
            handle,
            { connection, _, _, frames in
                guard let connection else { return SQLITE_OK }
                Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().loggedFrames = Int(frames)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Moves what is in the log to the database, as far as no reader holds it back, so that the log starts over.
    func checkpoint() throws(StoreError) {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        // Another process is at it, or reads: the next one does it.
        if code & 0xFF != SQLITE_BUSY { try check(code) }
    }

    func execute(_ sql: String) throws(StoreError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil))
    }

    func prepare(_ sql: String) throws(StoreError) -> Statement {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        guard let statement else { throw .io(path: path, message: "empty statement") }
        return Statement(statement, of: self)
    }

    /// The first column of the first row.
    func integer(_ sql: String) throws(StoreError) -> Int64? {
        let statement = try prepare(sql)
        return try statement.step() ? statement.integer(0) : nil
    }

    func text(_ sql: String) throws(StoreError) -> String? {
        let statement = try prepare(sql)
        return try statement.step() ? statement.text(0) : nil
    }

    /// Whether a transaction is open; SQLite itself ends one on some errors.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    fileprivate func check(_ code: Int32) throws(StoreError) {
        guard code != SQLITE_OK else { return }
        throw Self.error(code, path: path, message: String(cString: sqlite3_errmsg(handle)))
    }

    private static func error(_ code: Int32, path: String, message: String) -> StoreError {
        switch code & 0xFF {
        case SQLITE_FULL: .diskFull(path: path)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN: .readOnly(path: path)
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(path: path, message: message)
        default: .io(path: path, message: "\(message) (SQLite error \(code))")
        }
    }

    /// A prepared statement; bind, step, reset, again and again.
    final class Statement {
        private let statement: OpaquePointer
        // Keeps the connection open as long as the statement lives.
        private let connection: SQLiteConnection

        fileprivate init(_ statement: OpaquePointer, of connection: SQLiteConnection) {
            self.statement = statement
            self.connection = connection
        }

        deinit {
            sqlite3_finalize(statement)
        }

        func bind(_ index: Int32, _ value: Int64) throws(StoreError) {
            try connection.check(sqlite3_bind_int64(statement, index, value))
        }

        func bind(_ index: Int32, _ value: String) throws(StoreError) {
            var value = value
            let code = value.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), Self.transient)
                }
            }
            try connection.check(code)
        }

        func bind(_ index: Int32, _ value: [UInt8]) throws(StoreError) {
            try connection.check(sqlite3_bind_blob(statement, index, value, Int32(value.count), Self.transient))
        }

        /// Tells SQLite to copy what it is handed: SQLITE_TRANSIENT, a cast that Swift does not import.
        private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

        /// Whether there is a row.
        func step() throws(StoreError) -> Bool {
            let code = sqlite3_step(statement)
            if code == SQLITE_ROW { return true }
            if code == SQLITE_DONE { return false }
            sqlite3_reset(statement)
            try connection.check(code)
            return false
        }

        /// Runs a statement that answers no rows and makes it ready to run again.
        func run() throws(StoreError) {
            _ = try step()
            sqlite3_reset(statement)
        }

        func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

        func text(_ column: Int32) -> String {
            guard let start = sqlite3_column_text(statement, column) else { return "" }
            let count = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }

        func blob(_ column: Int32) -> [UInt8] {
            let count = Int(sqlite3_column_bytes(statement, column))
            guard count > 0, let start = sqlite3_column_blob(statement, column) else { return [] }
            return Array(UnsafeRawBufferPointer(start: start, count: count))
        }
    }
}
