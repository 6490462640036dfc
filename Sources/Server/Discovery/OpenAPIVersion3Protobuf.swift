import Kinds
import Model

/// OpenAPI v3 as `openapi.v3.Document` of google/gnostic-models, for clients that ask for it (B2).
enum OpenAPIVersion3Protobuf {
    /// - Parameters:
    ///   - paths: calls what it is given with each path and what is there.
    ///   - schemas: likewise with each name and schema.
    static func document(
        info: JSON, paths: ((String, JSON) -> Void) -> Void, schemas: ((String, JSON) -> Void) -> Void
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.text(1, "3.0.0")
        writer.message(2) { writer in
            writer.text(1, info["title"])
            writer.text(6, info["version"])
        }
        writer.message(4) { writer in
            paths { path, item in writer.named(1, path) { pathItem(item, to: &$0) } }
        }
        writer.message(5) { writer in
            writer.message(1) { writer in
                schemas { name, schema in writer.named(1, name) { reference(orSchema: schema, to: &$0) } }
            }
        }
        return writer.bytes
    }

    // MARK: Paths

    private static let methods: [(field: UInt64, name: String)] = [
        (4, "get"), (5, "put"), (6, "post"), (7, "delete"), (10, "patch"),
    ]

    private static func pathItem(_ item: JSON, to writer: inout ProtobufWriter) {
        for method in methods {
            guard let operation = item[method.name] else { continue }
            writer.message(method.field) { self.operation(operation, to: &$0) }
        }
        parameters(13, item["parameters"], to: &writer)
    }

    private static func operation(_ operation: JSON, to writer: inout ProtobufWriter) {
        writer.texts(1, operation["tags"])
        writer.text(3, operation["description"])
        writer.text(5, operation["operationId"])
        parameters(6, operation["parameters"], to: &writer)
        if let body = operation["requestBody"] {
            writer.message(7) { writer in
                writer.message(1) { writer in
                    content(2, body["content"], to: &writer)
                    writer.flag(3, body["required"])
                }
            }
        }
        writer.message(8) { writer in
            for response in operation["responses"]?.object ?? JSONObject() {
                writer.named(2, response.key) { writer in
                    writer.message(1) { writer in
                        writer.text(1, response.value["description"])
                        content(3, response.value["content"], to: &writer)
                    }
                }
            }
        }
        writer.extensions(13, of: operation)
    }

    private static func parameters(_ field: UInt64, _ parameters: JSON?, to writer: inout ProtobufWriter) {
        for parameter in parameters?.array ?? [] {
            writer.message(field) { writer in
                writer.message(1) { writer in
                    writer.text(1, parameter["name"])
                    writer.text(2, parameter["in"])
                    writer.text(3, parameter["description"])
                    writer.flag(4, parameter["required"])
                    writer.message(10) { reference(orSchema: parameter["schema"] ?? [:], to: &$0) }
                }
            }
        }
    }

    /// Schemas by media type.
    private static func content(_ field: UInt64, _ content: JSON?, to writer: inout ProtobufWriter) {
        guard let content = content?.object, !content.isEmpty else { return }
        writer.message(field) { writer in
            for media in content {
                writer.named(1, media.key) { writer in
                    writer.message(1) { reference(orSchema: media.value["schema"] ?? [:], to: &$0) }
                }
            }
        }
    }

    // MARK: Schemas

    private static let counts: [(field: UInt64, name: String)] = [
        (15, "maxLength"), (16, "minLength"), (18, "maxItems"), (19, "minItems"), (21, "maxProperties"),
        (22, "minProperties"),
    ]

    private static func reference(orSchema schema: JSON, to writer: inout ProtobufWriter) {
        guard let target = schema["$ref"]?.string else {
            writer.message(1) { self.schema(schema, to: &$0) }
            return
        }
        writer.message(2) { $0.text(1, target) }
    }

    private static func schema(_ schema: JSON, to writer: inout ProtobufWriter) {
        writer.flag(1, schema["nullable"])
        if let example = schema["example"] { writer.value(7, example) }
        writer.text(9, schema["title"])
        writer.double(10, schema["multipleOf"])
        writer.double(11, schema["maximum"])
        writer.flag(12, schema["exclusiveMaximum"])
        writer.double(13, schema["minimum"])
        writer.flag(14, schema["exclusiveMinimum"])
        for count in counts { writer.count(count.field, schema[count.name]) }
        writer.text(17, schema["pattern"])
        writer.flag(20, schema["uniqueItems"])
        writer.texts(23, schema["required"])
        for item in schema["enum"]?.array ?? [] { writer.value(24, item) }
        writer.text(25, schema["type"])
        for (field, name) in [(26, "allOf"), (27, "oneOf"), (28, "anyOf")] as [(UInt64, String)] {
            for part in schema[name]?.array ?? [] { writer.message(field) { reference(orSchema: part, to: &$0) } }
        }
        if let other = schema["not"] { writer.message(29) { self.schema(other, to: &$0) } }
        contents(schema, to: &writer)
        if let preset = schema["default"] { self.preset(preset, to: &writer) }
        writer.text(34, schema["description"])
        writer.text(35, schema["format"])
        writer.extensions(36, of: schema)
    }

    private static func contents(_ schema: JSON, to writer: inout ProtobufWriter) {
        if let items = schema["items"] {
            writer.message(30) { writer in writer.message(1) { reference(orSchema: items, to: &$0) } }
        }
        if let properties = schema["properties"]?.object, !properties.isEmpty {
            writer.message(31) { writer in
                for property in properties {
                    writer.named(1, property.key) { reference(orSchema: property.value, to: &$0) }
                }
            }
        }
        switch schema["additionalProperties"] {
        case .bool(let allows)?: writer.message(32) { $0.number(2, allows ? 1 : 0) }
        case let other?:
            writer.message(32) { writer in writer.message(1) { reference(orSchema: other, to: &$0) } }
        case nil: break
        }
    }

    /// The message holds numbers, truths and texts alone.
    private static func preset(_ value: JSON, to writer: inout ProtobufWriter) {
        switch value {
        case .int, .number: writer.message(33) { $0.double(1, value) }
        case .bool(let isTrue): writer.message(33) { $0.number(2, isTrue ? 1 : 0) }
        case .string(let text): writer.message(33) { $0.text(3, text) }
        default: break
        }
    }
}
