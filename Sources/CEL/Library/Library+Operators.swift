/// Operators (langdef: *Standard definitions*). Overflow is an error, as is division by zero.
extension Library {
    static let operators: [Overload] =
        arithmetic + equality + orders
        + function(
            "@in",
            ["in_list": "(A, list(A)) -> bool", "in_map": "(A, map(A, B)) -> bool"]
        ) { arguments in
            switch arguments[1] {
            case .list(let list): .bool(list.contains(arguments[0]))
            case .map(let map): .bool(map[arguments[0]] != nil)
            default: .noOverload
            }
        }
        + function(
            "_[_]",
            [
                "index_list": "(list(A), int) -> A", "index_map": "(map(A, B), A) -> B",
                "optional_list_index_int": "(optional(list(V)), int) -> optional(V)",
                "optional_map_index_value": "(optional(map(K, V)), K) -> optional(V)",
            ]
        ) { Access.index($0[0], $0[1]) }
        + function(
            "_[?_]",
            [
                "list_optindex_optional_int": "(list(V), int) -> optional(V)",
                "optional_list_optindex_optional_int": "(optional(list(V)), int) -> optional(V)",
                "map_optindex_optional_value": "(map(K, V), K) -> optional(V)",
                "optional_map_optindex_optional_value": "(optional(map(K, V)), K) -> optional(V)",
            ]
        ) { Access.optionalIndex($0[0], $0[1]) }

    private static let arithmetic: [Overload] =
        function(
            "_+_",
            [
                "add_bytes": "(bytes, bytes) -> bytes", "add_double": "(double, double) -> double",
                "add_duration_duration": "(duration, duration) -> duration",
                "add_duration_timestamp": "(duration, timestamp) -> timestamp",
                "add_timestamp_duration": "(timestamp, duration) -> timestamp", "add_int64": "(int, int) -> int",
                "add_list": "(list(A), list(A)) -> list(A)", "add_string": "(string, string) -> string",
                "add_uint64": "(uint, uint) -> uint",
            ]
        ) { Arithmetic.add($0[0], $0[1]) }
        + function(
            "_-_",
            [
                "subtract_double": "(double, double) -> double",
                "subtract_duration_duration": "(duration, duration) -> duration",
                "subtract_int64": "(int, int) -> int",
                "subtract_timestamp_duration": "(timestamp, duration) -> timestamp",
                "subtract_timestamp_timestamp": "(timestamp, timestamp) -> duration",
                "subtract_uint64": "(uint, uint) -> uint",
            ]
        ) { Arithmetic.subtract($0[0], $0[1]) }
        + function(
            "_*_",
            [
                "multiply_double": "(double, double) -> double", "multiply_int64": "(int, int) -> int",
                "multiply_uint64": "(uint, uint) -> uint",
            ]
        ) { Arithmetic.multiply($0[0], $0[1]) }
        + function(
            "_/_",
            [
                "divide_double": "(double, double) -> double", "divide_int64": "(int, int) -> int",
                "divide_uint64": "(uint, uint) -> uint",
            ]
        ) { Arithmetic.divide($0[0], $0[1]) }
        + function("_%_", ["modulo_int64": "(int, int) -> int", "modulo_uint64": "(uint, uint) -> uint"]) {
            Arithmetic.remainder($0[0], $0[1])
        }
        + function("-_", ["negate_double": "(double) -> double", "negate_int64": "(int) -> int"]) { arguments in
            switch arguments[0] {
            case .int(let value): value == .min ? .error("integer overflow") : .int(-value)
            case .double(let value): .double(-value)
            default: .noOverload
            }
        }

    private static let equality: [Overload] =
        function("_==_", ["equals": "(A, A) -> bool"]) { .bool($0[0].isEqual(to: $0[1])) }
        + function("_!=_", ["not_equals": "(A, A) -> bool"]) { .bool(!$0[0].isEqual(to: $0[1])) }

    private static let orders: [Overload] =
        order("_<_", "less") { $0 < 0 } + order("_<=_", "less_equals") { $0 <= 0 }
        + order("_>_", "greater") { $0 > 0 } + order("_>=_", "greater_equals") { $0 >= 0 }

    private static func order(
        _ name: String, _ id: String, _ answer: @escaping @Sendable (Int) -> Bool
    ) -> [Overload] {
        let pairs = [
            ("bool", "bool", "bool"), ("int64", "int", "int"), ("int64_double", "int", "double"),
            ("int64_uint64", "int", "uint"), ("uint64", "uint", "uint"), ("uint64_double", "uint", "double"),
            ("uint64_int64", "uint", "int"), ("double", "double", "double"), ("double_int64", "double", "int"),
            ("double_uint64", "double", "uint"), ("string", "string", "string"), ("bytes", "bytes", "bytes"),
            ("timestamp", "timestamp", "timestamp"), ("duration", "duration", "duration"),
        ]
        return pairs.map { suffix, left, right in
            Overload(name, id: "\(id)_\(suffix)", "(\(left), \(right)) -> bool") { arguments in
                if let found = arguments[0].compare(to: arguments[1]) { return .bool(answer(found)) }
                // NaN is neither less nor greater than anything.
                let isUnordered = arguments.allSatisfy(\.isNumber) && arguments.contains(where: \.isNaN)
                return isUnordered ? .bool(false) : .noOverload
            }
        }
    }

    /// The evaluator handles these itself, since they do not need all of their arguments; declared for the checker.
    static let logic: [Overload] =
        function("_&&_", ["logical_and": "(bool, bool) -> bool"]) { _ in .noOverload }
        + function("_||_", ["logical_or": "(bool, bool) -> bool"]) { _ in .noOverload }
        + function("_?_:_", ["conditional": "(bool, A, A) -> A"]) { _ in .noOverload }
        + function("@not_strictly_false", ["not_strictly_false": "(bool) -> bool"]) { _ in .noOverload }
        + function("!_", ["logical_not": "(bool) -> bool"]) { arguments in
            if case .bool(let value) = arguments[0] { .bool(!value) } else { .noOverload }
        }
}

/// Arithmetic that fails where a number does not fit.
enum Arithmetic {
    static func add(_ left: CELValue, _ right: CELValue) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return checked(left.addingReportingOverflow(right))
        case (.uint(let left), .uint(let right)): return checked(left.addingReportingOverflow(right))
        case (.double(let left), .double(let right)): return .double(left + right)
        case (.string(let left), .string(let right)): return .string(left + right)
        case (.bytes(let left), .bytes(let right)): return .bytes(left + right)
        case (.list(let left), .list(let right)): return .list(left.adding(right))
        case (.duration(let left), .duration(let right)): return duration(left.addingReportingOverflow(right))
        case (.timestamp(let time), .duration(let span)), (.duration(let span), .timestamp(let time)):
            return time.adding(nanoseconds: span).map { .timestamp($0) } ?? .error("timestamp overflow")
        default: return .noOverload
        }
    }

    static func subtract(_ left: CELValue, _ right: CELValue) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return checked(left.subtractingReportingOverflow(right))
        case (.uint(let left), .uint(let right)): return checked(left.subtractingReportingOverflow(right))
        case (.double(let left), .double(let right)): return .double(left - right)
        case (.duration(let left), .duration(let right)): return duration(left.subtractingReportingOverflow(right))
        case (.timestamp(let left), .timestamp(let right)):
            return left.since(right).map { .duration($0) } ?? .error("timestamp overflow")
        case (.timestamp(let time), .duration(let span)):
            guard span != .min, let earlier = time.adding(nanoseconds: -span) else {
                return .error("timestamp overflow")
            }
            return .timestamp(earlier)
        default: return .noOverload
        }
    }

    static func multiply(_ left: CELValue, _ right: CELValue) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): checked(left.multipliedReportingOverflow(by: right))
        case (.uint(let left), .uint(let right)): checked(left.multipliedReportingOverflow(by: right))
        case (.double(let left), .double(let right)): .double(left * right)
        default: .noOverload
        }
    }

    static func divide(_ left: CELValue, _ right: CELValue) -> CELValue {
        switch (left, right) {
        case (.int, .int(0)), (.uint, .uint(0)): .error("division by zero")
        case (.int(let left), .int(let right)): checked(left.dividedReportingOverflow(by: right))
        case (.uint(let left), .uint(let right)): .uint(left / right)
        case (.double(let left), .double(let right)): .double(left / right)
        default: .noOverload
        }
    }

    static func remainder(_ left: CELValue, _ right: CELValue) -> CELValue {
        switch (left, right) {
        case (.int, .int(0)), (.uint, .uint(0)): .error("modulus by zero")
        case (.int(let left), .int(let right)): checked(left.remainderReportingOverflow(dividingBy: right))
        case (.uint(let left), .uint(let right)): .uint(left % right)
        default: .noOverload
        }
    }

    private static func checked(_ result: (Int64, Bool)) -> CELValue {
        result.1 ? .error("integer overflow") : .int(result.0)
    }

    private static func checked(_ result: (UInt64, Bool)) -> CELValue {
        result.1 ? .error("unsigned integer overflow") : .uint(result.0)
    }

    private static func duration(_ result: (Int64, Bool)) -> CELValue {
        result.1 ? .error("duration overflow") : .duration(result.0)
    }
}

/// Members and elements.
enum Access {
    static func index(_ value: CELValue, _ key: CELValue) -> CELValue {
        if case .optional(let inner) = value { return inner.map { optionalIndex($0, key) } ?? value }
        guard let found = element(of: value, key) else { return missing(value, key) }
        return found
    }

    static func optionalIndex(_ value: CELValue, _ key: CELValue) -> CELValue {
        if case .optional(let inner) = value { return inner.map { optionalIndex($0, key) } ?? value }
        guard let found = element(of: value, key) else {
            switch value {
            case .list, .map, .object: return .optional(nil)
            default: return .noOverload
            }
        }
        if case .error = found { return found }
        return .optional(found)
    }

    /// The member of a map or an object; `nil` where there is none.
    static func element(of value: CELValue, _ key: CELValue) -> CELValue? {
        switch (value, key) {
        case (.list(let list), _):
            guard let index = position(key) else { return .error("unsupported index type '\(key.typeName)' in list") }
            return index >= 0 && index < list.count ? list[Int(index)] : nil
        case (.map(let map), _): return map[key]
        case (.object(let object), .string(let name)): return object.value(name)
        default: return nil
        }
    }

    private static func position(_ key: CELValue) -> Int64? {
        switch key {
        case .int(let value): value
        case .uint(let value): Int64(exactly: value) ?? .max
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    static func missing(_ value: CELValue, _ key: CELValue) -> CELValue {
        switch value {
        case .list: .error("index out of bounds: \(Conversion.display(key))")
        case .map, .object: .error("no such key: \(Conversion.display(key))")
        default: .noOverload
        }
    }
}
