/// How expressions build what mutations apply: `Object.spec{replicas: 1}` and `JSONPatch{op: "add", …}`.
enum Construction {
    /// What the parser makes of it: a call with the name of the type, then each field and its value.
    static let function = "@construct"
    /// Before the name of a field whose value is optional.
    static let optionalMark = "?"

    private static let patchType = "JSONPatch"

    /// Types are named after the path from the root: `Object.spec.template`.
    static func isType(_ name: String) -> Bool {
        name == patchType || name == "Object" || name.hasPrefix("Object.")
    }

    /// `nil` where the type has no such field; of objects nothing is known.
    static func fieldType(_ field: String, of type: String) -> CELType? {
        guard type == patchType else { return .dyn }
        return switch field {
        case "op", "path", "from": .string
        case "value": .dyn
        default: nil
        }
    }

    static let overload = Overload(function, id: "construct", "() -> dyn") { arguments in
        guard case .string(let type) = arguments[0] else { return .noOverload }
        var fields: [BuiltObject.Field] = []
        for position in stride(from: 1, to: arguments.count - 1, by: 2) {
            guard case .string(let written) = arguments[position] else { return .noOverload }
            var value = arguments[position + 1]
            var name = written
            if written.hasPrefix(optionalMark) {
                name.removeFirst()
                guard case .optional(let inner) = value else { return .noOverload }
                guard let inner else { continue }
                value = inner
            }
            if fieldType(name, of: type) == .string {
                guard case .string = value else {
                    return .error("unexpected type \(value.typeName) for JSONPatchType '\(name)' field")
                }
            }
            fields.append(BuiltObject.Field(name: name, value: value))
        }
        return .built(BuiltObject(typeName: type, fields: fields))
    }
}

/// An object that an expression built.
package struct BuiltObject: Sendable {
    package struct Field: Sendable {
        package var name: String
        package var value: CELValue
    }

    package let typeName: String
    package let fields: [Field]

    subscript(name: String) -> CELValue? { fields.first { $0.name == name }?.value }

    func isEqual(to other: BuiltObject) -> Bool {
        typeName == other.typeName && fields.count == other.fields.count
            && fields.allSatisfy { field in other[field.name].map { field.value.isEqual(to: $0) } ?? false }
    }

    /// Where an object is within another one, and its type does not say so, in Kubernetes' words.
    package var misplaced: [String] { Self.misplaced(.built(self), at: typeName) }

    private static func misplaced(_ value: CELValue, at path: String) -> [String] {
        switch value {
        case .built(let object):
            let rule = "which matches field name path from root Object type"
            let own =
                object.typeName == path
                ? [] : ["unexpected type name \"\(object.typeName)\", expected \"\(path)\", \(rule)"]
            return own + object.fields.flatMap { misplaced($0.value, at: "\(path).\($0.name)") }
        case .list(let list): return list.values.flatMap { misplaced($0, at: path) }
        case .map(let map): return map.keys.flatMap { misplaced(map[$0] ?? .null, at: path) }
        default: return []
        }
    }
}

extension CELType {
    /// What an apply configuration is, and a list of patches.
    package static let builtObject = CELType.opaque("Object")
    package static let patchList = CELType.list(.opaque("JSONPatch"))
}

extension Library {
    static let patches: [Overload] = [
        Overload("jsonpatch.escapeKey", id: "jsonpatch_escapeKey_string", "(string) -> string") { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            var escaped = ""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "~": escaped += "~0"
                case "/": escaped += "~1"
                default: escaped.unicodeScalars.append(scalar)
                }
            }
            return .string(escaped)
        }
    ]
}
