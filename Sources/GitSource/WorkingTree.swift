import CLibgit2
import Crypto
import Glibc
import Synchronization

/// A plain directory with the same face as a commit's tree, for `martlet diff` of files that are not committed yet.
package struct WorkingTree: FileTree {
    /// The real, absolute path of the directory; nothing outside it is read.
    package let root: String
    package var label: String { root }
    private let lastNamed = LastNamedFile()
    /// The folder that was looked into last and is itself real: the way to each of many files is the same.
    private let realFolder = KnownFolder()

    /// - Throws: `GitError` of kind `pathNotFound`.
    package init(_ path: String) throws(GitError) {
        guard let root = FileSystem.realPath(path) else {
            throw GitError(.pathNotFound, FileSystem.Failure(path).message, path: path)
        }
        self.root = root
    }

    /// The name that Git would give to a file of these bytes (`git hash-object`).
    ///
    /// Without libgit2, which reads all certificates of the machine when it is first used.
    package static func blobID(of bytes: [UInt8]) -> ObjectID {
        var hash = Insecure.SHA1()
        hash.update(data: Array("blob \(bytes.count)\0".utf8))
        hash.update(data: bytes)
        return ObjectID(hash.finalize())
    }

    package func files(under path: String, recursive: Bool) throws(GitError) -> FileListing {
        let path = try TreePath(path)
        let start = path.components.isEmpty ? root : "\(root)/\(path.text)"
        guard let real = FileSystem.realPath(start) else { throw notFound(path.components) }
        guard isInside(real) else {
            throw GitError(.symlink, "\(path.text) leads to \(real), outside \(root)", path: path.text)
        }
        var listing = FileListing()
        if FileSystem.isDirectory(real) {
            try walk(real, shown: path.text, recursive: recursive, ancestors: [], into: &listing)
        } else {
            add(real, shown: path.text, to: &listing)
        }
        listing.files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        return listing
    }

    package func location(of path: String) throws(GitError) -> TreeLocation {
        if let location = try locationIfPresent(of: path) { return location }
        let path = try TreePath(path)
        let isLink = FileSystem.status("\(root)/\(path.text)").map { $0.st_mode & S_IFMT == S_IFLNK } ?? false
        throw isLink ? brokenLink(path.text) : notFound(path.components)
    }

    package func locationIfPresent(of path: String) throws(GitError) -> TreeLocation? {
        let path = try TreePath(path)
        guard let real = realPath(of: path), isInside(real) else { return nil }
        let shown = String(real.dropFirst(root == "/" ? 1 : min(real.count, root.count + 1)))
        do {
            let bytes = try FileSystem.contents(of: real, limit: Self.contentLimit)
            let file = FileEntry(path: shown, blob: Self.blobID(of: bytes))
            lastNamed.content.withLock { $0 = (file, bytes) }
            return .file(file)
        } catch {
            // Mostly it is a file: nothing else is asked of it than its bytes.
            if FileSystem.isDirectory(real) { return .directory(shown) }
            throw error.code == EFBIG
                ? GitError(.tooLarge, "\(shown) has more than \(Self.contentLimit) bytes", path: shown) : error.gitError
        }
    }

    package func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] {
        do {
            if let bytes = lastNamed.take(file), bytes.count <= limit {
                try LargeFileStorage.refusePointer(bytes, path: file.path)
                return bytes
            }
            let bytes = try FileSystem.contents(of: root.isEmpty ? file.path : "\(root)/\(file.path)", limit: limit)
            try LargeFileStorage.refusePointer(bytes, path: file.path)
            return bytes
        } catch let failure as FileSystem.Failure {
            if failure.code == EFBIG {
                throw GitError(.tooLarge, "\(file.path) has more than \(limit) bytes", path: file.path)
            }
            throw failure.gitError
        } catch let error as GitError {
            throw error
        } catch {
            throw GitError(.other, "\(file.path): \(error)", path: file.path)
        }
    }

    /// The commit that is checked out here; `nil` when this is in no repository, or one without commits.
    package func head() throws(GitError) -> Commit? {
        try GitLibrary.require()
        var repository: OpaquePointer?
        guard libgit2.repository_open_ext(&repository, root, 0, nil) == 0, let repository else { return nil }
        let owned = Handle(repository) { libgit2.repository_free($0) }
        var reference: OpaquePointer?
        guard libgit2.repository_head(&reference, owned.pointer) == 0, let reference else { return nil }
        let head = Handle(reference) { libgit2.reference_free($0) }
        let commit = try Handle.make("cannot read the HEAD of \(root)", free: libgit2.object_free) {
            libgit2.reference_peel($0, head.pointer, GIT_OBJECT_COMMIT)
        }
        return Commit(commit.pointer)
    }

    /// `nil` where there is nothing.
    private func realPath(of path: TreePath) -> String? {
        let start = path.components.isEmpty ? root : "\(root)/\(path.text)"
        guard let slash = start.utf8.lastIndex(of: UInt8(ascii: "/")), slash > start.startIndex else {
            return FileSystem.realPath(start)
        }
        let folder = start[..<slash]
        // By bytes, as the system compares: a link may have a name that looks like a folder's.
        if realFolder.path.withLock({ $0.utf8.elementsEqual(folder.utf8) }) {
            guard let status = FileSystem.status(start) else { return nil }
            // What is no link lies where its folder does.
            if status.st_mode & S_IFMT != S_IFLNK { return start }
        }
        guard let real = FileSystem.realPath(start) else { return nil }
        if real.utf8.elementsEqual(start.utf8) { realFolder.path.withLock { $0 = String(folder) } }
        return real
    }

    private func isInside(_ path: String) -> Bool {
        path.utf8.elementsEqual(root.utf8) || path.utf8.starts(with: (root == "/" ? "/" : root + "/").utf8)
    }

    private func add(_ real: String, shown: String, to listing: inout FileListing) {
        do {
            let bytes = try FileSystem.contents(of: real, limit: Self.contentLimit)
            let mode = FileSystem.status(real)?.st_mode ?? 0
            listing.files.append(
                FileEntry(path: shown, blob: Self.blobID(of: bytes), isExecutable: mode & S_IXUSR != 0))
        } catch {
            // Only regular files can be manifests; a socket or a device is passed over.
            if error.code == EISDIR || error.code == ENXIO { return }
            listing.faults.append(
                error.code == EFBIG
                    ? GitError(.tooLarge, "\(shown) has more than \(Self.contentLimit) bytes", path: shown)
                    : GitError(error.gitError.kind, error.message, path: shown))
        }
    }

    private func walk(
        _ directory: String, shown: String, recursive: Bool, ancestors: [String], into listing: inout FileListing
    ) throws(GitError) {
        let names: [String]
        do {
            names = try FileSystem.names(in: directory)
        } catch {
            listing.faults.append(GitError(error.gitError.kind, error.message, path: shown))
            return
        }
        for name in names where name != ".git" {
            guard listing.files.count < fileLimit else {
                throw GitError(.tooLarge, "\(directory) has more than \(fileLimit) files: name a narrower path")
            }
            let path = "\(directory)/\(name)"
            let shownPath = shown.isEmpty ? name : "\(shown)/\(name)"
            guard let status = FileSystem.status(path) else { continue }
            var real = path
            if status.st_mode & S_IFMT == S_IFLNK {
                listing.followsLinks = true
                guard let target = FileSystem.realPath(path), isInside(target) else {
                    let message =
                        "\(shownPath) is a symbolic link that leads nowhere or out of \(root): link to a file inside it"
                    listing.faults.append(GitError(.symlink, message, path: shownPath))
                    continue
                }
                real = target
            }
            if !FileSystem.isDirectory(real) {
                add(real, shown: shownPath, to: &listing)
            } else if recursive, real == directory || ancestors.contains(real) {
                listing.faults.append(
                    GitError(
                        .symlink, "\(shownPath) is a symbolic link to a directory that it is in itself", path: shownPath
                    ))
            } else if recursive {
                try walk(
                    real, shown: shownPath, recursive: true, ancestors: ancestors + [directory], into: &listing)
            }
        }
    }

    private func notFound(_ components: [Substring]) -> GitError {
        var existing: [Substring] = []
        for component in components {
            guard FileSystem.exists(([root[...]] + existing + [component]).joined(separator: "/")) else { break }
            existing.append(component)
        }
        if existing.count == components.count { existing.removeLast() }
        let directory = ([root[...]] + existing).joined(separator: "/")
        // What cannot be listed has no names to suggest.
        let names = (try? FileSystem.names(in: directory)) ?? []
        return pathNotFound(components, existing: existing, names: names.filter { $0 != ".git" }, label: label)
    }
}

/// The bytes of the file whose content was named last: who asks for the place of a file mostly reads it next, and then
/// gets what was named, whatever is written meanwhile.
private final class LastNamedFile: Sendable {
    let content = Mutex<(file: FileEntry, bytes: [UInt8])?>(nil)

    /// The bytes of that file, which are then forgotten.
    func take(_ file: FileEntry) -> [UInt8]? {
        content.withLock { content in
            guard let (known, bytes) = content, known == file else { return nil }
            content = nil
            return bytes
        }
    }
}

private final class KnownFolder: Sendable {
    let path = Mutex("")
}
