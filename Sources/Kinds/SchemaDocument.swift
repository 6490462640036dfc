import Assets
package import Model

/// The schemas of the built-in kinds as they are written, for those who pass them on: OpenAPI.
package struct SchemaDocument: Sendable {
    /// By name; references (`$ref`) are names in the same object.
    package let definitions: JSON
    /// What clients and generators know a definition by, as `io.k8s.api.apps.v1.Deployment`.
    package let names: [String: String]
    /// The definitions of the kinds.
    package let kinds: [GroupVersionKind: String]

    /// Read anew at each call: it is big, and seldom needed.
    package init() {
        definitions = Self.definitions()
        let document = Self.document()
        var kinds: [GroupVersionKind: String] = [:]
        var kindNames: [String: String] = [:]
        for node in document["kinds"]?.array ?? [] {
            let text = { (key: String) in node[key]?.string ?? "" }
            let kind = GroupVersionKind(group: text("group"), version: text("version"), kind: text("kind"))
            let definition = node["definition"]?.string ?? kind.kind
            kinds[kind] = definition
            kindNames[definition] = kind.kind
        }
        self.kinds = kinds
        var names: [String: String] = [:]
        for package in document["packages"]?.object ?? JSONObject() {
            for definition in (package.value.array ?? []).compactMap(\.string) {
                names[definition] = "\(package.key).\(kindNames[definition] ?? definition)"
            }
        }
        for name in document["names"]?.object ?? JSONObject() { names[name.key] = name.value.string }
        self.names = names
    }

    /// The definitions alone, with their descriptions.
    package static func definitions() -> JSON {
        let descriptions = read(UnsafeBufferPointer(start: martlet_descriptions(), count: martlet_descriptions_size()))
        let definitions = (document()["definitions"]?.object ?? JSONObject()).map { definition in
            var schema = definition.value
            for field in descriptions[definition.key]?.object ?? JSONObject() {
                schema[path: place(of: field.key) + ["description"]] = field.value
            }
            return JSONObject.Member(key: definition.key, value: schema)
        }
        return .object(JSONObject(definitions))
    }

    /// The way to a field's schema: `a.b` is at `properties`, `a`, `properties`, `b`; the empty field is at hand.
    private static func place(of field: String) -> [String] {
        field.split(separator: ".").flatMap { ["properties", String($0)] }
    }

    private static func document() -> JSON {
        read(UnsafeBufferPointer(start: martlet_schemas(), count: martlet_schemas_size()))
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> JSON {
        do {
            return try JSON(decoding: bytes)
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
    }
}
