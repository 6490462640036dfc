package import GitSource
import Kinds
package import Kustomize
package import Model

/// Which files of a tree are manifests, and what they are rendered for (Argo CD's `source.path` and
/// `source.directory`).
package struct RenderingOptions: Sendable, Hashable {
    /// A directory, or a single file; `""` is the repository's root.
    package var path: String
    package var recurse: Bool
    /// Matched against paths relative to `path`; `nil` takes every manifest file.
    package var include: Glob?
    package var exclude: Glob?
    /// Where namespaced objects go that name no namespace (`destination.namespace`).
    package var namespace: String
    /// Whether a file that holds no manifests at all is passed over instead of being a fault: among all files of a
    /// repository there are some for other tools.
    package var passesOverOthers = false

    package init(
        path: String = "", recurse: Bool = false, include: Glob? = nil, exclude: Glob? = nil,
        namespace: String = "default"
    ) {
        self.path = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        self.recurse = recurse
        self.include = include
        self.exclude = exclude
        self.namespace = namespace
    }
}

/// One file's share of a rendering. Shared between renderings while the file does not change.
final class RenderedFile: Sendable {
    let entry: FileEntry
    let manifests: [Manifest]
    let errors: [RenderingError]
    /// Whether it defines kinds of its own, on which other files' scope depends.
    let definesKinds: Bool

    init(_ entry: FileEntry, _ manifests: [Manifest], _ errors: [RenderingError]) {
        self.entry = entry
        self.manifests = manifests
        self.errors = errors
        definesKinds = manifests.contains { $0.key.kind == DefinedKinds.definition }
    }

    func precedes(_ other: RenderedFile) -> Bool {
        entry.path.utf8.lexicographicallyPrecedes(other.entry.path.utf8)
    }
}

/// How a tree was rendered.
package enum RenderingForm: Sendable {
    /// Every file by itself.
    case files
    /// The path has a kustomization, which was built.
    case kustomize(KustomizeBuild)
    /// The path has a kustomization with a base in a repository whose tree has to be brought first.
    case needs(RemoteBase)
    /// The mirror of a base's repository is damaged: it has to be fetched anew.
    case damaged(RemoteBase, GitError)
}

/// All objects that a tree of files asks for, and what is wrong with it.
package struct Manifests: Sendable {
    package let tree: any FileTree
    package let options: RenderingOptions
    let kindsVersion: Int
    /// Sorted by path.
    var files: [RenderedFile]
    /// Faults of the tree rather than of a file's text.
    var treeErrors: [RenderingError]
    /// Whether the rendering depends on the tree beyond `options.path`, or is not per file: then it is never reused.
    var isIndirect: Bool
    package let form: RenderingForm
    /// For each object the files that define it, in order; nearly always one.
    private(set) var places: [ObjectKey: [RenderedFile]] = [:]
    private var duplicates: Set<ObjectKey> = []

    init(
        tree: any FileTree, options: RenderingOptions, kindsVersion: Int, files: [RenderedFile],
        treeErrors: [RenderingError], isIndirect: Bool, form: RenderingForm = .files
    ) {
        self.form = form
        self.tree = tree
        self.options = options
        self.kindsVersion = kindsVersion
        self.files = files
        self.treeErrors = treeErrors
        self.isIndirect = isIndirect
        places.reserveCapacity(files.count)
        for file in files { enter(file) }
    }

    /// The same files of another tree.
    init(_ other: Manifests, tree: any FileTree) {
        self.tree = tree
        form = other.form
        options = other.options
        kindsVersion = other.kindsVersion
        files = other.files
        treeErrors = other.treeErrors
        isIndirect = other.isIndirect
        places = other.places
        duplicates = other.duplicates
    }

    // MARK: What was rendered

    /// Every object once, in the order of files and documents. Of duplicates the first.
    package var manifests: [Manifest] {
        var result: [Manifest] = []
        result.reserveCapacity(places.count)
        for file in files {
            if duplicates.isEmpty {
                result += file.manifests
            } else {
                result += file.manifests.enumerated().filter { isFirst($0.element, at: $0.offset, in: file) }.map(
                    \.element)
            }
        }
        return result
    }

    /// Every object of every file, duplicates included.
    package var allManifests: [Manifest] { files.flatMap(\.manifests) }

    package var count: Int { places.count }

    /// The object of that key; `nil` when the repository has none.
    package subscript(key: ObjectKey) -> Manifest? {
        places[key]?.first?.manifests.first { $0.key == key }
    }

    /// What is wrong, sorted by file and place. Objects beside a fault are rendered nevertheless.
    package var errors: [RenderingError] {
        let all = treeErrors + files.flatMap(\.errors) + duplicateErrors()
        return all.sorted { left, right in
            let start = Mark(line: 0, column: 0)
            return (left.file, left.mark ?? start, left.message) < (right.file, right.mark ?? start, right.message)
        }
    }

    /// Objects that differ, or may differ, from an earlier rendering: those of files that are not the very same.
    ///
    /// - Complexity: linear in the number of files, without comparing objects of unchanged files.
    package func keysChanged(since earlier: Manifests) -> Set<ObjectKey> {
        var keys: Set<ObjectKey> = duplicates.symmetricDifference(earlier.duplicates)
        var (old, new) = (0, 0)
        // Both are sorted by path.
        while old < earlier.files.count || new < files.count {
            let before = old < earlier.files.count ? earlier.files[old] : nil
            let after = new < files.count ? files[new] : nil
            if let before, let after, before === after {
                (old, new) = (old + 1, new + 1)
                continue
            }
            if let before, after.map({ !$0.precedes(before) }) ?? true {
                keys.formUnion(before.manifests.map(\.key))
                old += 1
            }
            if let after, before.map({ !$0.precedes(after) }) ?? true {
                keys.formUnion(after.manifests.map(\.key))
                new += 1
            }
        }
        return keys
    }

    private func isFirst(_ manifest: Manifest, at position: Int, in file: RenderedFile) -> Bool {
        guard duplicates.contains(manifest.key) else { return true }
        return places[manifest.key]?.first === file
            && file.manifests.firstIndex { $0.key == manifest.key } == position
    }

    private func duplicateErrors() -> [RenderingError] {
        duplicates.sorted().flatMap { key -> [RenderingError] in
            let all = (places[key] ?? []).flatMap { file in file.manifests.filter { $0.key == key } }
            // A file with two of them stands in `places` twice.
            var seen: Set<ManifestSource> = []
            let sources = all.map(\.source).filter { seen.insert($0).inserted }
            guard let first = sources.first else { return [] }
            return sources.dropFirst().map { source in
                RenderingError(
                    file: source.file, mark: source.mark,
                    message: "\(key) is already defined at \(first.file):\(first.mark): remove one of the two",
                    reason: .duplicate)
            }
        }
    }

    // MARK: Changing single files

    private mutating func enter(_ file: RenderedFile) {
        for manifest in file.manifests {
            places[manifest.key, default: []].append(file)
            if let count = places[manifest.key]?.count, count > 1 {
                places[manifest.key]?.sort { $0.entry.path < $1.entry.path }
                duplicates.insert(manifest.key)
            }
        }
    }

    private mutating func leave(_ file: RenderedFile) {
        for key in Set(file.manifests.map(\.key)) {
            let rest = (places[key] ?? []).filter { $0 !== file }
            places[key] = rest.isEmpty ? nil : rest
            if rest.count < 2 { duplicates.remove(key) }
        }
    }

    /// Puts a file in place of the one of its path, if any; `nil` removes that.
    mutating func replace(_ path: String, with file: RenderedFile?) {
        let position = files.partitioningIndex { $0.entry.path.utf8.lexicographicallyPrecedes(path.utf8) }
        let exists = position < files.count && files[position].entry.path == path
        if exists { leave(files[position]) }
        switch (exists, file) {
        case (true, let file?): files[position] = file
        case (true, nil): files.remove(at: position)
        case (false, let file?): files.insert(file, at: position)
        case (false, nil): break
        }
        if let file { enter(file) }
    }
}

extension Array {
    /// The first position whose element does not precede, in an array where those that do come first.
    fileprivate func partitioningIndex(_ precedes: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
