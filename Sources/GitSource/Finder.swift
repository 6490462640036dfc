import CLibgit2

/// A reference as a remote advertises it.
struct Advertised {
    var name: String
    var id: ObjectID
    /// For `HEAD`: the branch it stands for.
    var target: String?
}

/// A repository that can be asked for references and fetched from.
protocol Remote {
    /// All references, or those that may matter for `request`.
    func references(for request: RevisionRequest) throws(GitError) -> [Advertised]
    /// Brings a reference's objects here.
    func fetch(_ reference: Advertised) throws(GitError)
    /// Brings a commit here that no reference need point to; false when the remote does not offer that.
    func fetch(commit id: ObjectID) throws(GitError) -> Bool
    /// The full SHA of a commit that only the remote knows, from its beginning; `nil` when it cannot tell.
    func commit(startingWith prefix: String) throws(GitError) -> ObjectID?
    /// Brings all branches and tags here.
    func fetchEverything() throws(GitError)
}

/// Turns a request into a commit that is in the mirror.
struct Finder {
    let remote: any Remote
    let reader: ObjectReader
    let repository: Handle
    let url: RemoteURL

    func find(_ request: RevisionRequest) throws(GitError) -> ObjectID {
        let references = try remote.references(for: request)
        switch request {
        case .commit(let id): return try find(commit: id, references)
        case .head:
            if let head = references.first(where: { $0.name == "HEAD" }) { return try bring(head) }
        case .reference(let name):
            if let found = references.first(where: { $0.name == name }) { return try bring(found) }
        case .name(let name):
            for candidate in ["refs/heads/\(name)", "refs/tags/\(name)"] {
                if let found = references.first(where: { $0.name == candidate }) { return try bring(found) }
            }
            if let short = request.shortSHA, let id = try find(short: short, references) { return id }
        }
        throw missing(request, references)
    }

    /// The reference's commit, fetched unless its object is here already.
    private func bring(_ reference: Advertised) throws(GitError) -> ObjectID {
        if try reader.commit(reference.id) == nil { try remote.fetch(reference) }
        try keep(reference.name, reference.id)
        return reference.id
    }

    private func find(commit id: ObjectID, _ references: [Advertised]) throws(GitError) -> ObjectID {
        if let reference = references.first(where: { $0.id == id }) { return try bring(reference) }
        if try remote.fetch(commit: id), try reader.commit(id) != nil {
            try keep("commits/\(id)", id)
            return id
        }
        if !references.isEmpty { try remote.fetchEverything() }
        guard try reader.commit(id) != nil else { throw missing(.commit(id), references) }
        return id
    }

    private func find(short: String, _ references: [Advertised]) throws(GitError) -> ObjectID? {
        if let commit = try reader.commit(startingWith: short) { return commit.sha }
        if let reference = references.first(where: { $0.id.description.hasPrefix(short) }) {
            return try bring(reference)
        }
        if let id = try remote.commit(startingWith: short) { return try find(commit: id, references) }
        if !references.isEmpty { try remote.fetchEverything() }
        return try reader.commit(startingWith: short)?.sha
    }

    /// Remembers what a reference pointed to: the next fetch then tells the remote what is here.
    private func keep(_ name: String, _ id: ObjectID) throws(GitError) {
        let local = Self.localName(name)
        var current = git_oid()
        var wanted = id.oid
        if libgit2.reference_name_to_id(&current, repository.pointer, local) == 0,
            libgit2.oid_equal(&current, &wanted) == 1
        {
            return
        }
        var reference: OpaquePointer?
        try check(
            libgit2.reference_create(&reference, repository.pointer, local, &wanted, 1, nil), "cannot write \(local)")
        libgit2.reference_free(reference)
    }

    static func localName(_ name: String) -> String {
        "refs/martlet/" + (name.hasPrefix("refs/") ? name.dropFirst("refs/".count) : name[...])
    }

    private func missing(_ request: RevisionRequest, _ references: [Advertised]) -> GitError {
        let branches = references.filter { $0.name.hasPrefix("refs/heads/") }.map { String($0.name.dropFirst(11)) }
        let tags = references.filter { $0.name.hasPrefix("refs/tags/") }.map { String($0.name.dropFirst(10)) }
        guard !branches.isEmpty || !tags.isEmpty else {
            return GitError(.emptyRepository, "\(url) is empty: push a commit to it first")
        }
        let shown = branches.sorted().prefix(8).joined(separator: ", ") + (branches.count > 8 ? ", …" : "")
        let offer = branches.isEmpty ? "it has only tags" : "its branches are: \(shown)"
        switch request {
        case .head:
            return GitError(
                .revisionNotFound, "the HEAD of \(url) points to a branch that does not exist: name a branch; \(offer)")
        case .commit(let id):
            return GitError(
                .revisionNotFound,
                "\(url) has no commit \(id) on any branch or tag: push it, or name a branch; \(offer)")
        case .reference(let name), .name(let name):
            var oid = git_oid()
            let known = [name, "refs/heads/\(name)"].first {
                libgit2.reference_name_to_id(&oid, repository.pointer, Self.localName($0)) == 0
            }
            if known != nil {
                let last = ObjectID(oid).short
                return GitError(
                    .revisionNotFound, "\(url) has no \"\(name)\" any more (it was last seen at \(last)); \(offer)")
            }
            let guess = nearest(to: name, among: branches + tags).map { "; did you mean \"\($0)\"?" } ?? ""
            return GitError(
                .revisionNotFound,
                "\(url) has no branch, tag or commit \"\(name)\"\(guess.isEmpty ? "; \(offer)" : guess)")
        }
    }
}
