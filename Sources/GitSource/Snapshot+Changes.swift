import CLibgit2
import Glibc

/// A file that differs between two commits. Links are compared as links, not followed.
package struct FileChange: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case added, removed, modified }

    package var kind: Kind
    package var path: String
    package var before: ObjectID?
    package var after: ObjectID?
    /// Whether either side is a symbolic link or a submodule: what it stands for is not its own content.
    package var isIndirect = false
}

extension Snapshot {
    /// The files under `path` that differ from an earlier commit's, sorted by path.
    ///
    /// - Complexity: linear in the entries of the directories that changed; equal directories are not opened.
    package func changes(since earlier: Snapshot, under path: String) throws(GitError) -> [FileChange] {
        let path = try TreePath(path)
        let before = try earlier.node(at: path)
        let after = try node(at: path)
        return try reader.read { (repository, _) throws(GitError) in
            // After a mirror was set aside the earlier commit's objects may only be in the other one.
            var comparison = TreeComparison(repository: repository)
            try comparison.compare(before, after, path: path.text)
            return comparison.changes.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        }
    }

    private func node(at path: TreePath) throws(GitError) -> TreeNode? {
        try reader.read { (repository, _) throws(GitError) in
            let walk = TreeWalk(repository: repository, root: commit.tree, label: label, recursive: false)
            return try walk.resolve(path.components, hops: 0)
        }
    }
}

/// A walk down two trees side by side.
private struct TreeComparison {
    let repository: OpaquePointer
    var changes: [FileChange] = []

    mutating func compare(_ before: TreeNode?, _ after: TreeNode?, path: String) throws(GitError) {
        if before?.id == after?.id, before?.mode == after?.mode { return }
        let oldTree = before?.mode == .directory ? before?.id : nil
        let newTree = after?.mode == .directory ? after?.id : nil
        if oldTree != nil || newTree != nil { try compareTrees(oldTree, newTree, path: path) }
        let old = oldTree == nil ? before?.id : nil
        let new = newTree == nil ? after?.id : nil
        guard old != nil || new != nil else { return }
        let kind: FileChange.Kind = old == nil ? .added : new == nil ? .removed : .modified
        let isIndirect = [before?.mode, after?.mode].contains { $0 == .link || $0 == .submodule }
        changes.append(FileChange(kind: kind, path: path, before: old, after: new, isIndirect: isIndirect))
    }

    /// Merges two sorted entry lists; names become strings only where something differs.
    private mutating func compareTrees(_ old: ObjectID?, _ new: ObjectID?, path: String) throws(GitError) {
        let old = try old.map { (id) throws(GitError) in try tree(id) }
        let new = try new.map { (id) throws(GitError) in try tree(id) }
        let oldCount = old.map { libgit2.tree_entrycount($0.pointer) } ?? 0
        let newCount = new.map { libgit2.tree_entrycount($0.pointer) } ?? 0
        var (left, right) = (0, 0)
        while left < oldCount || right < newCount {
            let oldEntry = left < oldCount ? old.flatMap { libgit2.tree_entry_byindex($0.pointer, left) } : nil
            let newEntry = right < newCount ? new.flatMap { libgit2.tree_entry_byindex($0.pointer, right) } : nil
            let order =
                oldEntry == nil ? 1 : newEntry == nil ? -1 : libgit2.tree_entry_cmp(oldEntry, newEntry)
            if order <= 0 { left += 1 }
            if order >= 0 { right += 1 }
            if order == 0, libgit2.oid_equal(libgit2.tree_entry_id(oldEntry), libgit2.tree_entry_id(newEntry)) == 1,
                libgit2.tree_entry_filemode(oldEntry) == libgit2.tree_entry_filemode(newEntry)
            {
                continue
            }
            let oldNode = order <= 0 ? oldEntry.map { TreeWalk.node($0) } : nil
            let newNode = order >= 0 ? newEntry.map { TreeWalk.node($0) } : nil
            let name = oldNode?.name ?? newNode?.name ?? ""
            try compare(oldNode, newNode, path: path.isEmpty ? name : "\(path)/\(name)")
        }
    }

    private func tree(_ id: ObjectID) throws(GitError) -> Handle {
        var oid = id.oid
        return try Handle.make("cannot read the tree \(id)", free: libgit2.tree_free) {
            libgit2.tree_lookup($0, repository, &oid)
        }
    }
}
