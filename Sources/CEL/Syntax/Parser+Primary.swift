/// What operators stand between: names, literals, lists, maps, and what follows a dot or a bracket.
extension Parser {
    mutating func member() throws(SyntaxFault) -> Expression {
        try members(of: try primary())
    }

    mutating func members(of start: Expression) throws(SyntaxFault) -> Expression {
        var value = start
        while true {
            if let dot = take(".") {
                value = try dotted(value, dot: dot)
            } else if let bracket = take("[") {
                let isOptional = take("?") != nil
                let index = try expression()
                try expect("]")
                value = call(isOptional ? "_[?_]" : "_[_]", [value, index], at: bracket.offset)
            } else if next.isSymbol("{"), let name = value.qualifiedName {
                value = try construction(of: name, at: advance().offset)
            } else {
                return value
            }
            value = try bounded(value)
        }
    }

    private mutating func dotted(_ operand: Expression, dot: Token) throws(SyntaxFault) -> Expression {
        let isOptional = take("?") != nil
        let name = advance()
        switch name.kind {
        case .identifier(let field) where !Token.keywords.contains(field):
            if isOptional { break }
            guard let open = take("(") else {
                return Expression(.select(operand: operand, field: field, isTest: false), at: dot.offset)
            }
            let arguments = try expressions(until: ")")
            if let expanded = try expand(field, target: operand, arguments, at: open.offset) { return expanded }
            return Expression(.call(function: field, target: operand, arguments: arguments), at: open.offset)
        case .quotedIdentifier(let field) where !isOptional:
            return Expression(.select(operand: operand, field: field, isTest: false), at: dot.offset)
        case .quotedIdentifier where isOptional: break
        default: throw unexpected(name, expecting: "IDENTIFIER")
        }
        let field: String
        switch name.kind {
        case .identifier(let text), .quotedIdentifier(let text): field = text
        default: throw unexpected(name, expecting: "IDENTIFIER")
        }
        let literal = Expression(.literal(.string(field)), at: name.offset)
        return call("_?._", [operand, literal], at: dot.offset)
    }

    func unexpected(_ token: Token, expecting: String) -> SyntaxFault {
        SyntaxFault(
            offset: token.offset, message: "Syntax error: mismatched input '\(token.text)' expecting \(expecting)")
    }

    /// Expressions between commas, and the closing symbol; a comma may end the list.
    private mutating func expressions(until close: String) throws(SyntaxFault) -> [Expression] {
        var list: [Expression] = []
        if take(close) != nil { return list }
        while true {
            list.append(try expression())
            if take(",") == nil { break }
            if close != ")", next.isSymbol(close) { break }
        }
        try expect(close)
        return list
    }

    private static let primaryStarts =
        "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

    private mutating func primary() throws(SyntaxFault) -> Expression {
        let token = advance()
        switch token.kind {
        case .int(let digits):
            guard let value = Self.integer(digits) else {
                throw SyntaxFault(offset: token.offset, message: "invalid int literal")
            }
            return Expression(.literal(.int(value)), at: token.offset)
        case .uint(let digits):
            let value = digits.hasPrefix("0x") ? UInt64(digits.dropFirst(2), radix: 16) : UInt64(digits)
            guard let value else { throw SyntaxFault(offset: token.offset, message: "invalid uint literal") }
            return Expression(.literal(.uint(value)), at: token.offset)
        case .double(let digits):
            return Expression(.literal(.double(try Self.double(digits, at: token.offset))), at: token.offset)
        case .string(let text): return Expression(.literal(.string(text)), at: token.offset)
        case .bytes(let bytes): return Expression(.literal(.bytes(bytes)), at: token.offset)
        case .symbol("("):
            let inner = try expression()
            try expect(")")
            return inner
        case .symbol("["): return try list(at: token.offset)
        case .symbol("{"): return try map(at: token.offset)
        case .symbol("."):
            let name = advance()
            guard case .identifier(let text) = name.kind else {
                throw unexpected(name, expecting: "IDENTIFIER")
            }
            return try named(text, name)
        case .identifier("true"): return Expression(.literal(.bool(true)), at: token.offset)
        case .identifier("false"): return Expression(.literal(.bool(false)), at: token.offset)
        case .identifier("null"): return Expression(.literal(.null), at: token.offset)
        case .identifier(let text): return try named(text, token)
        case .quotedIdentifier, .symbol, .end: throw unexpected(token, expecting: Self.primaryStarts)
        }
    }

    private mutating func named(_ name: String, _ token: Token) throws(SyntaxFault) -> Expression {
        if Token.keywords.contains(name) { throw unexpected(token, expecting: Self.primaryStarts) }
        if Token.reserved.contains(name) {
            throw SyntaxFault(offset: token.offset, message: "reserved identifier: \(name)")
        }
        if let brace = take("{") { return try construction(of: name, at: brace.offset) }
        guard let open = take("(") else { return Expression(.identifier(name), at: token.offset) }
        let arguments = try expressions(until: ")")
        if let expanded = try expand(name, target: nil, arguments, at: open.offset) { return expanded }
        return call(name, arguments, at: open.offset)
    }

    /// `Object.spec{replicas: 1}`, behind its brace.
    private mutating func construction(of type: String, at offset: Int) throws(SyntaxFault) -> Expression {
        var parts = [Expression(.literal(.string(type)), at: offset)]
        while !next.isSymbol("}") {
            let isOptional = take("?") != nil
            let name = advance()
            switch name.kind {
            case .identifier(let field) where !Token.keywords.contains(field), .quotedIdentifier(let field):
                let mark = isOptional ? Construction.optionalMark : ""
                parts.append(Expression(.literal(.string(mark + field)), at: name.offset))
            default: throw unexpected(name, expecting: "IDENTIFIER")
            }
            try expect(":")
            parts.append(try expression())
            if take(",") == nil { break }
        }
        try expect("}")
        return call(Construction.function, parts, at: offset)
    }

    private mutating func list(at offset: Int) throws(SyntaxFault) -> Expression {
        var elements: [Expression] = []
        var optionals: Set<Int> = []
        while !next.isSymbol("]") {
            if take("?") != nil { optionals.insert(elements.count) }
            elements.append(try expression())
            if take(",") == nil { break }
        }
        try expect("]")
        return Expression(.list(elements, optionals: optionals), at: offset)
    }

    private mutating func map(at offset: Int) throws(SyntaxFault) -> Expression {
        var entries: [Expression.Entry] = []
        while !next.isSymbol("}") {
            let isOptional = take("?") != nil
            let key = try expression()
            try expect(":")
            entries.append(Expression.Entry(key: key, value: try expression(), isOptional: isOptional))
            if take(",") == nil { break }
        }
        try expect("}")
        return Expression(.map(entries), at: offset)
    }
}
