import Glibc

/// The few POSIX calls that mirrors and working trees need.
enum FileSystem {
    struct Failure: Error {
        var message: String
        var code: CInt

        init(_ path: String, code: CInt = errno) {
            self.code = code
            message = "\(path): \(String(cString: strerror(code)))"
        }

        /// The same as an error about a repository.
        var gitError: GitError {
            switch code {
            case ENOSPC, EDQUOT: GitError(.diskFull, "\(message); free some space on that disk")
            case EACCES, EPERM, EROFS:
                GitError(.notPermitted, "\(message); the user that runs martlet needs access to it")
            default: GitError(.other, message)
            }
        }
    }

    static func contents(of path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(path, code: EISDIR) }
        var bytes: [UInt8] = []
        // Room for one more byte than there should be: what does not fill it has ended, and need not be asked again.
        let size = min(max(Int(status.st_size), 0), limit) + 1
        bytes.reserveCapacity(size)
        var chunk = [UInt8](repeating: 0, count: min(size, 32 << 10))
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Failure(path)
            }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else { throw Failure(path, code: EFBIG) }
            if bytes.count == status.st_size, count < chunk.count { return bytes }
        }
    }

    /// Names in a directory, sorted by their bytes, as Git sorts.
    static func names(in path: String) throws(Failure) -> [String] {
        guard let directory = opendir(path) else { throw Failure(path) }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Failure(path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes a directory and its parents, readable by their owner alone.
    static func makeDirectories(_ path: String) throws(Failure) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw Failure(path) }
        try makeDirectories(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Failure(path) }
    }

    /// `lstat`, or `nil` when there is nothing.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    static func isDirectory(_ path: String) -> Bool {
        status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    static func exists(_ path: String) -> Bool { status(path) != nil }

    static func write(_ text: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw Failure(path) }
    }

    /// The real path, symbolic links followed; `nil` when there is none.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
