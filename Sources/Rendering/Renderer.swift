package import GitSource
import Kinds
package import Kustomize
import Model

/// Turns trees of files into manifests. Cheap where little changed: an equal directory is not even opened, and a
/// changed one costs the files that differ.
package struct Renderer: Sendable {
    package let cache: RenderCache
    let kustomizer: Kustomizer

    package init(cache: RenderCache = RenderCache(), kustomizer: Kustomizer = Kustomizer()) {
        self.cache = cache
        self.kustomizer = kustomizer
    }

    /// Renders the files that `options` select.
    ///
    /// What is wrong with single files is in the result's `errors`.
    ///
    /// - Parameters:
    ///   - previous: an earlier result; if it is of an earlier commit with the same options, only what changed since is
    ///     rendered.
    ///   - remotes: trees of other repositories, for bases of a kustomization (`RenderingForm.needs`).
    /// - Throws: `GitError` when the path does not exist or the tree cannot be read.
    package func render(
        _ tree: any FileTree, _ options: RenderingOptions, kinds: KnownKinds = .builtIn, previous: Manifests? = nil,
        remotes: [RemoteBase: any FileTree] = [:]
    ) throws(GitError) -> Manifests {
        if let previous, let updated = try update(previous, to: tree, options, kinds) { return updated }
        if let kustomization = kustomization(in: tree, options) {
            return try build(kustomization, tree, options, kinds, remotes)
        }
        return try renderFiles(tree, options, kinds)
    }

    /// What the files hold that are manifests as they are.
    func renderFiles(
        _ tree: any FileTree, _ options: RenderingOptions, _ kinds: KnownKinds
    ) throws(GitError) -> Manifests {
        let listing = try tree.files(under: options.path, recursive: options.recurse)
        var errors = listing.faults.filter { concerns($0, options) }.map {
            RenderingError(file: $0.path ?? "", message: $0.message)
        }
        let foreign = listing.files.compactMap { ForeignLayout(path: $0.path) }.filter { layout in
            !(options.exclude?.matches(relative(layout.path, options)) ?? false)
        }
        errors += foreign.map(\.error)
        let entries = listing.files.filter { entry in
            isManifest(entry.path, options) && !foreign.contains { $0.contains(entry.path) }
        }
        let parsed = entries.map { entry in (entry, parse(entry, of: tree)) }
        let defined = DefinedKinds(parsed.flatMap { $0.1.file?.items ?? [] })
        let files = parsed.map { entry, outcome in finish(entry, outcome, options, kinds, defined) }
        return Manifests(
            tree: tree, options: options, kindsVersion: kinds.version, files: files, treeErrors: errors,
            isIndirect: listing.followsLinks || !listing.faults.isEmpty || !foreign.isEmpty)
    }

    /// The previous result brought up to date; `nil` when it must be rendered anew.
    private func update(
        _ previous: Manifests, to tree: any FileTree, _ options: RenderingOptions, _ kinds: KnownKinds
    ) throws(GitError) -> Manifests? {
        if case .kustomize(let build) = previous.form {
            // Branches of other repositories may have moved.
            guard previous.options == options, previous.kindsVersion == kinds.version, build.remotes.isEmpty,
                build.isCurrent(in: tree)
            else { return nil }
            return Manifests(previous, tree: tree)
        }
        guard previous.options == options, previous.kindsVersion == kinds.version, !previous.isIndirect,
            let before = previous.tree as? Snapshot, let after = tree as? Snapshot,
            try after.treeID(at: options.path) != nil
        else { return nil }
        let changes: [FileChange]
        do {
            changes = try after.changes(since: before, under: options.path)
        } catch {
            // The earlier commit cannot be read any more (its mirror was set aside): all is rendered anew.
            return nil
        }
        var result = Manifests(previous, tree: tree)
        let definesKinds = previous.files.contains { $0.definesKinds }
        for change in changes {
            guard !change.isIndirect, ForeignLayout(path: change.path) == nil else { return nil }
            guard isManifest(change.path, options) else { continue }
            var file: RenderedFile?
            if let blob = change.after {
                let entry = FileEntry(path: change.path, blob: blob)
                file = finish(entry, parse(entry, of: tree), options, kinds, DefinedKinds([]))
            }
            // Kinds that the repository defines itself bear on files that did not change.
            if definesKinds || file?.definesKinds == true { return nil }
            result.replace(change.path, with: file)
        }
        return result
    }

    /// Of two commits, the manifests of the files that differ.
    ///
    /// - Returns: `nil` where other files bear on them, or something is wrong: then all must be rendered.
    /// - Throws: `GitError` when a tree cannot be read.
    package func render(
        changesFrom before: Snapshot, to after: Snapshot, _ options: RenderingOptions, kinds: KnownKinds = .builtIn
    ) throws(GitError) -> (before: Manifests, after: Manifests)? {
        guard try before.treeID(at: options.path) != nil, try after.treeID(at: options.path) != nil else { return nil }
        for tree in [before, after] {
            let listing = try tree.files(under: options.path, recursive: options.recurse)
            guard !listing.followsLinks, listing.faults.isEmpty,
                !listing.files.contains(where: { ForeignLayout(path: $0.path) != nil })
            else { return nil }
        }
        let changes = try after.changes(since: before, under: options.path).filter { isManifest($0.path, options) }
        guard !changes.contains(where: \.isIndirect) else { return nil }
        func rendered(_ tree: Snapshot, _ blob: (FileChange) -> ObjectID?) -> Manifests? {
            let files = changes.compactMap { change -> RenderedFile? in
                guard let blob = blob(change) else { return nil }
                let entry = FileEntry(path: change.path, blob: blob)
                return finish(entry, parse(entry, of: tree), options, kinds, DefinedKinds([]))
            }
            let manifests = Manifests(
                tree: tree, options: options, kindsVersion: kinds.version, files: files, treeErrors: [],
                isIndirect: false)
            let faults = manifests.errors.filter { !options.passesOverOthers || $0.reason != .duplicate }
            return faults.isEmpty && !files.contains(where: \.definesKinds) ? manifests : nil
        }
        guard let old = rendered(before, \.before), let new = rendered(after, \.after) else { return nil }
        return (old, new)
    }

    // MARK: One file

    enum Outcome {
        case parsed(ParsedFile)
        case unreadable(GitError)

        var file: ParsedFile? {
            if case .parsed(let file) = self { file } else { nil }
        }
    }

    private func parse(_ entry: FileEntry, of tree: any FileTree) -> Outcome {
        let key = RenderCache.Key(blob: entry.blob, isJSON: entry.path.hasSuffix(".json"))
        if let file = cache.file(key) { return .parsed(file) }
        do {
            let file = ParsedFile(try tree.content(of: entry), isJSON: key.isJSON)
            cache.insert(file, for: key)
            return .parsed(file)
        } catch {
            return .unreadable(error)
        }
    }

    /// Gives a file's objects their namespace, and its faults their place.
    func finish(
        _ entry: FileEntry, _ outcome: Outcome, _ options: RenderingOptions, _ kinds: KnownKinds,
        _ defined: DefinedKinds, content: ObjectID? = nil
    ) -> RenderedFile {
        let file: ParsedFile
        switch outcome {
        case .parsed(let parsed): file = parsed
        case .unreadable(let error):
            return RenderedFile(entry, [], [RenderingError(file: entry.path, message: error.message)])
        }
        let faults = options.passesOverOthers ? file.faults.filter { $0.reason != .noManifest } : file.faults
        var errors = faults.map {
            RenderingError(file: entry.path, mark: $0.mark, message: $0.message, reason: $0.reason)
        }
        var manifests: [Manifest] = []
        manifests.reserveCapacity(file.items.count)
        for item in file.items {
            guard let isNamespaced = kinds.isNamespaced(item.kind) ?? defined.isNamespaced(item.kind) else {
                let hint = kinds.hint(item.kind).map { "; \($0)" } ?? ""
                errors.append(
                    RenderingError(
                        file: entry.path, mark: item.mark,
                        message: "\(item.name): there is no kind \(item.kind.kind) in \(item.kind.apiVersion)\(hint)"))
                continue
            }
            var object = item.object
            let namespace = isNamespaced ? (item.namespace.isEmpty ? options.namespace : item.namespace) : ""
            if namespace != item.namespace {
                object[path: ["metadata", "namespace"]] = namespace.isEmpty ? nil : .string(namespace)
            }
            let source = ManifestSource(
                file: entry.path, document: item.document, item: item.path, mark: item.mark, blob: entry.blob)
            let key = ObjectKey(kind: item.kind.groupKind, namespace: namespace, name: item.name)
            manifests.append(Manifest(object: Object(viewing: object), key: key, source: source, content: content))
        }
        return RenderedFile(entry, manifests, errors)
    }

    // MARK: Which files

    private func isManifest(_ path: String, _ options: RenderingOptions) -> Bool {
        guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") || path.hasSuffix(".json") else { return false }
        // A single file that was named is taken as it is.
        if path == options.path { return true }
        let relative = relative(path, options)
        if !options.recurse, relative.contains("/") { return false }
        if let exclude = options.exclude, exclude.matches(relative) { return false }
        return options.include?.matches(relative) ?? true
    }

    private func relative(_ path: String, _ options: RenderingOptions) -> String {
        options.path.isEmpty ? path : String(path.dropFirst(options.path.count + 1))
    }

    /// A submodule or broken link matters unless it clearly is no manifest, or was excluded.
    private func concerns(_ fault: GitError, _ options: RenderingOptions) -> Bool {
        guard let path = fault.path else { return true }
        let name = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
        if name.contains(".") { return fault.kind == .submodule ? options.recurse : isManifest(path, options) }
        return options.recurse
    }
}

/// A directory that is rendered in another way: taking its files as they are would sync something that nobody meant.
private struct ForeignLayout {
    let path: String
    private let message: String

    init?(path: String) {
        let name = path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]
        switch name {
        case "kustomization.yaml", "kustomization.yml", "Kustomization":
            message =
                "this directory has a kustomization of its own: make it the path of an Application, list it under "
                + "resources of a kustomization above it, or exclude it"
        case "Chart.yaml":
            message = "Helm charts are not rendered yet: commit the rendered manifests, or exclude this directory"
        default: return nil
        }
        self.path = path
    }

    func contains(_ other: String) -> Bool {
        guard let slash = path.lastIndex(of: "/") else { return true }
        return other.hasPrefix(path[...slash])
    }

    var error: RenderingError { RenderingError(file: path, message: message, reason: .notRendered) }
}

/// The kinds that the repository's own CustomResourceDefinitions bring along.
struct DefinedKinds {
    static let definition = GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition")

    private var scopes: [GroupKind: Bool] = [:]

    init(_ items: [ParsedFile.Item]) {
        for item in items where item.kind.groupKind == Self.definition {
            let spec = item.object["spec"]
            guard let group = spec?["group"]?.string, let kind = spec?[path: ["names", "kind"]]?.string else {
                continue
            }
            scopes[GroupKind(group: group, kind: kind)] = spec?["scope"]?.string != "Cluster"
        }
    }

    func isNamespaced(_ kind: GroupVersionKind) -> Bool? { scopes[kind.groupKind] }
}
