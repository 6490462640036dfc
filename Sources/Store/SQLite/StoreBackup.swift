import Glibc

/// Copies of a store: taken while a service uses it, and put in the place of one that no service uses.
///
/// A copy is a whole database file of the same format, so that it can be looked into with any SQLite tool.
package enum StoreBackup {
    /// What a restored store skips: whoever watched the lost future must not take it for the new one.
    static let skippedRevisions: Int64 = 1_000_000_000

    /// Copies the store of `directory` to `file`, as it is at one instant. The service may run on.
    ///
    /// - Parameter file: must not exist. It is readable by its owner only, since there may be Secrets in it.
    /// - Returns: how many objects the copy holds.
    /// - Throws: `.io` when there is no store, or when `file` exists; `.newerFormat`, `.damaged`, `.diskFull`,
    ///   `.readOnly` or `.io` otherwise. What was begun is removed then.
    package static func write(_ directory: String, to file: String) throws(StoreError) -> Int {
        let source = directory + "/store.db"
        guard access(source, F_OK) == 0 else {
            throw .io(path: source, message: "there is no store; --data-dir names the directory that serve uses")
        }
        let connection = try SQLiteConnection(path: source)
        _ = try SQLitePersistence.checkFormat(of: connection, path: source)
        // It must be there for its mode; SQLite writes into an empty file.
        try makeFile(file)
        do throws(StoreError) {
            return try copy(connection, to: file, through: file + ".partial")
        } catch {
            unlink(file)
            throw error
        }
    }

    /// Puts the copy `file` in the place of the store of `directory`, which is made if need be.
    ///
    /// - Parameter replacing: whether a store that is there is set aside, as `store.db.replaced` and the like. Nothing
    ///   is ever deleted.
    /// - Returns: how many objects it holds, and where the former store is, if there was one.
    /// - Throws: `.locked` while a service runs there; `.io` when there is a store and `replacing` is not set;
    ///   `.newerFormat` or `.damaged` when `file` is not fit; `.diskFull`, `.readOnly` or `.io`.
    package static func restore(
        _ file: String, into directory: String, replacing: Bool = false
    ) throws(StoreError) -> (objects: Int, replaced: String?) {
        guard access(file, R_OK) == 0 else {
            guard errno == ENOENT else { throw DirectoryLock.error(errno, path: file) }
            throw .io(path: file, message: "there is no such file; take one that 'martlet backup' wrote")
        }
        var status = stat()
        guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .io(path: file, message: "it is no file; take one that 'martlet backup' wrote")
        }
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw DirectoryLock.error(errno, path: directory) }
        let lock = try DirectoryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        let target = directory + "/store.db"
        let exists = access(target, F_OK) == 0
        if exists, !replacing {
            throw .io(path: target, message: "there is a store already; --replace sets it aside")
        }
        let partial = target + ".restoring"
        unlink(partial)
        do throws(StoreError) {
            try makeFile(partial)
            let count = try copyBackup(file, to: partial)
            try skipRevisions(partial)
            try synchronize(partial)
            let replaced = exists ? try setAside(target) : nil
            guard rename(partial, target) == 0 else { throw DirectoryLock.error(errno, path: target) }
            try synchronize(directory)
            return (count, replaced)
        } catch {
            unlink(partial)
            throw error
        }
    }

    /// Copies a database that is about to be changed: `store.db.format-1`, or a name like it that is free.
    static func keep(_ connection: SQLiteConnection, of format: Int, at path: String) throws(StoreError) {
        let name = freeName("\(path).format-\(format)")
        try makeFile(name)
        do throws(StoreError) {
            _ = try copy(connection, to: name)
        } catch {
            unlink(name)
            throw error
        }
    }

    /// Copies what `write` made; whatever else it is given is said as a fault of that file, not of a store.
    private static func copyBackup(_ file: String, to path: String) throws(StoreError) -> Int {
        do throws(StoreError) {
            let source = try SQLiteConnection(path: file, isReadOnly: true)
            guard try SQLitePersistence.checkFormat(of: source, path: file) > 0 else {
                throw .damaged(path: file, message: "it is empty")
            }
            // Before the copy: SQLite takes pages that make no sense for a disk that is full.
            let verdict = try source.text("PRAGMA integrity_check(1)") ?? ""
            guard verdict == "ok" else { throw .damaged(path: file, message: verdict) }
            return try copy(source, to: path)
        } catch {
            guard case .damaged(_, let why) = error else { throw error }
            let advice = "nothing was changed: take a file that 'martlet backup' wrote"
            throw .io(path: file, message: "this backup is damaged (\(why)); \(advice)")
        }
    }

    /// The same by way of `partial`, so that `path` never holds half of it.
    private static func copy(
        _ source: SQLiteConnection, to path: String, through partial: String
    ) throws(StoreError) -> Int {
        try makeFile(partial)
        do throws(StoreError) {
            let count = try copy(source, to: partial)
            guard rename(partial, path) == 0 else { throw DirectoryLock.error(errno, path: path) }
            return count
        } catch {
            unlink(partial)
            throw error
        }
    }

    /// Copies a database into an empty file; answers how many objects the copy holds, once it is whole and on the disk.
    private static func copy(_ source: SQLiteConnection, to path: String) throws(StoreError) -> Int {
        let copy = try source.prepare("VACUUM INTO ?1")
        try copy.bind(1, path)
        try copy.run()
        let count = try check(path)
        try synchronize(path)
        return count
    }

    private static func skipRevisions(_ path: String) throws(StoreError) {
        let connection = try SQLiteConnection(path: path)
        try connection.execute(
            """
            UPDATE head SET revision =
                max(revision, (SELECT coalesce(max(revision), 0) FROM objects)) + \(skippedRevisions)
            """)
    }

    /// How many objects a copy holds, once it has been found whole.
    private static func check(_ path: String) throws(StoreError) -> Int {
        let connection = try SQLiteConnection(path: path)
        guard try SQLitePersistence.checkFormat(of: connection, path: path) > 0 else {
            throw .damaged(path: path, message: "it is empty")
        }
        let verdict = try connection.text("PRAGMA integrity_check") ?? ""
        guard verdict == "ok" else { throw .damaged(path: path, message: verdict) }
        return Int(try connection.integer("SELECT count(*) FROM objects") ?? 0)
    }

    /// Renames a store and what belongs to it; answers the new name.
    private static func setAside(_ target: String) throws(StoreError) -> String {
        let name = freeName(target + ".replaced")
        for suffix in ["", "-wal", "-shm"] where access(target + suffix, F_OK) == 0 {
            guard rename(target + suffix, name + suffix) == 0 else { throw DirectoryLock.error(errno, path: name) }
        }
        return name
    }

    private static func freeName(_ wanted: String) -> String {
        var name = wanted
        var number = 1
        while access(name, F_OK) == 0 {
            number += 1
            name = "\(wanted)-\(number)"
        }
        return name
    }

    private static func makeFile(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw .io(path: path, message: "File exists; choose another name") }
            throw DirectoryLock.error(errno, path: path)
        }
        close(descriptor)
    }

    private static func synchronize(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DirectoryLock.error(errno, path: path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw DirectoryLock.error(errno, path: path) }
    }
}
