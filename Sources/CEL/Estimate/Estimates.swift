/// Between what and what a size or a cost lies.
struct Estimate: Hashable {
    var min: UInt64
    var max: UInt64

    static let unknown = Estimate(min: 0, max: .max)
    static let zero = Estimate(min: 0, max: 0)

    init(min: UInt64, max: UInt64) {
        self.min = min
        self.max = max
    }

    init(_ value: UInt64) { self.init(min: value, max: value) }

    static func + (left: Estimate, right: Estimate) -> Estimate {
        Estimate(min: left.min.addingSaturating(right.min), max: left.max.addingSaturating(right.max))
    }

    static func * (left: Estimate, right: Estimate) -> Estimate {
        Estimate(min: Cost.multiply(left.min, right.min), max: Cost.multiply(left.max, right.max))
    }

    func scaled(_ factor: Double) -> Estimate {
        Estimate(min: Cost.scaled(min, factor), max: Cost.scaled(max, factor))
    }

    func union(_ other: Estimate) -> Estimate {
        Estimate(min: Swift.min(min, other.min), max: Swift.max(max, other.max))
    }
}

/// What a call costs, and how large its result is where that is known.
struct CallEstimate {
    var cost: Estimate
    var size: Estimate?
}

/// Something a call is given: what is known of it.
struct EstimatedNode {
    var type: CELType
    /// From a variable down to here: fields, `@items`, `@keys`, `@values`.
    var path: [String]?
    /// Known from the expression itself.
    var computedSize: Estimate?
    var literal: CELValue?
}
