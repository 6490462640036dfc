internal import Model

/// What the parts of an evaluation cost: the figures of cel-go and of Kubernetes' cost estimator, so that a rule that
/// is cheap enough there is cheap enough here.
enum Cost {
    static let selectOrIdentifier: UInt64 = 1
    static let list: UInt64 = 10
    static let map: UInt64 = 30
    /// For a scalar of text read once.
    static let traversal = 0.1
    /// For a scalar of a pattern, which the traversal is multiplied by.
    static let pattern = 0.25

    static func scaled(_ size: UInt64, _ factor: Double = traversal) -> UInt64 {
        let product = (Double(size) * factor).rounded(.up)
        return product >= 0x1p64 ? .max : UInt64(product)
    }

    static func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    /// How many elements, or how many 64 bytes of text, are handled for one unit where Kubernetes counts no more than
    /// that: so that a million units stay a matter of seconds whatever the object holds.
    private static let bulk: UInt64 = 64

    /// What a call costs; `nil` where that depends on its result.
    static func before(_ function: String, _ id: String, _ arguments: [CELValue]) -> UInt64? {
        kubernetes(function, id, arguments)?.addingSaturating(excess(function, arguments))
    }

    /// What is charged beyond Kubernetes' figure: nothing for values of ordinary size.
    private static func excess(_ function: String, _ arguments: [CELValue]) -> UInt64 {
        switch function {
        case "size", "charAt":
            guard case .string(let text) = arguments[0] else { return 0 }
            return UInt64(text.utf8.count) / (64 * bulk)
        case "_+_":
            guard case .list(let left) = arguments[0], case .list(let right) = arguments[1] else { return 0 }
            return UInt64(left.count + right.count) / bulk
        case "_==_", "_!=_": return UInt64(min(arguments[0].weight, arguments[1].weight)) / bulk
        case "@in", "sets.contains", "sets.intersects", "sets.equivalent", "indexOf", "lastIndexOf", "distinct":
            let hasTrees = arguments.contains { $0.hasTrees }
            return hasTrees ? UInt64(arguments.reduce(0) { $0 + $1.weight }) : 0
        default: return 0
        }
    }

    /// Of a fold over a map, whose keys are gathered first.
    static func gathering(_ count: Int) -> UInt64 { UInt64(count) / bulk }

    private static func kubernetes(_ function: String, _ id: String, _ arguments: [CELValue]) -> UInt64? {
        if let extended = ofLibrary(function, id, arguments) { return extended }
        switch function {
        case "join", "slice", "lists.range": return nil
        case "startsWith", "endsWith": return scaled(arguments[1].costSize)
        case "format", "strings.quote": return scaled(arguments[0].costSize)
        case "bytes" where id == "string_to_bytes", "string" where id == "bytes_to_string":
            return scaled(arguments[0].costSize)
        case "@in": return id == "in_list" ? arguments[1].costSize : 1
        case "_==_", "_!=_": return equality(function, arguments)
        case "_<_", "_<=_", "_>_", "_>=_":
            let isText = id.hasSuffix("_string") || id.hasSuffix("_bytes")
            return isText ? scaled(min(arguments[0].costSize, arguments[1].costSize)) : 1
        case "_+_" where id == "add_string" || id == "add_bytes":
            return scaled(arguments[0].costSize + arguments[1].costSize)
        case "matches": return matching(arguments[0].costSize, arguments[1].costSize)
        case "contains": return multiply(scaled(arguments[0].costSize), scaled(arguments[1].costSize))
        default: return 1
        }
    }

    /// What a call with that result cost.
    static func after(_ function: String, _ result: CELValue) -> UInt64 {
        function == "join" ? scaled(result.costSize, 2 * traversal) : result.costSize + 1 + list
    }

    private static func matching(_ text: UInt64, _ length: UInt64) -> UInt64 {
        multiply(scaled(text + 1), scaled(length, pattern))
    }

    private static func equality(_ function: String, _ arguments: [CELValue]) -> UInt64 {
        if function == "_==_" {
            switch arguments[0] {
            case .quantity, .ip, .cidr, .format, .url, .semver: return 1
            default: break
            }
        }
        return scaled(min(arguments[0].costSize, arguments[1].costSize))
    }

    /// Functions beyond the language's own.
    private static func ofLibrary(_ function: String, _ id: String, _ arguments: [CELValue]) -> UInt64? {
        switch function {
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf": return traversal(of: arguments[0])
        case "url", "lowerAscii", "upperAscii", "substring", "trim", "cidr", "isIP", "isCIDR", "quantity",
            "isQuantity", "semver", "isSemver":
            return scaled(arguments[0].costSize)
        case "replace", "split", "ip.isCanonical": return scaled(arguments[0].costSize, 2 * traversal)
        case "find", "findAll": return matching(arguments[0].costSize, arguments[1].costSize)
        case "ip": return id == "cidr_ip" ? 1 : scaled(arguments[0].costSize)
        case "containsIP":
            let compared = scaled(2 * arguments[0].costSize)
            return id == "cidr_contains_ip_string" ? compared + scaled(arguments[1].costSize) : compared
        case "containsCIDR":
            let compared = scaled(2 * arguments[0].costSize) + scaled(arguments[0].costSize) + 1
            return id == "cidr_contains_cidr_string" ? compared + scaled(arguments[1].costSize) : compared
        case "validate":
            guard case .format(let format) = arguments[0] else { return 1 }
            return matching(arguments[1].costSize, UInt64(format.patternLength))
        case "sets.contains", "sets.intersects": return product(arguments) + 1
        case "sets.equivalent": return multiply(2, product(arguments)) + 1
        case "reverse": return arguments[0].costSize + 1 + list
        case "flatten":
            var depth: UInt64 = 1
            if arguments.count > 1, case .int(let value) = arguments[1] { depth = UInt64(max(0, value)) }
            return multiply(depth, arguments[0].costSize).addingSaturating(1 + list)
        case "distinct", "sort": return comparisons(arguments[0])
        // Asking who may what can be expensive where somebody else decides.
        case "check": return 350_000
        case Construction.function: return 40
        case "jsonpatch.escapeKey": return scaled(arguments[0].costSize)
        case "fieldSelector", "labelSelector": return scaled(arguments[1].costSize)
        case "@sortByAssociatedKeys": return comparisons(arguments[1])
        default: return nil
        }
    }

    private static func product(_ arguments: [CELValue]) -> UInt64 {
        min(multiply(arguments[0].costSize, arguments[1].costSize), .max / 4)
    }

    /// Every element with every other.
    private static func comparisons(_ value: CELValue) -> UInt64 {
        guard case .list(let values) = value, values.count > 0 else { return 1 + list }
        var factor = 2.0
        switch values[0] {
        case .string, .bytes: factor += traversal
        default: break
        }
        let size = UInt64(values.count)
        return UInt64(min(Double(multiply(size, size)) * factor, 0x1p62)) + 1 + list
    }

    /// Of a whole tree.
    private static func traversal(of value: CELValue) -> UInt64 {
        switch value {
        case .string(let text): UInt64(Double(text.utf8.count) * traversal)
        case .bytes(let bytes): UInt64(Double(bytes.count) * traversal)
        case .list(let list): list.values.reduce(0) { $0 + traversal(of: $1) }
        case .map(let map): map.keys.reduce(0) { $0 + traversal(of: $1) + traversal(of: map[$1] ?? .null) }
        case .object(let object):
            object.members.reduce(0) { sum, member in
                guard let name = PropertyName.escaped(member.key), let value = object.value(name) else { return sum }
                return sum + UInt64(Double(member.key.utf8.count) * traversal) + traversal(of: value)
            }
        default: 1
        }
    }
}

extension UInt64 {
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
