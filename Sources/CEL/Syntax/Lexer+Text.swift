/// Texts and bytes: four kinds of quotes, raw forms, and escapes.
extension Lexer {
    /// The string or bytes literal that begins here, if one does.
    mutating func textLiteral(_ start: Int) throws(SyntaxFault) -> Token.Kind? {
        var isRaw = false
        var isBytes = false
        var distance = 0
        prefix: while let next = peek(distance) {
            switch next {
            case "r" where !isRaw, "R" where !isRaw: isRaw = true
            case "b" where !isBytes && !isRaw, "B" where !isBytes && !isRaw: isBytes = true
            default: break prefix
            }
            distance += 1
        }
        guard let quote = peek(distance), quote == "\"" || quote == "'" else { return nil }
        position += distance
        let isTriple = peek(1) == quote && peek(2) == quote
        position += isTriple ? 3 : 1
        var content = TextContent(isBytes: isBytes)
        while let next = peek() {
            if next == quote, !isTriple || peek(1) == quote && peek(2) == quote {
                position += isTriple ? 3 : 1
                return isBytes ? .bytes(content.bytes) : .string(String(content.text))
            }
            if !isTriple, next == "\n" || next == "\r" { break }
            if next == "\\", !isRaw {
                try escape(into: &content, literal: start)
            } else {
                content.append(next)
                position += 1
                // A raw text keeps the backslash, but what follows it does not end the text.
                if next == "\\", let quoted = peek() {
                    content.append(quoted)
                    position += 1
                }
            }
        }
        let shown = text(start..<min(position, start + 20))
        throw SyntaxFault(offset: start, message: "Syntax error: token recognition error at: '\(shown)'")
    }

    struct TextContent {
        let isBytes: Bool
        var text = String.UnicodeScalarView()
        var bytes: [UInt8] = []

        mutating func append(_ scalar: Unicode.Scalar) {
            if isBytes { bytes.append(contentsOf: String(scalar).utf8) } else { text.append(scalar) }
        }
    }

    private mutating func escape(into content: inout TextContent, literal start: Int) throws(SyntaxFault) {
        guard let letter = peek(1) else {
            throw SyntaxFault(offset: start, message: "unable to unescape string, found '\\' as last character")
        }
        position += 2
        switch letter {
        case "a": content.append("\u{7}")
        case "b": content.append("\u{8}")
        case "f": content.append("\u{c}")
        case "n": content.append("\n")
        case "r": content.append("\r")
        case "t": content.append("\t")
        case "v": content.append("\u{b}")
        case "\\", "'", "\"", "`", "?": content.append(letter)
        case "x", "X": try code(digits: 2, base: 16, into: &content, literal: start)
        case "u" where !content.isBytes: try code(digits: 4, base: 16, into: &content, literal: start)
        case "U" where !content.isBytes: try code(digits: 8, base: 16, into: &content, literal: start)
        case "0"..."3":
            position -= 1
            try code(digits: 3, base: 8, into: &content, literal: start)
        default: throw SyntaxFault(offset: start, message: "Syntax error: token recognition error at: '\\\(letter)'")
        }
    }

    /// A character by its number; in bytes the number is a byte.
    private mutating func code(
        digits: Int, base: UInt32, into content: inout TextContent, literal start: Int
    ) throws(SyntaxFault) {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = peek()?.hexValue, digit < base else {
                throw SyntaxFault(offset: start, message: "unable to unescape string")
            }
            value = value &* base &+ digit
            position += 1
        }
        if content.isBytes {
            content.bytes.append(UInt8(truncatingIfNeeded: value))
        } else if let scalar = Unicode.Scalar(value) {
            content.text.append(scalar)
        } else {
            throw SyntaxFault(offset: start, message: "invalid unicode code point")
        }
    }
}
