extension JSONPath {
    /// Paths in filters, and filters in these, are nested no deeper.
    private static let depth = 4

    /// - Returns: `nil` for what is no path of this form.
    package init?(_ text: String) {
        self.init(text, depth: Self.depth)
    }

    private init?(_ text: String, depth: Int) {
        var reader = Reader(rest: Substring(text), depth: depth)
        guard let steps = reader.steps(), reader.rest.isEmpty else { return nil }
        self.steps = steps
    }

    private struct Reader {
        var rest: Substring
        let depth: Int

        mutating func steps() -> [Step]? {
            var steps: [Step] = []
            while let first = rest.first {
                switch first {
                case ".":
                    rest.removeFirst()
                    if rest.first == "[" || (rest.isEmpty && steps.isEmpty) { continue }
                    guard let name = name() else { return nil }
                    steps.append(name == "*" ? .all : .member(name))
                case "[":
                    guard let step = bracket() else { return nil }
                    steps.append(step)
                default: return nil
                }
            }
            return steps
        }

        /// Up to the next dot or bracket; a backslash takes the next character as it is.
        private mutating func name() -> String? {
            var name = ""
            while let character = rest.first, character != ".", character != "[" {
                rest.removeFirst()
                if character == "\\" {
                    guard let escaped = rest.popFirst() else { return nil }
                    name.append(escaped)
                } else {
                    name.append(character)
                }
            }
            return name.isEmpty ? nil : name
        }

        private mutating func bracket() -> Step? {
            rest.removeFirst()
            if rest.first == "?" { return filter() }
            if let quote = rest.first, quote == "'" || quote == "\"" {
                guard let name = quoted(), rest.popFirst() == "]" else { return nil }
                return .member(name)
            }
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let inside = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if inside == "*" { return .all }
            if let index = Int(inside) { return .element(index) }
            let bounds = inside.split(separator: ":", omittingEmptySubsequences: false)
            guard bounds.count == 2, bounds.allSatisfy({ $0.isEmpty || Int($0) != nil }) else { return nil }
            return .slice(Int(bounds[0]), Int(bounds[1]))
        }

        private mutating func quoted() -> String? {
            guard let quote = rest.popFirst() else { return nil }
            var text = ""
            while let character = rest.popFirst() {
                if character == quote { return text }
                if character == "\\", let escaped = rest.popFirst() {
                    text.append(escaped)
                } else {
                    text.append(character)
                }
            }
            return nil
        }

        /// `[?(@.type=="Ready")]`, of which the bracket and the question mark have been seen.
        private mutating func filter() -> Step? {
            guard depth > 0, rest.hasPrefix("?(@") else { return nil }
            rest.removeFirst(3)
            guard let end = rest.firstRange(of: ")]") else { return nil }
            let inside = rest[..<end.lowerBound]
            rest = rest[end.upperBound...]
            for sign in Comparison.Operator.allCases {
                guard let place = inside.firstRange(of: sign.rawValue) else { continue }
                let left = inside[..<place.lowerBound].filter { $0 != " " }
                let right = inside[place.upperBound...].drop { $0 == " " }
                guard let path = JSONPath(String(left), depth: depth - 1), let value = Self.literal(right) else {
                    return nil
                }
                return .filter(Filter(path: path, comparison: Comparison(operator: sign, value: value)))
            }
            guard let path = JSONPath(String(inside), depth: depth - 1) else { return nil }
            return .filter(Filter(path: path, comparison: nil))
        }

        private static func literal(_ text: Substring) -> JSON? {
            if let first = text.first, first == "'" || first == "\"" {
                var reader = Reader(rest: text, depth: 0)
                return reader.quoted().map(JSON.string)
            }
            switch text {
            case "true": return true
            case "false": return false
            default: return Int64(text).map(JSON.int) ?? Double(text).map { .number("\($0)") }
            }
        }
    }
}
