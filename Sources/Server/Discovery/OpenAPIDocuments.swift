import Kinds
import Model

/// `/openapi/v3`: one document for each group version (semantics-api B1–B8), and `/openapi/v2`: all in one (B9, B10).
///
/// Documents are made when they are asked for: they are big, and clients keep them.
struct OpenAPIDocuments: Sendable {
    /// By `api/v1`, `apis/apps/v1`.
    private var byName: [String: [ResourceType]] = [:]

    init(_ types: [ResourceType]) {
        for type in types { byName[String(OpenAPIPaths.base(type.kind).dropFirst()), default: []].append(type) }
    }

    var names: [String] { byName.keys.sorted() }

    func types(of name: String) -> [ResourceType] { byName[name] ?? [] }

    /// B1.
    static func index(_ hashes: [String: String]) -> [UInt8] {
        var paths: JSON = [:]
        for (name, hash) in hashes.sorted(by: { $0.key < $1.key }) {
            paths[name] = ["serverRelativeURL": .string(address(of: name, hash: hash))]
        }
        return (["paths": paths] as JSON).encoded()
    }

    static func address(of name: String, hash: String) -> String { "/openapi/v3/\(name)?hash=\(hash)" }

    private static let info: JSON = ["title": "Kubernetes", "version": "v1.36.0"]

    /// Written path by path and schema by schema, so that no more than the text itself is in memory.
    ///
    /// - Returns: `nil` for what is not served.
    func document(_ name: String, schemas: OpenAPISchemas, asProtobuf: Bool = false) -> [UInt8]? {
        guard let types = byName[name] else { return nil }
        if asProtobuf {
            return OpenAPIVersion3Protobuf.document(
                info: Self.info, paths: { Self.forEachPath(of: types, schemas, $0) },
                schemas: { Self.forEachSchema(of: types, schemas, $0) })
        }
        var bytes: [UInt8] = Array("{\"openapi\":\"3.0.0\",\"info\":".utf8)
        Self.info.append(to: &bytes)
        bytes += ",\"paths\":{".utf8
        Self.forEachPath(of: types, schemas) { Self.append($0, $1, to: &bytes) }
        bytes += "},\"components\":{\"schemas\":{".utf8
        Self.forEachSchema(of: types, schemas) { Self.append($0, $1, to: &bytes) }
        bytes += "}}}".utf8
        return bytes
    }

    func version2(schemas: OpenAPISchemas, asProtobuf: Bool) -> [UInt8] {
        let all = names.map(types)
        let paths = { (body: (String, JSON) -> Void) in
            for types in all {
                Self.forEachPath(of: types, schemas) { body($0, OpenAPIVersion2.pathItem($1)) }
            }
        }
        let definitions = { (body: (String, JSON) -> Void) in
            Self.forEachSchema(of: all.flatMap(\.self), schemas) { body($0, OpenAPIVersion2.definition($1)) }
        }
        if asProtobuf {
            return OpenAPIVersion2Protobuf.document(info: Self.info, paths: paths, definitions: definitions)
        }
        var bytes: [UInt8] = Array("{\"swagger\":\"2.0\",\"info\":".utf8)
        Self.info.append(to: &bytes)
        bytes += ",\"paths\":{".utf8
        paths { Self.append($0, $1, to: &bytes) }
        bytes += "},\"definitions\":{".utf8
        definitions { Self.append($0, $1, to: &bytes) }
        bytes += "}}".utf8
        return bytes
    }

    /// A member of the object that was begun.
    private static func append(_ key: String, _ value: JSON, to bytes: inout [UInt8]) {
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        JSON.string(key).append(to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.append(to: &bytes)
    }

    private static func forEachSchema(
        of types: [ResourceType], _ schemas: OpenAPISchemas, _ body: (String, JSON) -> Void
    ) {
        for entry in schemas.entries(of: types).sorted(by: { $0.key < $1.key }) {
            body(entry.key, schemas.schema(entry.value))
        }
    }

    /// The list of the resources of one group version, and then what there is of each.
    private static func forEachPath(
        of types: [ResourceType], _ schemas: OpenAPISchemas, _ body: (String, JSON) -> Void
    ) {
        guard let kind = types.first?.kind else { return }
        let (tag, prefix) = OpenAPIPaths.groupName(kind)
        let schema: JSON = ["schema": schemas.reference(to: "APIResourceList")]
        let content: JSON = [
            "application/json": schema, "application/vnd.kubernetes.protobuf": schema, "application/yaml": schema,
        ]
        let list: JSON = [
            "get": [
                "tags": [.string(tag)], "operationId": .string("get\(prefix)APIResources"),
                "description": "get available resources",
                "responses": [
                    "200": ["description": "OK", "content": content], "401": ["description": "Unauthorized"],
                ],
            ]
        ]
        body(OpenAPIPaths.base(kind) + "/", list)
        for type in types {
            for path in OpenAPIPaths(type, schemas: schemas).all() { body(path.path, path.item) }
        }
    }
}
