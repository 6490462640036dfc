import GitSource
import Model

/// A kustomization file (`kustomize.config.k8s.io/v1beta1`), deprecated fields moved to where they belong now.
struct Kustomization: Sendable {
    var file: String
    /// The file's content, as Git names it.
    var blob: ObjectID
    /// For what the file asks as a whole.
    var root: Field
    var isComponent = false

    // What is built.
    var resources: [Reference] = []
    var components: [Reference] = []
    var crds: [Reference] = []
    var configMapGenerator: [GeneratorArguments] = []
    var secretGenerator: [GeneratorArguments] = []
    var generatorOptions = GeneratorOptions()
    var generators: [Reference] = []

    // What is done to it, in the order of `Target.transform`.
    var patchesStrategicMerge: [Reference] = []
    var patches: [PatchEntry] = []
    var namespace = ""
    var namePrefix = ""
    var nameSuffix = ""
    var labels: [LabelEntry] = []
    var commonLabels: [String: String] = [:]
    var commonAnnotations: [String: String] = [:]
    var patchesJSON6902: [PatchEntry] = []
    var replicas: [ReplicaEntry] = []
    var images: [ImageEntry] = []
    var replacements: [Field] = []
    var transformers: [Reference] = []
    var validators: [Reference] = []

    // What concerns the build as a whole.
    var configurations: [Reference] = []
    var openAPIPath: Reference?
    var openAPIVersion: Reference?
    var vars: [Variable] = []
    var sortOptions: SortOptions?
    var buildMetadata: Set<String> = []
}

struct LabelEntry: Sendable {
    var pairs: [String: String]
    var includesSelectors: Bool
    var includesTemplates: Bool
    var fields: [FieldSpec]
    var field: Field
}

struct ImageEntry: Sendable {
    var name: String
    var newName: String
    var tagSuffix: String
    var newTag: String
    var digest: String
}

struct ReplicaEntry: Sendable {
    var name: String
    var count: Int
    var field: Field
}

struct PatchEntry: Sendable {
    var path: String
    var patch: String
    var target: ResourceSelector?
    var options: [String: Bool]
    var field: Field
}

/// What a ConfigMap or Secret is generated from.
struct GeneratorArguments: Sendable {
    var name: String
    var namespace: String
    var behavior: String
    var type: String
    var literals: [Reference]
    var files: [Reference]
    var envs: [Reference]
    var options: GeneratorOptions?
    var field: Field
}

struct GeneratorOptions: Sendable {
    var labels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var disablesNameSuffixHash = false
    var isImmutable = false

    /// These options, completed by those that hold for all generators.
    func completed(by global: GeneratorOptions) -> GeneratorOptions {
        var result = self
        result.labels.merge(global.labels) { own, _ in own }
        result.annotations.merge(global.annotations) { own, _ in own }
        result.disablesNameSuffixHash = disablesNameSuffixHash || global.disablesNameSuffixHash
        result.isImmutable = isImmutable || global.isImmutable
        return result
    }
}

/// A value of an object that `$(NAME)` stands for elsewhere.
struct Variable: Sendable {
    var name: String
    var group: String
    var version: String
    var kind: String
    var objectName: String
    var namespace: String
    var fieldPath: String
    var field: Field
}

struct SortOptions: Sendable {
    var order: String
    /// Kinds that come first and last in the legacy order.
    var lists: (first: [String], last: [String])?
    var field: Field
}
