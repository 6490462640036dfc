/// What Go's `regexp/syntax` says of a pattern it cannot read.
struct RegexError: Error, Hashable, CustomStringConvertible {
    var message: String
    var description: String { "error parsing regexp: \(message)" }
}

/// Reads a pattern in RE2's syntax.
struct RegexParser {
    static let maximumRepeat = 1000
    static let maximumDepth = 200

    struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
        var isUngreedy = false
    }

    let pattern: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    var depth = 0

    static func parse(_ text: String) throws(RegexError) -> RegexNode {
        var parser = RegexParser(pattern: Array(text.unicodeScalars))
        let node = try parser.alternation()
        if parser.peek() == ")" { throw RegexError(message: "unexpected ): `\(text)`") }
        _ = try Self.repeatCount(of: node, text)
        return node
    }

    private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < pattern.count ? pattern[position + distance] : nil
    }

    func text(from start: Int) -> String { String(pattern[start..<min(position, pattern.count)]) }
    var whole: String { String(pattern) }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == scalar else { return false }
        position += 1
        return true
    }

    /// Counted repetitions within each other may not multiply beyond the limit: they decide how large a program is.
    private static func repeatCount(of node: RegexNode, _ text: String) throws(RegexError) -> Int {
        switch node {
        case .sequence(let nodes), .either(let nodes):
            var most = 1
            for node in nodes { most = max(most, try repeatCount(of: node, text)) }
            return most
        case .repetition(let inner, let minimum, let maximum, _):
            let count = max(1, maximum ?? minimum) * (try repeatCount(of: inner, text))
            if count > maximumRepeat { throw RegexError(message: "invalid repeat count: `\(text)`") }
            return count
        default: return 1
        }
    }

    private mutating func alternation() throws(RegexError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw RegexError(message: "expression nests too deeply: `\(whole)`") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .either(branches)
    }

    private mutating func sequence() throws(RegexError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let next = peek(), next != "|", next != ")" {
            let start = position
            if let node = try atom() { nodes.append(try repeated(node, from: start)) }
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func repeated(_ atom: RegexNode, from start: Int) throws(RegexError) -> RegexNode {
        var node = atom
        var isRepeated = false
        let first = position
        while let next = peek() {
            let before = position
            let bounds: (Int, Int?)
            switch next {
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "?": bounds = (0, 1)
            case "{":
                guard let counted = try counted() else { return node }
                bounds = counted
            default: return node
            }
            if next != "{" { position += 1 }
            let isLazy = take("?")
            if isRepeated {
                throw RegexError(message: "invalid nested repetition operator: `\(text(from: first))`")
            }
            isRepeated = true
            node = .repetition(node, minimum: bounds.0, maximum: bounds.1, greedy: isLazy == flags.isUngreedy)
            if position == before { return node }
        }
        return node
    }

    /// `{2}`, `{2,}` or `{2,5}`; a brace that opens none of these is a character.
    private mutating func counted() throws(RegexError) -> (Int, Int?)? {
        let start = position
        position += 1
        let minimum = number()
        var maximum = minimum
        var isOpen = false
        if take(",") {
            maximum = number()
            isOpen = maximum == nil
        }
        guard let minimum, take("}") else {
            position = start
            return nil
        }
        guard minimum <= Self.maximumRepeat, (maximum ?? 0) <= Self.maximumRepeat, isOpen || minimum <= maximum ?? 0
        else { throw RegexError(message: "invalid repeat count: `\(text(from: start))`") }
        return (minimum, maximum)
    }

    private mutating func number() -> Int? {
        let start = position
        while peek()?.isDigit == true { position += 1 }
        let digits = text(from: start)
        if digits.isEmpty || digits.count > 1 && digits.hasPrefix("0") { return nil }
        return digits.count > 5 ? Self.maximumRepeat + 1 : Int(digits)
    }

    /// One atom; `nil` for what only sets flags.
    private mutating func atom() throws(RegexError) -> RegexNode? {
        let start = position
        let next = pattern[position]
        position += 1
        switch next {
        case "(": return try group(from: start)
        case "[": return .set(try characterClass(from: start))
        case ".": return .set(flags.dotMatchesNewline ? .all : ScalarSet([0x0a...0x0a]).inverted)
        case "^": return flags.isMultiline ? .lineBegin : .begin
        case "$": return flags.isMultiline ? .lineEnd : .end
        case "*", "+", "?":
            throw RegexError(message: "missing argument to repetition operator: `\(next)`")
        case "\\": return try escape(from: start)
        case "{":
            position = start
            if try counted() != nil {
                throw RegexError(message: "missing argument to repetition operator: `\(text(from: start))`")
            }
            position = start + 1
            return literal(next)
        default: return literal(next)
        }
    }

    func literal(_ scalar: Unicode.Scalar) -> RegexNode {
        let set = ScalarSet([scalar.value...scalar.value])
        return .set(flags.ignoresCase ? set.ignoringCase : set)
    }

    private mutating func group(from start: Int) throws(RegexError) -> RegexNode? {
        let outer = flags
        if take("?") {
            if peek() == "P" || peek() == "<" {
                try groupName(from: start)
            } else if try !setFlags(from: start) {
                return nil
            }
        }
        let node = try alternation()
        guard take(")") else { throw RegexError(message: "missing closing ): `\(whole)`") }
        flags = outer
        return node
    }

    /// `?P<name>` or `?<name>`; matches have no use for names here.
    private mutating func groupName(from start: Int) throws(RegexError) {
        _ = take("P")
        guard take("<") else { throw RegexError(message: "invalid or unsupported Perl syntax: `\(text(from: start))`") }
        let first = position
        while let next = peek(), next.isNamePart { position += 1 }
        guard position > first, take(">") else {
            throw RegexError(message: "invalid named capture: `\(text(from: start))`")
        }
    }

    /// Flags such as `?i` or `?s-m:`; answers whether a group follows.
    private mutating func setFlags(from start: Int) throws(RegexError) -> Bool {
        var changed = flags
        var value = true
        while let next = peek() {
            position += 1
            switch next {
            case "i": changed.ignoresCase = value
            case "m": changed.isMultiline = value
            case "s": changed.dotMatchesNewline = value
            case "U": changed.isUngreedy = value
            case "-" where value: value = false
            case ":", ")":
                flags = changed
                return next == ":"
            default: throw RegexError(message: "invalid or unsupported Perl syntax: `\(text(from: start))`")
            }
        }
        throw RegexError(message: "missing closing ): `\(whole)`")
    }
}
