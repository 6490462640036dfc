import CLibgit2
import Synchronization

/// Reads objects of one repository, from any thread: each read holds the lock, and is a memory-mapped file away.
final class ObjectReader: Sendable {
    /// Confines a libgit2 handle to whoever holds the lock around it.
    ///
    /// `@unchecked`: used inside `state.withLock` only.
    private struct Confined: @unchecked Sendable {
        var repository: Handle?
        var odb: Handle?
    }

    let path: String
    private let alternate: String?
    private let state = Mutex(Confined())

    /// - Parameter alternate: another directory in which objects are looked for.
    init(path: String, alternate: String? = nil) {
        self.path = path
        self.alternate = alternate
    }

    /// Calls `body` with the open repository and its object database.
    ///
    /// What fails as damaged is tried once more with fresh handles: packs may have been consolidated under us.
    func read<Value: Sendable>(
        _ body: (_ repository: OpaquePointer, _ odb: OpaquePointer) throws(GitError) -> Value
    ) throws(GitError) -> Value {
        let result: Result<Value, GitError> = state.withLock { handles in
            do throws(GitError) {
                return .success(try attempt(body, &handles))
            } catch {
                guard error.kind == .damaged else { return .failure(error) }
            }
            handles = Confined()
            do throws(GitError) {
                return .success(try attempt(body, &handles))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func attempt<Value>(
        _ body: (OpaquePointer, OpaquePointer) throws(GitError) -> Value, _ handles: inout Confined
    ) throws(GitError) -> Value {
        if let repository = handles.repository, let odb = handles.odb {
            return try body(repository.pointer, odb.pointer)
        }
        let repository = try Handle.repository(at: path)
        let odb = try Handle.make("cannot open the objects of \(path)", free: libgit2.odb_free) {
            libgit2.repository_odb($0, repository.pointer)
        }
        if let alternate, libgit2.odb_add_disk_alternate(odb.pointer, alternate) != 0 {
            throw GitError(.damaged, "cannot open the objects of \(alternate)")
        }
        handles = Confined(repository: repository, odb: odb)
        return try body(repository.pointer, odb.pointer)
    }

    /// The commit of that name; a tag is followed to its commit. `nil` when there is none.
    func commit(_ id: ObjectID) throws(GitError) -> Commit? {
        try read { (repository, odb) throws(GitError) in
            var oid = id.oid
            guard libgit2.odb_exists(odb, &oid) == 1 else { return nil }
            let object = try Handle.make("cannot read \(id)", free: libgit2.object_free) {
                libgit2.object_lookup($0, repository, &oid, GIT_OBJECT_ANY)
            }
            var peeled: OpaquePointer?
            guard libgit2.object_peel(&peeled, object.pointer, GIT_OBJECT_COMMIT) == 0, let peeled else {
                throw GitError(.invalidRevision, "\(id) is no commit: name a commit, a branch or a tag of a commit")
            }
            defer { libgit2.object_free(peeled) }
            return Commit(peeled)
        }
    }

    /// The one commit whose SHA starts with `prefix`; `nil` when there is none.
    ///
    /// - Throws: `GitError` of kind `ambiguousRevision`.
    func commit(startingWith prefix: String) throws(GitError) -> Commit? {
        let id = try read { (repository, _) throws(GitError) -> ObjectID? in
            var oid = git_oid()
            guard libgit2.oid_fromstrn(&oid, prefix, prefix.utf8.count) == 0 else { return nil }
            var object: OpaquePointer?
            let code = libgit2.object_lookup_prefix(&object, repository, &oid, prefix.utf8.count, GIT_OBJECT_COMMIT)
            if code == GIT_EAMBIGUOUS.rawValue {
                throw GitError(.ambiguousRevision, "\(prefix) fits more than one object: write more digits")
            }
            guard code == 0, let object else { return nil }
            defer { libgit2.object_free(object) }
            return ObjectID(libgit2.object_id(object))
        }
        return try id.flatMap { (id) throws(GitError) in try commit(id) }
    }

    /// Commits from `id` on, newest first, at most `limit`.
    func history(from id: ObjectID, limit: Int) throws(GitError) -> [Commit] {
        let ids = try read { (repository, _) throws(GitError) -> [ObjectID] in
            let walk = try Handle.make("cannot walk the history", free: libgit2.revwalk_free) {
                libgit2.revwalk_new($0, repository)
            }
            _ = libgit2.revwalk_sorting(walk.pointer, GIT_SORT_TOPOLOGICAL.rawValue | GIT_SORT_TIME.rawValue)
            var oid = id.oid
            try check(libgit2.revwalk_push(walk.pointer, &oid), "cannot walk the history from \(id)")
            var ids: [ObjectID] = []
            while ids.count < limit, libgit2.revwalk_next(&oid, walk.pointer) == 0 { ids.append(ObjectID(oid)) }
            return ids
        }
        var commits: [Commit] = []
        for id in ids { if let commit = try commit(id) { commits.append(commit) } }
        return commits
    }
}
