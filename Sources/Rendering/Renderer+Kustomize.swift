package import GitSource
import Kinds
import Kustomize
import Model

extension Renderer {
    /// Whether the path has a kustomization, and so is built.
    package func builds(_ tree: any FileTree, _ options: RenderingOptions) -> Bool {
        kustomization(in: tree, options) != nil
    }

    /// The file that makes the path one to build; where there are several, the first.
    func kustomization(in tree: any FileTree, _ options: RenderingOptions) -> FileEntry? {
        for name in Kustomizer.fileNames {
            let path = options.path.isEmpty ? name : "\(options.path)/\(name)"
            guard
                case .success(.file(let entry)?) = Result(catching: { () throws(GitError) in
                    try tree.locationIfPresent(of: path)
                })
            else { continue }
            return FileEntry(path: path, blob: entry.blob, isExecutable: entry.isExecutable)
        }
        return nil
    }

    /// Builds the path, which has a kustomization, as Argo CD does.
    ///
    /// What is wrong is in the result's `errors`.
    ///
    /// - Throws: `GitError` of kind `damaged` when the tree itself cannot be read; for that of a base, see
    ///   `RenderingForm.damaged`.
    func build(
        _ kustomization: FileEntry, _ tree: any FileTree, _ options: RenderingOptions, _ kinds: KnownKinds,
        _ remotes: [RemoteBase: any FileTree]
    ) throws(GitError) -> Manifests {
        func manifests(_ objects: [Manifest], _ errors: [RenderingError], _ form: RenderingForm) -> Manifests {
            Manifests(
                tree: tree, options: options, kindsVersion: kinds.version,
                files: [RenderedFile(kustomization, objects, errors)], treeErrors: [], isIndirect: true, form: form)
        }
        let own = WatchedTree(tree)
        var (others, watched) = (remotes, [(base: RemoteBase, tree: WatchedTree)]())
        for (base, tree) in remotes {
            let tree = WatchedTree(tree)
            others[base] = tree
            watched.append((base, tree))
        }
        let result = Result { () throws(KustomizeError) in
            try kustomizer.build(own, options.path, remotes: others)
        }
        if let damage = own.damage { throw damage }
        for (base, tree) in watched {
            guard let damage = tree.damage else { continue }
            let error = RenderingError(file: base.file, mark: base.mark, message: "the base \(base): \(damage)")
            return manifests([], [error], .damaged(base, damage))
        }
        do {
            switch try result.get() {
            case .built(let build):
                let files = rendered(build, options, kinds)
                return manifests(files.flatMap(\.manifests), files.flatMap(\.errors), .kustomize(build))
            case .needs(let remote):
                let error = RenderingError(
                    file: remote.file.isEmpty ? kustomization.path : remote.file, mark: remote.mark,
                    message: "the base \(remote) is in another repository, which was not fetched", reason: .notRendered)
                return manifests([], [error], .needs(remote))
            }
        } catch {
            let file = error.file.isEmpty ? kustomization.path : error.file
            return manifests([], [RenderingError(file: file, mark: error.mark, message: error.message)], .files)
        }
    }

    /// The objects of a build, each as if its file had it alone.
    private func rendered(
        _ build: KustomizeBuild, _ options: RenderingOptions, _ kinds: KnownKinds
    ) -> [RenderedFile] {
        let parsed = build.objects.map { ($0, ParsedFile($0)) }
        let defined = DefinedKinds(parsed.flatMap { $0.1.items })
        return parsed.map { built, file in
            finish(
                FileEntry(path: built.source.file, blob: built.source.blob), .parsed(file), options, kinds, defined,
                content: WorkingTree.blobID(of: built.object.encoded()))
        }
    }
}
