/// Cuts an expression into tokens.
struct Lexer {
    let scalars: [Unicode.Scalar]
    var position = 0

    init(_ source: Source) { scalars = source.scalars }

    /// All tokens; the last one is `.end`.
    mutating func tokens() throws(SyntaxFault) -> [Token] {
        var tokens: [Token] = []
        while true {
            skipSpace()
            let start = position
            guard let first = peek() else {
                tokens.append(Token(kind: .end, offset: start, text: "<EOF>"))
                return tokens
            }
            let kind = try kind(first, start)
            tokens.append(Token(kind: kind, offset: start, text: text(start..<position)))
        }
    }

    func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[range])
        return String(text)
    }

    private mutating func skipSpace() {
        while let next = peek() {
            if next == "/", peek(1) == "/" {
                while let next = peek(), next != "\n" { position += 1 }
            } else if next == " " || next == "\t" || next == "\n" || next == "\r" || next == "\u{c}" {
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func kind(_ first: Unicode.Scalar, _ start: Int) throws(SyntaxFault) -> Token.Kind {
        if let literal = try textLiteral(start) { return literal }
        if first.isNameStart {
            while let next = peek(), next.isNamePart { position += 1 }
            return .identifier(text(start..<position))
        }
        if first.isDigit || first == "." && peek(1)?.isDigit == true { return number(start) }
        if first == "`" { return try quotedIdentifier(start) }
        for symbol in ["&&", "||", "==", "!=", "<=", ">="] where matches(symbol) {
            position += 2
            return .symbol(symbol)
        }
        guard "+-*/%<>!?:.,()[]{}".unicodeScalars.contains(first) else {
            throw SyntaxFault(offset: start, message: "Syntax error: token recognition error at: '\(first)'")
        }
        position += 1
        return .symbol(String(first))
    }

    func matches(_ symbol: String) -> Bool {
        var distance = 0
        for scalar in symbol.unicodeScalars {
            guard peek(distance) == scalar else { return false }
            distance += 1
        }
        return true
    }

    private mutating func quotedIdentifier(_ start: Int) throws(SyntaxFault) -> Token.Kind {
        position += 1
        while let next = peek(), next.isNamePart || next == "." || next == "-" || next == "/" || next == " " {
            position += 1
        }
        guard peek() == "`", position > start + 1 else {
            throw SyntaxFault(offset: start, message: "Syntax error: token recognition error at: '`'")
        }
        position += 1
        return .quotedIdentifier(text(start + 1..<position - 1))
    }

    private mutating func number(_ start: Int) -> Token.Kind {
        if peek() == "0", peek(1) == "x", peek(2)?.hexValue != nil {
            position += 2
            while peek()?.hexValue != nil { position += 1 }
            return integer(start)
        }
        while peek()?.isDigit == true { position += 1 }
        var isDouble = false
        if peek() == ".", peek(1)?.isDigit == true {
            isDouble = true
            position += 1
            while peek()?.isDigit == true { position += 1 }
        }
        if peek() == "e" || peek() == "E" {
            let sign = peek(1) == "+" || peek(1) == "-" ? 1 : 0
            if peek(1 + sign)?.isDigit == true {
                isDouble = true
                position += 2 + sign
                while peek()?.isDigit == true { position += 1 }
            }
        }
        return isDouble ? .double(text(start..<position)) : integer(start)
    }

    private mutating func integer(_ start: Int) -> Token.Kind {
        let digits = text(start..<position)
        guard peek() == "u" || peek() == "U" else { return .int(digits) }
        position += 1
        return .uint(digits)
    }
}

extension Unicode.Scalar {
    var isDigit: Bool { ("0"..."9").contains(self) }
    var isNameStart: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) || self == "_" }
    var isNamePart: Bool { isNameStart || isDigit }
    /// The value of a hexadecimal digit.
    var hexValue: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f": value - 0x61 + 10
        case "A"..."F": value - 0x41 + 10
        default: nil
        }
    }
}
