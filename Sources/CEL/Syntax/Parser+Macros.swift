/// The macros: calls that stand for other expressions (langdef: *Macros*, and those that Kubernetes adds).
extension Parser {
    /// What the call stands for; `nil` when it is an ordinary one.
    func expand(
        _ name: String, target: Expression?, _ arguments: [Expression], at offset: Int
    ) throws(SyntaxFault) -> Expression? {
        guard let target else {
            guard name == "has", arguments.count == 1 else { return nil }
            guard case .select(let operand, let field, false) = arguments[0].kind else {
                throw SyntaxFault(offset: arguments[0].offset, message: "invalid argument to has() macro")
            }
            return Expression(.select(operand: operand, field: field, isTest: true), at: offset)
        }
        let macro = Macro(target: target, arguments: arguments, offset: offset)
        switch (name, arguments.count) {
        case ("all", 2), ("all", 3): return try macro.all()
        case ("exists", 2), ("exists", 3): return try macro.exists()
        case ("exists_one", 2), ("existsOne", 2), ("exists_one", 3), ("existsOne", 3): return try macro.existsOne()
        case ("map", 2), ("map", 3): return try macro.map()
        case ("filter", 2): return try macro.filter()
        case ("transformList", 3), ("transformList", 4): return try macro.transformList()
        case ("transformMap", 3), ("transformMap", 4): return try macro.transformMap(entry: false)
        case ("transformMapEntry", 3), ("transformMapEntry", 4): return try macro.transformMap(entry: true)
        case ("optMap", 2): return try macro.optionalMap(flat: false)
        case ("optFlatMap", 2): return try macro.optionalMap(flat: true)
        case ("sortBy", 2): return try macro.sortBy()
        default: return nil
        }
    }
}

/// One call of a macro over a range or an optional.
private struct Macro {
    static let accumulator = "@result"

    let target: Expression
    let arguments: [Expression]
    let offset: Int

    func make(_ kind: Expression.Kind) -> Expression { Expression(kind, at: offset) }
    func literal(_ value: CELValue) -> Expression { make(.literal(value)) }
    func call(_ function: String, _ arguments: Expression...) -> Expression {
        make(.call(function: function, target: nil, arguments: arguments))
    }
    var result: Expression { make(.identifier(Self.accumulator)) }
    func list(_ elements: Expression...) -> Expression { make(.list(elements, optionals: [])) }

    /// The variables, which come first: one, or two where there is an argument more.
    func variables(_ count: Int) throws(SyntaxFault) -> [String] {
        var names: [String] = []
        for argument in arguments.prefix(count) {
            guard let name = argument.name else {
                throw SyntaxFault(offset: argument.offset, message: "argument must be a simple name")
            }
            if name == "__result__" || name == Self.accumulator {
                throw SyntaxFault(
                    offset: argument.offset, message: "iteration variable overwrites accumulator variable")
            }
            if names.contains(name) {
                throw SyntaxFault(offset: argument.offset, message: "duplicate variable name: \(name)")
            }
            names.append(name)
        }
        return names
    }

    func fold(
        _ variables: [String], from initial: Expression, while condition: Expression, _ step: Expression,
        result: Expression
    ) -> Expression {
        make(
            .comprehension(
                Expression.Comprehension(
                    range: target, variable: variables[0], second: variables.count > 1 ? variables[1] : nil,
                    accumulator: Self.accumulator, initial: initial, condition: condition, step: step,
                    result: result)))
    }

    func all() throws(SyntaxFault) -> Expression {
        let names = try variables(arguments.count - 1)
        return fold(
            names, from: literal(.bool(true)), while: call("@not_strictly_false", result),
            call("_&&_", result, arguments.last!), result: result)
    }

    func exists() throws(SyntaxFault) -> Expression {
        let names = try variables(arguments.count - 1)
        return fold(
            names, from: literal(.bool(false)), while: call("@not_strictly_false", call("!_", result)),
            call("_||_", result, arguments.last!), result: result)
    }

    func existsOne() throws(SyntaxFault) -> Expression {
        let names = try variables(arguments.count - 1)
        let counted = call("_+_", result, literal(.int(1)))
        return fold(
            names, from: literal(.int(0)), while: literal(.bool(true)),
            call("_?_:_", arguments.last!, counted, result), result: call("_==_", result, literal(.int(1))))
    }

    func map() throws(SyntaxFault) -> Expression {
        let names = try variables(1)
        var step = call("_+_", result, list(arguments.last!))
        if arguments.count == 3 { step = call("_?_:_", arguments[1], step, result) }
        return fold(names, from: list(), while: literal(.bool(true)), step, result: result)
    }

    func filter() throws(SyntaxFault) -> Expression {
        let names = try variables(1)
        let step = call("_?_:_", arguments[1], call("_+_", result, list(arguments[0])), result)
        return fold(names, from: list(), while: literal(.bool(true)), step, result: result)
    }

    func transformList() throws(SyntaxFault) -> Expression {
        let names = try variables(2)
        var step = call("_+_", result, list(arguments.last!))
        if arguments.count == 4 { step = call("_?_:_", arguments[2], step, result) }
        return fold(names, from: list(), while: literal(.bool(true)), step, result: result)
    }

    func transformMap(entry: Bool) throws(SyntaxFault) -> Expression {
        let names = try variables(2)
        var step =
            entry
            ? call("cel.@mapInsert", result, arguments.last!)
            : call("cel.@mapInsert", result, make(.identifier(names[0])), arguments.last!)
        if arguments.count == 4 { step = call("_?_:_", arguments[2], step, result) }
        return fold(names, from: make(.map([])), while: literal(.bool(true)), step, result: result)
    }

    /// A name for a value: a fold over nothing whose accumulator is that name.
    func bind(_ name: String, to value: Expression, in body: Expression) -> Expression {
        make(
            .comprehension(
                Expression.Comprehension(
                    range: list(), variable: "#unused", second: nil, accumulator: name, initial: value,
                    condition: literal(.bool(false)), step: make(.identifier(name)), result: body)))
    }

    func optionalMap(flat: Bool) throws(SyntaxFault) -> Expression {
        guard let name = arguments[0].name else {
            throw SyntaxFault(
                offset: arguments[0].offset,
                message: "\(flat ? "optFlatMap" : "optMap")() variable name must be a simple identifier")
        }
        // The optional is needed twice; under a name it is evaluated once, however deep such calls are nested.
        let optional = make(.identifier("@optional"))
        let hasValue = make(.call(function: "hasValue", target: optional, arguments: []))
        let value = make(.call(function: "value", target: optional, arguments: []))
        let mapped = bind(name, to: value, in: arguments[1])
        return bind(
            "@optional", to: target,
            in: call("_?_:_", hasValue, flat ? mapped : call("optional.of", mapped), call("optional.none")))
    }

    func sortBy() throws(SyntaxFault) -> Expression {
        let input = "@__sortBy_input__"
        let keys = Macro(target: make(.identifier(input)), arguments: arguments, offset: offset)
        let sorted = make(
            .call(
                function: "@sortByAssociatedKeys", target: make(.identifier(input)), arguments: [try keys.map()]))
        return bind(input, to: target, in: sorted)
    }
}
