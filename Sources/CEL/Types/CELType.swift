/// A type of the language, as the checker reckons with it.
package indirect enum CELType: Hashable, Sendable {
    case null, bool, int, uint, double, string, bytes, timestamp, duration
    /// Known at run time only.
    case dyn
    /// Of what is already refused: fits everywhere, so that one fault is told once.
    case error
    case list(CELType)
    case map(CELType, CELType)
    case optional(CELType)
    case type(CELType)
    /// A type of a library, by its name: `net.IP`, `kubernetes.Quantity`.
    case opaque(String)
    /// An object with declared fields.
    case object(SchemaType)
    /// Stands for a type in a function's declaration.
    case parameter(String)
    /// A type yet to be found.
    case variable(Int)

    /// What users read: `list(string)`, `map(string, int)`.
    package var name: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .dyn: "dyn"
        case .error: "!error!"
        case .list(let element): "list(\(element.name))"
        case .map(let key, let value): "map(\(key.name), \(value.name))"
        case .optional(let value): "optional_type(\(value.name))"
        case .type(.dyn): "type"
        case .type(let value): "type(\(value.name))"
        case .opaque(let name), .parameter(let name): name
        case .object(let type): type.name
        case .variable(let number): "_var\(number)"
        }
    }

    /// What a value of this type says of its own type: `google.protobuf.Timestamp`, and no parameters.
    var runtimeName: String {
        switch self {
        case .null: "null_type"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .optional: "optional_type"
        case .type: "type"
        default: name
        }
    }

    var isDynamic: Bool { self == .dyn || self == .error }

    /// Whether a value has the same size whatever it is, which costs reckon with.
    var isScalar: Bool {
        switch self {
        case .bool, .double, .duration, .int, .timestamp, .uint, .null: true
        default: false
        }
    }

    /// The type with its parameters and variables replaced.
    func replacing(_ replace: (CELType) -> CELType?) -> CELType {
        if let replacement = replace(self) { return replacement }
        switch self {
        case .list(let element): return .list(element.replacing(replace))
        case .map(let key, let value): return .map(key.replacing(replace), value.replacing(replace))
        case .optional(let value): return .optional(value.replacing(replace))
        case .type(let value): return .type(value.replacing(replace))
        default: return self
        }
    }
}

extension CELType {
    /// Reads a type as declarations write it: `list(A)`, `map(string, dyn)`, `net.IP`; a capital letter is a parameter.
    init(declared text: Substring) {
        let text = text.drop { $0 == " " }
        if let open = text.firstIndex(of: "("), text.last == ")" {
            let inner = text[text.index(after: open)..<text.index(before: text.endIndex)]
            let parts = Self.split(inner)
            switch text[..<open] {
            case "list": self = .list(CELType(declared: parts[0]))
            case "map": self = .map(CELType(declared: parts[0]), CELType(declared: parts[1]))
            case "optional": self = .optional(CELType(declared: parts[0]))
            default: self = .type(CELType(declared: parts[0]))
            }
            return
        }
        switch text {
        case "null": self = .null
        case "bool": self = .bool
        case "int": self = .int
        case "uint": self = .uint
        case "double": self = .double
        case "string": self = .string
        case "bytes": self = .bytes
        case "timestamp": self = .timestamp
        case "duration": self = .duration
        case "dyn": self = .dyn
        default: self = text.utf8.count == 1 ? .parameter(String(text)) : .opaque(String(text))
        }
    }

    /// The parts between commas that stand in no parentheses.
    static func split(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var start = text.startIndex
        for index in text.indices {
            switch text[index] {
            case "(": depth += 1
            case ")": depth -= 1
            case "," where depth == 0:
                parts.append(text[start..<index])
                start = text.index(after: index)
            default: break
            }
        }
        let last = text[start...]
        return last.allSatisfy { $0 == " " } ? parts : parts + [last]
    }
}
