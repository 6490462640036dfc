import Model

/// The schemas of the built-in kinds, and apart from them what they say about themselves for people.
///
/// The schemas are read whenever the program starts, the descriptions only for OpenAPI: so they are compiled in apart.
struct Descriptions {
    /// The document without any description.
    private(set) var schemas: JSON
    /// By definition, then by field: an empty name is the definition itself, dots lead into fields of fields.
    private(set) var texts = JSONObject()

    /// - Parameter document: `kinds` and `definitions`, as `SchemaSources` has them.
    init(splitting document: JSON) {
        schemas = document
        var definitions = JSONObject()
        for definition in document["definitions"]?.object ?? JSONObject() {
            var fields = JSONObject()
            definitions[definition.key] = Self.split(definition.value, at: [], into: &fields)
            texts[definition.key] = .object(fields)
        }
        schemas["definitions"] = .object(definitions)
    }

    private static func split(_ schema: JSON, at path: [String], into fields: inout JSONObject) -> JSON {
        var bare = schema
        if let text = schema["description"] {
            fields[path.joined(separator: ".")] = text
            bare["description"] = nil
        }
        for property in schema["properties"]?.object ?? JSONObject() {
            bare[path: ["properties", property.key]] =
                split(property.value, at: path + [property.key], into: &fields)
        }
        return bare
    }
}
