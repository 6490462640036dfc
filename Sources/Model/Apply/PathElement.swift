/// One step on the way to a field, as field ownership names it (semantics-api H3).
package enum PathElement: Hashable, Sendable {
    /// A member of an object.
    case field(String)
    /// The item of a keyed list that has these values under its keys; sorted by name.
    case key([KeyField])
    /// The item of a set that has this value.
    case value(JSON)
    /// The item of a list at this position.
    case index(Int)

    package struct KeyField: Hashable, Sendable {
        package var name: String
        package var value: JSON

        package init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }

        fileprivate static func precedes(_ left: KeyField, _ right: KeyField) -> Bool {
            left.name.byteOrder(to: right.name) < 0
        }
    }

    /// The key of a list item in one literal: `.item(["name": "web"])`.
    package static func item(_ fields: KeyValuePairs<String, JSON>) -> PathElement {
        .key(fields.map { KeyField(name: $0.key, value: $0.value) }.sorted(by: KeyField.precedes))
    }
}

extension PathElement: Comparable {
    package enum Order {
        case before, same, after
    }

    /// Fields come before keys, keys before values, values before indices; within each by content.
    package func order(to other: PathElement) -> Order {
        switch (self, other) {
        case (.field(let left), .field(let right)): Self.order(left, right)
        case (.key(let left), .key(let right)): Self.order(left, right)
        case (.value(let left), .value(let right)): Self.order(left, right)
        case (.index(let left), .index(let right)): Self.order(left, right)
        default: Self.order(rank, other.rank)
        }
    }

    package static func < (left: PathElement, right: PathElement) -> Bool { left.order(to: right) == .before }
    package static func == (left: PathElement, right: PathElement) -> Bool { left.order(to: right) == .same }

    private var rank: Int {
        switch self {
        case .field: 0
        case .key: 1
        case .value: 2
        case .index: 3
        }
    }

    private static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Order {
        left == right ? .same : left < right ? .before : .after
    }

    private static func order(_ left: [KeyField], _ right: [KeyField]) -> Order {
        for (left, right) in zip(left, right) {
            let names = order(left.name, right.name)
            if names != .same { return names }
            let values = order(left.value, right.value)
            if values != .same { return values }
        }
        return order(left.count, right.count)
    }

    private static func order(_ left: JSON, _ right: JSON) -> Order {
        switch (left, right) {
        case (.int(let left), .int(let right)): order(left, right)
        case (.string(let left), .string(let right)): order(left, right)
        // Not by their texts: 10 stands before 1e9 there, and after 2, which stands after 1e9.
        case (.int, .number): .before
        case (.number, .int): .after
        default: left == right ? .same : order(left.text(), right.text())
        }
    }

    /// By bytes: where Unicode knows no difference, JSON does.
    private static func order(_ left: String, _ right: String) -> Order {
        let order = left.byteOrder(to: right)
        return order == 0 ? .same : order < 0 ? .before : .after
    }
}

extension PathElement: CustomStringConvertible {
    /// As Kubernetes' messages write it: `.replicas`, `[name="web"]`, `[="a"]`, `[0]`.
    package var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let fields): "[" + fields.map { "\($0.name)=\($0.value.text())" }.joined(separator: ",") + "]"
        case .value(let value): "[=\(value.text())]"
        case .index(let index): "[\(index)]"
        }
    }

    /// As FieldsV1 writes it: `f:replicas`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
    var fieldsV1Key: String {
        switch self {
        case .field(let name): return "f:" + name
        case .key(let fields):
            let members = fields.map { JSONObject.Member(key: $0.name, value: $0.value) }
            return "k:" + JSON.object(JSONObject(members)).text()
        case .value(let value): return "v:" + value.text()
        case .index(let index): return "i:\(index)"
        }
    }

    /// Reads a key of FieldsV1; `nil` when it is none.
    init?(fieldsV1Key text: String) {
        // By bytes: a name may begin with what would combine with the colon.
        let bytes = text.utf8
        guard bytes.count >= 2, bytes.dropFirst().first == UInt8(ascii: ":") else { return nil }
        let rest = text[bytes.index(bytes.startIndex, offsetBy: 2)...]
        switch bytes.first {
        case UInt8(ascii: "f"): self = .field(String(rest))
        case UInt8(ascii: "k"):
            guard let object = Self.json(rest)?.object else { return nil }
            self = .key(object.map { KeyField(name: $0.key, value: $0.value) }.sorted(by: KeyField.precedes))
        case UInt8(ascii: "v"):
            guard let value = Self.json(rest) else { return nil }
            self = .value(value)
        case UInt8(ascii: "i"):
            guard let index = Int(rest) else { return nil }
            self = .index(index)
        default: return nil
        }
    }

    private static func json(_ text: Substring) -> JSON? {
        do { return try JSON(decoding: Array(text.utf8)) } catch { return nil }
    }
}

extension PathElement {
    /// The way from an object's root to a field.
    package struct Path: Hashable, Sendable, CustomStringConvertible {
        package var elements: [PathElement]

        package init(_ elements: [PathElement]) {
            self.elements = elements
        }

        /// `.spec.containers[name="web"].image`
        package var description: String { elements.map(\.description).joined() }
    }
}
