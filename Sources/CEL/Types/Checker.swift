/// Finds the type of every part of an expression, and refuses what cannot be evaluated (cel-go's `checker`).
struct Checker {
    private let source: Source
    /// Whether expressions may build objects and patches of their own.
    private let buildsPatches: Bool
    private var variables: [String: CELType]
    private var types = TypeVariables()
    private var issues: [CELError.Issue] = []

    /// Checks the expression and notes in its nodes what was found.
    ///
    /// - Throws: a `CELError` with every fault.
    /// - Returns: the expression's type.
    static func check(
        _ expression: Expression, _ source: Source, variables: [String: CELType], buildsPatches: Bool
    ) throws(CELError) -> CELType {
        var checker = Checker(source: source, variables: variables, buildsPatches: buildsPatches)
        checker.check(expression)
        checker.settle(expression)
        if checker.issues.isEmpty { checker.checkLiterals(expression) }
        guard checker.issues.isEmpty else {
            var seen: Set<CELError.Issue> = []
            let issues = checker.issues.filter { seen.insert($0).inserted }
                .sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            throw CELError(refusing: source, .types, issues)
        }
        return expression.type
    }

    private init(source: Source, variables: [String: CELType], buildsPatches: Bool) {
        self.source = source
        self.buildsPatches = buildsPatches
        self.variables = variables
    }

    private mutating func report(_ expression: Expression, _ message: String) {
        issues.append(source.issue(at: expression.offset, message))
    }

    private mutating func check(_ expression: Expression) {
        switch expression.kind {
        case .literal(let value): expression.type = Self.type(of: value)
        case .identifier(let name):
            if let type = variables[name] {
                expression.type = type
            } else if let named = Library.typeNames[name] {
                expression.type = .type(named)
                expression.constant = .type(named.runtimeName)
            } else {
                expression.type = .error
                report(expression, "undeclared reference to '\(name)' (in container '')")
            }
        case .select(let operand, let field, let isTest): checkSelect(expression, operand, field, isTest)
        case .call: checkCall(expression)
        case .list(let elements, let optionals): checkList(expression, elements, optionals)
        case .map(let entries): checkMap(expression, entries)
        case .comprehension(let fold): checkFold(expression, fold)
        }
    }

    private static func type(of value: CELValue) -> CELType {
        switch value {
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        default: .null
        }
    }

    private mutating func checkSelect(_ node: Expression, _ operand: Expression, _ field: String, _ isTest: Bool) {
        if !isTest, let name = node.qualifiedName, variables[Self.root(of: name)] == nil,
            let named = Library.typeNames[name]
        {
            node.type = .type(named)
            node.constant = .type(named.runtimeName)
            return
        }
        if !isTest, let name = node.qualifiedName, let type = variables[name] {
            node.resolved = name
            node.type = type
            return
        }
        check(operand)
        let result = fieldType(node, operand, field, optional: false)
        node.type = isTest ? .bool : types.resolve(result)
    }

    private static func root(of name: String) -> String { String(name.prefix { $0 != "." }) }

    private mutating func fieldType(
        _ node: Expression, _ operand: Expression, _ field: String, optional: Bool
    ) -> CELType {
        var target = types.resolve(operand.type)
        var isOptional = optional
        if case .optional(let inner) = target {
            target = inner
            isOptional = true
        }
        let result: CELType
        switch target {
        case .map(_, let value): result = value
        case .object(let type):
            if let found = type.field(field) {
                result = found.type.type
            } else {
                report(node, "undefined field '\(field)'")
                result = .error
            }
        case .variable:
            _ = types.assign(target, to: .dyn)
            result = .dyn
        case .dyn, .error: result = .dyn
        case .opaque(let name) where Construction.isType(name):
            result = Construction.fieldType(field, of: name) ?? .error
            if result == .error { report(node, "undefined field '\(field)'") }
        default:
            report(node, "type '\(target.name)' does not support field selection")
            result = .error
        }
        return isOptional ? .optional(result) : result
    }

    private mutating func checkCall(_ node: Expression) {
        guard case .call(let function, let target, let arguments) = node.kind else { return }
        if function == "_?._" {
            check(arguments[0])
            check(arguments[1])
            guard case .literal(.string(let field)) = arguments[1].kind else { return }
            node.type = types.resolve(fieldType(node, arguments[0], field, optional: true))
            node.overloads = Library.functions["_?._"] ?? []
            return
        }
        for argument in arguments { check(argument) }
        if function == Construction.function { return checkConstruction(node, arguments) }
        if let target, let prefix = target.qualifiedName, let found = Library.functions["\(prefix).\(function)"] {
            node.resolved = "\(prefix).\(function)"
            return resolve(node, found, nil, arguments, name: "\(prefix).\(function)")
        }
        if let target { check(target) }
        guard let found = Library.functions[function] else {
            node.type = .error
            report(node, "undeclared reference to '\(function)' (in container '')")
            return
        }
        resolve(node, found, target, arguments, name: function)
    }

    /// The first argument names the type; fields and their values follow.
    private mutating func checkConstruction(_ node: Expression, _ arguments: [Expression]) {
        guard case .literal(.string(let name)) = arguments[0].kind else { return }
        node.overloads = [Construction.overload]
        guard buildsPatches, Construction.isType(name) else {
            node.type = .error
            return report(node, "undeclared reference to '\(name)' (in container '')")
        }
        node.type = .opaque(name)
        for position in stride(from: 1, to: arguments.count - 1, by: 2) {
            let value = arguments[position + 1]
            guard case .literal(.string(let written)) = arguments[position].kind else { continue }
            let isOptional = written.hasPrefix(Construction.optionalMark)
            let field = isOptional ? String(written.dropFirst()) : written
            guard let wanted = Construction.fieldType(field, of: name) else {
                report(arguments[position], "undefined field '\(field)'")
                continue
            }
            let found = isOptional ? unwrapped(value) : value.type
            if !types.assign(found, to: wanted) {
                report(
                    arguments[position],
                    "expected type of field '\(field)' is '\(wanted.name)' but provided type is "
                        + "'\(types.resolve(found).name)'")
            }
        }
    }

    private mutating func resolve(
        _ node: Expression, _ candidates: [Overload], _ target: Expression?, _ arguments: [Expression], name: String
    ) {
        let actual = ((target.map { [$0] } ?? []) + arguments).map(\.type)
        if name == "_&&_" || name == "_||_" {
            node.type = .bool
            node.overloads = candidates
            for argument in arguments where !types.assign(argument.type, to: .bool) {
                let found = types.resolve(argument.type).name
                report(argument, "expected type 'bool' but found '\(found)'")
                node.type = .error
            }
            return
        }
        var result: CELType?
        for overload in candidates
        where overload.isMember == (target != nil) && overload.parameters.count == actual.count {
            var parameters: [String: CELType] = [:]
            func instantiated(_ type: CELType) -> CELType {
                guard overload.isGeneric else { return type }
                return type.replacing { part in
                    guard case .parameter(let name) = part else { return nil }
                    if parameters[name] == nil { parameters[name] = types.fresh() }
                    return parameters[name]
                }
            }
            let wanted = overload.parameters.map(instantiated)
            let given = instantiated(overload.result)
            guard types.assign(zip(wanted, actual).map { (wanted: $0, actual: $1) }) else { continue }
            node.overloads.append(overload)
            let found = types.resolve(given)
            if result == nil {
                result = found
            } else if result != .dyn, result != found {
                result = .dyn
            }
        }
        guard let result else {
            node.type = .error
            let names = actual.map { types.resolve($0, settling: true).name }
            let isMember = target != nil
            let shown =
                (isMember ? names[0] + "." : "") + "(\(names.dropFirst(isMember ? 1 : 0).joined(separator: ", ")))"
            report(node, "found no matching overload for '\(name)' applied to '\(shown)'")
            return
        }
        node.type = result
    }

    /// The type of elements beside each other: `dyn` where they do not fit together.
    private mutating func join(_ previous: CELType?, _ current: CELType) -> CELType {
        guard let previous else { return current }
        return types.assign(current, to: previous) ? types.mostGeneral(previous, current) : .dyn
    }

    /// What an element written with `?` adds.
    private mutating func unwrapped(_ node: Expression) -> CELType {
        if case .optional(let inner) = types.resolve(node.type) { return inner }
        if !types.resolve(node.type).isDynamic {
            let found = types.resolve(node.type).name
            report(node, "expected type 'optional_type(\(found))' but found '\(found)'")
        }
        return node.type
    }

    private mutating func checkList(_ node: Expression, _ elements: [Expression], _ optionals: Set<Int>) {
        var joined: CELType?
        for (index, element) in elements.enumerated() {
            check(element)
            joined = join(joined, optionals.contains(index) ? unwrapped(element) : element.type)
        }
        node.type = .list(joined ?? types.fresh())
    }

    private mutating func checkMap(_ node: Expression, _ entries: [Expression.Entry]) {
        var key: CELType?
        var value: CELType?
        for entry in entries {
            check(entry.key)
            key = join(key, entry.key.type)
            check(entry.value)
            value = join(value, entry.isOptional ? unwrapped(entry.value) : entry.value.type)
        }
        node.type = .map(key ?? types.fresh(), value ?? types.fresh())
    }

    private mutating func checkFold(_ node: Expression, _ fold: Expression.Comprehension) {
        check(fold.range)
        check(fold.initial)
        let range = types.resolve(fold.range.type)
        let accumulated = fold.initial.type
        var first: CELType
        var second: CELType?
        switch range {
        case .list(let element):
            first = fold.second == nil ? element : .int
            second = element
        case .map(let key, let value):
            first = key
            second = value
        case .dyn, .error, .variable:
            _ = types.assign(range, to: .dyn)
            first = .dyn
            second = .dyn
        default:
            report(
                fold.range,
                "expression of type '\(range.name)' cannot be range of a comprehension "
                    + "(must be list, map, or dynamic)")
            first = .error
            second = .error
        }
        let outer = variables
        variables[fold.accumulator] = accumulated
        let scope = variables
        variables[fold.variable] = first
        if let name = fold.second { variables[name] = second }
        check(fold.condition)
        expect(fold.condition, .bool)
        check(fold.step)
        expect(fold.step, accumulated)
        variables = scope
        check(fold.result)
        variables = outer
        node.type = types.resolve(fold.result.type)
    }

    private mutating func expect(_ node: Expression, _ type: CELType) {
        guard !types.assign(node.type, to: type) else { return }
        report(node, "expected type '\(types.resolve(type).name)' but found '\(types.resolve(node.type).name)'")
    }

    /// Puts in what is known at the end.
    private func settle(_ expression: Expression) {
        expression.type = types.resolve(expression.type, settling: true)
        for child in Expression.children(of: expression.kind) { settle(child) }
    }

    /// Elements of a literal must have one type, outside of what is formatted.
    private mutating func checkHomogeneous(_ expression: Expression) {
        func type(_ node: Expression, _ isOptional: Bool) -> CELType {
            if isOptional, case .optional(let inner) = node.type { inner } else { node.type }
        }
        switch expression.kind {
        case .list(let elements, let optionals):
            guard let first = elements.first else { return }
            let wanted = type(first, optionals.contains(0))
            for (index, element) in elements.enumerated() {
                let found = type(element, optionals.contains(index))
                guard found != wanted else { continue }
                return report(element, "expected type '\(wanted.name)' but found '\(found.name)'")
            }
        case .map(let entries):
            guard let first = entries.first else { return }
            let wanted = (first.key.type, type(first.value, first.isOptional))
            for entry in entries {
                let found = (entry.key.type, type(entry.value, entry.isOptional))
                if found.0 != wanted.0 {
                    report(entry.key, "expected type '\(wanted.0.name)' but found '\(found.0.name)'")
                }
                if found.1 != wanted.1 {
                    report(entry.value, "expected type '\(wanted.1.name)' but found '\(found.1.name)'")
                }
            }
        default: return
        }
    }

    /// Literals that can only fail: patterns, durations and times that cannot be read, mixed types.
    private mutating func checkLiterals(_ expression: Expression, isFormatted: Bool = false) {
        if !isFormatted { checkHomogeneous(expression) }
        var isFormatted = isFormatted
        if case .call(let function, let target, let arguments) = expression.kind,
            let last = arguments.last, case .literal(.string(let text)) = last.kind
        {
            let isValid: Bool
            switch (function, arguments.count) {
            case ("matches", 1) where target != nil, ("matches", 2):
                do {
                    _ = try RegexCache.shared.regex(text)
                    isValid = true
                } catch {
                    isValid = false
                }
            case ("duration", 1) where target == nil: isValid = GoDuration.parse(text) != nil
            case ("timestamp", 1) where target == nil: isValid = CELTimestamp(text) != nil
            default: isValid = true
            }
            if !isValid { report(last, "invalid \(function) argument") }
        }
        if case .call("format", .some, _) = expression.kind { isFormatted = true }
        if case .call("timestamp", nil, let arguments) = expression.kind, let argument = arguments.first,
            case .literal(.int(let seconds)) = argument.kind, CELTimestamp(seconds: seconds) == nil
        {
            report(argument, "invalid timestamp argument")
        }
        for child in Expression.children(of: expression.kind) { checkLiterals(child, isFormatted: isFormatted) }
    }
}
