package import GitSource
package import Model

/// Where an object of a build was written.
package struct ResourceSource: Sendable, Hashable {
    /// From the root of the tree.
    package var file: String
    package var blob: ObjectID
    /// The document's number in the file, from 0.
    package var document: Int
    /// The way from the document to the object: empty, or into the `items` of a List.
    package var path: [PathStep]
    package var mark: Mark
}

/// An object on its way through a build.
struct Resource: Sendable {
    /// A name that the resource had before it was renamed: what others still refer to it by.
    struct PreviousName: Hashable, Sendable {
        var name: String
        var namespace: String
        var kind: String
    }

    enum Behavior: String, Sendable {
        case unspecified, create, merge, replace
    }

    var object: JSON
    var source: ResourceSource
    /// Oldest first.
    var previousNames: [PreviousName] = []
    var prefixes: [String] = []
    var suffixes: [String] = []
    var behavior = Behavior.unspecified
    /// Whether the name gets the content's hash at the end.
    var needsHash = false
    /// For patches: what of the target they may change.
    var allowsNameChange = false
    var allowsKindChange = false
    /// The variables whose value comes from here.
    var variables: [String] = []
    let scopes: KindScopes
    var origin: Origin?
    var transformations: [Origin] = []

    /// Where null is written as nothing (`emptyDir:`), until the object is merged with a patch: that drops it.
    var blanks: [[PathStep]] = []
    /// Where plain texts are that YAML takes for times: in the end they are written as Go's JSON writes times.
    var times: [[PathStep]] = []
    /// Where null is written as nothing within braces (`{a: }`): in the end that is an empty text.
    var braced: [[PathStep]] = []
    /// How null is written that labels and annotations have for a value: where a text is needed, it is that one.
    var nullTexts: [(path: [PathStep], text: String)] = []

    init(object: JSON, source: ResourceSource, _ scopes: KindScopes) {
        self.object = object
        self.scopes = scopes
        self.source = source
    }

    var kind: ResourceKind {
        ResourceKind(apiVersion: object["apiVersion"]?.scalarText ?? "", kind: object["kind"]?.scalarText ?? "")
    }

    var name: String { metadataText("name") }
    var namespace: String { metadataText("namespace") }

    private func metadataText(_ member: String) -> String {
        guard let value = object["metadata"]?[member], !value.isNull else { return "" }
        return value.scalarText
    }

    var id: ResourceID { ResourceID(kind: kind, name: name, namespace: namespace, scopes) }
    var isClusterScoped: Bool { scopes.isClusterScoped(kind) }

    var previousIDs: [ResourceID] {
        if previousNames.isEmpty { return [] }
        let kind = kind
        return previousNames.map { previous in
            ResourceID(
                kind: ResourceKind(group: kind.group, version: kind.version, kind: previous.kind), name: previous.name,
                effectiveNamespace: previous.namespace)
        }
    }

    /// The id that the resource had at first.
    var originalID: ResourceID { previousIDs.first ?? id }
    var allIDs: [ResourceID] { previousIDs + [id] }

    /// Notes the present name before it is changed.
    mutating func rememberName() { rememberName(id) }

    /// - Parameter id: the resource's own, for who knows it already.
    mutating func rememberName(_ id: ResourceID) {
        previousNames.append(PreviousName(name: id.name, namespace: id.namespace, kind: id.kind.kind))
    }

    func texts(_ member: String) -> [String: String] {
        var result: [String: String] = [:]
        for entry in object["metadata"]?[member]?.object ?? JSONObject() {
            result[entry.key] = entry.value.isNull ? nullText(member, entry.key) : entry.value.scalarText
        }
        return result
    }

    /// How the null is written that a label or annotation has for a value.
    private func nullText(_ member: String, _ key: String) -> String {
        let path: [PathStep] = [.key("metadata"), .key(member), .key(key)]
        return nullTexts.first { $0.path == path }?.text ?? JSON.null.scalarText
    }

    /// Writes labels or annotations anew, so that every value is a text; none at all are left out. Metadata is made
    /// where there is none, even for nothing: so does Kustomize.
    mutating func setTexts(_ member: String, _ texts: [String: String]) {
        if object["metadata"] == nil { object["metadata"] = .emptyObject }
        guard object["metadata"]?.object != nil || !texts.isEmpty else { return }
        let members = texts.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }
        object[path: ["metadata", member]] = members.isEmpty ? nil : .object(JSONObject(members))
    }

    mutating func setName(_ name: String) { object[path: ["metadata", "name"]] = .string(name) }

    mutating func setNamespace(_ namespace: String) {
        guard !namespace.isEmpty || object["metadata"]?.object != nil else { return }
        object[path: ["metadata", "namespace"]] = namespace.isEmpty ? nil : .string(namespace)
    }

    func error(_ message: String) -> KustomizeError {
        KustomizeError(file: source.file, mark: source.mark, message: message)
    }

    func error(_ fault: Fault) -> KustomizeError { error("\(kind.kind) \(name): \(fault.message)") }
}
