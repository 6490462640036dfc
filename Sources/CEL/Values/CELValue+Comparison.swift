internal import Model

/// Equality and order (langdef: *Equality*, *Ordering*): numbers of all types compare by value, and values of different
/// kinds are just not equal.
extension CELValue {
    package func isEqual(to other: CELValue) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.int(let left), .int(let right)): return left == right
        case (.uint(let left), .uint(let right)): return left == right
        case (.int, .uint), (.int, .double), (.uint, .int), (.uint, .double), (.double, .int), (.double, .uint),
            (.double, .double):
            return Self.compareNumbers(self, other) == 0
        case (.string(let left), .string(let right)): return left.hasSameBytes(as: right)
        case (.bytes(let left), .bytes(let right)): return left == right
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.list(let left), .list(let right)): return left.isEqual(to: right)
        case (.map(let left), .map(let right)): return left.isEqual(to: right)
        case (.object(let left), .object(let right)): return left.isEqual(to: right)
        case (.optional(nil), .optional(nil)): return true
        case (.optional(let left?), .optional(let right?)): return left.isEqual(to: right)
        case (.type(let left), .type(let right)): return left == right
        case (.ip(let left), .ip(let right)): return left == right
        case (.cidr(let left), .cidr(let right)): return left == right
        case (.url(let left), .url(let right)): return left == right
        case (.quantity(let left), .quantity(let right)): return left == right
        case (.semver(let left), .semver(let right)): return left.compare(to: right) == 0
        case (.format(let left), .format(let right)): return left == right
        case (.built(let left), .built(let right)): return left.isEqual(to: right)
        default: return false
        }
    }

    /// -1, 0 or 1; `nil` for values without an order, and where NaN takes part.
    func compare(to other: CELValue) -> Int? {
        switch (self, other) {
        case (.bool(let left), .bool(let right)): return left == right ? 0 : right ? -1 : 1
        case (.string(let left), .string(let right)): return Self.order(left.utf8, right.utf8)
        case (.bytes(let left), .bytes(let right)): return Self.order(left, right)
        case (.timestamp(let left), .timestamp(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.duration(let left), .duration(let right)): return left == right ? 0 : left < right ? -1 : 1
        default: return Self.compareNumbers(self, other)
        }
    }

    var isNaN: Bool {
        if case .double(let value) = self { value.isNaN } else { false }
    }

    var isNumber: Bool {
        switch self {
        case .int, .uint, .double: true
        default: false
        }
    }

    private static func order<Bytes: Sequence<UInt8>>(_ left: Bytes, _ right: Bytes) -> Int {
        if left.lexicographicallyPrecedes(right) { return -1 }
        return right.lexicographicallyPrecedes(left) ? 1 : 0
    }

    private static func compareNumbers(_ left: CELValue, _ right: CELValue) -> Int? {
        switch (left, right) {
        case (.int(let left), .int(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.uint(let left), .uint(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.int(let left), .uint(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.uint(let left), .int(let right)): return left == right ? 0 : left < right ? -1 : 1
        case (.double(let left), .double(let right)):
            if left.isNaN || right.isNaN { return nil }
            return left == right ? 0 : left < right ? -1 : 1
        case (.double(let left), .int(let right)): return compare(left, Double(right), -0x1p63...0x1p63)
        case (.double(let left), .uint(let right)): return compare(left, Double(right), 0...0x1p64)
        case (.int(let left), .double(let right)):
            return compare(right, Double(left), -0x1p63...0x1p63).map { -$0 }
        case (.uint(let left), .double(let right)): return compare(right, Double(left), 0...0x1p64).map { -$0 }
        default: return nil
        }
    }

    /// Integers are rounded to doubles, as in cel-go: the largest ones equal the double beyond them.
    private static func compare(_ left: Double, _ right: Double, _ range: ClosedRange<Double>) -> Int? {
        if left.isNaN { return nil }
        if !range.contains(left) { return left < range.lowerBound ? -1 : 1 }
        return left == right ? 0 : left < right ? -1 : 1
    }
}
