internal import Glibc

/// The few file operations that pods need, as throwing calls that name the path in their error.
enum PodFiles {
    static func failure(_ what: String, _ path: String) -> RuntimeError {
        RuntimeError(.system, "\(what) \(path): \(String(cString: strerror(errno)))")
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// Makes a directory and those above it.
    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(RuntimeError) {
        if isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: mode)
        }
        if mkdir(path, mode) != 0, errno != EEXIST { throw failure("create directory", path) }
        // The mode is meant as given, whatever the umask.
        if chmod(path, mode) != 0 { throw failure("set the mode of", path) }
    }

    /// The names in a directory, sorted; none when it does not exist.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(RuntimeError) {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("create", path) }
        defer { Glibc.close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw failure("write", path) }
            written += count
        }
        if fchmod(file, mode) != 0 { throw failure("set the mode of", path) }
    }

    /// The whole file, or `nil` when it cannot be read.
    static func read(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count < limit {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// The last bytes of a file, or `nil` when it is none: whoever may write it could put something else in its place.
    static func tail(_ path: String, limit: Int) -> [UInt8]? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes = [UInt8](repeating: 0, count: limit)
        let start = max(0, Int(info.st_size) - limit)
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, off_t(start)) }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Removes a file or a whole directory, following no symbolic link.
    static func remove(_ path: String) throws(RuntimeError) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        if info.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { try remove("\(path)/\(name)") }
            if rmdir(path) != 0, errno != ENOENT { throw failure("remove directory", path) }
        } else if unlink(path) != 0, errno != ENOENT {
            throw failure("remove", path)
        }
    }

    static func give(_ path: String, toUser user: Int) throws(RuntimeError) {
        if lchown(path, uid_t(user), gid_t.max) != 0 { throw failure("change the owner of", path) }
    }

    /// Gives a directory and all in it to a group, as `fsGroup` asks: readable and writable by it, and setgid.
    static func give(_ path: String, to group: Int) throws(RuntimeError) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        if lchown(path, uid_t.max, gid_t(group)) != 0 { throw failure("change the group of", path) }
        switch info.st_mode & S_IFMT {
        case S_IFDIR:
            if chmod(path, info.st_mode | 0o2770) != 0 { throw failure("set the mode of", path) }
            for name in names(in: path) { try give("\(path)/\(name)", to: group) }
        case S_IFREG:
            if chmod(path, info.st_mode | 0o440) != 0 { throw failure("set the mode of", path) }
        default: break
        }
    }
}
