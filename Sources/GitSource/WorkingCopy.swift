import CLibgit2
import Glibc

/// A repository on this machine that a person works in: its folder, its remotes, and its revisions by any name that
/// `git rev-parse` understands. Nothing is fetched or copied: objects are read where they are.
package struct WorkingCopy: Sendable {
    /// The real path of the top folder of its files; of a bare repository, its own directory.
    package let root: String
    package let isBare: Bool
    /// The URLs of its remotes.
    package let remotes: [String]
    private let reader: ObjectReader

    /// `nil` when the path lies in no repository.
    ///
    /// - Parameters:
    ///   - path: an existing file or folder.
    ///   - quarantine: a directory with more objects: those of a push that a hook is asked about.
    /// - Throws: `GitError` where there is no libgit2.
    package init?(containing path: String, quarantine: String? = nil) throws(GitError) {
        guard let real = FileSystem.realPath(path), Self.mayBeInside(real) else { return nil }
        try GitLibrary.require()
        var opened: OpaquePointer?
        guard libgit2.repository_open_ext(&opened, real, 0, nil) == 0, let opened else { return nil }
        let repository = Handle(opened) { libgit2.repository_free($0) }
        guard let directory = libgit2.repository_path(repository.pointer).map({ String(cString: $0) }),
            let gitDirectory = FileSystem.realPath(directory)
        else { return nil }
        isBare = libgit2.repository_is_bare(repository.pointer) == 1
        if isBare {
            // A folder inside a repository's own files is no place for manifests.
            guard gitDirectory == real else { return nil }
            root = real
        } else {
            guard let folder = libgit2.repository_workdir(repository.pointer).map({ String(cString: $0) }),
                let folder = FileSystem.realPath(folder), real == folder || real.hasPrefix(folder + "/")
            else { return nil }
            root = folder
        }
        remotes = Self.remotes(of: repository)
        reader = ObjectReader(path: gitDirectory, alternate: quarantine)
    }

    /// Whether a repository may be here or in a folder above; libgit2, which takes a while to be ready, says whether it
    /// is one.
    private static func mayBeInside(_ real: String) -> Bool {
        var folder = real
        while true {
            if FileSystem.exists("\(folder)/.git") || FileSystem.exists("\(folder)/HEAD") { return true }
            guard let slash = folder.lastIndex(of: "/") else { return false }
            folder = String(folder[..<slash])
            if folder.isEmpty { return FileSystem.exists("/.git") || FileSystem.exists("/HEAD") }
        }
    }

    private static func remotes(of repository: Handle) -> [String] {
        var names = git_strarray()
        guard libgit2.remote_list(&names, repository.pointer) == 0 else { return [] }
        defer { libgit2.strarray_dispose(&names) }
        return (0..<names.count).compactMap { index in
            var remote: OpaquePointer?
            guard let name = names.strings[index], libgit2.remote_lookup(&remote, repository.pointer, name) == 0 else {
                return nil
            }
            defer { libgit2.remote_free(remote) }
            return libgit2.remote_url(remote).map { String(cString: $0) }
        }
    }

    /// Where an existing file or folder lies: its path from the root, `""` for the root itself.
    package func path(of path: String) -> String? {
        guard let real = FileSystem.realPath(path) else { return nil }
        if real == root { return "" }
        return real.hasPrefix(root + "/") ? String(real.dropFirst(root.count + 1)) : nil
    }

    /// Whether a repository URL means this repository or one of its remotes.
    ///
    /// The same place counts under another scheme or user, and with or without `.git`.
    package func isClone(of url: String) -> Bool {
        guard let wanted = Self.place(url) else { return false }
        return wanted == Self.place(root) || remotes.contains { Self.place($0) == wanted }
    }

    /// `host/path` of a remote repository, the real path of a local one.
    private static func place(_ url: String) -> String? {
        // What is no URL for Martlet is none that an Application can name.
        guard let parsed = try? RemoteURL(url) else { return nil }
        let text: String
        switch parsed.location {
        case .local(let path): text = FileSystem.realPath(path) ?? path
        case .http:
            text = String(parsed.description.drop { $0 != "/" }.drop { $0 == "/" })
        case .ssh(let host, let port, let path):
            text = host + (port.map { ":\($0)" } ?? "") + (path.hasPrefix("/") ? path : "/\(path)")
        }
        return text.hasSuffix(".git") ? String(text.dropLast(4)) : text
    }

    /// The tree of a revision: a branch, `origin/main`, a tag, a SHA or its beginning, `HEAD~2`.
    ///
    /// - Throws: `GitError` of kind `revisionNotFound`, `ambiguousRevision`, `invalidRevision`, `damaged`.
    package func snapshot(_ revision: String) throws(GitError) -> Snapshot {
        let id = try reader.read { (repository, _) throws(GitError) -> ObjectID in
            var object: OpaquePointer?
            let code = libgit2.revparse_single(&object, repository, revision)
            if code == GIT_EAMBIGUOUS.rawValue {
                throw GitError(.ambiguousRevision, "\(revision) fits more than one object: write more digits")
            }
            guard code == 0, let object else { throw notFound(revision, repository) }
            defer { libgit2.object_free(object) }
            return ObjectID(libgit2.object_id(object))
        }
        guard let commit = try reader.commit(id) else {
            throw GitError(.damaged, "\(root) lacks the commit \(id), which \(revision) stands for: run git fsck")
        }
        return Snapshot(commit: commit, reader: reader)
    }

    private func notFound(_ revision: String, _ repository: OpaquePointer) -> GitError {
        var list = git_strarray()
        guard libgit2.reference_list(&list, repository) == 0 else {
            return GitError(.revisionNotFound, "\(root) has no revision \"\(revision)\"")
        }
        defer { libgit2.strarray_dispose(&list) }
        let prefixes = ["refs/heads/", "refs/remotes/", "refs/tags/"]
        let names = (0..<list.count).compactMap { index in list.strings[index].map { String(cString: $0) } }
            .compactMap { name in
                prefixes.first { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) }
            }.sorted()
        if names.isEmpty {
            return GitError(.emptyRepository, "\(root) has no commits yet, so it has no revision \"\(revision)\"")
        }
        if let guess = nearest(to: revision, among: names) {
            return GitError(.revisionNotFound, "\(root) has no revision \"\(revision)\"; did you mean \"\(guess)\"?")
        }
        let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        return GitError(.revisionNotFound, "\(root) has no revision \"\(revision)\"; it has: \(shown)")
    }
}
