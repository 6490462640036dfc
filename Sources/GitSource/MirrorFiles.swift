import CLibgit2
import Glibc

/// The files of a mirror's directory: making it, tidying it, setting it aside.
enum MirrorFiles {
    /// The number of packs above which they are merged into one at the next start.
    static let packLimit = 50

    /// Makes the bare repository, or readies one that a killed process may have left with locks and partial packs.
    static func prepare(_ directory: String, for url: RemoteURL) throws(GitError) {
        try GitLibrary.require()
        if FileSystem.exists("\(directory)/HEAD") {
            tidy(directory)
            try consolidate(directory)
            return
        }
        if FileSystem.exists(directory), !names(directory).isEmpty { _ = try setAside(directory) }
        do {
            try FileSystem.makeDirectories(directory)
            var repository: OpaquePointer?
            try check(libgit2.repository_init(&repository, directory, 1), "cannot make the mirror \(directory)")
            libgit2.repository_free(repository)
            try FileSystem.write("mirror of \(url)\n", to: "\(directory)/description")
        } catch let failure as FileSystem.Failure {
            throw failure.gitError
        } catch let error as GitError {
            throw error
        } catch {
            throw GitError(.other, "\(directory): \(error)")
        }
    }

    /// Renames a mirror that cannot be read; answers its new path.
    static func setAside(_ directory: String) throws(GitError) -> String {
        for number in 1...9 {
            let target = "\(directory).damaged-\(number)"
            if FileSystem.exists(target) { continue }
            guard rename(directory, target) == 0 else { throw FileSystem.Failure(directory).gitError }
            return target
        }
        throw GitError(
            .damaged,
            "\(directory) is damaged again and again (\(directory).damaged-1 to -9): check the disk, then remove those")
    }

    private static func names(_ directory: String) -> [String] {
        // An unreadable directory shows its fault where it is opened.
        (try? FileSystem.names(in: directory)) ?? []
    }

    /// Removes what only a killed process leaves: reference locks, partial packs. The mirror's lock is held.
    private static func tidy(_ directory: String) {
        for name in names("\(directory)/objects/pack") where !name.hasPrefix("pack-") {
            unlink("\(directory)/objects/pack/\(name)")
        }
        removeLocks(directory, depth: 0)
    }

    private static func removeLocks(_ directory: String, depth: Int) {
        for name in names(directory) where depth > 0 || name != "objects" {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".lock") {
                unlink(path)
            } else if depth < 16, FileSystem.isDirectory(path) {
                removeLocks(path, depth: depth + 1)
            }
        }
    }

    /// Merges many packs into one. Every object is kept, reachable or not: an old commit may be rolled back to.
    private static func consolidate(_ directory: String) throws(GitError) {
        let folder = "\(directory)/objects/pack"
        let packs = names(folder).filter { $0.hasSuffix(".pack") }
        guard packs.count > packLimit else { return }
        let repository = try Handle.repository(at: directory)
        let odb = try Handle.make("cannot open the objects of \(directory)", free: libgit2.odb_free) {
            libgit2.repository_odb($0, repository.pointer)
        }
        let builder = try Handle.make("cannot merge the packs of \(directory)", free: libgit2.packbuilder_free) {
            libgit2.packbuilder_new($0, repository.pointer)
        }
        let insert: git_odb_foreach_cb = { id, builder in
            libgit2.packbuilder_insert(builder.map { OpaquePointer($0) }, id, nil)
        }
        try check(
            libgit2.odb_foreach(odb.pointer, insert, UnsafeMutableRawPointer(builder.pointer)),
            "cannot read the objects of \(directory)")
        try check(
            libgit2.packbuilder_write(builder.pointer, folder, 0, nil, nil), "cannot merge the packs of \(directory)")
        let whole = String(cString: libgit2.packbuilder_name(builder.pointer)!)
        for name in packs where name != "pack-\(whole).pack" {
            // The index goes first: a pack without one is never looked into.
            unlink("\(folder)/\(name.dropLast(".pack".count)).idx")
            unlink("\(folder)/\(name)")
        }
    }
}

/// Keeps other processes out of a mirror while it is written. Released with the object, or the process.
final class MirrorLock {
    private let descriptor: CInt

    /// Waits for the lock as long as `proceed` says so.
    init(_ directory: String, while proceed: () -> Bool) throws(GitError) {
        let path = "\(directory).lock"
        do {
            try FileSystem.makeDirectories(String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)]))
        } catch {
            throw error.gitError
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.Failure(path).gitError }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw FileSystem.Failure(path).gitError }
            guard proceed() else { throw GitError(.timedOut, "another martlet process is using \(directory)") }
            // On the mirror's own thread; another process offers nothing to wait on but time.
            usleep(20_000)
        }
    }

    deinit { close(descriptor) }
}
