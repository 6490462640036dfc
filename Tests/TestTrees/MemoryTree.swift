package import GitSource

/// Files that only exist in a test.
package struct MemoryTree: FileTree {
    package var label: String { "the test" }
    package var texts: [String: [UInt8]]
    package var faults: [GitError] = []

    package init(_ texts: [String: String]) {
        self.texts = texts.mapValues { Array($0.utf8) }
    }

    package func files(under path: String, recursive: Bool) throws(GitError) -> FileListing {
        let prefix = path.isEmpty ? "" : path + "/"
        let paths = texts.keys.filter { name in
            name == path || name.hasPrefix(prefix) && (recursive || !name.dropFirst(prefix.count).contains("/"))
        }
        guard !paths.isEmpty || !faults.isEmpty else {
            throw GitError(.pathNotFound, "\(path) does not exist", path: path)
        }
        var listing = FileListing()
        listing.faults = faults
        listing.files = paths.sorted().map { FileEntry(path: $0, blob: WorkingTree.blobID(of: texts[$0] ?? [])) }
        return listing
    }

    package func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] { texts[file.path] ?? [] }
}
