import GitSource
import Model

/// Reads what one build needs from its trees, and notes what it read.
///
/// A class, since all levels of a build share what was read; it never leaves the build.
final class Loader {
    /// The tree of a build: its own, or that of a remote base.
    struct Place {
        var tree: any FileTree
        /// `nil` for the build's own tree.
        var remote: RemoteBase?
        /// The directory whose kustomization is built, without links.
        var root: String
        /// The directories that led here, so that none is built inside itself.
        var ancestors: [String]
        /// The remote bases that led here.
        var remotes: [RemoteBase] = []
    }

    private let cache: KustomizeCache
    /// What the build knows of kinds.
    let scopes = KindScopes()
    private let remotes: [RemoteBase: any FileTree]
    private(set) var inputs: [String: BuildInput] = [:]
    private(set) var usedRemotes: Set<RemoteBase> = []
    private var bytes = 0
    private var builds = 0

    /// The bytes that one build may read in all.
    private static let byteLimit = 256 << 20
    /// The directories that one build may consist of.
    private static let buildLimit = 10_000
    private static let depthLimit = 64

    init(cache: KustomizeCache, remotes: [RemoteBase: any FileTree]) {
        self.cache = cache
        self.remotes = remotes
    }

    // MARK: Paths

    /// How the fault ends of a path that does.
    static let leavesTree = "leaves the repository"

    /// `path` as it is written in the directory of `place`, from the root of the tree.
    ///
    /// - Throws: `Fault` for a path that is absolute or leaves the tree.
    private func path(_ path: String, in place: Place) throws(Fault) -> String {
        guard !path.isEmpty else { throw Fault("the path is empty") }
        guard !path.hasPrefix("/") else {
            throw Fault("the path \(path) is absolute: it must be relative to this file")
        }
        guard !path.utf8.contains(0) else { throw Fault("the path has a zero byte") }
        var components = place.root.split(at: "/")
        for component in path.split(at: "/") where component != "." {
            if component != ".." {
                components.append(component)
            } else if components.popLast() == nil {
                throw Fault("the path \(path) \(Self.leavesTree)")
            }
        }
        return components.joined(separator: "/")
    }

    private func location(_ path: String, in place: Place) throws(Fault) -> TreeLocation {
        do {
            if let location = try locationIfPresent(path, in: place) { return location }
            return try place.tree.location(of: path)
        } catch {
            throw Fault(error.message)
        }
    }

    private func locationIfPresent(_ path: String, in place: Place) throws(GitError) -> TreeLocation? {
        var input = BuildInput.missing
        defer { if place.remote == nil { inputs[path] = input } }
        let location = try place.tree.locationIfPresent(of: path)
        switch location {
        case .file(let entry)?: input = .file(entry.blob)
        case .directory?: input = .directory
        case nil: break
        }
        return location
    }

    private static func shown(_ directory: String) -> String {
        directory.isEmpty ? "the root of the repository" : directory
    }

    private static func isBelow(_ path: String, _ directory: String) -> Bool {
        directory.isEmpty || path == directory || path.hasPrefix(directory + "/")
    }

    // MARK: Files

    /// What is at a path that a kustomization names.
    enum Found {
        case file(FileEntry)
        case directory(String)
    }

    /// Finds what `path` names: a file in or below the directory of `place`, or any directory of the tree.
    func find(_ path: String, in place: Place) throws(Fault) -> Found {
        let wanted = try self.path(path, in: place)
        switch try location(wanted, in: place) {
        case .directory(let real): return .directory(real)
        case .file(let entry):
            guard Self.isBelow(entry.path, place.root) else {
                throw Fault(
                    "the file \(entry.path) is not in or below \(place.root.isEmpty ? "the root" : place.root): "
                        + "move it there, or make it a directory with a kustomization of its own")
            }
            return .file(entry)
        }
    }

    /// The file that `path` names.
    func file(_ path: String, in place: Place) throws(Fault) -> FileEntry {
        if path.lowercased().hasPrefix("http://") || path.lowercased().hasPrefix("https://") {
            throw Fault("\(path) would be fetched over HTTP at every build: commit the file instead")
        }
        switch try find(path, in: place) {
        case .file(let entry): return entry
        case .directory: throw Fault("\(path) is a directory; a file is needed here")
        }
    }

    func content(of entry: FileEntry, in place: Place) throws(Fault) -> [UInt8] {
        let content: [UInt8]
        do {
            content = try place.tree.content(of: entry)
        } catch {
            throw Fault(error.message)
        }
        bytes += content.count
        guard bytes <= Self.byteLimit else {
            throw Fault("the build reads more than \(Self.byteLimit >> 20) MiB: split it")
        }
        return content
    }

    /// The objects of a file.
    func resources(of entry: FileEntry, in place: Place) throws(KustomizeError) -> [Resource] {
        let key = KustomizeCache.Key(blob: entry.blob, path: entry.path, isKustomization: false)
        if case .resources(let file) = cache.entry(key) { return file.resources(entry.path, entry.blob, scopes) }
        let text = try located(entry.path) { () throws(Fault) in try content(of: entry, in: place) }
        let file = try ResourceFile(text, file: entry.path)
        cache.insert(.resources(file), for: key, bytes: text.count)
        return file.resources(entry.path, entry.blob, scopes)
    }

    /// The first document of a file of configuration.
    func document(of reference: Reference, in place: Place) throws(KustomizeError) -> YAMLDocument? {
        let (entry, text) = try read(reference, in: place)
        do {
            return try YAML.documents(text, file: entry.path).first
        } catch {
            throw KustomizeError(error)
        }
    }

    func read(_ reference: Reference, in place: Place) throws(KustomizeError) -> (FileEntry, [UInt8]) {
        do {
            let entry = try file(reference.text, in: place)
            return (entry, try content(of: entry, in: place))
        } catch {
            throw reference.field.error(error.message)
        }
    }

    private func located<Value>(
        _ file: String, _ body: () throws(Fault) -> Value
    ) throws(KustomizeError) -> Value {
        do {
            return try body()
        } catch {
            throw KustomizeError(file: file, message: error.message)
        }
    }

    // MARK: Directories

    static let fileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// Reads the kustomization of a directory, which must have exactly one.
    func kustomization(in place: Place) throws(KustomizeError) -> Kustomization {
        builds += 1
        guard builds <= Self.buildLimit, place.ancestors.count <= Self.depthLimit else {
            throw KustomizeError(
                file: place.root,
                message:
                    "the build has more than \(Self.buildLimit) directories, or more than \(Self.depthLimit) levels")
        }
        var found: [FileEntry] = []
        var faults: [String] = []
        for name in Self.fileNames {
            let path = place.root.isEmpty ? name : "\(place.root)/\(name)"
            // What cannot be read is no kustomization either.
            guard case .file(let entry)? = try? locationIfPresent(path, in: place) else { continue }
            if Self.isBelow(entry.path, place.root) {
                found.append(entry)
            } else {
                faults.append("\(path) is a link to \(entry.path), which is not in or below its directory")
            }
        }
        guard let entry = found.first, found.count == 1 else {
            let names = found.map(\.path).joined(separator: " and ")
            let message =
                !found.isEmpty
                ? "there are \(names): keep one of them"
                : faults.first ?? "there is no kustomization.yaml (or kustomization.yml, Kustomization) here"
            throw KustomizeError(file: place.root, message: message)
        }
        let key = KustomizeCache.Key(blob: entry.blob, path: entry.path, isKustomization: true)
        if case .kustomization(let known) = cache.entry(key) { return known }
        let text = try located(entry.path) { () throws(Fault) in try content(of: entry, in: place) }
        let kustomization = try Kustomization(text, file: entry.path, blob: entry.blob)
        cache.insert(.kustomization(kustomization), for: key, bytes: text.count)
        return kustomization
    }

    /// The place of a base in the same tree.
    func place(_ directory: String, from place: Place) throws(Fault) -> Place {
        for ancestor in place.ancestors + [place.root] where Self.isBelow(ancestor, directory) {
            let (name, builder) = (Self.shown(directory), Self.shown(ancestor))
            let what =
                directory == ancestor ? "\(name) would build itself" : "\(name) contains \(builder), which builds it"
            throw Fault("\(what): such a base would never end")
        }
        var next = place
        next.root = directory
        next.ancestors.append(place.root)
        return next
    }

    /// The place of a base in another repository.
    func place(_ remote: RemoteBase, from place: Place) throws(RemoteFault) -> Place {
        if place.remotes.contains(where: { $0.text.hasPrefix(remote.text) }) {
            throw .fault("the repository \(remote) is built by itself: such a base would never end")
        }
        guard let tree = remotes[remote] else { throw .needs(remote) }
        usedRemotes.insert(remote)
        switch Result(catching: { () throws(GitError) in try tree.location(of: remote.path) }) {
        case .success(.directory(let real)):
            return Place(
                tree: tree, remote: remote, root: real, ancestors: [], remotes: place.remotes + [remote])
        case .success(.file): throw .fault("\(remote): \(remote.path) is a file; a directory is needed")
        case .failure(let error): throw .fault("\(remote): \(error.message)")
        }
    }
}

/// Why a remote base cannot be built.
enum RemoteFault: Error {
    /// Its repository has not been fetched yet.
    case needs(RemoteBase)
    case fault(String)
}
