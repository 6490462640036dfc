import GitSource
import Synchronization

/// A tree that remembers damage: a build takes what it cannot read for a fault of who asked for it, and goes on.
final class WatchedTree: FileTree {
    private let tree: any FileTree
    private let found = Mutex<GitError?>(nil)

    init(_ tree: any FileTree) {
        self.tree = tree
    }

    /// The first error of kind `damaged`.
    var damage: GitError? { found.withLock { $0 } }

    var label: String { tree.label }

    func files(under path: String, recursive: Bool) throws(GitError) -> FileListing {
        try noting { () throws(GitError) in try tree.files(under: path, recursive: recursive) }
    }

    func location(of path: String) throws(GitError) -> TreeLocation {
        try noting { () throws(GitError) in try tree.location(of: path) }
    }

    func locationIfPresent(of path: String) throws(GitError) -> TreeLocation? {
        try noting { () throws(GitError) in try tree.locationIfPresent(of: path) }
    }

    func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] {
        try noting { () throws(GitError) in try tree.content(of: file, limit: limit) }
    }

    private func noting<Value>(_ read: () throws(GitError) -> Value) throws(GitError) -> Value {
        do {
            return try read()
        } catch {
            if error.kind == .damaged { found.withLock { $0 = $0 ?? error } }
            throw error
        }
    }
}
