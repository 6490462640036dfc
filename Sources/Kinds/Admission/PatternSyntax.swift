/// Regular expressions as Go reads them (RE2), which is what patterns in schemas of custom resources are.
enum PatternSyntax {
    /// Why Go would not compile a pattern, in its words; `nil` for a pattern that has none of the usual faults.
    ///
    /// What it cannot judge it lets pass: a definition that works elsewhere must not be refused here.
    static func fault(_ pattern: String) -> String? {
        var scanner = PatternScanner(scalars: Array(pattern.unicodeScalars))
        return scanner.fault().map { "error parsing regexp: \($0)" }
    }
}

private struct PatternScanner {
    let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    private func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[range.clamped(to: scalars.indices)])
        return String(text)
    }

    private func message(_ rule: String, _ range: Range<Int>) -> String { "\(rule): `\(text(range))`" }

    mutating func fault() -> String? {
        // Whether something stands before that can be repeated.
        var isRepeatable = false
        while position < scalars.count {
            let start = position
            position += 1
            switch scalars[start] {
            case "\\":
                if let fault = escape(at: start) { return fault }
                isRepeatable = true
            case "[":
                if let fault = characterClass(at: start) { return fault }
                isRepeatable = true
            case "(":
                if let fault = group(at: start) { return fault }
                isRepeatable = false
            case ")":
                depth -= 1
                if depth < 0 { return message("unexpected )", scalars.indices) }
                isRepeatable = true
            case "|": isRepeatable = false
            case "*", "+", "?":
                if !isRepeatable {
                    return message("missing argument to repetition operator", start..<start + 1)
                }
                // A question mark makes it reluctant.
                if position < scalars.count, scalars[position] == "?" { position += 1 }
                if position < scalars.count, "*+?".unicodeScalars.contains(scalars[position]) {
                    return message("invalid nested repetition operator", start..<position + 1)
                }
            default: isRepeatable = true
            }
        }
        return depth > 0 ? message("missing closing )", scalars.indices) : nil
    }

    private mutating func escape(at start: Int) -> String? {
        guard position < scalars.count else { return "trailing backslash at end of expression: ``" }
        let next = scalars[position]
        position += 1
        if next == "Q" {
            // All is literal up to the end of the quotation.
            while position < scalars.count, text(position..<position + 2) != "\\E" { position += 1 }
            position = min(position + 2, scalars.count)
        }
        let isReference = ("1"..."9").contains(next) && !(position < scalars.count && isOctal(scalars[position]))
        return isReference ? message("invalid escape sequence", start..<position) : nil
    }

    private func isOctal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."7").contains(scalar) }

    private mutating func characterClass(at start: Int) -> String? {
        if position < scalars.count, scalars[position] == "^" { position += 1 }
        // A bracket that stands first is a member.
        if position < scalars.count, scalars[position] == "]" { position += 1 }
        while position < scalars.count, scalars[position] != "]" {
            if scalars[position] == "\\" { position += 1 }
            if text(position..<position + 2) == "[:" {
                while position < scalars.count, text(position..<position + 2) != ":]" { position += 1 }
                position += 1
            }
            position += 1
        }
        guard position < scalars.count else { return message("missing closing ]", start..<scalars.count) }
        position += 1
        return nil
    }

    /// What may follow `(?`: a name, or flags.
    private mutating func group(at start: Int) -> String? {
        depth += 1
        guard position < scalars.count, scalars[position] == "?" else { return nil }
        position += 1
        let rest = text(position..<position + 3)
        if rest.hasPrefix("P<") || (rest.hasPrefix("<") && !rest.hasPrefix("<=") && !rest.hasPrefix("<!")) {
            while position < scalars.count, scalars[position] != ">" { position += 1 }
            guard position < scalars.count else {
                return message("invalid named capture", start..<scalars.count)
            }
            position += 1
            return nil
        }
        while position < scalars.count, "imsU-".unicodeScalars.contains(scalars[position]) { position += 1 }
        guard position < scalars.count, scalars[position] == ":" || scalars[position] == ")" else {
            return message("invalid or unsupported Perl syntax", start..<position + 1)
        }
        if scalars[position] == ":" { position += 1 }
        return nil
    }
}
