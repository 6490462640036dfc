/// A file pattern as Argo CD's `directory.include` and `directory.exclude` have it: `*` (also across `/`), `?`,
/// `[a-z]`, `[!a-z]`, `{one,two}` and `\` before a character that stands for itself.
package struct Glob: Sendable, Hashable {
    private indirect enum Part: Sendable, Hashable {
        case byte(UInt8)
        case any
        case anything
        case set([ClosedRange<UInt8>], negated: Bool)
        case oneOf([[Part]])
    }

    /// The pattern as it was written.
    package let text: String
    private let parts: [Part]

    /// - Throws: `GlobError` when a bracket or brace is not closed.
    package init(_ text: String) throws(GlobError) {
        self.text = text
        var rest = Array(text.utf8)[...]
        parts = try Self.parse(&rest, inBraces: false, text)
        guard rest.isEmpty else { throw GlobError(pattern: text, message: "a } without its {") }
    }

    private static func parse(_ rest: inout ArraySlice<UInt8>, inBraces: Bool, _ text: String) throws(GlobError)
        -> [Part]
    {
        var parts: [Part] = []
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "}"),
                UInt8(ascii: ",") where inBraces:
                return parts
            case UInt8(ascii: "*"):
                rest.removeFirst()
                if parts.last != .anything { parts.append(.anything) }
            case UInt8(ascii: "?"):
                rest.removeFirst()
                parts.append(.any)
            case UInt8(ascii: "["): parts.append(try set(&rest, text))
            case UInt8(ascii: "{"):
                var choices: [[Part]] = []
                repeat {
                    rest.removeFirst()
                    choices.append(try parse(&rest, inBraces: true, text))
                } while rest.first == UInt8(ascii: ",")
                guard rest.popFirst() == UInt8(ascii: "}") else {
                    throw GlobError(pattern: text, message: "a { without its }")
                }
                parts.append(.oneOf(choices))
            default:
                rest.removeFirst()
                parts.append(.byte(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte))
            }
        }
        return parts
    }

    private static func set(_ rest: inout ArraySlice<UInt8>, _ text: String) throws(GlobError) -> Part {
        rest.removeFirst()
        let negated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if negated { rest.removeFirst() }
        var ranges: [ClosedRange<UInt8>] = []
        while let low = rest.popFirst() {
            if low == UInt8(ascii: "]"), !ranges.isEmpty { return .set(ranges, negated: negated) }
            if rest.first == UInt8(ascii: "-"), let high = rest.dropFirst().first, high != UInt8(ascii: "]") {
                rest.removeFirst(2)
                ranges.append(min(low, high)...max(low, high))
            } else {
                ranges.append(low...low)
            }
        }
        throw GlobError(pattern: text, message: "a [ without its ]")
    }

    /// Whether the pattern stands for the whole of `path`.
    package func matches(_ path: String) -> Bool {
        Self.match(parts[...], Array(path.utf8)[...])
    }

    private static func match(_ parts: ArraySlice<Part>, _ path: ArraySlice<UInt8>) -> Bool {
        var parts = parts
        var path = path
        while let part = parts.popFirst() {
            switch part {
            case .byte(let byte):
                guard path.popFirst() == byte else { return false }
            case .any:
                guard path.popFirst() != nil else { return false }
            case .set(let ranges, let negated):
                guard let byte = path.popFirst(), ranges.contains(where: { $0.contains(byte) }) != negated else {
                    return false
                }
            case .anything:
                if parts.isEmpty { return true }
                return path.indices.contains { match(parts, path[$0...]) } || match(parts, [])
            case .oneOf(let choices):
                return choices.contains { match(($0 + parts)[...], path) }
            }
        }
        return path.isEmpty
    }
}

/// A file pattern that cannot be read.
package struct GlobError: Error, Hashable, CustomStringConvertible {
    package var pattern: String
    package var message: String
    package var description: String { "the pattern \"\(pattern)\" has \(message)" }
}
