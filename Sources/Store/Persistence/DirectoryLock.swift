import Glibc

/// The right to be the only process that uses a data directory.
///
/// `flock` on a file in it: the kernel lets go of it however the process ends, so a stale lock cannot exist.
final class DirectoryLock {
    private let descriptor: Int32

    /// - Throws: `.locked` with the holder's process id, `.readOnly` or `.io`.
    init(directory: String) throws(StoreError) {
        let path = directory + "/lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Self.error(errno, path: path) }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            let pid = Self.holder(opened)
            Glibc.close(opened)
            throw code == EWOULDBLOCK ? .locked(path: directory, pid: pid) : Self.error(code, path: path)
        }
        // Only for the message of whoever comes second; that it is written is of no consequence.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(opened, 0) == 0 { _ = pwrite(opened, text, text.count, 0) }
        descriptor = opened
    }

    deinit {
        Glibc.close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> Int? {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int(String(decoding: buffer[..<count], as: UTF8.self).prefix { $0.isNumber })
    }

    static func error(_ code: Int32, path: String) -> StoreError {
        switch code {
        case EROFS, EACCES, EPERM: .readOnly(path: path)
        case ENOSPC, EDQUOT: .diskFull(path: path)
        default: .io(path: path, message: String(cString: strerror(code)))
        }
    }
}
