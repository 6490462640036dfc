/// A JSON value that loses nothing: members keep their order, integers keep 64 bits, and every other number keeps the
/// very text it was written with.
///
/// Kubernetes objects live in this form everywhere inside Martlet (DESIGN: *Lossless*); typed views (`JSONView`) read
/// and write it in place. Equality ignores the order of an object's members, as JSON does.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    /// A number written as an integer that fits in 64 bits.
    case int(Int64)
    /// Any other number, as its RFC 8259 literal: a fraction, an exponent, or an integer beyond 64 bits.
    case number(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    /// The empty object, `{}`.
    package static let emptyObject = JSON.object(JSONObject())

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var int: Int64? {
        if case .int(let value) = self { value } else { nil }
    }

    /// The value of either kind of number as a double, rounded as IEEE 754 does.
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .number(let literal): Double(literal)
        default: nil
        }
    }

    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value's type in JSON's own words, for messages: `null`, `boolean`, `integer`, `number`, `string`, `array` or
    /// `object`.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member named `key` of an object; `nil` when absent or when this is no object.
    ///
    /// Setting `nil` removes the member, and changes nothing where there is none; setting a value on something that is
    /// no object first makes it an empty one.
    package subscript(key: String) -> JSON? {
        get {
            if case .object(let object) = self { object[key] } else { nil }
        }
        // Beside `_modify`, which has to take the value out and put it back: most writes set a whole one.
        set {
            guard case .object(var object) = self else {
                if let newValue { self = .object(JSONObject([JSONObject.Member(key: key, value: newValue)])) }
                return
            }
            // The storage is moved out while it is changed, so that a unique buffer is changed in place.
            self = .null
            object[key] = newValue
            self = .object(object)
        }
        _modify {
            if case .object(var object) = self {
                // The storage is moved out while it is changed, so that a unique buffer is changed in place; it comes
                // back also when the access ends with an error.
                self = .null
                defer { self = .object(object) }
                yield &object[key]
            } else {
                var value: JSON?
                defer {
                    if let value { self = .object(JSONObject([JSONObject.Member(key: key, value: value)])) }
                }
                yield &value
            }
        }
    }

    /// The element at `index` of an array; `nil` when out of range or when this is no array.
    package subscript(index: Int) -> JSON? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }

    /// The value reached by following member names from here.
    ///
    /// Setting a value makes the objects on the way; setting `nil` removes the last member, where there is one.
    package subscript(path path: [String]) -> JSON? {
        get { path.reduce(Optional(self)) { $0?[$1] } }
        set {
            if let newValue {
                assign(newValue, at: path[...])
            } else if self[path: path] != nil {
                remove(at: path[...])
            }
        }
    }

    /// Changes the member `key` of an object in place, if there is one.
    package mutating func change(_ key: String, _ body: (inout JSON) -> Void) {
        guard case .object(var object) = self, let position = object.position(of: key) else { return }
        // Moved out while it is changed, as above.
        self = .null
        object.change(at: position, body)
        self = .object(object)
    }

    private mutating func assign(_ value: JSON, at path: ArraySlice<String>) {
        guard let first = path.first else {
            self = value
            return
        }
        var object = object ?? JSONObject()
        // Moved out while it is changed, as above.
        self = .null
        object.update(first) { $0.assign(value, at: path.dropFirst()) }
        self = .object(object)
    }

    private mutating func remove(at path: ArraySlice<String>) {
        guard let first = path.first else {
            self = .null
            return
        }
        if path.count == 1 { self[first] = nil } else { self[first]?.remove(at: path.dropFirst()) }
    }
}

extension JSON {
    /// Whether both are one value in memory, and so equal without being compared; `false` says nothing.
    ///
    /// What is changed in place goes on sharing all else with what it was made of.
    ///
    /// - Complexity: O(1).
    @inline(__always)
    package func isShared(with other: JSON) -> Bool {
        switch (self, other) {
        case (.object(let left), .object(let right)): left.isShared(with: right)
        case (.array(let left), .array(let right)): left.isShared(with: right)
        case (.string(let left), .string(let right)), (.number(let left), .number(let right)):
            left._isIdentical(to: right)
        case (.int(let left), .int(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }
}

extension Array {
    /// Whether both are one buffer in memory.
    @inline(__always)
    func isShared(with other: Self) -> Bool {
        count == other.count
            && withUnsafeBufferPointer { left in
                other.withUnsafeBufferPointer { right in left.baseAddress == right.baseAddress }
            }
    }
}

extension JSON: Hashable {
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .number(let value), .string(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

// Not by nil: in `condition ? value : nil` it would stand for JSON's null where the absence of a value is meant.
extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0, value: $1) }))
    }
}
