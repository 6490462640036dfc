internal import Model

/// A map: of values, or a JSON object that becomes values as it is read.
package struct CELMap: Sendable {
    /// What maps can be asked by. Numbers of equal value are one key, whatever their type.
    enum Key: Hashable, Sendable {
        case bool(Bool)
        case int(Int64)
        case uint(UInt64)
        case string([UInt8])

        init?(_ value: CELValue) {
            switch value {
            case .bool(let value): self = .bool(value)
            case .int(let value): self = .int(value)
            case .uint(let value): self = Int64(exactly: value).map { .int($0) } ?? .uint(value)
            case .string(let value): self = .string(Array(value.utf8))
            case .double(let value):
                if let whole = Int64(exactly: value) {
                    self = .int(whole)
                } else if let whole = UInt64(exactly: value) {
                    self = .uint(whole)
                } else {
                    return nil
                }
            default: return nil
            }
        }
    }

    enum Storage: Sendable {
        case entries([CELValue], [CELValue], [Key: Int])
        /// - Parameter type: that of the values; nothing is known of them without one.
        case json(JSONObject, SchemaType?)
        case lazy(LazyFields)
    }

    private(set) var storage: Storage

    package init() { storage = .entries([], [], [:]) }

    init(_ object: JSONObject, type: SchemaType?) { storage = .json(object, type) }

    init(_ fields: LazyFields) { storage = .lazy(fields) }

    package var count: Int {
        switch storage {
        case .entries(let keys, _, _): keys.count
        case .json(let object, _): object.count
        case .lazy(let fields): fields.names.count
        }
    }

    package var keys: [CELValue] {
        switch storage {
        case .entries(let keys, _, _): keys
        case .json(let object, _): object.keys.map { .string($0) }
        case .lazy(let fields): fields.names.map { .string($0) }
        }
    }

    package subscript(key: CELValue) -> CELValue? {
        switch storage {
        case .entries(_, let values, let index): return Key(key).flatMap { index[$0] }.map { values[$0] }
        case .json(let object, let type):
            guard case .string(let name) = key else { return nil }
            return object[name].map { CELValue($0, type: type) }
        case .lazy(let fields):
            guard case .string(let name) = key else { return nil }
            return fields.value(name)
        }
    }

    /// Adds an entry; answers false, and changes nothing, when the key is there already.
    mutating func insert(_ value: CELValue, at key: CELValue) -> Bool {
        if case .entries = storage {
        } else {
            var copy = CELMap()
            for key in keys { _ = copy.insert(self[key] ?? .null, at: key) }
            self = copy
        }
        guard case .entries(var keys, var values, var index) = storage, let name = Key(key), index[name] == nil else {
            return false
        }
        storage = .entries([], [], [:])
        index[name] = keys.count
        keys.append(key)
        values.append(value)
        storage = .entries(keys, values, index)
        return true
    }

    func isEqual(to other: CELMap) -> Bool {
        guard count == other.count else { return false }
        return keys.allSatisfy { key in
            guard let left = self[key], let right = other[key] else { return false }
            return left.isEqual(to: right)
        }
    }
}

/// An object whose fields its schema declares.
package struct CELObject: Sendable {
    var members: JSONObject
    let type: SchemaType

    /// The value of a field by its escaped name; `nil` when the object has none, or null, which is the same for fields
    /// that a schema declares (Kubernetes' `unstructuredMap.Find`).
    func value(_ name: String) -> CELValue? {
        guard let field = type.field(name), let json = members[field.key], !json.isNull else { return nil }
        return CELValue(json, type: field.type)
    }

    func isEqual(to other: CELObject) -> Bool {
        guard members.count == other.members.count else { return false }
        for member in members {
            guard let right = other.members[member.key] else { return false }
            // What the schema does not show is compared as it stands.
            guard let escaped = PropertyName.escaped(member.key), let field = type.field(escaped) else {
                if member.value != right { return false }
                continue
            }
            if !CELValue(member.value, type: field.type).isEqual(to: CELValue(right, type: field.type)) {
                return false
            }
        }
        return true
    }
}
