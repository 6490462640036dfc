/// An expression made ready to be evaluated: names are slots, calls are functions, constants are values.
indirect enum Step: Sendable {
    case constant(CELValue)
    case slot(Int)
    case select(Step, field: String, offset: Int)
    case test(Step, field: String, offset: Int)
    case optionalSelect(Step, field: String, offset: Int)
    case and(Step, Step, offset: Int)
    case or(Step, Step, offset: Int)
    case conditional(Step, Step, Step, offset: Int)
    case notStrictlyFalse(Step)
    /// The second one is needed only where the first has no value.
    case fallback(Step, Step, unwraps: Bool, offset: Int)
    /// A value in a list of constants.
    case membership(Step, CELList)
    case call(Call)
    case list([Step], optionals: Set<Int>, offset: Int)
    case map([Entry], offset: Int)
    case fold(Fold)
    /// What a fold that builds a list or a map has so far: it is only passed on.
    case built
    case append(Step)
    case insert([Step], offset: Int)

    struct Call: Sendable {
        var function: String
        /// More than one where types are known at run time only.
        var overloads: [Overload]
        var arguments: [Step]
        var offset: Int
    }

    struct Entry: Sendable {
        var key: Step
        var value: Step
        var isOptional: Bool
    }

    struct Fold: Sendable {
        enum Building: Sendable { case nothing, list, map }

        var range: Step
        var variable: Int
        var second: Int?
        var accumulator: Int
        var initial: Step
        var condition: Step
        var step: Step
        var result: Step
        /// What the accumulator is, where it only grows: it is then changed in place.
        var building: Building
        var offset: Int
    }
}

/// Makes the steps of a checked expression.
struct Planner {
    private var slots: [String: Int]
    private var next: Int
    private(set) var slotCount: Int
    /// The name whose value is being built, if one is.
    private var builder: String?

    init(variables: [String]) {
        slots = [:]
        for (slot, name) in variables.enumerated() { slots[name] = slot }
        next = variables.count
        slotCount = variables.count
    }

    mutating func plan(_ node: Expression) -> Step {
        if let constant = node.constant { return .constant(constant) }
        switch node.kind {
        case .literal(let value): return .constant(value)
        case .identifier(let name):
            if name == builder { return .built }
            return .slot(slots[name] ?? 0)
        case .select(let operand, let field, let isTest):
            if let name = node.resolved { return .slot(slots[name] ?? 0) }
            let step = plan(operand)
            return isTest
                ? .test(step, field: field, offset: node.offset) : .select(step, field: field, offset: node.offset)
        case .call(let function, let target, let arguments):
            return planCall(node, node.resolved ?? function, node.resolved == nil ? target : nil, arguments)
        case .list(let elements, let optionals):
            let steps = elements.map { plan($0) }
            let constants = steps.compactMap(\.constant)
            if optionals.isEmpty, constants.count == steps.count { return .constant(.list(constants)) }
            return .list(steps, optionals: optionals, offset: node.offset)
        case .map(let entries): return planMap(entries, node.offset)
        case .comprehension(let fold): return .fold(planFold(fold, node.offset))
        }
    }

    private mutating func planMap(_ entries: [Expression.Entry], _ offset: Int) -> Step {
        let steps = entries.map { Step.Entry(key: plan($0.key), value: plan($0.value), isOptional: $0.isOptional) }
        var map = CELMap()
        for entry in steps {
            guard !entry.isOptional, let key = entry.key.constant, let value = entry.value.constant,
                map.insert(value, at: key)
            else { return .map(steps, offset: offset) }
        }
        return .constant(.map(map))
    }

    private static let conversions: Set<String> = [
        "bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint",
    ]

    private mutating func planCall(
        _ node: Expression, _ function: String, _ target: Expression?, _ arguments: [Expression]
    ) -> Step {
        if let step = planBuilding(function, arguments, node.offset) { return step }
        let steps = ((target.map { [$0] } ?? []) + arguments).map { plan($0) }
        switch function {
        case "_&&_": return .and(steps[0], steps[1], offset: node.offset)
        case "_||_": return .or(steps[0], steps[1], offset: node.offset)
        case "_?_:_": return .conditional(steps[0], steps[1], steps[2], offset: node.offset)
        case "@not_strictly_false": return .notStrictlyFalse(steps[0])
        case "or" where target != nil: return .fallback(steps[0], steps[1], unwraps: false, offset: node.offset)
        case "orValue" where target != nil: return .fallback(steps[0], steps[1], unwraps: true, offset: node.offset)
        case "_?._":
            guard case .string(let field)? = steps[1].constant else { break }
            return .optionalSelect(steps[0], field: field, offset: node.offset)
        case "@in":
            if case .list(let list)? = steps[1].constant, list.values.allSatisfy({ CELMap.Key($0) != nil }) {
                return .membership(steps[0], list)
            }
        default: break
        }
        if Self.conversions.contains(function), steps.count == 1, let argument = steps[0].constant,
            let overload = node.overloads.first, node.overloads.count == 1
        {
            let value = overload.body([argument])
            if case .error = value {} else { return .constant(value) }
        }
        return .call(
            Step.Call(function: function, overloads: node.overloads, arguments: steps, offset: node.offset))
    }

    /// `accumulator + [x]` and `mapInsert(accumulator, …)` within a fold that builds.
    private mutating func planBuilding(_ function: String, _ arguments: [Expression], _ offset: Int) -> Step? {
        guard let builder, let first = arguments.first, first.name == builder else { return nil }
        if function == "_+_", case .list(let elements, _) = arguments[1].kind, elements.count == 1 {
            return .append(plan(elements[0]))
        }
        if function == "cel.@mapInsert" { return .insert(arguments.dropFirst().map { plan($0) }, offset: offset) }
        return nil
    }

    private mutating func planFold(_ fold: Expression.Comprehension, _ offset: Int) -> Step.Fold {
        let range = plan(fold.range)
        let initial = plan(fold.initial)
        let outer = (slots, next, builder)
        func slot(_ name: String) -> Int {
            defer { next += 1 }
            slots[name] = next
            slotCount = max(slotCount, next + 1)
            return next
        }
        let accumulator = slot(fold.accumulator)
        let variable = slot(fold.variable)
        let second = fold.second.map { slot($0) }
        var building = Step.Fold.Building.nothing
        if fold.result.name == fold.accumulator, fold.accumulator.hasPrefix("@") {
            switch fold.initial.kind {
            case .list: building = .list
            case .map: building = .map
            default: break
            }
        }
        // A fold within the element of another one has an accumulator of the same name.
        builder = building == .nothing ? nil : fold.accumulator
        let condition = plan(fold.condition)
        let step = plan(fold.step)
        builder = nil
        let result = plan(fold.result)
        (slots, next, builder) = outer
        return Step.Fold(
            range: range, variable: variable, second: second, accumulator: accumulator, initial: initial,
            condition: condition, step: step, result: result, building: building, offset: offset)
    }
}

extension Step {
    var constant: CELValue? {
        if case .constant(let value) = self { value } else { nil }
    }
}
