internal import Model

/// Carries out steps, counting what they cost.
struct Evaluator {
    /// The cost went beyond the limit: nothing can be made of that any more.
    struct CostExceeded: Error {}

    var slots: [CELValue]
    var cost: UInt64 = 0
    let limit: UInt64
    private var lists: [[CELValue]] = []
    private var maps: [CELMap] = []

    init(slots: [CELValue], limit: UInt64) {
        self.slots = slots
        self.limit = limit
    }

    mutating func spend(_ amount: UInt64) throws(CostExceeded) {
        let (sum, overflow) = cost.addingReportingOverflow(amount)
        cost = overflow ? .max : sum
        if cost > limit { throw CostExceeded() }
    }

    /// A fault gets the place where it arose, unless it has one.
    private func placed(_ value: CELValue, _ offset: Int) -> CELValue {
        guard case .error(let fault) = value, fault.offset == nil else { return value }
        return .error(CELValue.Fault(fault.message, offset: offset))
    }

    mutating func evaluate(_ step: Step) throws(CostExceeded) -> CELValue {
        switch step {
        case .constant(let value): return value
        case .slot(let slot):
            try spend(Cost.selectOrIdentifier)
            return slots[slot]
        case .select(let operand, let field, let offset):
            let value = try evaluate(operand)
            try spend(Cost.selectOrIdentifier)
            return placed(Self.select(value, field), offset)
        case .test(let operand, let field, let offset):
            return placed(Self.test(try evaluate(operand), field), offset)
        case .optionalSelect(let operand, let field, let offset):
            let value = try evaluate(operand)
            try spend(Cost.selectOrIdentifier)
            if case .error = value { return value }
            return placed(Access.optionalIndex(value, .string(field)), offset)
        case .and(let left, let right, let offset): return try logical(left, right, absorbing: false, offset)
        case .or(let left, let right, let offset): return try logical(left, right, absorbing: true, offset)
        case .conditional(let condition, let yes, let no, let offset):
            let value = try evaluate(condition)
            switch value {
            case .bool(true): return try evaluate(yes)
            case .bool(false): return try evaluate(no)
            case .error: return value
            default: return placed(.noOverload, offset)
            }
        case .notStrictlyFalse(let operand):
            let value = try evaluate(operand)
            try spend(1)
            if case .bool(false) = value { return .bool(false) }
            return .bool(true)
        case .fallback(let first, let second, let unwraps, let offset):
            let value = try evaluate(first)
            switch value {
            case .optional(nil): return try evaluate(second)
            case .optional(let inner?): return unwraps ? inner : value
            case .error: return value
            default: return placed(.noOverload, offset)
            }
        case .membership(let operand, let list):
            let value = try evaluate(operand)
            if case .error = value { return value }
            return .bool(list.contains(value))
        case .call(let call): return try evaluate(call)
        case .list(let elements, let optionals, let offset): return try list(elements, optionals, offset)
        case .map(let entries, let offset): return try map(entries, offset)
        case .fold(let fold): return try evaluate(fold)
        case .built:
            try spend(Cost.selectOrIdentifier)
            return .null
        case .append(let element):
            try spend(Cost.selectOrIdentifier + Cost.list + 1)
            let value = try evaluate(element)
            if case .error = value { return value }
            lists[lists.count - 1].append(value)
            return .null
        case .insert(let arguments, let offset): return try insert(arguments, offset)
        }
    }

    private static func select(_ value: CELValue, _ field: String) -> CELValue {
        switch value {
        case .object(let object): return object.value(field) ?? .error("no such key: \(field)")
        case .map(let map): return map[.string(field)] ?? .error("no such key: \(field)")
        case .built(let object): return object[field] ?? .error("no such key: \(field)")
        case .optional(let inner): return inner.map { Access.optionalIndex($0, .string(field)) } ?? value
        case .error: return value
        default: return .noOverload
        }
    }

    private static func test(_ value: CELValue, _ field: String) -> CELValue {
        switch value {
        case .object(let object):
            return .bool(object.type.field(field).map { object.members[$0.key].map { !$0.isNull } ?? false } ?? false)
        case .map(let map): return .bool(map.contains(field))
        case .built(let object): return .bool(object[field] != nil)
        case .optional(let inner): return inner.map { test($0, field) } ?? .bool(false)
        case .error: return value
        default: return .noOverload
        }
    }

    /// `&&` and `||`: a side that decides alone makes the other one's error irrelevant.
    private mutating func logical(
        _ left: Step, _ right: Step, absorbing: Bool, _ offset: Int
    ) throws(CostExceeded) -> CELValue {
        let first = try evaluate(left)
        if case .bool(absorbing) = first { return first }
        let second = try evaluate(right)
        if case .bool(absorbing) = second { return second }
        if case .bool = first, case .bool = second { return second }
        if case .error = first { return first }
        if case .error = second { return second }
        return placed(.noOverload, offset)
    }

    private mutating func evaluate(_ call: Step.Call) throws(CostExceeded) -> CELValue {
        var arguments: [CELValue] = []
        arguments.reserveCapacity(call.arguments.count)
        var fault: CELValue?
        for step in call.arguments {
            let value = try evaluate(step)
            if case .error = value, fault == nil { fault = value }
            arguments.append(value)
        }
        if let fault {
            try spend(1)
            return fault
        }
        let id = call.overloads.count == 1 ? call.overloads[0].id : ""
        // What a call may cost at most is known before, where its result is not needed to know it.
        if let amount = Cost.before(call.function, id, arguments) {
            try spend(amount)
            return placed(apply(call, arguments), call.offset)
        }
        let value = apply(call, arguments)
        try spend(Cost.after(call.function, value))
        return placed(value, call.offset)
    }

    private func apply(_ call: Step.Call, _ arguments: [CELValue]) -> CELValue {
        var value = CELValue.noOverload
        for overload in call.overloads {
            value = overload.body(arguments)
            guard case .error(let fault) = value, fault.message == "no such overload" else { break }
        }
        return value
    }

    private mutating func list(
        _ elements: [Step], _ optionals: Set<Int>, _ offset: Int
    ) throws(CostExceeded) -> CELValue {
        var values: [CELValue] = []
        for (index, element) in elements.enumerated() {
            let value = try evaluate(element)
            if case .error = value { return value }
            guard optionals.contains(index) else {
                values.append(value)
                continue
            }
            guard case .optional(let inner) = value else { return placed(.noOverload, offset) }
            if let inner { values.append(inner) }
        }
        try spend(Cost.list)
        return .list(values)
    }

    private mutating func map(_ entries: [Step.Entry], _ offset: Int) throws(CostExceeded) -> CELValue {
        var map = CELMap()
        for entry in entries {
            let key = try evaluate(entry.key)
            if case .error = key { return key }
            var value = try evaluate(entry.value)
            if case .error = value { return value }
            if entry.isOptional {
                guard case .optional(let inner) = value else { return placed(.noOverload, offset) }
                guard let inner else { continue }
                value = inner
            }
            guard CELMap.Key(key) != nil else {
                return placed(.error("unsupported key type: \(key.typeName)"), offset)
            }
            guard map.insert(value, at: key) else {
                return placed(.error("Failed with repeated key: \(Conversion.display(key))"), offset)
            }
        }
        try spend(Cost.map)
        return .map(map)
    }

    private mutating func insert(_ steps: [Step], _ offset: Int) throws(CostExceeded) -> CELValue {
        try spend(Cost.selectOrIdentifier + 1)
        var arguments: [CELValue] = []
        for step in steps {
            let value = try evaluate(step)
            if case .error = value { return value }
            arguments.append(value)
        }
        var entries = [(arguments[0], arguments[arguments.count - 1])]
        if arguments.count == 1 {
            guard case .map(let other) = arguments[0] else { return placed(.noOverload, offset) }
            entries = other.keys.map { ($0, other[$0] ?? .null) }
        }
        for (key, value) in entries {
            guard maps[maps.count - 1].insert(value, at: key) else {
                return placed(
                    .error("insert failed: key \(Conversion.display(key)) already exists"), offset)
            }
        }
        return .null
    }

    private mutating func evaluate(_ fold: Step.Fold) throws(CostExceeded) -> CELValue {
        let range = try evaluate(fold.range)
        let initial = try evaluate(fold.initial)
        if case .error = initial { return initial }
        switch range {
        case .list(let list):
            let count = list.count
            return try run(fold, initial, count) { index in
                (fold.second == nil ? list[index] : .int(Int64(index)), list[index])
            }
        case .map(let map):
            try spend(Cost.gathering(map.count))
            let keys = map.keys
            return try run(fold, initial, keys.count) { index in
                (keys[index], fold.second == nil ? .null : map[keys[index]] ?? .null)
            }
        case .error: return range
        default: return placed(.noOverload, fold.offset)
        }
    }

    private mutating func run(
        _ fold: Step.Fold, _ initial: CELValue, _ count: Int, _ element: (Int) -> (CELValue, CELValue)
    ) throws(CostExceeded) -> CELValue {
        slots[fold.accumulator] = initial
        switch fold.building {
        case .nothing: break
        case .list: lists.append([])
        case .map: maps.append(CELMap())
        }
        var fault: CELValue?
        for index in 0..<count {
            if case .bool(false) = try evaluate(fold.condition) { break }
            // What costs nothing must end too.
            try spend(0)
            let (first, second) = element(index)
            slots[fold.variable] = first
            if let slot = fold.second { slots[slot] = second }
            let value = try evaluate(fold.step)
            if fold.building == .nothing {
                slots[fold.accumulator] = value
            } else if case .error = value {
                fault = value
                break
            }
        }
        switch fold.building {
        case .nothing: break
        case .list: slots[fold.accumulator] = .list(lists.removeLast())
        case .map: slots[fold.accumulator] = .map(maps.removeLast())
        }
        if let fault { return fault }
        return try evaluate(fold.result)
    }
}
