import CLibgit2

/// A repository on this machine, read directly: one reference lookup instead of a listing, and a pack of just the
/// missing objects written straight into the mirror.
///
/// libgit2's own transport for paths lists every reference first, and fails when any of them is broken.
final class LocalRemote: Remote {
    private let url: RemoteURL
    private let source: Handle
    private let mirror: Handle
    private let directory: String
    private let transfer: Transfer

    init(path: String, url: RemoteURL, mirror: Handle, directory: String, transfer: Transfer) throws(GitError) {
        self.url = url
        self.mirror = mirror
        self.directory = directory
        self.transfer = transfer
        guard FileSystem.exists(path) else {
            throw GitError(.repositoryNotFound, "\(path) does not exist: give the path of a Git repository")
        }
        do {
            source = try Handle.repository(at: path)
        } catch {
            if case .failure(let failure) = Self.readable(path) { throw failure.gitError }
            throw GitError(
                .repositoryNotFound, "\(path) is no Git repository: run git init there, or give another path")
        }
    }

    private static func readable(_ path: String) -> Result<[String], FileSystem.Failure> {
        do throws(FileSystem.Failure) {
            return .success(try FileSystem.names(in: path))
        } catch {
            return .failure(error)
        }
    }

    func references(for request: RevisionRequest) throws(GitError) -> [Advertised] {
        guard transfer.mayContinue() else { throw GitError(.timedOut, "\(url): gave up") }
        let names: [String] =
            switch request {
            case .head: ["HEAD"]
            case .reference(let name): [name]
            case .name(let name): ["refs/heads/\(name)", "refs/tags/\(name)"]
            case .commit: []
            }
        let found = names.compactMap { lookup($0) }
        // Without a hit the error (or the search for a SHA) needs to know what there is.
        return found.isEmpty ? try everything() : found
    }

    private func lookup(_ name: String) -> Advertised? {
        var oid = git_oid()
        guard libgit2.reference_name_to_id(&oid, source.pointer, name) == 0 else { return nil }
        return Advertised(name: name, id: ObjectID(oid))
    }

    private func everything() throws(GitError) -> [Advertised] {
        var list = git_strarray()
        try check(libgit2.reference_list(&list, source.pointer), "cannot list the references of \(url)")
        defer { libgit2.strarray_dispose(&list) }
        return (0..<list.count).compactMap { list.strings?[$0].flatMap { lookup(String(cString: $0)) } }
            .filter { $0.name.hasPrefix("refs/heads/") || $0.name.hasPrefix("refs/tags/") }
    }

    func fetch(_ reference: Advertised) throws(GitError) {
        try copy([reference.id])
    }

    func fetch(commit id: ObjectID) throws(GitError) -> Bool {
        var oid = id.oid
        var object: OpaquePointer?
        guard libgit2.object_lookup(&object, source.pointer, &oid, GIT_OBJECT_COMMIT) == 0 else { return false }
        libgit2.object_free(object)
        try copy([id])
        return true
    }

    func commit(startingWith prefix: String) throws(GitError) -> ObjectID? {
        var oid = git_oid()
        guard libgit2.oid_fromstrn(&oid, prefix, prefix.utf8.count) == 0 else { return nil }
        var object: OpaquePointer?
        let code = libgit2.object_lookup_prefix(&object, source.pointer, &oid, prefix.utf8.count, GIT_OBJECT_COMMIT)
        if code == GIT_EAMBIGUOUS.rawValue {
            throw GitError(.ambiguousRevision, "\(prefix) fits more than one object of \(url): write more digits")
        }
        defer { libgit2.object_free(object) }
        return code == 0 ? object.map { ObjectID(libgit2.object_id($0)) } : nil
    }

    /// Everything that could be found was looked for in the source itself.
    func fetchEverything() throws(GitError) {}

    // MARK: Copying

    /// Packs what is reachable from `ids` and not yet here, into the mirror.
    private func copy(_ ids: [ObjectID]) throws(GitError) {
        do {
            try pack(ids)
        } catch {
            // An unreadable object here is the source's damage, not the mirror's: cloning anew would not help.
            guard error.kind == .damaged else { throw error }
            throw GitError(.other, "\(url) cannot be read (run git fsck there): \(error.message)")
        }
    }

    private func pack(_ ids: [ObjectID]) throws(GitError) {
        let walk = try Handle.make("cannot walk \(url)", free: libgit2.revwalk_free) {
            libgit2.revwalk_new($0, source.pointer)
        }
        let builder = try Handle.make("cannot pack \(url)", free: libgit2.packbuilder_free) {
            libgit2.packbuilder_new($0, source.pointer)
        }
        let payload = Unmanaged.passUnretained(transfer).toOpaque()
        _ = libgit2.packbuilder_set_callbacks(
            builder.pointer,
            { _, _, _, payload in
                guard let payload else { return 0 }
                let transfer = Transfer.from(payload)
                transfer.noteActivity()
                return transfer.mayContinue() ? 0 : GIT_EUSER.rawValue
            }, payload)
        for id in ids {
            var oid = try packTag(id, builder)
            try check(libgit2.revwalk_push(walk.pointer, &oid), "cannot read \(id) of \(url)")
        }
        try hideKnown(walk)
        try check(libgit2.packbuilder_insert_walk(builder.pointer, walk.pointer), "cannot pack \(url)")
        guard libgit2.packbuilder_object_count(builder.pointer) > 0 else { return }
        try write(builder)
    }

    /// Streams the pack through an indexer, which puts it in place only when it is whole.
    private func write(_ builder: Handle) throws(GitError) {
        let indexer = try Handle.make("cannot write to \(directory)", free: libgit2.indexer_free) {
            libgit2.indexer_new($0, "\(directory)/objects/pack", 0, nil, nil)
        }
        let sink = PackSink(indexer: indexer, transfer: transfer)
        let code = libgit2.packbuilder_foreach(
            builder.pointer,
            { bytes, size, payload in
                guard let bytes, let payload else { return GIT_EUSER.rawValue }
                return Unmanaged<PackSink>.fromOpaque(payload).takeUnretainedValue().append(bytes, size)
            }, Unmanaged.passUnretained(sink).toOpaque())
        try check(code > 0 ? GIT_EUSER.rawValue : code, "cannot copy \(url) into \(directory)")
        try check(libgit2.indexer_commit(indexer.pointer, &sink.stats), "cannot copy \(url) into \(directory)")
    }

    /// Adds an annotated tag's own object, and answers the commit it leads to.
    private func packTag(_ id: ObjectID, _ builder: Handle) throws(GitError) -> git_oid {
        var oid = id.oid
        let object = try Handle.make("cannot read \(id) of \(url)", free: libgit2.object_free) {
            libgit2.object_lookup($0, source.pointer, &oid, GIT_OBJECT_ANY)
        }
        if libgit2.object_type(object.pointer) == GIT_OBJECT_TAG {
            try check(libgit2.packbuilder_insert(builder.pointer, &oid, nil), "cannot pack the tag \(id)")
        }
        var peeled: OpaquePointer?
        guard libgit2.object_peel(&peeled, object.pointer, GIT_OBJECT_COMMIT) == 0, let peeled else {
            throw GitError(.invalidRevision, "\(id) of \(url) is no commit: name a branch or a tag of a commit")
        }
        defer { libgit2.object_free(peeled) }
        return libgit2.object_id(peeled)!.pointee
    }

    /// Leaves out what the mirror's references already reach.
    private func hideKnown(_ walk: Handle) throws(GitError) {
        var list = git_strarray()
        try check(libgit2.reference_list(&list, mirror.pointer), "cannot list the mirror's references")
        defer { libgit2.strarray_dispose(&list) }
        for position in 0..<list.count {
            var oid = git_oid()
            var object: OpaquePointer?
            guard let name = list.strings?[position], libgit2.reference_name_to_id(&oid, mirror.pointer, name) == 0,
                libgit2.object_lookup(&object, source.pointer, &oid, GIT_OBJECT_ANY) == 0
            else { continue }
            libgit2.object_free(object)
            // A tag of something else than a commit hides nothing.
            _ = libgit2.revwalk_hide(walk.pointer, &oid)
        }
    }
}

/// Where a pack that is being built goes.
private final class PackSink {
    let indexer: Handle
    let transfer: Transfer
    var stats = git_indexer_progress()

    init(indexer: Handle, transfer: Transfer) {
        self.indexer = indexer
        self.transfer = transfer
    }

    func append(_ bytes: UnsafeMutableRawPointer, _ size: Int) -> CInt {
        let code = libgit2.indexer_append(indexer.pointer, bytes, size, &stats)
        stats.received_bytes += size
        return code < 0 ? code : transfer.received(stats)
    }
}
