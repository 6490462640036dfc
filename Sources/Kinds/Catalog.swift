import Assets
package import Model

/// The kinds that are built in: how each is served, and its schema.
package struct Catalog: Sendable {
    /// Sorted by group, then plural name.
    package let types: [ResourceType]
    private let byKind: [GroupKind: ResourceType]
    private let schemas: [String: Schema]
    /// The kinds whose objects are kept though nothing acts on them yet.
    package let inertKinds: Set<GroupKind>
    let strategies: [GroupKind: KindStrategy]

    /// Read on first use (about a millisecond), so that commands which need no schema do not pay for it.
    package static let builtIn = Catalog(document: embeddedDocument())

    /// - Parameter document: what `Sources/Assets/schemas.json` holds: `kinds` and `definitions`.
    init(document: JSON) {
        types = (document["kinds"]?.array ?? []).map(Self.type).sorted {
            ($0.kind.group, $0.plural) < ($1.kind.group, $1.plural)
        }
        byKind = Dictionary(uniqueKeysWithValues: types.map { ($0.kind.groupKind, $0) })
        do {
            schemas = try Schema.definitions(document["definitions"] ?? [:])
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
        let inert = (document["kinds"]?.array ?? []).filter { $0["isInert"]?.bool == true }
        inertKinds = Set(inert.map { Self.type($0).kind.groupKind })
        var strategies: [GroupKind: KindStrategy] = [:]
        for type in types {
            let kind = type.kind.groupKind
            guard let schema = schemas[kind.kind] else { continue }
            strategies[kind] = KindStrategy(
                type: type, schema: schema, rules: BuiltInRules.byKind[kind] ?? CustomResourceRules(),
                isInert: inertKinds.contains(kind))
        }
        self.strategies = strategies
    }

    package func type(for kind: GroupKind) -> ResourceType? { byKind[kind] }

    package func schema(for kind: GroupKind) -> Schema? {
        byKind[kind] == nil ? nil : schemas[kind.kind]
    }

    private static func embeddedDocument() -> JSON {
        let bytes = UnsafeBufferPointer(start: martlet_schemas(), count: martlet_schemas_size())
        do {
            return try JSON(decoding: bytes)
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
    }

    private static func type(_ node: JSON) -> ResourceType {
        let strings = { (key: String) in (node[key]?.array ?? []).compactMap(\.string) }
        let text = { (key: String) in node[key]?.string ?? "" }
        return ResourceType(
            kind: GroupVersionKind(group: text("group"), version: text("version"), kind: text("kind")),
            plural: text("plural"), singular: text("singular"), shortNames: strings("shortNames"),
            categories: strings("categories"), isNamespaced: node["namespaced"]?.bool ?? false, verbs: strings("verbs"),
            subresources: (node["subresources"]?.array ?? []).map {
                ResourceType.Subresource(
                    name: $0["name"]?.string ?? "", verbs: ($0["verbs"]?.array ?? []).compactMap(\.string))
            })
    }
}
