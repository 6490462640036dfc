package import Model

extension CELValue {
    /// What a JSON value is to an expression (Kubernetes' `UnstructuredToVal`).
    ///
    /// - Parameter type: What its schema says; without one, objects are maps and numbers are int where they are written
    ///   so, double otherwise.
    package init(_ json: JSON, type: SchemaType?) {
        guard let type else {
            self = Self.dynamic(json)
            return
        }
        if case .any = type.shape {
            self = Self.dynamic(json)
            return
        }
        if json.isNull {
            self = type.isNullable ? .null : .error("invalid data, got null for schema with nullable=false")
            return
        }
        switch (type.shape, json) {
        case (.dyn, .int), (.dyn, .string): self = Self.dynamic(json)
        case (.object, .object(let members)): self = .object(CELObject(members: members, type: type))
        case (.map(let value), .object(let members)): self = .map(CELMap(members, type: value))
        case (.list(let element, let merge), .array(let elements)):
            self = .list(CELList(elements, type: element, merge: merge))
        case (.string, .string(let text)): self = .string(text)
        case (.bool, .bool(let value)): self = .bool(value)
        case (.int, .int(let value)): self = .int(value)
        case (.int, .number), (.double, .int), (.double, .number): self = Self.number(json, type)
        case (.duration, .string(let text)):
            self = GoDuration.parse(text).map { .duration($0) } ?? .error("invalid duration \(text)")
        case (.dateTime, .string(let text)):
            self = CELTimestamp(text).map { .timestamp($0) } ?? .error("invalid date-time formatted string \(text)")
        case (.date, .string(let text)):
            self =
                CELTimestamp("\(text)T00:00:00Z").map { .timestamp($0) }
                ?? .error("invalid date formatted string \(text)")
        case (.bytes, .string(let text)):
            self = Base64.decode(text).map { .bytes($0) } ?? .error("invalid byte formatted string \(text)")
        default: self = .error("invalid data, expected a \(type.name) but found a JSON \(json.typeName)")
        }
    }

    private static func number(_ json: JSON, _ type: SchemaType) -> CELValue {
        guard let value = json.double else { return .error("invalid data, expected a number") }
        if case .double = type.shape { return .double(value) }
        return Int64(exactly: value).map { .int($0) } ?? .error("invalid data, expected an integer")
    }

    private static func dynamic(_ json: JSON) -> CELValue {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .number: .double(json.double ?? .nan)
        case .string(let text): .string(text)
        case .array(let elements): .list(CELList(elements, type: nil, merge: .atomic))
        case .object(let members): .map(CELMap(members, type: nil))
        }
    }

    /// The value as JSON, where it can be: what a mutation or an audit annotation would store.
    package var json: JSON? {
        switch self {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .uint(let value): return Int64(exactly: value).map { .int($0) } ?? .number(String(value))
        case .double(let value): return value.isFinite ? .number(GoNumber.shortest(value)) : nil
        case .string(let text): return .string(text)
        case .list(let list):
            if case .json(let elements, _) = list.storage { return .array(elements) }
            var elements: [JSON] = []
            for value in list.values {
                guard let json = value.json else { return nil }
                elements.append(json)
            }
            return .array(elements)
        case .map(let map):
            var object = JSONObject()
            for key in map.keys {
                guard case .string(let name) = key, let json = map[key]?.json else { return nil }
                object[name] = json
            }
            return .object(object)
        case .object(let object): return .object(object.members)
        case .optional(let value?): return value.json
        case .built(let built):
            var object = JSONObject()
            for field in built.fields {
                guard let json = field.value.json else { return nil }
                object[field.name] = json
            }
            return .object(object)
        default: return nil
        }
    }
}
