/// A number, or a text that stands for one: a percentage (`25%`) or the name of a port.
package enum IntOrString: Hashable, Sendable, CustomStringConvertible {
    case int(Int)
    case string(String)

    package var description: String {
        switch self {
        case .int(let value): String(value)
        case .string(let text): text
        }
    }

    /// Which way a percentage of a whole is rounded.
    package enum Rounding: Sendable {
        case up
        case down
    }

    /// The value as a count out of `total`: the number itself, or that percentage of `total`.
    ///
    /// `nil` when the text is no percentage, or one of more than an integer holds.
    package func scaled(to total: Int, rounding: Rounding) -> Int? {
        switch self {
        case .int(let value): return value
        case .string(let text):
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()) else { return nil }
            let (product, overflow) = percent.multipliedReportingOverflow(by: total)
            if overflow { return nil }
            let (quotient, remainder) = product.quotientAndRemainder(dividingBy: 100)
            switch rounding {
            case .up: return remainder > 0 ? quotient + 1 : quotient
            case .down: return remainder < 0 ? quotient - 1 : quotient
            }
        }
    }
}

extension IntOrString: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(stringLiteral value: String) { self = .string(value) }
}
