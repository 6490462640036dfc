package import GitSource
package import Model

/// What a build read, or looked for. Equal inputs give equal builds.
package enum BuildInput: Sendable, Hashable {
    case file(ObjectID)
    case directory
    case missing
}

/// An object that a build made.
package struct BuiltObject: Sendable, Hashable {
    package var object: JSON
    /// Where it was written; of a generated one, the generator.
    package var source: ResourceSource
}

/// The objects of a directory with a kustomization.
package struct KustomizeBuild: Sendable {
    package var objects: [BuiltObject]
    /// By path from the root of the tree.
    package var inputs: [String: BuildInput]
    /// Bases in other repositories, whose trees are inputs too.
    package var remotes: Set<RemoteBase>

    /// Whether another tree gives the same objects: whether nothing that was read, or looked for, has changed.
    ///
    /// - Complexity: one look-up for each input; no file is read that is not needed to name its content.
    package func isCurrent(in tree: any FileTree) -> Bool {
        inputs.allSatisfy { path, input in
            switch Result(catching: { () throws(GitError) in try tree.locationIfPresent(of: path) }) {
            case .success(.file(let entry)): input == .file(entry.blob)
            case .success(.directory): input == .directory
            case .success(nil), .failure: input == .missing
            }
        }
    }
}

/// How a build ended.
package enum KustomizeOutcome: Sendable {
    case built(KustomizeBuild)
    /// A repository has to be fetched, and the build started again with its tree.
    case needs(RemoteBase)
}

/// Builds directories with a kustomization as `kubectl kustomize` does (Kustomize v5.5), from a tree of files alone:
/// nothing is checked out, run or fetched.
package struct Kustomizer: Sendable {
    package let cache: KustomizeCache
    /// What directories of the one tree that is built from are known to give.
    private let known: [String: KustomizeOutcome]

    /// The names that a kustomization may have; a directory has one of them.
    package static var fileNames: [String] { Loader.fileNames }

    package init(cache: KustomizeCache = KustomizeCache()) {
        self.init(cache: cache, known: [:])
    }

    init(cache: KustomizeCache, known: [String: KustomizeOutcome]) {
        self.cache = cache
        self.known = known
    }

    /// - Parameters:
    ///   - path: the directory; `""` is the root of the tree.
    ///   - remotes: trees of bases in other repositories, as far as they are there.
    /// - Throws: `KustomizeError` for everything that `kubectl kustomize` refuses, and for what would run a program or
    ///   fetch a file.
    package func build(
        _ tree: any FileTree, _ path: String, remotes: [RemoteBase: any FileTree] = [:]
    ) throws(KustomizeError) -> KustomizeOutcome {
        let root = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        if remotes.isEmpty, let outcome = known[root] { return outcome }
        let loader = Loader(cache: cache, remotes: remotes)
        do {
            let target = try self.target(tree, root, loader)
            let objects = try Self.finished(try target.accumulate(), target.kustomization)
            return .built(KustomizeBuild(objects: objects, inputs: loader.inputs, remotes: loader.usedRemotes))
        } catch let fault as BuildFault {
            switch fault {
            case .needs(let remote): return .needs(remote)
            case .failed(let error): throw error
            }
        } catch let error as KustomizeError {
            throw error
        } catch {
            throw KustomizeError(file: root, message: "\(error)")
        }
    }

    private func target(_ tree: any FileTree, _ root: String, _ loader: Loader) throws(BuildFault) -> Target {
        let real: String
        switch Result(catching: { () throws(GitError) in try tree.location(of: root) }) {
        case .success(.directory(let path)): real = path
        case .success(.file(let entry)):
            throw .failed(
                KustomizeError(file: entry.path, message: "a directory with a kustomization is needed, not a file"))
        case .failure(let error): throw .failed(KustomizeError(file: root, message: error.message))
        }
        let place = Loader.Place(tree: tree, remote: nil, root: real, ancestors: [])
        var target = try Target(loader, place, origin: nil, schemas: SchemaChoice())
        if !target.kustomization.buildMetadata.isEmpty {
            target = try Target(loader, place, origin: Origin(), schemas: SchemaChoice())
        }
        return target
    }

    // MARK: The last steps

    /// What is done once, when everything is gathered.
    private static func finished(
        _ gathered: Accumulator, _ kustomization: Kustomization
    ) throws(KustomizeError) -> [BuiltObject] {
        var gathered = gathered
        Plugin.addHashes(to: &gathered.resources)
        try NameReferenceTransformer(references: gathered.configuration.nameReference).apply(to: &gathered.resources)
        if !gathered.variables.isEmpty {
            let values = try gathered.variableValues()
            try VariableTransformer(values: values, specs: gathered.configuration.varReference)
                .apply(to: &gathered.resources)
        }
        try dropLocal(&gathered.resources)
        var resources = try sorted(gathered.resources, kustomization.sortOptions)
        if kustomization.buildMetadata.contains("managedByLabel") {
            let specs = FieldSpecs([FieldSpec(path: "metadata/labels", creates: true)])
            try MapEntryTransformer(["app.kubernetes.io/managed-by": "kustomize-(devel)"], specs).apply(to: &resources)
        }
        for position in resources.indices { removeTraces(from: &resources[position], kustomization.buildMetadata) }
        return resources.map { BuiltObject(object: $0.object, source: $0.source) }
    }

    /// Leaves out what is only there for the build, and checks that the others are whole.
    private static func dropLocal(_ resources: inout [Resource]) throws(KustomizeError) {
        for resource in resources {
            guard !resource.kind.kind.isEmpty else { throw resource.error("the object has no kind any more") }
            guard !resource.name.isEmpty || resource.kind.kind.hasSuffix("List") else {
                throw resource.error("the object has no metadata.name any more")
            }
        }
        resources.removeAll { resource in
            resource.texts("annotations")["config.kubernetes.io/local-config"].map { $0 != "false" } ?? false
        }
        try ResourceSet.refuseConflict(in: resources)
    }

    private static func sorted(_ resources: [Resource], _ options: SortOptions?) throws(KustomizeError) -> [Resource] {
        guard let options else { return LegacyOrder().sorted(resources) }
        switch options.order {
        case "fifo":
            guard options.lists == nil else {
                throw options.field.error("legacySortOptions belong to the order legacy, not to fifo")
            }
            return resources
        case "legacy":
            return options.lists.map { LegacyOrder(first: $0.first, last: $0.last).sorted(resources) }
                ?? LegacyOrder().sorted(resources)
        case let other: throw options.field.error("order must be fifo or legacy, not \"\(other)\"")
        }
    }

    /// Annotations by which Kustomize remembers things during a build.
    private static let traces: Set<String> = Set(
        [
            "previousKinds", "previousNames", "prefixes", "suffixes", "previousNamespaces", "allowNameChange",
            "allowKindChange", "refBy", "generatorBehavior", "needsHashSuffix", "path", "index", "seqindent", "id",
            "annotations-migration-resource-id",
        ].map { "internal.config.kubernetes.io/\($0)" }
            + ["config.kubernetes.io/path", "config.kubernetes.io/index", "config.k8s.io/id"])

    /// Writes the annotations anew: without traces, and with what `buildMetadata` asks for.
    private static func removeTraces(from resource: inout Resource, _ metadata: Set<String>) {
        for path in resource.times where !path.starts(with: [.key("metadata"), .key("annotations")]) {
            guard let time = resource.object.value(at: path[...])?.string.flatMap(GoTime.text) else { continue }
            resource.object.set(.string(time), at: path[...])
        }
        let annotated: [PathStep] = [.key("metadata"), .key("annotations")]
        for path in resource.braced + resource.blanks.filter({ $0.starts(with: annotated) }) {
            guard resource.object.value(at: path[...])?.isNull == true else { continue }
            resource.object.set(.string(""), at: path[...])
        }
        var annotations = resource.texts("annotations").filter { !traces.contains($0.key) }
        annotations[Origin.annotation] = nil
        annotations[Origin.transformationsAnnotation] = nil
        if metadata.contains("originAnnotations"), let origin = resource.origin {
            annotations[Origin.annotation] = YAML.text(origin.json)
        }
        if metadata.contains("transformerAnnotations"), !resource.transformations.isEmpty {
            annotations[Origin.transformationsAnnotation] = YAML.text(.array(resource.transformations.map(\.json)))
        }
        resource.setTexts("annotations", annotations)
    }
}
