package import GitSource
package import Kustomize
import Model

extension Renderer {
    /// All that a repository holds below a folder: its plain files together, and each directory with a kustomization
    /// by itself, but for those that others build on.
    ///
    /// - Parameters:
    ///   - options: whether folders below are looked into does not matter: they are.
    ///   - remotes: trees of other repositories, for bases of a kustomization (`RenderingForm.needs`).
    /// - Throws: `GitError` when the path does not exist or the tree cannot be read.
    package func renderRepository(
        _ tree: any FileTree, _ options: RenderingOptions, kinds: KnownKinds = .builtIn,
        remotes: [RemoteBase: any FileTree] = [:]
    ) throws(GitError) -> [Manifests] {
        var options = options
        options.recurse = true
        let listing = try tree.files(under: options.path, recursive: true)
        let folders = Set(listing.files.compactMap { Self.folder(ofKustomization: $0.path) }).sorted()
        guard !folders.isEmpty else { return [try renderFiles(tree, options, kinds)] }
        var plain = try renderFiles(tree, options, kinds)
        plain.treeErrors.removeAll { Self.folder(ofKustomization: $0.file) != nil }
        var builds: [Manifests] = []
        for folder in folders {
            var single = options
            single.path = folder
            single.recurse = false
            builds.append(try render(tree, single, kinds: kinds, remotes: remotes))
        }
        let used = Set(builds.flatMap { $0.buildsOn })
        return [plain] + builds.filter { !used.contains($0.options.path) }
    }

    private static func folder(ofKustomization path: String) -> String? {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        guard Kustomizer.fileNames.contains(String(name)) else { return nil }
        return slash.map { String(path[..<$0]) } ?? ""
    }
}

extension Manifests {
    /// The other directories with a kustomization that a build has read.
    fileprivate var buildsOn: [String] {
        guard case .kustomize(let build) = form else { return [] }
        return build.inputs.compactMap { path, input in
            guard case .file = input, let slash = path.lastIndex(of: "/"),
                Kustomizer.fileNames.contains(String(path[path.index(after: slash)...]))
            else { return nil }
            let folder = String(path[..<slash])
            return folder == options.path ? nil : folder
        }
    }

    /// The directory that was built; `nil` where the objects are what files hold as they are.
    package var builtPath: String? {
        if case .kustomize = form { options.path } else { nil }
    }

    /// The folder to which an object belongs, with all that is deployed beside it: the one that was built, or that of
    /// its file.
    package func folder(of manifest: Manifest) -> String {
        let file = manifest.source.file
        return builtPath ?? String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])
    }
}
