/// What is known of the types yet to be found, and which type may stand where which is wanted.
struct TypeVariables {
    private var found: [Int: CELType] = [:]
    private var count = 0

    mutating func fresh() -> CELType {
        count += 1
        return .variable(count - 1)
    }

    /// The type with what is known put in; with `dyn` for what is not when `settling`.
    func resolve(_ type: CELType, settling: Bool = false) -> CELType {
        type.replacing { part in
            guard case .variable(let number) = part else { return nil }
            if let known = found[number] { return resolve(known, settling: settling) }
            return settling ? .dyn : part
        }
    }

    /// Whether values of `actual` may stand where `wanted` is declared; learns what that implies.
    mutating func assign(_ actual: CELType, to wanted: CELType) -> Bool {
        assign([(wanted, actual)])
    }

    /// Whether all pairs fit together; learns nothing when they do not.
    mutating func assign(_ pairs: [(wanted: CELType, actual: CELType)]) -> Bool {
        let before = found
        for pair in pairs where !fits(pair.wanted, pair.actual) {
            found = before
            return false
        }
        return true
    }

    private mutating func fits(_ first: CELType, _ second: CELType) -> Bool {
        if case .variable(let number) = second, let answer = bind(number, to: first) { return answer }
        if case .variable(let number) = first { return bind(number, to: second) ?? false }
        if first.isDynamic || second.isDynamic { return true }
        if first == .null || second == .null { return first == second || (first == .null ? second : first).isNullable }
        switch (first, second) {
        case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)): return fits(left, right)
        case (.map(let leftKey, let left), .map(let rightKey, let right)):
            return fits(leftKey, rightKey) && fits(left, right)
        // Types are values of one type.
        case (.type, .type): return true
        default: return first == second
        }
    }

    /// Whether the variable may be the type; `nil` when it would have to contain itself.
    private mutating func bind(_ number: Int, to type: CELType) -> Bool? {
        if type == .variable(number) { return true }
        if let known = found[number] {
            if known == type { return true }
            guard fits(type, known) else { return false }
            let general = mostGeneral(type, known)
            if !occurs(number, in: general) { found[number] = general }
            return true
        }
        guard !occurs(number, in: type) else { return nil }
        found[number] = type
        return true
    }

    private func occurs(_ number: Int, in type: CELType) -> Bool {
        var isFound = false
        _ = resolve(type).replacing { part in
            if part == .variable(number) { isFound = true }
            return nil
        }
        return isFound
    }

    /// The one of two types that fit together which says less.
    func mostGeneral(_ first: CELType, _ second: CELType) -> CELType {
        isAtMostAsSpecific(first, as: second) ? first : second
    }

    private func isAtMostAsSpecific(_ first: CELType, as second: CELType) -> Bool {
        if first.isDynamic { return true }
        if case .variable = first { return true }
        if second.isDynamic { return false }
        if case .variable = second { return false }
        switch (first, second) {
        case (.list(let left), .list(let right)), (.optional(let left), .optional(let right)):
            return isAtMostAsSpecific(left, as: right)
        case (.map(let leftKey, let left), .map(let rightKey, let right)):
            return isAtMostAsSpecific(leftKey, as: rightKey) && isAtMostAsSpecific(left, as: right)
        case (.null, _): return false
        default: return true
        }
    }
}

extension CELType {
    /// Whether null may stand where this type is wanted, and be compared with it.
    fileprivate var isNullable: Bool {
        switch self {
        case .object, .opaque, .optional, .timestamp, .duration: true
        default: false
        }
    }
}
