package import Model

/// What an expression sees of a structural schema: types, names that are names in the language, and how large values
/// may become (`k8s.io/apiserver/pkg/cel/common`, `SchemaDeclType`).
package final class SchemaType: Sendable {
    package struct Field: Sendable {
        /// As it stands in the object; expressions name it escaped.
        package var key: String
        package var type: SchemaType
    }

    enum Shape: Sendable {
        case dyn, string, bytes, duration, date, dateTime, bool, int, double
        /// Whatever it is: nothing is declared of it.
        case any
        /// Of fields by their escaped names.
        case object([String: Field])
        case map(SchemaType)
        case list(SchemaType, Schema.ListType)
    }

    let name: String
    let shape: Shape
    let isNullable: Bool
    /// The most elements, entries or bytes that a value can have.
    let maxElements: Int64
    /// The fewest bytes of a value's JSON.
    let minSerializedSize: Int64

    static let maxRequestSize: Int64 = 3 * 1024 * 1024

    init(_ shape: Shape, name: String, nullable: Bool = false, maxElements: Int64 = 1, minSize: Int64) {
        self.shape = shape
        self.name = name
        isNullable = nullable
        self.maxElements = maxElements
        minSerializedSize = minSize
    }

    /// - Parameter isRoot: Whether the schema is that of a whole resource, whose `apiVersion`, `kind`, `metadata.name`
    ///   and `metadata.generateName` can always be read.
    /// - Returns: `nil` when expressions cannot see such values: their type is not said, as with
    ///   `x-kubernetes-preserve-unknown-fields` alone.
    package static func of(_ schema: Schema, isRoot: Bool = false, name: String = "selfType") -> SchemaType? {
        var visiting: Set<ObjectIdentifier> = []
        return make(schema, isRoot: isRoot || schema.isEmbeddedResource, name: name, &visiting)
    }

    private static func make(
        _ schema: Schema, isRoot: Bool, name: String, _ visiting: inout Set<ObjectIdentifier>
    ) -> SchemaType? {
        // What contains itself has no finite type: it is not seen.
        guard visiting.insert(ObjectIdentifier(schema)).inserted else { return nil }
        defer { visiting.remove(ObjectIdentifier(schema)) }
        let nullable = schema.isNullable
        if schema.isIntOrString {
            let length = schema.maxLength.map(bytes(ofLength:)) ?? maxRequestSize - 2
            return SchemaType(.dyn, name: "dyn", nullable: nullable, maxElements: length, minSize: 1)
        }
        switch schema.type {
        case .array:
            guard let items = schema.items,
                let element = make(items, isRoot: items.isEmbeddedResource, name: "\(name).@idx", &visiting)
            else { return nil }
            let most = schema.maxItems.map { max(0, Int64($0)) }
            return SchemaType(
                .list(element, schema.listType), name: "list", nullable: nullable,
                maxElements: most ?? (maxRequestSize - 2) / (element.minSerializedSize + 1), minSize: 2)
        case .object: return object(schema, isRoot: isRoot, name: name, &visiting)
        case .string: return string(schema)
        case .boolean: return SchemaType(.bool, name: "bool", nullable: nullable, minSize: 4)
        case .number: return SchemaType(.double, name: "double", nullable: nullable, minSize: 1)
        case .integer: return SchemaType(.int, name: "int", nullable: nullable, minSize: 1)
        case nil: return nil
        }
    }

    private static func object(
        _ schema: Schema, isRoot: Bool, name: String, _ visiting: inout Set<ObjectIdentifier>
    ) -> SchemaType? {
        if let values = schema.additionalProperties {
            guard let element = make(values, isRoot: values.isEmbeddedResource, name: "\(name).@elem", &visiting)
            else { return nil }
            let most = schema.maxProperties.map { max(0, Int64($0)) }
            return SchemaType(
                .map(element), name: "map", nullable: schema.isNullable,
                maxElements: most ?? (maxRequestSize - 2) / (element.minSerializedSize + 6), minSize: 2)
        }
        var fields: [String: Field] = [:]
        var size: Int64 = 2
        for (key, child) in schema.properties {
            guard let type = make(child, isRoot: child.isEmbeddedResource, name: "\(name).\(key)", &visiting)
            else { continue }
            if let escaped = PropertyName.escaped(key) { fields[escaped] = Field(key: key, type: type) }
            if schema.required.contains(key), child.defaultValue == nil {
                size += Int64(key.utf8.count) + type.minSerializedSize + 4
            }
        }
        if isRoot { addObjectMeta(to: &fields, name: name) }
        return SchemaType(.object(fields), name: name, nullable: schema.isNullable, minSize: size)
    }

    /// `apiVersion`, `kind` and of `metadata` the names: what every resource has, whatever its schema says of it.
    private static func addObjectMeta(to fields: inout [String: Field], name: String) {
        let text = SchemaType(.string, name: "string", maxElements: maxRequestSize - 2, minSize: 2)
        for key in ["apiVersion", "kind"] { fields[key] = Field(key: key, type: text) }
        if case .object(let declared) = fields["metadata"]?.type.shape, declared["name"] != nil,
            declared["generateName"] != nil
        {
            return
        }
        var names: [String: Field] = [:]
        for key in ["name", "generateName"] { names[key] = Field(key: key, type: text) }
        let metadata = SchemaType(.object(names), name: "\(name).metadata", minSize: 2)
        fields["metadata"] = Field(key: "metadata", type: metadata)
    }

    private static func string(_ schema: Schema) -> SchemaType {
        let nullable = schema.isNullable
        switch schema.format {
        case "byte":
            let most = schema.maxLength.map { max(0, Int64($0)) } ?? maxRequestSize - 2
            return SchemaType(.bytes, name: "bytes", nullable: nullable, maxElements: most, minSize: 2)
        case "duration":
            return SchemaType(.duration, name: "duration", nullable: nullable, maxElements: 32, minSize: 3)
        case "date": return SchemaType(.date, name: "timestamp", nullable: nullable, maxElements: 12, minSize: 12)
        case "date-time":
            return SchemaType(.dateTime, name: "timestamp", nullable: nullable, maxElements: 32, minSize: 21)
        default: break
        }
        var most = maxRequestSize - 2
        if let length = schema.maxLength {
            most = bytes(ofLength: length)
        } else if !schema.allowed.isEmpty {
            most = Int64(schema.allowed.compactMap { $0.string?.utf8.count }.max() ?? 0)
        }
        return SchemaType(.string, name: "string", nullable: nullable, maxElements: most, minSize: 2)
    }

    /// A scalar may take four bytes.
    private static func bytes(ofLength length: Int) -> Int64 {
        let (product, overflow) = max(0, Int64(length)).multipliedReportingOverflow(by: 4)
        return overflow ? .max : product
    }

    /// What the checker calls it.
    package var type: CELType {
        switch shape {
        case .dyn, .any: .dyn
        case .string: .string
        case .bytes: .bytes
        case .duration: .duration
        case .date, .dateTime: .timestamp
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .object: .object(self)
        case .map(let value): .map(.string, value.type)
        case .list(let element, _): .list(element.type)
        }
    }

    /// How often such a value can occur in one request, at most.
    package var maxCardinality: UInt64 { UInt64(Self.maxRequestSize / (minSerializedSize + 1)) }

    func field(_ name: String) -> Field? {
        if case .object(let fields) = shape { fields[name] } else { nil }
    }
}

extension SchemaType: Hashable {
    package static func == (left: SchemaType, right: SchemaType) -> Bool { left === right }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Property names as names of the language (`k8s.io/apiserver/pkg/cel/escaping.go`).
package enum PropertyName {
    /// `nil` when the name cannot be written in an expression.
    package static func escaped(_ name: String) -> String? {
        guard let first = name.unicodeScalars.first, !first.isDigit else { return nil }
        if Token.keywords.contains(name) || Token.reserved.contains(name) { return "__\(name)__" }
        var escaped = ""
        var rest = Substring(name).unicodeScalars
        while let scalar = rest.first {
            rest.removeFirst()
            switch scalar {
            case "_" where rest.first == "_":
                rest.removeFirst()
                escaped += "__underscores__"
            case ".": escaped += "__dot__"
            case "-": escaped += "__dash__"
            case "/": escaped += "__slash__"
            default:
                guard scalar.isNamePart else { return nil }
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
