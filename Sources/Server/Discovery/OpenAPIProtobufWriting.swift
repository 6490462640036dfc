import Kinds
import Model

/// What the messages of OpenAPI v2 and v3 have in common (google/gnostic-models), from the JSON that says the same.
extension ProtobufWriter {
    mutating func message(_ field: UInt64, _ body: (inout ProtobufWriter) -> Void) {
        let start = open(field)
        body(&self)
        close(start)
    }

    /// An entry of what is a map in JSON: name 1, value 2.
    mutating func named(_ field: UInt64, _ name: String, _ body: (inout ProtobufWriter) -> Void) {
        message(field) { writer in
            writer.text(1, name)
            writer.message(2, body)
        }
    }

    mutating func texts(_ field: UInt64, _ value: JSON?) {
        for item in value?.array ?? [] { text(field, item.string ?? "") }
    }

    mutating func text(_ field: UInt64, _ value: JSON?) {
        if let value = value?.string { text(field, value) }
    }

    mutating func flag(_ field: UInt64, _ value: JSON?) {
        if value?.bool == true { number(field, 1) }
    }

    mutating func count(_ field: UInt64, _ value: JSON?) {
        if let value = value?.int { number(field, UInt64(bitPattern: value)) }
    }

    mutating func double(_ field: UInt64, _ value: JSON?) {
        if let value = value?.double { double(field, value) }
    }

    /// `Any`: a value as YAML, which JSON is too.
    mutating func value(_ field: UInt64, _ value: JSON) {
        message(field) { $0.text(2, value.text() + "\n") }
    }

    mutating func extensions(_ field: UInt64, of object: JSON) {
        for member in object.object ?? JSONObject() where member.key.hasPrefix("x-") {
            named(field, member.key) { $0.text(2, member.value.text() + "\n") }
        }
    }
}
