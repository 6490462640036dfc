import FoundationEssentials
import Model

/// The hand-edited schemas: one YAML file for each version of an API group.
struct SchemaSources {
    /// The root of the package, with a slash at its end.
    let root: String
    private static let folder = "Sources/Kinds/Schemas/"

    /// All files as one document of `kinds` and `definitions`. A definition carries the
    /// name of its file (`x-martlet-file`), by which its view is placed, unless the file says `views: false`: kinds
    /// that no code looks into need none. `packages` has the names of each file's definitions by the name that comes
    /// before them in OpenAPI: the file's `package`, or `io.k8s.api` and the file's name; `names` has the full names of
    /// those that say theirs (`x-martlet-name`).
    ///
    /// - Throws: `YAMLError` with the place of a fault, `SchemaError` for a reference to nothing.
    func document() throws -> JSON {
        var kinds: [JSON] = []
        var definitions = JSONObject()
        var packages = JSONObject()
        var names = JSONObject()
        for name in try FileManager.default.contentsOfDirectory(atPath: root + Self.folder).sorted() {
            let path = Self.folder + name
            let text = try [UInt8](Data(contentsOf: URL(filePath: root + path)))
            guard let document = try YAML.documents(text, file: path).first else { continue }
            kinds += document.value["kinds"]?.array ?? []
            let hasViews = document.value["views"]?.bool ?? true
            let file = String(name.dropLast(".yaml".count))
            var members = packages[document.value["package"]?.string ?? "io.k8s.api.\(file)"]?.array ?? []
            for definition in document.value["definitions"]?.object ?? JSONObject() {
                if definitions[definition.key] != nil {
                    let place: [PathStep] = [.key("definitions"), .key(definition.key)]
                    throw document.error(at: place, "\(definition.key) is defined in another file too: rename it")
                }
                var schema = definition.value
                if let name = schema["x-martlet-name"] {
                    names[definition.key] = name
                    schema["x-martlet-name"] = nil
                } else {
                    members.append(.string(definition.key))
                }
                if hasViews { schema["x-martlet-file"] = .string(file) }
                definitions[definition.key] = schema
            }
            packages[document.value["package"]?.string ?? "io.k8s.api.\(file)"] = .array(members)
        }
        _ = try Schema.definitions(.object(definitions))
        return [
            "kinds": .array(kinds), "definitions": .object(definitions), "packages": .object(packages),
            "names": .object(names),
        ]
    }
}
