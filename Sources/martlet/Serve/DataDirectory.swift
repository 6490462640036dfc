import Glibc

/// The directory where `serve` keeps everything.
enum DataDirectory {
    /// Makes the directory, with its parents (`~/.local/share` may be missing), readable by its owner only.
    ///
    /// - Throws: `CommandError` that names the directory which could not be made.
    static func make(_ path: String) throws(CommandError) {
        try makeParents(of: path)
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else { throw failure("make", path) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandError("\(path) is no directory; choose another one with --data-dir")
        }
        // One that cannot be changed is refused when its lock is taken, unless it is fit already.
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 { throw failure("close to other users", path) }
    }

    private static func makeParents(of path: String) throws(CommandError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let parent = String(path[..<slash])
        if access(parent, F_OK) == 0 { return }
        try makeParents(of: parent)
        if mkdir(parent, 0o755) != 0, errno != EEXIST { throw failure("make", parent) }
    }

    private static func failure(_ operation: String, _ path: String) -> CommandError {
        let reason = String(cString: strerror(errno))
        return CommandError(
            "cannot \(operation) the data directory \(path): \(reason); mend that, or choose another one with --data-dir"
        )
    }
}
