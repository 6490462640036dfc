import Glibc

/// Small files that hold secrets: readable by their owner alone, and replaced whole or not at all.
package enum PrivateFile {
    /// What went wrong with a file, and where.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package var path: String
        package var operation: String
        /// `errno`.
        package var code: Int32

        package init(path: String, operation: String, code: Int32) {
            self.path = path
            self.operation = operation
            self.code = code
        }

        package var description: String {
            "cannot \(operation) \(path): \(String(cString: strerror(code)))"
        }
    }

    /// No key, certificate, token or kubeconfig is larger.
    private static let limit = 1 << 20

    /// Writes the file with mode 0600, so that a reader sees the old one or the new one whole, also after a crash.
    package static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let temporary = "\(path).\(getpid()).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Failure(path: temporary, operation: "create", code: errno) }
        var failure: Failure?
        // The mode of a file that stood there before is not changed by open().
        if fchmod(file, 0o600) != 0 {
            failure = Failure(path: temporary, operation: "set the mode of", code: errno)
        }
        var written = 0
        while failure == nil, written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                failure = Failure(path: temporary, operation: "write", code: errno)
            }
        }
        if failure == nil, fsync(file) != 0 { failure = Failure(path: temporary, operation: "sync", code: errno) }
        close(file)
        if failure == nil, rename(temporary, path) != 0 {
            failure = Failure(path: path, operation: "replace", code: errno)
        }
        if let failure {
            unlink(temporary)
            throw failure
        }
    }

    /// - Returns: `nil` when there is no such file.
    package static func read(_ path: String) throws(Failure) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(path: path, operation: "read", code: errno)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(path: path, operation: "read", code: errno) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw Failure(path: path, operation: "read", code: EFBIG) }
        }
    }

    /// Makes a folder that only its owner can enter, unless it is there.
    package static func makeFolder(_ path: String) throws(Failure) {
        guard mkdir(path, 0o700) != 0 else { return }
        guard errno == EEXIST else { throw Failure(path: path, operation: "make the folder", code: errno) }
        if chmod(path, 0o700) != 0 { throw Failure(path: path, operation: "set the mode of", code: errno) }
    }

    /// Gives a file that cannot be used another name, so that nothing is lost.
    ///
    /// - Returns: the new name; `nil` when there is no such file.
    package static func setAside(_ path: String, mark: String) throws(Failure) -> String? {
        let other = "\(path).unusable-\(mark)"
        guard rename(path, other) != 0 else { return other }
        if errno == ENOENT { return nil }
        throw Failure(path: path, operation: "set aside", code: errno)
    }
}
