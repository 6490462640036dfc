/// Why the store refused or could not do something.
package enum StoreError: Error, Hashable, Sendable {
    /// The object has another revision than the write was made for.
    case conflict(key: StoreKey, found: Revision)
    case alreadyExists(key: StoreKey, found: Revision)
    case notFound(key: StoreKey)
    /// The revision is no longer in history; `oldest` is the first one a watch can still start from.
    case tooOld(requested: Revision, oldest: Revision)
    /// The revision was never reached.
    case tooNew(requested: Revision, current: Revision)
    /// A watcher did not take its events in time; it must list again.
    case watcherTooSlow(limit: Int)
    /// More writes are waiting for the disk than the store holds.
    case overloaded(limit: Int)
    case diskFull(path: String)
    case readOnly(path: String)
    case io(path: String, message: String)
    /// The file is no database, or a damaged one.
    case damaged(path: String, message: String)
    /// A later version of Martlet wrote the data.
    case newerFormat(path: String, found: Int, supported: Int)
    /// Another process uses the directory; `pid` is `nil` when it did not say which.
    case locked(path: String, pid: Int?)
    case closed
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .conflict(let key, let found): "\(key) was changed meanwhile; it is at revision \(found)"
        case .alreadyExists(let key, let found): "\(key) already exists, at revision \(found)"
        case .notFound(let key): "\(key) does not exist"
        case .tooOld(let requested, let oldest): "too old resource version: \(requested) (\(oldest))"
        case .tooNew(let requested, let current): "Too large resource version: \(requested), current: \(current)"
        case .watcherTooSlow(let limit): "the watcher fell more than \(limit) events behind; list again"
        case .overloaded(let limit): "more than \(limit) writes wait for the disk; try again later"
        case .diskFull(let path): "no space left on the disk of \(path); free some and try again"
        case .readOnly(let path): "\(path) cannot be written; its file system or its permissions are read-only"
        case .io(let path, let message): "\(path): \(message)"
        case .damaged(let path, let message):
            "\(path) is damaged (\(message)); nothing was changed: "
                + "restore it from a backup, or move it away to start empty"
        case .newerFormat(let path, let found, let supported):
            "\(path) has format \(found), but this version knows formats up to \(supported); "
                + "use the version that wrote it"
        case .locked(let path, let pid):
            if let pid {
                "\(path) is in use by process \(pid); stop it first, or choose another data directory"
            } else {
                "\(path) is in use by another process; stop it first, or choose another data directory"
            }
        case .closed: "the store is closed"
        }
    }
}
