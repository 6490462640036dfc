/// One way to call a function: the types it takes and gives, and what it does.
struct Overload: Sendable {
    typealias Body = @Sendable ([CELValue]) -> CELValue

    /// cel-go's name of it, by which costs are told apart.
    let id: String
    let function: String
    let isMember: Bool
    /// Of a member, the target comes first.
    let parameters: [CELType]
    let result: CELType
    let isGeneric: Bool
    let body: Body

    /// - Parameter declaration: `string.(int) -> string` for a member, `(string) -> bool` for a function of its own.
    init(_ function: String, id: String, _ declaration: String, body: @escaping Body) {
        self.function = function
        self.id = id
        self.body = body
        let arrow = declaration.range(of: " -> ")!
        let head = declaration[..<arrow.lowerBound]
        result = CELType(declared: declaration[arrow.upperBound...])
        let open = Self.lastGroup(head)
        let arguments = CELType.split(head[head.index(after: open)...].dropLast())
        isMember = open > head.startIndex
        let target = isMember ? [head[..<head.index(before: open)]] : []
        parameters = (target + arguments).map { CELType(declared: $0) }
        isGeneric = (parameters + [result]).contains { type in
            var found = false
            _ = type.replacing { part in
                if case .parameter = part { found = true }
                return nil
            }
            return found
        }
    }

    /// Where the parenthesis opens that closes at the end.
    private static func lastGroup(_ text: Substring) -> Substring.Index {
        var depth = 0
        for index in text.indices.reversed() {
            if text[index] == ")" { depth += 1 }
            if text[index] == "(" { depth -= 1 }
            if depth == 0 { return index }
        }
        return text.startIndex
    }
}

extension StringProtocol {
    /// Where a text first stands within this one.
    fileprivate func range(of text: String) -> Range<Index>? {
        for index in indices where self[index...].hasPrefix(text) {
            return index..<self.index(index, offsetBy: text.count)
        }
        return nil
    }
}

/// Every function that an expression can call: those of the language, and those that Kubernetes 1.36 adds.
enum Library {
    static let functions: [String: [Overload]] = {
        var functions: [String: [Overload]] = [:]
        let parts = [
            operators, logic, conversions, standard, times, strings, lists, sets, optionals, regex, addresses, urls,
            quantities, versions, formats, comprehensions, access, patches,
        ]
        for overload in parts.joined() { functions[overload.function, default: []].append(overload) }
        return functions
    }()

    /// The types that expressions can name as values.
    static let typeNames: [String: CELType] = [
        "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes,
        "list": .list(.dyn), "map": .map(.dyn, .dyn), "null_type": .null, "type": .type(.dyn),
        "google.protobuf.Timestamp": .timestamp, "google.protobuf.Duration": .duration,
        "optional_type": .optional(.dyn), "net.IP": .opaque("net.IP"), "net.CIDR": .opaque("net.CIDR"),
    ]

    static func function(
        _ name: String, _ declarations: KeyValuePairs<String, String>, _ body: @escaping Overload.Body
    ) -> [Overload] {
        declarations.map { Overload(name, id: $0.key, $0.value, body: body) }
    }
}
