/// Reads an expression (langdef: *Syntax*), by recursive descent.
///
/// Depth and length are bounded, so that no input overflows the stack: 250 levels as in cel-go, and 100,000 scalars.
struct Parser {
    static let maximumDepth = 250
    /// Of the tree: a macro stands for several levels.
    static let maximumHeight = 500
    static let maximumLength = 100_000

    let tokens: [Token]
    var position = 0
    var depth = 0

    /// - Throws: a `CELError` at the first fault.
    static func parse(_ source: Source) throws(CELError) -> Expression {
        do throws(SyntaxFault) {
            guard source.scalars.count <= maximumLength else {
                throw SyntaxFault(
                    offset: 0,
                    message: "expression code point size exceeds limit: size: \(source.scalars.count), "
                        + "limit \(maximumLength)")
            }
            var lexer = Lexer(source)
            var parser = Parser(tokens: try lexer.tokens())
            let expression = try parser.expression()
            guard parser.next.kind == .end else {
                throw SyntaxFault(
                    offset: parser.next.offset,
                    message: "Syntax error: extraneous input '\(parser.next.text)' expecting <EOF>")
            }
            return expression
        } catch {
            throw CELError(refusing: source, .syntax, [source.issue(at: error.offset, error.message)])
        }
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    var next: Token { tokens[position] }

    mutating func advance() -> Token {
        let token = tokens[position]
        if token.kind != .end { position += 1 }
        return token
    }

    mutating func take(_ symbol: String) -> Token? {
        guard next.isSymbol(symbol) else { return nil }
        return advance()
    }

    mutating func expect(_ symbol: String) throws(SyntaxFault) {
        guard take(symbol) != nil else {
            throw SyntaxFault(
                offset: next.offset, message: "Syntax error: mismatched input '\(next.text)' expecting '\(symbol)'")
        }
    }

    /// Counts a level of nesting.
    mutating func descend() throws(SyntaxFault) {
        depth += 1
        if depth > Self.maximumDepth { throw tooDeep }
    }

    /// Refuses a tree that a chain of operators or selections has made too deep.
    func bounded(_ expression: Expression) throws(SyntaxFault) -> Expression {
        if expression.height > Self.maximumHeight { throw tooDeep }
        return expression
    }

    private var tooDeep: SyntaxFault {
        SyntaxFault(offset: next.offset, message: "expression recursion limit exceeded: \(Self.maximumDepth)")
    }

    mutating func expression() throws(SyntaxFault) -> Expression {
        try descend()
        defer { depth -= 1 }
        let condition = try disjunction()
        guard let mark = take("?") else { return condition }
        let yes = try disjunction()
        try expect(":")
        let no = try expression()
        return call("_?_:_", [condition, yes, no], at: mark.offset)
    }

    func call(_ function: String, _ arguments: [Expression], at offset: Int) -> Expression {
        Expression(.call(function: function, target: nil, arguments: arguments), at: offset)
    }

    private mutating func disjunction() throws(SyntaxFault) -> Expression {
        var terms = [try conjunction()]
        var offsets: [Int] = []
        while let mark = take("||") {
            offsets.append(mark.offset)
            terms.append(try conjunction())
        }
        return balanced("_||_", terms[...], offsets[...])
    }

    private mutating func conjunction() throws(SyntaxFault) -> Expression {
        var terms = [try relation()]
        var offsets: [Int] = []
        while let mark = take("&&") {
            offsets.append(mark.offset)
            terms.append(try relation())
        }
        return balanced("_&&_", terms[...], offsets[...])
    }

    /// A long chain as a tree of little depth: the operators are associative.
    private func balanced(
        _ function: String, _ terms: ArraySlice<Expression>, _ offsets: ArraySlice<Int>
    ) -> Expression {
        guard let first = terms.first, !offsets.isEmpty else { return terms.first! }
        if offsets.count == 1 { return call(function, [first, terms[terms.startIndex + 1]], at: offsets.first!) }
        let middle = offsets.startIndex + (offsets.count - 1) / 2
        let split = terms.startIndex + (middle - offsets.startIndex) + 1
        let left = balanced(function, terms[..<split], offsets[..<middle])
        let right = balanced(function, terms[split...], offsets[(middle + 1)...])
        return call(function, [left, right], at: offsets[middle])
    }

    private mutating func relation() throws(SyntaxFault) -> Expression {
        var left = try sum()
        while true {
            let operation: String
            switch next.kind {
            case .symbol(let symbol) where ["<", "<=", ">", ">=", "==", "!="].contains(symbol):
                operation = "_\(symbol)_"
            case .identifier("in"): operation = "@in"
            default: return left
            }
            let mark = advance()
            left = try bounded(call(operation, [left, try sum()], at: mark.offset))
        }
    }

    private mutating func sum() throws(SyntaxFault) -> Expression {
        try chain(["+", "-"]) { (parser) throws(SyntaxFault) in try parser.product() }
    }

    private mutating func product() throws(SyntaxFault) -> Expression {
        try chain(["*", "/", "%"]) { (parser) throws(SyntaxFault) in try parser.unary() }
    }

    /// Operators that bind to the left; each adds a level to the tree.
    private mutating func chain(
        _ symbols: [String], _ operand: (inout Parser) throws(SyntaxFault) -> Expression
    ) throws(SyntaxFault) -> Expression {
        var left = try operand(&self)
        while case .symbol(let symbol) = next.kind, symbols.contains(symbol) {
            let mark = advance()
            left = try bounded(call("_\(symbol)_", [left, try operand(&self)], at: mark.offset))
        }
        return left
    }

    private mutating func unary() throws(SyntaxFault) -> Expression {
        let symbol = next
        guard symbol.isSymbol("!") || symbol.isSymbol("-") else { return try member() }
        // A minus before a number belongs to it: the smallest integer has no positive counterpart.
        if symbol.isSymbol("-"), let literal = try negativeLiteral() { return try members(of: literal) }
        var count = 0
        while take(symbol.text) != nil { count += 1 }
        let operand = try member()
        // Pairs undo each other, as in cel-go.
        guard count % 2 == 1 else { return operand }
        return call(symbol.isSymbol("!") ? "!_" : "-_", [operand], at: symbol.offset)
    }

    private mutating func negativeLiteral() throws(SyntaxFault) -> Expression? {
        let sign = next
        switch tokens[position + 1].kind {
        case .int(let digits):
            position += 2
            guard let value = Self.integer(digits, negative: true) else {
                throw SyntaxFault(offset: sign.offset, message: "invalid int literal")
            }
            return Expression(.literal(.int(value)), at: sign.offset)
        case .double(let digits):
            position += 2
            return Expression(.literal(.double(-(try Self.double(digits, at: sign.offset)))), at: sign.offset)
        default: return nil
        }
    }

    static func integer(_ digits: String, negative: Bool = false) -> Int64? {
        let sign = negative ? "-" : ""
        return digits.hasPrefix("0x") ? Int64(sign + digits.dropFirst(2), radix: 16) : Int64(sign + digits)
    }

    static func double(_ digits: String, at offset: Int) throws(SyntaxFault) -> Double {
        guard let value = Double(digits.hasPrefix(".") ? "0" + digits : digits), value.isFinite else {
            throw SyntaxFault(offset: offset, message: "invalid double literal")
        }
        return value
    }
}
