import CLibgit2

/// The tree of one commit, read from the mirror's objects: immutable, and cheap to keep.
package struct Snapshot: FileTree {
    package let commit: Commit
    let reader: ObjectReader

    package var label: String { "commit \(commit.sha.short)" }

    package func files(under path: String, recursive: Bool) throws(GitError) -> FileListing {
        let path = try TreePath(path)
        return try reader.read { (repository, _) throws(GitError) in
            var walk = TreeWalk(repository: repository, root: commit.tree, label: label, recursive: recursive)
            return try walk.list(path)
        }
    }

    package func location(of path: String) throws(GitError) -> TreeLocation {
        if let location = try locationIfPresent(of: path) { return location }
        let path = try TreePath(path)
        return try reader.read { (repository, _) throws(GitError) in
            throw try TreeWalk(repository: repository, root: commit.tree, label: label, recursive: false)
                .missing(path.components)
        }
    }

    package func locationIfPresent(of path: String) throws(GitError) -> TreeLocation? {
        let path = try TreePath(path)
        return try reader.read { (repository, _) throws(GitError) in
            let walk = TreeWalk(repository: repository, root: commit.tree, label: label, recursive: false)
            guard let (node, real) = try walk.locate(path.components, hops: 0) else { return nil }
            let text = real.joined(separator: "/")
            switch node.mode {
            case .directory: return .directory(text)
            case .submodule: throw TreeWalk.submodule(text, label)
            default: return .file(FileEntry(path: text, blob: node.id, isExecutable: node.mode == .executable))
            }
        }
    }

    package func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] {
        let bytes = try reader.read { (_, odb) throws(GitError) in
            var oid = file.blob.oid
            var size = 0
            var type = GIT_OBJECT_ANY
            try check(libgit2.odb_read_header(&size, &type, odb, &oid), "cannot read \(file.path) of \(label)")
            guard size <= limit else { throw tooLarge(file.path, size, limit) }
            let object = try Handle.make("cannot read \(file.path) of \(label)", free: libgit2.odb_object_free) {
                libgit2.odb_read($0, odb, &oid)
            }
            let start = libgit2.odb_object_data(object.pointer)
            return Array(UnsafeRawBufferPointer(start: start, count: libgit2.odb_object_size(object.pointer)))
        }
        try LargeFileStorage.refusePointer(bytes, path: file.path)
        return bytes
    }

    /// The name of the directory at `path` as a whole: equal names, equal content (but for what links lead to).
    /// `nil` when there is no directory.
    package func treeID(at path: String) throws(GitError) -> ObjectID? {
        let path = try TreePath(path)
        return try reader.read { (repository, _) throws(GitError) in
            let walk = TreeWalk(repository: repository, root: commit.tree, label: label, recursive: false)
            guard let node = try walk.resolve(path.components, hops: 0), node.mode == .directory else { return nil }
            return node.id
        }
    }

    /// This commit and its ancestors, newest first.
    package func history(limit: Int) throws(GitError) -> [Commit] {
        try reader.history(from: commit.sha, limit: limit)
    }
}

func tooLarge(_ path: String, _ size: Int, _ limit: Int) -> GitError {
    GitError(.tooLarge, "\(path) has \(size) bytes; a manifest may have \(limit)", path: path)
}

/// What a tree entry is, by Git's file modes.
enum EntryMode: Hashable {
    case directory, file, executable, link, submodule

    init(_ mode: git_filemode_t) {
        switch mode {
        case GIT_FILEMODE_TREE: self = .directory
        case GIT_FILEMODE_LINK: self = .link
        case GIT_FILEMODE_COMMIT: self = .submodule
        case GIT_FILEMODE_BLOB_EXECUTABLE: self = .executable
        default: self = .file
        }
    }
}

struct TreeNode: Hashable {
    var name: String
    var mode: EntryMode
    var id: ObjectID
}

/// One walk over a commit's tree, following links inside it.
struct TreeWalk {
    /// As many links as Linux follows in one path.
    static let linkLimit = 40

    let repository: OpaquePointer
    let root: ObjectID
    let label: String
    let recursive: Bool
    private var listing = FileListing()
    /// The real directories on the way down, so that a link to one of them is seen as a cycle.
    private var ancestors: [ObjectID] = []

    init(repository: OpaquePointer, root: ObjectID, label: String, recursive: Bool) {
        self.repository = repository
        self.root = root
        self.label = label
        self.recursive = recursive
    }

    mutating func list(_ path: TreePath) throws(GitError) -> FileListing {
        guard let node = try resolve(path.components, hops: 0) else { throw try notFound(path.components) }
        // A link on the way makes the listing depend on more than the tree at the path.
        listing.followsLinks = try resolve(path.components, hops: Self.linkLimit) == nil
        switch node.mode {
        case .directory: try walk(node.id, at: path.components, shown: path.components)
        case .submodule: throw Self.submodule(path.text, label)
        default: add(node, path: path.text)
        }
        listing.files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        return listing
    }

    private mutating func add(_ node: TreeNode, path: String) {
        listing.files.append(FileEntry(path: path, blob: node.id, isExecutable: node.mode == .executable))
    }

    /// - Parameters:
    ///   - path: where the directory really is; links in it are relative to that.
    ///   - shown: where the walk came from, which is what users know.
    private mutating func walk(_ id: ObjectID, at path: [Substring], shown: [Substring]) throws(GitError) {
        ancestors.append(id)
        defer { ancestors.removeLast() }
        guard ancestors.count < 256 else {
            throw GitError(.tooLarge, "\(shown.joined(separator: "/")) is nested too deeply in \(label)")
        }
        let prefix = shown.isEmpty ? "" : shown.joined(separator: "/") + "/"
        for node in try entries(of: id) {
            guard listing.files.count < fileLimit else {
                throw GitError(
                    .tooLarge, "\(prefix) has more than \(fileLimit) files in \(label): name a narrower path")
            }
            switch node.mode {
            case .file, .executable: add(node, path: prefix + node.name)
            case .submodule: listing.faults.append(Self.submodule(prefix + node.name, label))
            case .directory:
                if recursive { try walk(node.id, at: path + [node.name[...]], shown: shown + [node.name[...]]) }
            case .link:
                listing.followsLinks = true
                try follow(node, in: path, shown: shown)
            }
        }
    }

    private mutating func follow(_ link: TreeNode, in path: [Substring], shown: [Substring]) throws(GitError) {
        let name = (shown + [link.name[...]]).joined(separator: "/")
        let target = try text(of: link.id)
        guard let resolved = TreePath.resolve(target, in: path), let node = try resolve(resolved, hops: 1) else {
            let fault = TreePath.resolve(target, in: path) == nil ? "leaves the repository" : "leads nowhere"
            listing.faults.append(
                GitError(
                    .symlink, "\(name) is a symbolic link to \(target), which \(fault): link to a file inside it",
                    path: name))
            return
        }
        switch node.mode {
        case .file, .executable, .link: add(node, path: name)
        case .submodule: listing.faults.append(Self.submodule(name, label))
        case .directory where !recursive: break
        case .directory where ancestors.contains(node.id):
            listing.faults.append(
                GitError(.symlink, "\(name) is a symbolic link to a directory that it is in itself", path: name))
        case .directory: try walk(node.id, at: resolved, shown: shown + [link.name[...]])
        }
    }

    /// What is at a path, links on the way and at its end followed; `nil` when there is nothing or they go too far.
    func resolve(_ components: [Substring], hops: Int) throws(GitError) -> TreeNode? {
        try locate(components, hops: hops)?.node
    }

    /// The same, and where it really is.
    func locate(_ components: [Substring], hops: Int) throws(GitError) -> (node: TreeNode, path: [Substring])? {
        var node = TreeNode(name: "", mode: .directory, id: root)
        for (position, component) in components.enumerated() {
            guard node.mode == .directory, let child = try entry(String(component), of: node.id) else { return nil }
            node = child
            guard node.mode == .link else { continue }
            guard hops < Self.linkLimit,
                let target = TreePath.resolve(try text(of: node.id), in: Array(components[..<position]))
            else { return nil }
            return try locate(target + components[(position + 1)...], hops: hops + 1)
        }
        return (node, components)
    }

    static func submodule(_ path: String, _ label: String) -> GitError {
        GitError(
            .submodule,
            "\(path) is a submodule in \(label), which Martlet does not read: add its repository as an Application of its own",
            path: path)
    }

    /// The same for what may be a link that leads nowhere.
    func missing(_ components: [Substring]) throws(GitError) -> GitError {
        if let parent = try resolve(Array(components.dropLast()), hops: 0), parent.mode == .directory,
            let name = components.last, let found = try entry(String(name), of: parent.id), found.mode == .link
        {
            return brokenLink(components.joined(separator: "/"))
        }
        return try notFound(components)
    }

    /// Names the nearest directory that exists and what is in it.
    private func notFound(_ components: [Substring]) throws(GitError) -> GitError {
        var existing: [Substring] = []
        var directory = root
        for component in components {
            guard let node = try resolve(existing + [component], hops: 0), node.mode == .directory else { break }
            existing.append(component)
            directory = node.id
        }
        let names = try entries(of: directory).map(\.name)
        return pathNotFound(components, existing: existing, names: names, label: label)
    }

    // MARK: Reading trees

    private func tree(_ id: ObjectID) throws(GitError) -> Handle {
        var oid = id.oid
        return try Handle.make("cannot read the tree \(id) of \(label)", free: libgit2.tree_free) {
            libgit2.tree_lookup($0, repository, &oid)
        }
    }

    func entries(of id: ObjectID) throws(GitError) -> [TreeNode] {
        let tree = try tree(id)
        return (0..<libgit2.tree_entrycount(tree.pointer)).compactMap { position in
            libgit2.tree_entry_byindex(tree.pointer, position).map { Self.node($0) }
        }
    }

    private func entry(_ name: String, of id: ObjectID) throws(GitError) -> TreeNode? {
        let tree = try tree(id)
        return libgit2.tree_entry_byname(tree.pointer, name).map { Self.node($0) }
    }

    static func node(_ entry: OpaquePointer) -> TreeNode {
        TreeNode(
            name: String(cString: libgit2.tree_entry_name(entry)!), mode: EntryMode(libgit2.tree_entry_filemode(entry)),
            id: ObjectID(libgit2.tree_entry_id(entry)))
    }

    /// A link's target.
    private func text(of id: ObjectID) throws(GitError) -> String {
        var oid = id.oid
        let blob = try Handle.make("cannot read a link of \(label)", free: libgit2.blob_free) {
            libgit2.blob_lookup($0, repository, &oid)
        }
        let size = min(Int(libgit2.blob_rawsize(blob.pointer)), 4096)
        return String(
            decoding: UnsafeRawBufferPointer(start: libgit2.blob_rawcontent(blob.pointer), count: size), as: UTF8.self)
    }
}

func pathNotFound(
    _ components: [Substring], existing: [Substring], names: [String], label: String
) -> GitError {
    let path = components.joined(separator: "/")
    let here = existing.isEmpty ? "its root" : "\"\(existing.joined(separator: "/"))\""
    let missing = String(components[existing.count])
    var message = "the path \"\(path)\" does not exist in \(label): "
    if let name = nearest(to: missing, among: names) {
        message += "did you mean \"\((existing + [name[...]]).joined(separator: "/"))\"?"
    } else {
        let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
        message += "\(here) has \(names.isEmpty ? "nothing" : shown)"
    }
    return GitError(.pathNotFound, message, path: path)
}
