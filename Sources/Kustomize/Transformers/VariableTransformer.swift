import Model

/// Replaces `$(NAME)` by the value of a variable, in the fields that may have some.
struct VariableTransformer: Transformer {
    let values: [String: JSON]
    let specs: FieldSpecs

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        var edits = FieldEdits(
            specs.specs.map { spec in
                FieldEdit(spec: spec) { (old) throws(Fault) in try replaced(old) }
            })
        for position in resources.indices { try edits.apply(to: &resources[position]) }
    }

    private func replaced(_ value: JSON) throws(Fault) -> JSON? {
        switch value {
        case .string(let text): return expanded(text)
        case .object(var object):
            for member in object {
                if let text = member.value.string, let new = expanded(text) { object[member.key] = new }
            }
            return .object(object) == value ? nil : .object(object)
        case .array(var elements):
            for position in elements.indices {
                guard let text = elements[position].string else {
                    throw Fault("a list with variables must have texts alone, not \(elements[position].typeName)")
                }
                if let new = expanded(text) { elements[position] = new }
            }
            return .array(elements) == value ? nil : .array(elements)
        default: return nil
        }
    }

    /// `nil` where nothing changes. A text that is nothing but a variable becomes its value, of whatever type.
    func expanded(_ text: String) -> JSON? {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return nil }
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "$"), position < bytes.count else {
                output.append(byte)
                continue
            }
            switch bytes[position] {
            case UInt8(ascii: "$"):
                output.append(byte)
                position += 1
            case UInt8(ascii: "("):
                guard let end = bytes[position...].firstIndex(of: UInt8(ascii: ")")) else {
                    output += "$(".utf8
                    position += 1
                    continue
                }
                let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
                let value = values[name].flatMap { $0.isScalar && !$0.isNull ? $0 : nil }
                if text == "$(\(name))" { return value }
                output += (value?.scalarText ?? "$(\(name))").utf8
                position = end + 1
            case let other:
                output += [byte, other]
                position += 1
            }
        }
        let new = String(decoding: output, as: UTF8.self)
        return new == text ? nil : .string(new)
    }
}
