/// A place in a JSON tree (RFC 6901): `/spec/containers/0`, with `~1` for `/` and `~0` for `~`.
package struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    package var tokens: [String]

    package init(tokens: [String]) {
        self.tokens = tokens
    }

    /// The place that holds this one; the whole document is its own.
    package var parent: JSONPointer { JSONPointer(tokens: tokens.dropLast()) }

    /// `nil` when the text is no pointer: one is empty or begins with `/`, and `~` stands before `0` or `1` only.
    package init?(_ text: String) {
        tokens = []
        if text.isEmpty { return }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            var token: [UInt8] = []
            var isEscaped = false
            for byte in part {
                switch (isEscaped, byte) {
                case (true, UInt8(ascii: "0")): token.append(UInt8(ascii: "~"))
                case (true, UInt8(ascii: "1")): token.append(UInt8(ascii: "/"))
                case (true, _): return nil
                case (false, UInt8(ascii: "~")):
                    isEscaped = true
                    continue
                case (false, _): token.append(byte)
                }
                isEscaped = false
            }
            if isEscaped { return nil }
            tokens.append(String(decoding: token, as: UTF8.self))
        }
    }

    package var description: String {
        tokens.map { token in
            var text = "/"
            for scalar in token.unicodeScalars {
                switch scalar {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }.joined()
    }
}

extension JSON {
    /// Equality that also takes numbers of the same value as equal, however they are written (RFC 6902 §4.6).
    package func isEquivalent(to other: JSON) -> Bool {
        switch (self, other) {
        case (.number, .number), (.number, .int), (.int, .number):
            guard let left = canonicalNumber, let right = other.canonicalNumber else { return self == other }
            return left == right
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isEquivalent(to: $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.allSatisfy { member in right[member.key].map { member.value.isEquivalent(to: $0) } ?? false }
        default: return self == other
        }
    }

    private var canonicalNumber: JSON? {
        guard case .number(var literal) = self else { return self }
        let number = literal.withUTF8 { DecimalText($0)?.json }
        return number == .number("-0") ? .int(0) : number
    }
}
