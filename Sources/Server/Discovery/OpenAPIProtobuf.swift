import Kinds
import Model

/// OpenAPI v2 as `openapi.v2.Document` of google/gnostic-models, which is what clients read (B9).
enum OpenAPIProtobuf {
    /// - Parameters:
    ///   - paths: calls what it is given with each path and what is there.
    ///   - definitions: likewise with each name and schema.
    static func document(
        info: JSON, paths: ((String, JSON) -> Void) -> Void, definitions: ((String, JSON) -> Void) -> Void
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.text(1, "2.0")
        message(2, to: &writer) { writer in
            writer.text(1, info["title"]?.string ?? "")
            writer.text(2, info["version"]?.string ?? "")
        }
        message(8, to: &writer) { writer in
            paths { path, item in named(2, path, to: &writer) { pathItem(item, to: &$0) } }
        }
        message(9, to: &writer) { writer in
            definitions { name, definition in named(1, name, to: &writer) { schema(definition, to: &$0) } }
        }
        return writer.bytes
    }

    private static func message(
        _ field: UInt64, to writer: inout ProtobufWriter, _ body: (inout ProtobufWriter) -> Void
    ) {
        let start = writer.open(field)
        body(&writer)
        writer.close(start)
    }

    /// An entry of what is a map in JSON: name 1, value 2.
    private static func named(
        _ field: UInt64, _ name: String, to writer: inout ProtobufWriter, _ body: (inout ProtobufWriter) -> Void
    ) {
        message(field, to: &writer) { writer in
            writer.text(1, name)
            message(2, to: &writer, body)
        }
    }

    private static func texts(_ field: UInt64, _ value: JSON?, to writer: inout ProtobufWriter) {
        for text in value?.array ?? [] { writer.text(field, text.string ?? "") }
    }

    private static func text(_ field: UInt64, _ value: JSON?, to writer: inout ProtobufWriter) {
        if let text = value?.string { writer.text(field, text) }
    }

    private static func flag(_ field: UInt64, _ value: JSON?, to writer: inout ProtobufWriter) {
        if value?.bool == true { writer.number(field, 1) }
    }

    /// `Any`: a value as YAML, which JSON is too.
    private static func value(_ field: UInt64, _ value: JSON, to writer: inout ProtobufWriter) {
        message(field, to: &writer) { $0.text(2, value.text() + "\n") }
    }

    private static func extensions(_ field: UInt64, of object: JSON, to writer: inout ProtobufWriter) {
        for member in object.object ?? JSONObject() where member.key.hasPrefix("x-") {
            message(field, to: &writer) { writer in
                writer.text(1, member.key)
                value(2, member.value, to: &writer)
            }
        }
    }

    // MARK: Paths

    private static func pathItem(_ item: JSON, to writer: inout ProtobufWriter) {
        let methods: [(UInt64, String)] = [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")]
        for (field, method) in methods {
            guard let operation = item[method] else { continue }
            message(field, to: &writer) { self.operation(operation, to: &$0) }
        }
        parameters(9, item["parameters"], to: &writer)
    }

    private static func operation(_ operation: JSON, to writer: inout ProtobufWriter) {
        texts(1, operation["tags"], to: &writer)
        text(3, operation["description"], to: &writer)
        text(5, operation["operationId"], to: &writer)
        texts(6, operation["produces"], to: &writer)
        texts(7, operation["consumes"], to: &writer)
        parameters(8, operation["parameters"], to: &writer)
        message(9, to: &writer) { writer in
            for response in operation["responses"]?.object ?? JSONObject() {
                named(1, response.key, to: &writer) { writer in
                    message(1, to: &writer) { writer in
                        text(1, response.value["description"], to: &writer)
                        guard let schema = response.value["schema"] else { return }
                        message(2, to: &writer) { message(1, to: &$0) { self.schema(schema, to: &$0) } }
                    }
                }
            }
        }
        texts(10, operation["schemes"], to: &writer)
        extensions(13, of: operation, to: &writer)
    }

    private static func parameters(_ field: UInt64, _ parameters: JSON?, to writer: inout ProtobufWriter) {
        for parameter in parameters?.array ?? [] {
            message(field, to: &writer) { writer in
                message(1, to: &writer) { self.parameter(parameter, to: &$0) }
            }
        }
    }

    private static func parameter(_ parameter: JSON, to writer: inout ProtobufWriter) {
        guard parameter["in"] != "body" else {
            message(1, to: &writer) { writer in
                text(1, parameter["description"], to: &writer)
                text(2, parameter["name"], to: &writer)
                text(3, parameter["in"], to: &writer)
                flag(4, parameter["required"], to: &writer)
                message(5, to: &writer) { schema(parameter["schema"] ?? [:], to: &$0) }
            }
            return
        }
        let isQuery = parameter["in"] == "query"
        message(2, to: &writer) { writer in
            message(isQuery ? 3 : 4, to: &writer) { writer in
                flag(1, parameter["required"], to: &writer)
                text(2, parameter["in"], to: &writer)
                text(3, parameter["description"], to: &writer)
                text(4, parameter["name"], to: &writer)
                text(isQuery ? 6 : 5, parameter["type"], to: &writer)
                flag(isQuery ? 21 : 20, parameter["uniqueItems"], to: &writer)
            }
        }
    }

    // MARK: Schemas

    private static let bounds: [(field: UInt64, name: String)] = [
        (11, "maxLength"), (12, "minLength"), (14, "maxItems"), (15, "minItems"), (17, "maxProperties"),
        (18, "minProperties"),
    ]

    private static func schema(_ schema: JSON, to writer: inout ProtobufWriter) {
        text(1, schema["$ref"], to: &writer)
        text(2, schema["format"], to: &writer)
        text(3, schema["title"], to: &writer)
        text(4, schema["description"], to: &writer)
        if let preset = schema["default"] { value(5, preset, to: &writer) }
        if let number = schema["multipleOf"]?.double { writer.double(6, number) }
        if let number = schema["maximum"]?.double { writer.double(7, number) }
        flag(8, schema["exclusiveMaximum"], to: &writer)
        if let number = schema["minimum"]?.double { writer.double(9, number) }
        flag(10, schema["exclusiveMinimum"], to: &writer)
        text(13, schema["pattern"], to: &writer)
        flag(16, schema["uniqueItems"], to: &writer)
        for bound in bounds {
            if let number = schema[bound.name]?.int { writer.number(bound.field, UInt64(bitPattern: number)) }
        }
        texts(19, schema["required"], to: &writer)
        for item in schema["enum"]?.array ?? [] { value(20, item, to: &writer) }
        switch schema["additionalProperties"] {
        case .bool(let allows)?: message(21, to: &writer) { $0.number(2, allows ? 1 : 0) }
        case let other?: message(21, to: &writer) { message(1, to: &$0) { self.schema(other, to: &$0) } }
        case nil: break
        }
        if let type = schema["type"]?.string { message(22, to: &writer) { $0.text(1, type) } }
        if let items = schema["items"] {
            message(23, to: &writer) { message(1, to: &$0) { self.schema(items, to: &$0) } }
        }
        if let properties = schema["properties"]?.object, !properties.isEmpty {
            message(25, to: &writer) { writer in
                for property in properties {
                    named(1, property.key, to: &writer) { self.schema(property.value, to: &$0) }
                }
            }
        }
        extensions(31, of: schema, to: &writer)
    }
}
