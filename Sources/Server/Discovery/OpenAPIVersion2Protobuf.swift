import Kinds
import Model

/// OpenAPI v2 as `openapi.v2.Document` of google/gnostic-models, which is what clients read (B9).
enum OpenAPIVersion2Protobuf {
    /// - Parameters:
    ///   - paths: calls what it is given with each path and what is there.
    ///   - definitions: likewise with each name and schema.
    static func document(
        info: JSON, paths: ((String, JSON) -> Void) -> Void, definitions: ((String, JSON) -> Void) -> Void
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.text(1, "2.0")
        writer.message(2) { writer in
            writer.text(1, info["title"]?.string ?? "")
            writer.text(2, info["version"]?.string ?? "")
        }
        writer.message(8) { writer in
            paths { path, item in writer.named(2, path) { pathItem(item, to: &$0) } }
        }
        writer.message(9) { writer in
            definitions { name, definition in writer.named(1, name) { schema(definition, to: &$0) } }
        }
        return writer.bytes
    }

    // MARK: Paths

    private static func pathItem(_ item: JSON, to writer: inout ProtobufWriter) {
        let methods: [(UInt64, String)] = [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")]
        for (field, method) in methods {
            guard let operation = item[method] else { continue }
            writer.message(field) { self.operation(operation, to: &$0) }
        }
        parameters(9, item["parameters"], to: &writer)
    }

    private static func operation(_ operation: JSON, to writer: inout ProtobufWriter) {
        writer.texts(1, operation["tags"])
        writer.text(3, operation["description"])
        writer.text(5, operation["operationId"])
        writer.texts(6, operation["produces"])
        writer.texts(7, operation["consumes"])
        parameters(8, operation["parameters"], to: &writer)
        writer.message(9) { writer in
            for response in operation["responses"]?.object ?? JSONObject() {
                writer.named(1, response.key) { writer in
                    writer.message(1) { writer in
                        writer.text(1, response.value["description"])
                        guard let schema = response.value["schema"] else { return }
                        writer.message(2) { $0.message(1) { self.schema(schema, to: &$0) } }
                    }
                }
            }
        }
        writer.texts(10, operation["schemes"])
        writer.extensions(13, of: operation)
    }

    private static func parameters(_ field: UInt64, _ parameters: JSON?, to writer: inout ProtobufWriter) {
        for parameter in parameters?.array ?? [] {
            writer.message(field) { writer in
                writer.message(1) { self.parameter(parameter, to: &$0) }
            }
        }
    }

    private static func parameter(_ parameter: JSON, to writer: inout ProtobufWriter) {
        guard parameter["in"] != "body" else {
            writer.message(1) { writer in
                writer.text(1, parameter["description"])
                writer.text(2, parameter["name"])
                writer.text(3, parameter["in"])
                writer.flag(4, parameter["required"])
                writer.message(5) { schema(parameter["schema"] ?? [:], to: &$0) }
            }
            return
        }
        let isQuery = parameter["in"] == "query"
        writer.message(2) { writer in
            writer.message(isQuery ? 3 : 4) { writer in
                writer.flag(1, parameter["required"])
                writer.text(2, parameter["in"])
                writer.text(3, parameter["description"])
                writer.text(4, parameter["name"])
                writer.text(isQuery ? 6 : 5, parameter["type"])
                writer.flag(isQuery ? 21 : 20, parameter["uniqueItems"])
            }
        }
    }

    // MARK: Schemas

    private static let bounds: [(field: UInt64, name: String)] = [
        (11, "maxLength"), (12, "minLength"), (14, "maxItems"), (15, "minItems"), (17, "maxProperties"),
        (18, "minProperties"),
    ]

    private static func schema(_ schema: JSON, to writer: inout ProtobufWriter) {
        writer.text(1, schema["$ref"])
        writer.text(2, schema["format"])
        writer.text(3, schema["title"])
        writer.text(4, schema["description"])
        if let preset = schema["default"] { writer.value(5, preset) }
        writer.double(6, schema["multipleOf"])
        writer.double(7, schema["maximum"])
        writer.flag(8, schema["exclusiveMaximum"])
        writer.double(9, schema["minimum"])
        writer.flag(10, schema["exclusiveMinimum"])
        writer.text(13, schema["pattern"])
        writer.flag(16, schema["uniqueItems"])
        for bound in bounds { writer.count(bound.field, schema[bound.name]) }
        writer.texts(19, schema["required"])
        for item in schema["enum"]?.array ?? [] { writer.value(20, item) }
        switch schema["additionalProperties"] {
        case .bool(let allows)?: writer.message(21) { $0.number(2, allows ? 1 : 0) }
        case let other?: writer.message(21) { $0.message(1) { self.schema(other, to: &$0) } }
        case nil: break
        }
        if let type = schema["type"]?.string { writer.message(22) { $0.text(1, type) } }
        if let items = schema["items"] {
            writer.message(23) { $0.message(1) { self.schema(items, to: &$0) } }
        }
        if let properties = schema["properties"]?.object, !properties.isEmpty {
            writer.message(25) { writer in
                for property in properties {
                    writer.named(1, property.key) { self.schema(property.value, to: &$0) }
                }
            }
        }
        writer.extensions(31, of: schema)
    }
}
