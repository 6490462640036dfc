/// Escapes and character classes.
extension RegexParser {
    mutating func escape(from start: Int) throws(RegexError) -> RegexNode {
        guard let letter = peek() else { throw RegexError(message: "trailing backslash at end of expression: ``") }
        switch letter {
        case "A", "z", "b", "B":
            position += 1
            return letter == "A" ? .begin : letter == "z" ? .end : letter == "b" ? .wordBoundary : .noWordBoundary
        case "Q":
            position += 1
            var nodes: [RegexNode] = []
            while let next = peek(), !(next == "\\" && peek(1) == "E") {
                nodes.append(literal(next))
                position += 1
            }
            if peek() != nil { position += 2 }
            return nodes.isEmpty ? .empty : .sequence(nodes)
        case "E" where false: return .empty
        default: break
        }
        if let set = try shorthand(from: start) { return .set(set) }
        return literal(try escapedScalar(from: start))
    }

    /// `\d`, `\w`, `\s`, `\pL`, `\p{Greek}` and their opposites.
    private mutating func shorthand(from start: Int) throws(RegexError) -> ScalarSet? {
        guard let letter = peek() else { return nil }
        let set: ScalarSet
        switch letter {
        case "d", "D": set = .digits
        case "s", "S": set = .space
        case "w", "W": set = .word
        case "p", "P":
            position += 1
            var isInverted = letter == "P"
            var name = ""
            if take("{") {
                if take("^") { isInverted.toggle() }
                while let next = peek(), next != "}" {
                    name.unicodeScalars.append(next)
                    position += 1
                }
                guard take("}") else { throw invalidRange(from: start) }
            } else if let next = peek() {
                name = String(next)
                position += 1
            }
            guard let found = ScalarSet.category(name) else { throw invalidRange(from: start) }
            let folded = flags.ignoresCase ? found.ignoringCase : found
            return isInverted ? folded.inverted : folded
        default: return nil
        }
        position += 1
        return ("A"..."Z").contains(letter) ? set.inverted : set
    }

    private func invalidRange(from start: Int) -> RegexError {
        RegexError(message: "invalid character class range: `\(text(from: start))`")
    }

    /// The character that an escape stands for; the backslash is read.
    private mutating func escapedScalar(from start: Int) throws(RegexError) -> Unicode.Scalar {
        guard let letter = peek() else { throw RegexError(message: "trailing backslash at end of expression: ``") }
        position += 1
        switch letter {
        case "a": return "\u{7}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{b}"
        case "x": return try hexadecimal(from: start)
        case "0"..."7":
            // A single digit other than zero would be a reference to a group, which no automaton can follow.
            if letter != "0", peek().map({ !("0"..."7").contains($0) }) ?? true { break }
            var value = letter.value - 0x30
            for _ in 0..<2 {
                guard let digit = peek(), ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 0x30
                position += 1
            }
            if let scalar = Unicode.Scalar(value) { return scalar }
        default:
            if letter.value < 0x80, !letter.isNamePart || letter == "_" { return letter }
        }
        throw RegexError(message: "invalid escape sequence: `\(text(from: start))`")
    }

    private mutating func hexadecimal(from start: Int) throws(RegexError) -> Unicode.Scalar {
        var value: UInt32 = 0
        var count = 0
        let isBraced = take("{")
        while let digit = peek()?.hexValue, isBraced ? count < 8 : count < 2 {
            value = value &* 16 &+ digit
            count += 1
            position += 1
        }
        guard isBraced ? count > 0 && take("}") : count == 2, let scalar = Unicode.Scalar(value) else {
            throw RegexError(message: "invalid escape sequence: `\(text(from: start))`")
        }
        return scalar
    }

    mutating func characterClass(from start: Int) throws(RegexError) -> ScalarSet {
        let isInverted = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = true
        while true {
            guard let next = peek() else { throw RegexError(message: "missing closing ]: `\(text(from: start))`") }
            if next == "]", !isFirst {
                position += 1
                break
            }
            isFirst = false
            if let set = try posixClass() {
                ranges += set.ranges
                continue
            }
            let itemStart = position
            if next == "\\" {
                position += 1
                if let set = try shorthand(from: itemStart) {
                    ranges += set.ranges
                    continue
                }
                position = itemStart
            }
            let low = try classScalar()
            var high = low
            if peek() == "-", let after = peek(1), after != "]" {
                position += 1
                high = try classScalar()
            }
            guard low.value <= high.value else { throw invalidRange(from: itemStart) }
            ranges.append(low.value...high.value)
        }
        var set = ScalarSet(ranges)
        if flags.ignoresCase { set = set.ignoringCase }
        return isInverted ? set.inverted : set
    }

    private mutating func classScalar() throws(RegexError) -> Unicode.Scalar {
        let start = position
        guard let next = peek() else { throw RegexError(message: "missing closing ]: `\(whole)`") }
        position += 1
        return next == "\\" ? try escapedScalar(from: start) : next
    }

    /// `[:alpha:]` within a class.
    private mutating func posixClass() throws(RegexError) -> ScalarSet? {
        guard peek() == "[", peek(1) == ":" else { return nil }
        let start = position
        position += 2
        let isInverted = take("^")
        let first = position
        while let next = peek(), next.isNamePart { position += 1 }
        let name = text(from: first)
        guard take(":"), take("]") else {
            position = start
            return nil
        }
        guard let set = ScalarSet.posix[name] else { throw invalidRange(from: start) }
        return isInverted ? set.inverted : set
    }
}
