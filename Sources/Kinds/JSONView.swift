package import Model

/// What a typed view can hold in one of its fields: a Swift value with a form in JSON.
package protocol JSONRepresentable: Sendable, Hashable {
    /// `nil` when the JSON value has another type. Views are made of validated objects, where that does not happen.
    init?(json: JSON)
    var json: JSON { get }
}

/// A typed window on a JSON object.
///
/// A view holds the tree itself and reads and writes it in place, so that fields it has no name for survive
/// (DESIGN: *Lossless*). Reading costs a member lookup. The views of the built-in kinds are generated from their
/// schemas by `generate-kinds`.
///
/// A field that Kubernetes always fills, by defaulting or because it is required, is not optional: where it is absent
/// it reads as its type's zero value, as in Kubernetes' own types.
package protocol JSONView: JSONRepresentable {
    var json: JSON { get set }
    init(viewing json: JSON)
}

extension JSONView {
    package init() { self.init(viewing: .emptyObject) }

    package init?(json: JSON) {
        guard case .object = json else { return nil }
        self.init(viewing: json)
    }

    package func field<Value: JSONRepresentable>(_ key: String) -> Value? {
        json[key].flatMap(Value.init(json:))
    }

    package func field<Value: JSONRepresentable>(_ key: String, or zero: @autoclosure () -> Value) -> Value {
        json[key].flatMap(Value.init(json:)) ?? zero()
    }

    package mutating func setField<Value: JSONRepresentable>(_ key: String, _ value: Value?) {
        json[key] = value?.json
    }

    /// Sets a text; an empty one is left out, as Kubernetes' `omitempty` does.
    package mutating func setText(_ key: String, _ text: String) {
        json[key] = text.isEmpty ? nil : .string(text)
    }

    package func list<Element: JSONRepresentable>(_ key: String) -> [Element] {
        json[key]?.array?.compactMap(Element.init(json:)) ?? []
    }

    /// Sets a list; an empty one is left out, as Kubernetes' `omitempty` does.
    package mutating func setList<Element: JSONRepresentable>(_ key: String, _ elements: [Element]) {
        json[key] = elements.isEmpty ? nil : .array(elements.map(\.json))
    }

    package func map<Value: JSONRepresentable>(_ key: String) -> [String: Value] {
        guard let members = json[key]?.object else { return [:] }
        return members.reduce(into: [:]) { $0[$1.key] = Value(json: $1.value) }
    }

    /// Sets a map, its keys sorted so that equal maps give equal bytes; an empty one is left out.
    package mutating func setMap<Value: JSONRepresentable>(_ key: String, _ map: [String: Value]) {
        let members = map.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: $0.value.json) }
        json[key] = members.isEmpty ? nil : .object(JSONObject(members))
    }
}

extension JSON: JSONRepresentable {
    package init?(json: JSON) { self = json }
    package var json: JSON { self }
}

extension String: JSONRepresentable {
    package init?(json: JSON) {
        guard let value = json.string else { return nil }
        self = value
    }
    package var json: JSON { .string(self) }
}

extension Bool: JSONRepresentable {
    package init?(json: JSON) {
        guard let value = json.bool else { return nil }
        self = value
    }
    package var json: JSON { .bool(self) }
}

extension Int: JSONRepresentable {
    package init?(json: JSON) {
        guard let value = json.int else { return nil }
        self.init(value)
    }
    package var json: JSON { .int(Int64(self)) }
}

extension IntOrString: JSONRepresentable {
    package init?(json: JSON) {
        switch json {
        case .int(let value): self = .int(Int(value))
        case .string(let text): self = .string(text)
        default: return nil
        }
    }
    package var json: JSON {
        switch self {
        case .int(let value): .int(Int64(value))
        case .string(let text): .string(text)
        }
    }
}

extension Quantity: JSONRepresentable {
    package var json: JSON { .string(description) }
}

extension Timestamp: JSONRepresentable {
    package init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(text)
    }
    package var json: JSON { .string(description) }
}

extension MicroTimestamp: JSONRepresentable {
    package init?(json: JSON) {
        guard let text = json.string, let time = Timestamp(text) else { return nil }
        self.init(time)
    }
    package var json: JSON { .string(time.microText) }
}
