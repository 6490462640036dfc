import CLibgit2
import Glibc

/// A cheap look at a repository on this machine, without opening any object: has a reference moved?
package struct LocalRepository: Sendable {
    /// The shared Git directory (`.git`, or the bare repository itself).
    package let gitDirectory: String

    /// `nil` when there is no repository at the path.
    ///
    /// - Throws: `GitError` where there is no libgit2.
    package init?(_ path: String) throws(GitError) {
        try GitLibrary.require()
        var repository: OpaquePointer?
        guard libgit2.repository_open_ext(&repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue, nil) == 0,
            let repository
        else { return nil }
        defer { libgit2.repository_free(repository) }
        guard let directory = libgit2.repository_commondir(repository) else { return nil }
        gitDirectory = String(cString: directory)
    }

    /// Changes whenever a reference does: of modification times and sizes of `HEAD`, `packed-refs` and `refs/`.
    ///
    /// - Complexity: one `lstat` per loose reference.
    package func fingerprint() -> UInt64 {
        // FNV-1a: stable between processes, unlike Hasher.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ value: UInt64) {
            hash ^= value
            hash = hash &* 0x100_0000_01b3
        }
        func mix(file path: String) -> Bool {
            guard let status = FileSystem.status(path) else {
                mix(1)
                return false
            }
            path.utf8.forEach { mix(UInt64($0)) }
            mix(UInt64(bitPattern: Int64(status.st_mtim.tv_sec)))
            mix(UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)))
            mix(UInt64(bitPattern: Int64(status.st_size)))
            mix(UInt64(status.st_ino))
            return status.st_mode & S_IFMT == S_IFDIR
        }
        for name in ["HEAD", "packed-refs"] { _ = mix(file: gitDirectory + name) }
        var folders = [gitDirectory + "refs"]
        while let folder = folders.popLast() {
            _ = mix(file: folder)
            for name in Self.names(folder) where mix(file: "\(folder)/\(name)") { folders.append("\(folder)/\(name)") }
        }
        return hash
    }

    /// The directories whose changes can move a reference.
    func referenceDirectories() -> [String] {
        var result = [gitDirectory]
        var folders = [gitDirectory + "refs"]
        while let folder = folders.popLast() {
            result.append(folder)
            for name in Self.names(folder) {
                let path = "\(folder)/\(name)"
                if FileSystem.isDirectory(path) { folders.append(path) }
            }
        }
        return result
    }

    private static func names(_ folder: String) -> [String] {
        // A folder that vanished in between has no names.
        (try? FileSystem.names(in: folder)) ?? []
    }
}

/// Tells when a push (or commit) moves a reference of a repository on this machine, within a millisecond of it.
///
/// inotify on the directories of references. Missing a change is possible only where inotify is (network file systems):
/// polling stays the ground truth, this makes it fast.
package actor PushWatcher {
    private nonisolated let thread = BlockingThread(name: "git-push")
    private nonisolated let repository: LocalRepository
    private nonisolated let events: CInt
    /// A pair: what cancellation writes to one end, so that waiting on the other ends at once.
    private nonisolated let wake: CInt
    private nonisolated let waker: CInt

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Throws: `GitError` when the machine's inotify instances are used up.
    package init(_ repository: LocalRepository) throws(GitError) {
        self.repository = repository
        events = inotify_init1(CInt(IN_CLOEXEC) | CInt(IN_NONBLOCK))
        var pair: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let isPaired = socketpair(AF_UNIX, kind, 0, &pair) == 0
        wake = pair[0]
        waker = pair[1]
        guard events >= 0, isPaired else {
            let reason = String(cString: strerror(errno))
            for descriptor in [events] + pair where descriptor >= 0 { close(descriptor) }
            throw GitError(
                .other, "cannot watch \(repository.gitDirectory) (\(reason)): raise fs.inotify.max_user_instances")
        }
        Self.watch(repository, events)
    }

    deinit {
        close(events)
        close(wake)
        close(waker)
    }

    private static func watch(_ repository: LocalRepository, _ events: CInt) {
        let mask = IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MODIFY
        var watched: [String] = []
        // Folders that appear between the listing and the watch are seen by the next listing.
        while case let directories = repository.referenceDirectories(), directories != watched {
            for directory in directories { inotify_add_watch(events, directory, UInt32(mask)) }
            watched = directories
        }
    }

    /// Returns after the next change; changes since the last call count, however many, as one.
    ///
    /// - Throws: `CancellationError`.
    package func change() async throws {
        try await withTaskCancellationHandler {
            try self.wait()
        } onCancel: {
            send(waker, "x", 1, CInt(MSG_NOSIGNAL))
        }
    }

    private func wait() throws {
        while true {
            try Task.checkCancellation()
            var requests = [
                pollfd(fd: events, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&requests, 2, -1) < 0, errno != EINTR { throw GitError(.other, "cannot wait for pushes") }
            var woken = [UInt8](repeating: 0, count: 64)
            if requests[1].revents != 0 { read(wake, &woken, woken.count) }
            if requests[0].revents != 0, drain() {
                // New folders of references (feature/…) are watched from now on.
                Self.watch(repository, events)
                return
            }
        }
    }

    /// Takes all waiting events; answers whether any can have moved a reference.
    private func drain() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var matters = false
        while true {
            let count = read(events, &buffer, buffer.count)
            guard count > 0 else { return matters }
            var offset = 0
            while offset + MemoryLayout<inotify_event>.size <= count {
                let event = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self) }
                let start = offset + MemoryLayout<inotify_event>.size
                let name = String(decoding: buffer[start..<(start + Int(event.len))].prefix { $0 != 0 }, as: UTF8.self)
                offset = start + Int(event.len)
                // Git writes x.lock and renames it to x; the repository's own directory also sees its other files.
                if !name.hasSuffix(".lock"), !Self.bystanders.contains(name) { matters = true }
            }
        }
    }

    private static let bystanders: Set<String> = [
        "index", "COMMIT_EDITMSG", "FETCH_HEAD", "ORIG_HEAD", "config", "description", "gc.pid", "objects", "logs",
    ]
}
