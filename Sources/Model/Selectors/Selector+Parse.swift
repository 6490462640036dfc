/// What was wrong with the text of a selector, and what would be right.
package struct SelectorError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String

    package init(message: String) {
        self.message = message
    }

    package var description: String { message }
}

extension Selector {
    /// Reads `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a)`, `k`, `!k`, `k>1`, `k<1`, joined by commas
    /// (semantics-api D9, `apimachinery/pkg/labels`). The empty text selects everything.
    ///
    /// The requirements are sorted by key, so that equal selectors mostly are equal values.
    package init(parsing text: String) throws(SelectorError) {
        var parser = SelectorParser(text)
        let requirements = try parser.requirements()
        self.requirements = requirements.enumerated()
            .sorted { ($0.element.key, $0.offset) < ($1.element.key, $1.offset) }
            .map(\.element)
    }
}

extension Selector: CustomStringConvertible {
    /// The selector as Kubernetes prints it: `app=web,tier in (a,b),!canary`.
    package var description: String { requirements.map(\.description).joined(separator: ",") }
}

extension Selector.Requirement: CustomStringConvertible {
    package var key: String {
        switch self {
        case .equals(let key, _), .differs(let key, _), .isIn(let key, _), .isNotIn(let key, _), .exists(let key),
            .isAbsent(let key), .greater(let key, _), .less(let key, _):
            key
        }
    }

    package var description: String {
        switch self {
        case .equals(let key, let value): "\(key)=\(value)"
        case .differs(let key, let value): "\(key)!=\(value)"
        case .isIn(let key, let values): "\(key) in (\(values.sorted().joined(separator: ",")))"
        case .isNotIn(let key, let values): "\(key) notin (\(values.sorted().joined(separator: ",")))"
        case .exists(let key): key
        case .isAbsent(let key): "!\(key)"
        case .greater(let key, let bound): "\(key)>\(bound)"
        case .less(let key, let bound): "\(key)<\(bound)"
        }
    }
}

private struct SelectorParser {
    enum Token: Hashable {
        case word(String)
        case symbol(String)
        case end
    }

    let text: String
    var tokens: [Token] = []
    var position = 0

    init(_ text: String) {
        self.text = text
        tokens = Self.tokens(of: Array(text.utf8))
    }

    private static func tokens(of bytes: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: "<"), UInt8(ascii: ">"):
                tokens.append(.symbol(String(decoding: [bytes[position]], as: UTF8.self)))
                position += 1
            case UInt8(ascii: "="), UInt8(ascii: "!"):
                let doubled = position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "=")
                let end = position + (doubled ? 2 : 1)
                tokens.append(.symbol(String(decoding: bytes[position..<end], as: UTF8.self)))
                position = end
            default:
                let word = bytes[position...].prefix { !" \t\n\r(),<>=!".utf8.contains($0) }
                tokens.append(.word(String(decoding: word, as: UTF8.self)))
                position += word.count
            }
        }
        return tokens
    }

    private var next: Token { position < tokens.count ? tokens[position] : .end }

    private func fault(_ problem: String) -> SelectorError {
        SelectorError(message: "unable to parse requirement: \(problem) in the selector \"\(text)\"")
    }

    private func found(_ token: Token) -> String {
        switch token {
        case .word(let text), .symbol(let text): "found '\(text)'"
        case .end: "found the end"
        }
    }

    mutating func requirements() throws(SelectorError) -> [Selector.Requirement] {
        if tokens.isEmpty { return [] }
        var requirements: [Selector.Requirement] = []
        while true {
            requirements.append(try requirement())
            if next == .end { return requirements }
            guard next == .symbol(",") else { throw fault("\(found(next)), expected: ',' or the end") }
            position += 1
            if next == .end { throw fault("found the end after ',', expected: a label key or '!'") }
        }
    }

    private mutating func requirement() throws(SelectorError) -> Selector.Requirement {
        if next == .symbol("!") {
            position += 1
            let key = try key()
            guard next == .end || next == .symbol(",") else {
                throw fault("\(found(next)), expected: ',' or the end after '!\(key)'")
            }
            return .isAbsent(key)
        }
        let key = try key()
        switch next {
        case .end, .symbol(","): return .exists(key)
        case .symbol("="), .symbol("=="):
            position += 1
            return .equals(key, try value(of: key))
        case .symbol("!="):
            position += 1
            return .differs(key, try value(of: key))
        case .symbol(">"):
            position += 1
            return .greater(key, try bound(of: key))
        case .symbol("<"):
            position += 1
            return .less(key, try bound(of: key))
        case .word("in"):
            position += 1
            return .isIn(key, try values(of: key))
        case .word("notin"):
            position += 1
            return .isNotIn(key, try values(of: key))
        default:
            throw fault("\(found(next)), expected: in, notin, =, ==, !=, >, <, ',' or the end after '\(key)'")
        }
    }

    private mutating func key() throws(SelectorError) -> String {
        guard case .word(let key) = next else { throw fault("\(found(next)), expected: a label key or '!'") }
        position += 1
        if let problem = LabelSyntax.keyFault(key) { throw fault("'\(key)' is no label key: \(problem)") }
        return key
    }

    /// A value may be empty: `k=`.
    private mutating func value(of key: String) throws(SelectorError) -> String {
        switch next {
        case .end, .symbol(","): return ""
        case .word(let value):
            position += 1
            if let problem = LabelSyntax.valueFault(value) { throw fault("'\(value)' is no label value: \(problem)") }
            return value
        default: throw fault("\(found(next)), expected: a value of '\(key)'")
        }
    }

    private mutating func bound(of key: String) throws(SelectorError) -> Int64 {
        guard case .word(let word) = next, let bound = Int64(word) else {
            throw fault("\(found(next)), expected: an integer, for '>' and '<' compare numbers")
        }
        position += 1
        return bound
    }

    private mutating func values(of key: String) throws(SelectorError) -> Set<String> {
        guard next == .symbol("(") else { throw fault("\(found(next)) expected: '(' and the values of '\(key)'") }
        position += 1
        var values: Set<String> = []
        while true {
            switch next {
            case .word:
                values.insert(try value(of: key))
                guard next == .symbol(",") || next == .symbol(")") else {
                    throw fault("\(found(next)), expected: ',' or ')'")
                }
            case .symbol(","):
                position += 1
                // An empty value stands between two commas, and between a comma and a parenthesis.
                if values.isEmpty { values.insert("") }
                if next == .symbol(",") || next == .symbol(")") { values.insert("") }
                continue
            case .symbol(")"):
                position += 1
                if values.isEmpty { values.insert("") }
                return values
            default: throw fault("\(found(next)), expected: ',' or ')'")
            }
            if next == .symbol(")") {
                position += 1
                return values
            }
        }
    }
}

/// The syntax of label keys and values (`apimachinery/pkg/util/validation`).
package enum LabelSyntax {
    /// What is wrong with a label key; `nil` when nothing is.
    package static func keyFault(_ key: String) -> String? {
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2 else {
            return "at most one '/' may stand between prefix and name"
        }
        if parts.count == 2 {
            if parts[0].isEmpty { return "the prefix before '/' is empty" }
            if parts[0].count > 253 { return "the prefix must be no more than 253 bytes" }
            let labels = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard labels.allSatisfy(isDomainLabel) else {
                return "the prefix must be a lowercase domain name such as example.com"
            }
        }
        if name.isEmpty { return "the name is empty" }
        if name.count > 63 { return "the name must be no more than 63 bytes" }
        return isName(name) ? nil : "it must be letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    }

    /// What is wrong with a label value; `nil` when nothing is.
    package static func valueFault(_ value: String) -> String? {
        if value.isEmpty { return nil }
        if value.utf8.count > 63 { return "it must be no more than 63 bytes" }
        return isName(value.utf8[...])
            ? nil : "it must be letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    }

    private static func isName(_ name: Substring.UTF8View) -> Bool {
        guard let first = name.first, let last = name.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && name.allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    private static func isDomainLabel(_ label: Substring.UTF8View) -> Bool {
        guard let first = label.first, let last = label.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && label.allSatisfy { (isAlphanumeric($0) && !(0x41...0x5A).contains($0)) || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
