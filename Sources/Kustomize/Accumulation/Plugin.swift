import Model

/// A built-in generator or transformer that is given as an object of its own (`apiVersion: builtin`).
struct Plugin {
    let resource: Resource
    let loader: Loader
    let place: Loader.Place
    let schema: MergeSchema

    private static let generators = ["ConfigMapGenerator", "SecretGenerator", "IAMPolicyGenerator"]
    private static let transformers = [
        "AnnotationsTransformer", "HashTransformer", "ImageTagTransformer", "LabelTransformer", "NamespaceTransformer",
        "PatchJson6902Transformer", "PatchStrategicMergeTransformer", "PatchTransformer", "PrefixSuffixTransformer",
        "PrefixTransformer", "SuffixTransformer", "ReplicaCountTransformer", "ValueAddTransformer",
        "ReplacementTransformer",
    ]

    private func checked(_ known: [String], _ what: String) throws(KustomizeError) -> String {
        let kind = resource.kind
        guard kind.apiVersion == "builtin" else {
            throw resource.error(
                "\(kind.kind) of \(kind.apiVersion) would run a program, which is not done here: "
                    + "only what has apiVersion: builtin is")
        }
        guard known.contains(kind.kind) else {
            throw resource.error(
                "there is no built-in \(what) \(kind.kind): it is one of \(known.joined(separator: ", "))")
        }
        return kind.kind
    }

    /// Runs `body` with the object's fields; faults in them are placed at the object.
    private func configured<Value>(
        _ body: (Field) throws(KustomizeError) -> Value
    ) throws(KustomizeError) -> Value {
        do {
            // Read back from text, since labels and other transformers may have changed the object.
            guard let document = try YAML.documents(YAML.text(resource.object), file: "").first else {
                throw resource.error("the object is empty")
            }
            return try body(Field(document, isLenient: true))
        } catch let error as KustomizeError {
            guard error.file.isEmpty else { throw error }
            throw resource.error("\(resource.kind.kind) \(resource.name): \(error.message)")
        } catch {
            throw resource.error("\(error)")
        }
    }

    // MARK: Generators

    func generate(_ sources: KeyValueSources) throws(KustomizeError) -> [Resource] {
        let kind = try checked(Self.generators, "generator")
        return try configured { (field) throws(KustomizeError) in
            if kind == "IAMPolicyGenerator" { return [try account(field)] }
            var arguments = try GeneratorArguments(field, isSecret: kind == "SecretGenerator", strict: false)
            if arguments.name.isEmpty { arguments.name = resource.name }
            if arguments.namespace.isEmpty { arguments.namespace = resource.namespace }
            let generator = ConfigGenerator(arguments, isSecret: kind == "SecretGenerator")
            return [try generator.resource(sources, source: resource.source)]
        }
    }

    /// The service account that stands for one of a cloud.
    private func account(_ field: Field) throws(KustomizeError) -> Resource {
        let members = try field.members(["cloud", "kubernetesService", "serviceAccount"], strict: false)
        let cloud = try members.string("cloud")
        guard cloud == "gke" else { throw field.error("the cloud must be gke, not \"\(cloud)\"") }
        let own = try members["kubernetesService"]?.members(["name", "namespace"], strict: false)
        let other = try members["serviceAccount"]?.members(["name", "projectId"], strict: false)
        let project = try other?.string("projectId") ?? ""
        let address = "\(try other?.string("name") ?? "")@\(project).iam.gserviceaccount.com"
        var metadata: JSON = ["annotations": ["iam.gke.io/gcp-service-account": .string(address)]]
        metadata["name"] = .string(try own?.string("name") ?? "")
        let namespace = try own?.string("namespace") ?? ""
        if !namespace.isEmpty { metadata["namespace"] = .string(namespace) }
        let object: JSON = ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata]
        return Resource(object: object, source: resource.source, loader.scopes)
    }

    // MARK: Transformers

    func transform(_ resources: inout [Resource]) throws(KustomizeError) {
        let kind = try checked(Self.transformers, "transformer")
        // Moved out, so that the closure does not capture an inout parameter.
        var changed = resources
        try configured { (field) throws(KustomizeError) in
            switch kind {
            case "HashTransformer": Self.addHashes(to: &changed)
            case "PatchTransformer", "PatchJson6902Transformer", "PatchStrategicMergeTransformer":
                try patch(kind, field, &changed)
            default:
                for transformer in try transformers(kind, field) { try transformer.apply(to: &changed) }
            }
            changed.removeAll(where: \.isEmpty)
        }
        resources = changed
    }

    static func addHashes(to resources: inout [Resource]) {
        for position in resources.indices where resources[position].needsHash {
            let hash = ContentHash.hash(of: resources[position].object)
            resources[position].rememberName()
            resources[position].setName("\(resources[position].name)-\(hash)")
        }
    }

    private func patch(_ kind: String, _ field: Field, _ resources: inout [Resource]) throws(KustomizeError) {
        let patches = PatchTransformer(loader: loader, place: place, schema: schema)
        switch kind {
        case "PatchTransformer": try patches.apply(try PatchEntry(field, strict: false), to: &resources)
        case "PatchJson6902Transformer":
            var entry = try PatchEntry(field, strict: false)
            entry.patch = try field.members(["jsonOp"], strict: false).string("jsonOp")
            try patches.apply(json: entry, to: &resources)
        default:
            let members = try field.members(["paths", "patches"], strict: false)
            var all: [Resource] = []
            for reference in try members.references("paths") { all += try patches.strategicPatches(reference) }
            let inline = try members.string("patches")
            if !inline.isEmpty {
                let file = try ResourceFile(Array(inline.utf8), file: "")
                all += file.resources(resource.source.file, resource.source.blob, loader.scopes)
            }
            guard !all.isEmpty else { throw field.error("paths or patches must be set") }
            try patches.apply(strategic: all, to: &resources)
        }
    }

    private func specs(_ members: Members) throws(KustomizeError) -> FieldSpecs {
        FieldSpecs(
            try members.elements("fieldSpecs").map { field throws(KustomizeError) in
                try FieldSpec(field, strict: false)
            })
    }

    private func transformers(_ kind: String, _ field: Field) throws(KustomizeError) -> [any Transformer] {
        let members = try field.members(
            [
                "annotations", "labels", "imageTag", "replica", "prefix", "suffix", "fieldSpecs", "unsetOnly",
                "setRoleBindingSubjects", "replacements", "value", "targets", "targetFilePath",
            ], strict: false)
        let specs = try specs(members)
        switch kind {
        case "AnnotationsTransformer": return [MapEntryTransformer(try members.stringMap("annotations"), specs)]
        case "LabelTransformer": return [MapEntryTransformer(try members.stringMap("labels"), specs)]
        case "ImageTagTransformer":
            guard let image = members["imageTag"] else { return [] }
            return [ImageTransformer(entry: try ImageEntry(image, strict: false), specs: specs)]
        case "ReplicaCountTransformer":
            let entry = try ReplicaEntry(members["replica"] ?? field, strict: false)
            return [ReplicaTransformer(entry: entry, specs: specs)]
        case "NamespaceTransformer": return [try namespace(members, specs)]
        case "ReplacementTransformer":
            let entries = try Self.replacements(try members.elements("replacements"), strict: false, loader, place)
            return [ReplacementTransformer(entries: entries)]
        case "ValueAddTransformer": return [try ValueAddTransformer(members, loader, place)]
        default: return try names(kind, field, members, specs)
        }
    }

    private func namespace(_ members: Members, _ specs: FieldSpecs) throws(KustomizeError) -> NamespaceTransformer {
        let mode = try members.string("setRoleBindingSubjects")
        guard let subjects = mode.isEmpty ? .defaultOnly : NamespaceTransformer.Subjects(rawValue: mode) else {
            throw resource.error(
                "setRoleBindingSubjects must be defaultOnly, allServiceAccounts or none, not \"\(mode)\"")
        }
        return NamespaceTransformer(
            namespace: resource.namespace, specs: specs, setsUnsetOnly: try members.bool("unsetOnly"),
            subjects: subjects)
    }

    private func names(
        _ kind: String, _ field: Field, _ members: Members, _ specs: FieldSpecs
    ) throws(KustomizeError) -> [any Transformer] {
        guard members["fieldSpecs"] != nil else { throw field.error("fieldSpecs must be set") }
        var result: [any Transformer] = []
        if kind != "SuffixTransformer" {
            result.append(NameTransformer(side: .prefix, text: try members.string("prefix"), specs: specs))
        }
        if kind != "PrefixTransformer" {
            result.append(NameTransformer(side: .suffix, text: try members.string("suffix"), specs: specs))
        }
        return result
    }

    /// Replacements, those that files hold in the place of the path to these.
    static func replacements(
        _ fields: [Field], strict: Bool, _ loader: Loader, _ place: Loader.Place
    ) throws(KustomizeError) -> [ReplacementEntry] {
        var result: [ReplacementEntry] = []
        for field in fields {
            let entry = try ReplacementEntry(field, strict: strict)
            guard let path = entry.path else {
                result.append(entry)
                continue
            }
            guard entry.source == nil, entry.targets?.isEmpty ?? true else {
                throw field.error("path and a replacement in the same place cannot be set both")
            }
            guard let document = try loader.document(of: path, in: place) else {
                throw path.field.error("\(path.text) is empty")
            }
            let root = Field(document, isLenient: true)
            switch root.value {
            case .array:
                result += try root.elements().map { element throws(KustomizeError) in
                    try ReplacementEntry(element, strict: false)
                }
            case .object: result.append(try ReplacementEntry(root, strict: false))
            default: throw root.error("expected a replacement or a list of them")
            }
        }
        return result
    }
}
