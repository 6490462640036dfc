internal import Model

/// Types that no schema describes, but the program that offers their values.
extension SchemaType {
    /// Whatever JSON it is.
    package static let any = SchemaType(.any, name: "dyn", nullable: true, maxElements: maxRequestSize, minSize: 1)
    package static let string = SchemaType(.string, name: "string", maxElements: maxRequestSize - 2, minSize: 2)
    package static let bool = SchemaType(.bool, name: "bool", minSize: 4)
    package static let int = SchemaType(.int, name: "int", minSize: 1)
    package static let timestamp = SchemaType(.dateTime, name: "timestamp", maxElements: 32, minSize: 21)

    package static func list(of element: SchemaType) -> SchemaType {
        SchemaType(.list(element, .atomic), name: "list", maxElements: maxRequestSize, minSize: 2)
    }

    /// A map from strings.
    package static func map(of value: SchemaType) -> SchemaType {
        SchemaType(.map(value), name: "map", maxElements: maxRequestSize, minSize: 2)
    }

    /// An object with these fields.
    package static func object(named name: String, _ fields: [String: SchemaType]) -> SchemaType {
        SchemaType(
            .object(Dictionary(uniqueKeysWithValues: fields.map { ($0.key, Field(key: $0.key, type: $0.value)) })),
            name: name, minSize: 2)
    }

    /// What is known of a field that has the values of an expression of that type: scalars, lists and maps are told
    /// apart, all else is dynamic, as in Kubernetes' composition of variables.
    package static func declared(as type: CELType) -> SchemaType {
        switch type {
        case .bool: .bool
        case .int: .int
        case .double: SchemaType(.double, name: "double", minSize: 1)
        case .string: .string
        case .bytes: SchemaType(.bytes, name: "bytes", maxElements: maxRequestSize, minSize: 2)
        case .duration: SchemaType(.duration, name: "duration", maxElements: 32, minSize: 3)
        case .timestamp: .timestamp
        case .list(let element): .list(of: declared(as: element))
        case .map(.string, let value): .map(of: declared(as: value))
        default: .any
        }
    }
}

extension CELType {
    /// What cel-go's own text of a type is, which is not how the checker's messages write it.
    package var text: String {
        switch self {
        case .null: "null_type"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list(let element): "list(\(element.text))"
        case .map(let key, let value): "map(\(key.text), \(value.text))"
        case .optional(let value): "optional_type(\(value.text))"
        default: name
        }
    }

    /// What asks who may do what.
    package static let authorizer = CELType.opaque(AccessValue.authorizerType)
    /// A question about the resource of a request.
    package static let resourceCheck = CELType.opaque(AccessValue.resourceCheckType)
}
