import Model

/// The fields that refer to objects of a kind by name.
struct NameReference: Hashable, Sendable {
    var target: ResourceKind
    var referrers: FieldSpecs
}

/// Which fields the transformers are about: the defaults, and what `configurations` and `crds` add.
struct Configuration: Sendable {
    var namePrefix = FieldSpecs()
    var nameSuffix = FieldSpecs()
    var namespace = FieldSpecs()
    var commonLabels = FieldSpecs()
    var labels = FieldSpecs()
    var templateLabels = FieldSpecs()
    var commonAnnotations = FieldSpecs()
    var nameReference: [NameReference] = []
    var varReference = FieldSpecs()
    var images = FieldSpecs()
    var replicas = FieldSpecs()

    private static let lists: [(name: String, list: any WritableKeyPath<Configuration, FieldSpecs> & Sendable)] = [
        ("namePrefix", \.namePrefix), ("nameSuffix", \.nameSuffix), ("namespace", \.namespace),
        ("commonLabels", \.commonLabels), ("labels", \.labels), ("templateLabels", \.templateLabels),
        ("commonAnnotations", \.commonAnnotations), ("varReference", \.varReference), ("images", \.images),
        ("replicas", \.replicas),
    ]

    mutating func merge(_ other: Configuration) throws(Fault) {
        for (_, list) in Self.lists { try self[keyPath: list].merge(other[keyPath: list]) }
        for reference in other.nameReference { try merge(reference) }
    }

    mutating func merge(_ reference: NameReference) throws(Fault) {
        guard let position = nameReference.firstIndex(where: { $0.target == reference.target }) else {
            nameReference.append(reference)
            return
        }
        try nameReference[position].referrers.merge(reference.referrers)
    }
}

extension Configuration {
    /// Reads a file that `configurations` names.
    init(_ document: YAMLDocument) throws(KustomizeError) {
        let root = Field(document, isLenient: true)
        let members = try root.members(Set(Self.lists.map(\.name) + ["nameReference"]))
        for (name, list) in Self.lists {
            self[keyPath: list] = FieldSpecs(
                try members.elements(name).map { field throws(KustomizeError) in try FieldSpec(field) })
        }
        for field in try members.elements("nameReference") {
            let parts = try field.members(["group", "version", "kind", "fieldSpecs"])
            let target = ResourceKind(
                group: try parts.string("group"), version: try parts.string("version"), kind: try parts.string("kind"))
            let specs = try parts.elements("fieldSpecs").map { field throws(KustomizeError) in try FieldSpec(field) }
            nameReference.append(NameReference(target: target, referrers: FieldSpecs(specs)))
        }
    }

    /// Adds what a file of OpenAPI definitions says of custom kinds (`crds`): which of their fields refer to other
    /// objects, hold labels, annotations, or names.
    init(definitions: JSON) throws(Fault) {
        for member in definitions.object ?? JSONObject() {
            let properties = member.value["Schema"]?["properties"] ?? .null
            guard ["kind", "apiVersion", "metadata"].allSatisfy({ properties[$0] != nil }) else { continue }
            let kind = ResourceKind(kind: String(member.key.split(separator: ".").last ?? ""))
            var visited: Set<String> = []
            try addDefinition(member.key, of: kind, in: definitions, path: [], visited: &visited)
        }
    }

    private mutating func addDefinition(
        _ name: String, of kind: ResourceKind, in definitions: JSON, path: [String], visited: inout Set<String>
    ) throws(Fault) {
        guard path.count < 64, visited.insert(name).inserted else {
            throw Fault("the definition \(name) refers to itself: a field path would have no end")
        }
        defer { visited.remove(name) }
        for member in definitions[name]?["Schema"]?["properties"]?.object ?? JSONObject() {
            let property = member.value
            let way = path + [member.key]
            let spec = FieldSpec(kind: kind, path: way.joined(separator: "/"))
            if property["x-kubernetes-annotation"]?.string != nil { try commonAnnotations.merge(spec) }
            if property["x-kubernetes-label-selector"]?.string != nil { try commonLabels.merge(spec) }
            if property["x-kubernetes-identity"]?.string != nil { try namePrefix.merge(spec) }
            if let version = property["x-kubernetes-object-ref-api-version"]?.string,
                let target = property["x-kubernetes-object-ref-kind"]?.string
            {
                let key = property["x-kubernetes-object-ref-name-key"]?.string ?? "name"
                let referrer = FieldSpec(kind: kind, path: (way + [key]).joined(separator: "/"))
                try merge(
                    NameReference(
                        target: ResourceKind(version: version, kind: target), referrers: FieldSpecs([referrer])))
            }
            if let reference = property["$ref"]?.string {
                try addDefinition(reference, of: kind, in: definitions, path: way, visited: &visited)
            }
        }
    }
}
