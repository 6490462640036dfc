/// A file in a tree, symbolic links already followed.
package struct FileEntry: Sendable, Hashable {
    /// From the root of the repository, without a leading slash. For what a link leads to: the link's own path.
    package var path: String
    /// The name of its content: equal names, equal bytes.
    package var blob: ObjectID
    package var isExecutable: Bool

    package init(path: String, blob: ObjectID, isExecutable: Bool = false) {
        self.path = path
        self.blob = blob
        self.isExecutable = isExecutable
    }

    /// The last component of the path.
    package var name: Substring { path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...] }
}

/// The files under one path.
package struct FileListing: Sendable, Hashable {
    /// Sorted by path, as bytes.
    package var files: [FileEntry] = []
    /// What could not be listed: submodules, links that lead nowhere or out of the tree. The other files stand.
    package var faults: [GitError] = []
    /// Whether a link was followed: the content then depends on more than the directory's own id.
    package var followsLinks = false

    package init() {}
}

/// A tree of files that does not change while it is read: a commit's, or a directory on disk.
package protocol FileTree: Sendable {
    /// For messages: `commit 1a2b3c4`, or the directory.
    var label: String { get }

    /// Files under `path` (a directory, or a single file; `""` or `.` is the root).
    ///
    /// - Throws: `GitError` of kind `pathNotFound`, `tooLarge`, `damaged`.
    func files(under path: String, recursive: Bool) throws(GitError) -> FileListing

    /// What stands at `path`, links on the way followed.
    ///
    /// - Throws: `GitError` of kind `pathNotFound` (also for a link that leads nowhere, out of the tree or in a
    ///   circle), `submodule`, `tooLarge`, `damaged`.
    func location(of path: String) throws(GitError) -> TreeLocation

    /// The same for who only tries whether something is there: `nil` where `location` would throw `pathNotFound`, which
    /// looks for names to suggest.
    func locationIfPresent(of path: String) throws(GitError) -> TreeLocation?

    /// A file's bytes.
    ///
    /// - Throws: `GitError` of kind `tooLarge` (above `limit` bytes), `lfsPointer`, `damaged`.
    func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8]
}

extension FileTree {
    /// Manifests above this size are certainly a mistake; Kubernetes' own bound on an object is 1.5 MiB.
    package static var contentLimit: Int { 16 << 20 }

    package func content(of file: FileEntry) throws(GitError) -> [UInt8] {
        try content(of: file, limit: Self.contentLimit)
    }
}

/// What a path leads to; paths here are those behind all links.
package enum TreeLocation: Sendable, Hashable {
    case file(FileEntry)
    case directory(String)
}

extension FileTree {
    package func locationIfPresent(of path: String) throws(GitError) -> TreeLocation? {
        do {
            return try location(of: path)
        } catch {
            if error.kind == .pathNotFound { return nil }
            throw error
        }
    }

    /// For trees without links.
    package func location(of path: String) throws(GitError) -> TreeLocation {
        let path = try TreePath(path).text
        let listing = try files(under: path, recursive: false)
        if let file = listing.files.first, listing.files.count == 1, file.path == path { return .file(file) }
        return .directory(path)
    }
}

/// The most files that one listing may have.
let fileLimit = 200_000

/// A path inside a repository, split and checked.
struct TreePath {
    var components: [Substring]

    /// - Throws: `GitError` of kind `pathNotFound` for an absolute path or one that leaves the tree.
    init(_ path: String) throws(GitError) {
        components = path.utf8.split(separator: UInt8(ascii: "/")).map { Substring($0) }.filter { $0 != "." }
        guard !path.hasPrefix("/"), !components.contains("..") else {
            throw GitError(
                .pathNotFound, "the path \"\(path)\" must be relative to the repository's root and stay inside it",
                path: path)
        }
    }

    var text: String { components.joined(separator: "/") }

    /// `target` of a link in the directory `parent`, resolved; `nil` when it is absolute or leaves the tree.
    static func resolve(_ target: String, in parent: [Substring]) -> [Substring]? {
        if target.hasPrefix("/") { return nil }
        var result = parent
        for component in target.split(separator: "/") where component != "." {
            if component == ".." {
                if result.isEmpty { return nil }
                result.removeLast()
            } else {
                result.append(component)
            }
        }
        return result
    }
}

func brokenLink(_ path: String) -> GitError {
    GitError(
        .pathNotFound,
        "\(path) is a symbolic link that leads nowhere, in a circle or out of the tree: link to a file inside it",
        path: path)
}

enum LargeFileStorage {
    private static let mark = Array("version https://git-lfs.github.com/spec/".utf8)

    /// Refuses the pointer that stands in a commit where Git LFS keeps the file itself elsewhere.
    static func refusePointer(_ bytes: [UInt8], path: String) throws(GitError) {
        if bytes.count < 1024, bytes.starts(with: mark) {
            throw GitError(
                .lfsPointer,
                "\(path) is kept in Git LFS, which Martlet does not read: commit the file itself (git lfs untrack)",
                path: path)
        }
    }
}
