import Assets
package import Model

/// The kinds that are served: how each is, in each of its versions, and its schema.
package struct Catalog: Sendable {
    /// Sorted by group, then plural name, then version, the preferred one first.
    package let types: [ResourceType]
    /// The kinds whose objects are kept though nothing acts on them yet.
    package let inertKinds: Set<GroupKind>
    /// The versions of each kind, the preferred one first.
    private let strategies: [GroupKind: [KindStrategy]]
    /// What is defined and not served: versions to which objects are only converted, and what subresources speak.
    private var unserved: [GroupVersionKind: KindStrategy] = [:]
    /// What every object's `metadata` is.
    private(set) var metadataSchema: Schema?
    /// Of the built-in kinds.
    private(set) var definitionNames: [GroupVersionKind: String] = [:]

    /// Read on first use (about a millisecond), so that commands which need no schema do not pay for it.
    package static let builtIn = Catalog(document: embeddedDocument())

    /// - Parameter document: what `Sources/Assets/schemas.json` holds: `kinds` and `definitions`.
    init(document: JSON) {
        let schemas: [String: Schema]
        do {
            schemas = try Schema.definitions(document["definitions"] ?? [:])
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
        func strategies(served isServed: Bool) -> [KindStrategy] {
            (document["kinds"]?.array ?? []).compactMap { node in
                let type = Self.type(node)
                guard let schema = schemas[Self.definition(node)], node["served"]?.bool ?? true == isServed else {
                    return nil
                }
                return KindStrategy(
                    type: type, schema: schema, rules: BuiltInRules.rules(of: type.kind) ?? CustomResourceRules(),
                    isInert: node["isInert"]?.bool ?? false, conversion: BuiltInConversions.all[type.kind])
            }
        }
        self.init(strategies(served: true))
        for strategy in strategies(served: false) { unserved[strategy.type.kind] = strategy }
        metadataSchema = schemas["ObjectMeta"]
        for node in document["kinds"]?.array ?? [] {
            definitionNames[Self.type(node).kind] = Self.definition(node)
        }
    }

    private init(_ strategies: [KindStrategy]) {
        let ordered = strategies.map { (VersionPriority($0.type.kind.version), $0) }.sorted { left, right in
            let (one, other) = (left.1.type, right.1.type)
            if one.kind.group != other.kind.group { return one.kind.group < other.kind.group }
            return one.plural == other.plural ? left.0 < right.0 : one.plural < other.plural
        }.map(\.1)
        types = ordered.map(\.type)
        inertKinds = Set(ordered.filter(\.isInert).map(\.type.kind.groupKind))
        self.strategies = Dictionary(grouping: ordered) { $0.type.kind.groupKind }
    }

    /// The same with more kinds.
    ///
    /// - Parameter unserved: versions that are defined and not served.
    package func adding(_ strategies: [KindStrategy], unserved: [KindStrategy] = []) -> Catalog {
        if strategies.isEmpty { return self }
        var catalog = Catalog(self.strategies.values.flatMap(\.self) + strategies)
        for strategy in unserved { catalog.unserved[strategy.type.kind] = strategy }
        return catalog
    }

    /// How objects of a version are decoded and converted, be it served or not.
    package func definedStrategy(for kind: GroupVersionKind) -> KindStrategy? { strategy(for: kind) ?? unserved[kind] }

    /// How objects of a kind get into the store and out of it; `nil` for kinds and versions that are not served.
    ///
    /// - Parameter version: `nil` means the preferred one.
    package func strategy(for kind: GroupKind, version: String? = nil) -> KindStrategy? {
        let versions = strategies[kind]
        guard let version else { return versions?.first }
        return versions?.first { $0.type.kind.version == version }
    }

    package func strategy(for kind: GroupVersionKind) -> KindStrategy? {
        strategy(for: kind.groupKind, version: kind.version)
    }

    package func type(for kind: GroupKind, version: String? = nil) -> ResourceType? {
        strategy(for: kind, version: version)?.type
    }

    package func schema(for kind: GroupKind, version: String? = nil) -> Schema? {
        strategy(for: kind, version: version)?.schema
    }

    /// The versions in which a kind is served, the preferred one first.
    package func versions(of kind: GroupKind) -> [String] { strategies[kind]?.map(\.type.kind.version) ?? [] }

    /// The name of a kind's schema in the document: the kind's own, where several kinds are not called the same.
    static func definition(_ node: JSON) -> String {
        node["definition"]?.string ?? node["kind"]?.string ?? ""
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
