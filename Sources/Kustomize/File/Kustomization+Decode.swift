import GitSource
import Model

extension Kustomization {
    private static let fields: Set<String> = [
        "apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels",
        "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "images", "imageTags",
        "replacements", "replicas", "vars", "sortOptions", "resources", "components", "crds", "bases",
        "configMapGenerator", "secretGenerator", "helmGlobals", "helmCharts", "helmChartInflationGenerator",
        "generatorOptions", "configurations", "generators", "transformers", "validators", "buildMetadata",
    ]

    /// Reads a kustomization file strictly: a field that there is not is refused, as is one of the wrong type.
    init(_ text: [UInt8], file: String, blob: ObjectID) throws(KustomizeError) {
        var repeated: [String] = []
        let documents: [YAMLDocument]
        do {
            documents = try YAML.documents(text, file: file, repeated: &repeated)
        } catch {
            throw KustomizeError(error)
        }
        // Like Kustomize's reader, this one looks at the first document alone.
        guard let document = documents.first else {
            throw KustomizeError(file: file, message: "the file is empty: list what to build under resources")
        }
        let root = Field(document)
        self.init(file: file, blob: blob, root: root)
        let members = try root.members(Self.fields)
        guard Self.fields.contains(where: { Self.says(members[$0], $0) }) else {
            throw root.error("the file says nothing: list what to build under resources")
        }
        try decodeIdentity(members)
        try decodeSources(members)
        try decodeGenerators(members)
        try decodeNames(members)
        try decodeTransformers(members)
        try decodeBuild(members)
    }

    /// Whether a field is more than Go's zero value.
    private static func says(_ field: Field?, _ name: String) -> Bool {
        guard let field, !["apiVersion", "kind"].contains(name) else { return false }
        let isFolded = ["bases", "imageTags", "helmChartInflationGenerator"].contains(name)
        return field.value.string != "" && !(isFolded && field.value.array?.isEmpty == true)
    }

    private mutating func decodeIdentity(_ members: Members) throws(KustomizeError) {
        let kind = try members.string("kind")
        guard ["", "Kustomization", "Component"].contains(kind) else {
            throw (members["kind"] ?? root).error("must be Kustomization or Component, not \"\(kind)\"")
        }
        isComponent = kind == "Component"
        let version = try members.string("apiVersion")
        let right = "kustomize.config.k8s.io/" + (isComponent ? "v1alpha1" : "v1beta1")
        guard version.isEmpty || version == right else {
            throw (members["apiVersion"] ?? root).error("must be \(right), not \"\(version)\"")
        }
        if let metadata = members["metadata"] {
            let parts = try metadata.members(["name", "namespace", "labels", "annotations"])
            _ = try (parts.string("name"), parts.string("namespace"))
            _ = try (parts.stringMap("labels"), parts.stringMap("annotations"))
        }
        for name in ["helmCharts", "helmChartInflationGenerator"] where try !members.elements(name).isEmpty {
            throw (members[name] ?? root).error(
                "charts would be inflated by running helm, which is not done here: commit the rendered manifests")
        }
        if let globals = members["helmGlobals"] {
            let parts = try globals.members(["chartHome", "configHome"])
            _ = try (parts.string("chartHome"), parts.string("configHome"))
        }
    }

    private mutating func decodeSources(_ members: Members) throws(KustomizeError) {
        resources = try members.references("resources") + members.references("bases")
        components = try members.references("components")
        crds = try members.references("crds")
        configurations = try members.references("configurations")
        generators = try members.references("generators")
        transformers = try members.references("transformers")
        validators = try members.references("validators")
        guard let openAPI = members["openapi"] else { return }
        for (name, text) in try openAPI.stringMap() {
            if name == "path" { openAPIPath = Reference(text: text, field: openAPI) }
            if name == "version" { openAPIVersion = Reference(text: text, field: openAPI) }
        }
    }

    private mutating func decodeGenerators(_ members: Members) throws(KustomizeError) {
        configMapGenerator = try members.elements("configMapGenerator").map { field throws(KustomizeError) in
            try GeneratorArguments(field, isSecret: false)
        }
        secretGenerator = try members.elements("secretGenerator").map { field throws(KustomizeError) in
            try GeneratorArguments(field, isSecret: true)
        }
        if let options = members["generatorOptions"] { generatorOptions = try GeneratorOptions(options) }
    }

    private mutating func decodeNames(_ members: Members) throws(KustomizeError) {
        namespace = try members.string("namespace")
        namePrefix = try members.string("namePrefix")
        nameSuffix = try members.string("nameSuffix")
        commonLabels = try members.stringMap("commonLabels")
        commonAnnotations = try members.stringMap("commonAnnotations")
        labels = try members.elements("labels").map { field throws(KustomizeError) in
            let parts = try field.members(["pairs", "includeSelectors", "includeTemplates", "fields"])
            return LabelEntry(
                pairs: try parts.stringMap("pairs"), includesSelectors: try parts.bool("includeSelectors"),
                includesTemplates: try parts.bool("includeTemplates"),
                fields: try parts.elements("fields").map { spec throws(KustomizeError) in try FieldSpec(spec) },
                field: field)
        }
    }

    private mutating func decodeTransformers(_ members: Members) throws(KustomizeError) {
        patchesStrategicMerge = try members.references("patchesStrategicMerge")
        patches = try members.elements("patches").map { field throws(KustomizeError) in try PatchEntry(field) }
        patchesJSON6902 = try members.elements("patchesJson6902").map { field throws(KustomizeError) in
            try PatchEntry(field)
        }
        images = try (members.elements("images") + members.elements("imageTags")).map { field throws(KustomizeError) in
            try ImageEntry(field)
        }
        replicas = try members.elements("replicas").map { field throws(KustomizeError) in try ReplicaEntry(field) }
        replacements = try members.elements("replacements")
        for field in replacements { _ = try ReplacementEntry(field) }
    }

    private mutating func decodeBuild(_ members: Members) throws(KustomizeError) {
        vars = try members.elements("vars").map { field throws(KustomizeError) in try Variable(field) }
        if let options = members["sortOptions"] { sortOptions = try SortOptions(options) }
        buildMetadata = Set(try members.strings("buildMetadata"))
    }
}

extension GeneratorArguments {
    private static let fields: Set<String> = [
        "name", "namespace", "behavior", "literals", "files", "envs", "env", "options",
    ]

    init(_ field: Field, isSecret: Bool, strict: Bool = true) throws(KustomizeError) {
        let known = isSecret ? Self.fields.union(["type"]) : Self.fields
        let members = try field.members(known, strict: strict)
        name = try members.string("name")
        namespace = try members.string("namespace")
        behavior = try members.string("behavior")
        type = isSecret ? try members.string("type") : ""
        literals = try members.references("literals")
        files = try members.references("files")
        envs = try members.references("envs")
        if let env = members["env"], try !env.string().isEmpty {
            envs.append(Reference(text: try env.string(), field: env))
        }
        options = try members["options"].map { field throws(KustomizeError) in try GeneratorOptions(field) }
        self.field = field
    }
}

extension GeneratorOptions {
    init(_ field: Field) throws(KustomizeError) {
        let members = try field.members(["labels", "annotations", "disableNameSuffixHash", "immutable"])
        labels = try members.stringMap("labels")
        annotations = try members.stringMap("annotations")
        disablesNameSuffixHash = try members.bool("disableNameSuffixHash")
        isImmutable = try members.bool("immutable")
    }
}

extension PatchEntry {
    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(["path", "patch", "target", "options"], strict: strict)
        path = try members.string("path")
        patch = try members.string("patch")
        target = try members["target"].map { target throws(KustomizeError) in
            try ResourceSelector(target, strict: strict)
        }
        options = try members["options"]?.boolMap() ?? [:]
        self.field = field
    }
}

extension ImageEntry {
    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(["name", "newName", "tagSuffix", "newTag", "digest"], strict: strict)
        name = try members.string("name")
        newName = try members.string("newName")
        tagSuffix = try members.string("tagSuffix")
        newTag = try members.string("newTag")
        digest = try members.string("digest")
    }
}

extension ReplicaEntry {
    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(["name", "count"], strict: strict)
        name = try members.string("name")
        count = try members.int("count")
        self.field = field
    }
}

extension Variable {
    init(_ field: Field) throws(KustomizeError) {
        let members = try field.members(["name", "objref", "fieldref"])
        name = try members.string("name")
        let object = try members["objref"]?.members(["apiVersion", "group", "version", "kind", "name", "namespace"])
        group = try object?.string("group") ?? ""
        version = try object?.string("version") ?? ""
        let parts = (try object?.string("apiVersion") ?? "").split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 2 { (group, version) = (String(parts[0]), String(parts[1])) }
        if parts.count == 1, !parts[0].isEmpty { version = String(parts[0]) }
        kind = try object?.string("kind") ?? ""
        objectName = try object?.string("name") ?? ""
        namespace = try object?.string("namespace") ?? ""
        let path = try members["fieldref"]?.members(["fieldPath"]).string("fieldPath") ?? ""
        fieldPath = path.isEmpty ? "metadata.name" : path
        self.field = field
    }
}

extension SortOptions {
    init(_ field: Field) throws(KustomizeError) {
        let members = try field.members(["order", "legacySortOptions"])
        order = try members.string("order")
        if let parts = try members["legacySortOptions"]?.members(["orderFirst", "orderLast"]) {
            lists = (try parts.strings("orderFirst"), try parts.strings("orderLast"))
        }
        self.field = field
    }
}
