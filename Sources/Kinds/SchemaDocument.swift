import Assets
package import Model

/// The schemas of the built-in kinds as they are written, for those who pass them on: `/openapi/v3`.
package enum SchemaDocument {
    /// The name under which `definitions()` has the schema of a kind; `nil` for kinds that are not built in.
    package static func name(of kind: GroupVersionKind) -> String? { Catalog.builtIn.definitionNames[kind] }

    /// By name, with descriptions; references (`$ref`) are names in the same object. Read anew at each call.
    package static func definitions() -> JSON {
        let schemas = read(UnsafeBufferPointer(start: martlet_schemas(), count: martlet_schemas_size()))
        let descriptions = read(UnsafeBufferPointer(start: martlet_descriptions(), count: martlet_descriptions_size()))
        let definitions = (schemas["definitions"]?.object ?? JSONObject()).map { definition in
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

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> JSON {
        do {
            return try JSON(decoding: bytes)
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
    }
}
