import Assets
package import Model

/// The schemas of the built-in kinds as they are written, for those who pass them on: `/openapi/v3`.
package enum SchemaDocument {
    /// The name under which `definitions()` has the schema of a kind; `nil` for kinds that are not built in.
    package static func name(of kind: GroupVersionKind) -> String? { Catalog.builtIn.definitionNames[kind] }

    /// By name; references (`$ref`) are names in the same object. Read anew at each call.
    package static func definitions() -> JSON {
        let bytes = UnsafeBufferPointer(start: martlet_schemas(), count: martlet_schemas_size())
        do {
            return try JSON(decoding: bytes)["definitions"] ?? [:]
        } catch {
            preconditionFailure("the embedded schemas are broken: \(error)")
        }
    }
}
