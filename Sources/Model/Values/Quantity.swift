/// A resource amount as Kubernetes writes it: `500m` CPU, `128Mi` of memory, `1e3`.
///
/// Exact: the value is held in billionths (the smallest unit that Kubernetes knows), so that no suffix rounds. Equality
/// and order compare amounts, not spellings: `1000m` equals `1`.
package struct Quantity: Sendable, CustomStringConvertible {
    /// Which family of suffixes the amount was written with, and is written back in.
    package enum Format: Sendable {
        /// `n u m k M G T P E`: powers of 1000.
        case decimalSI
        /// `Ki Mi Gi Ti Pi Ei`: powers of 1024.
        case binarySI
        /// `e3`, `E-6`.
        case decimalExponent
    }

    /// The amount in billionths.
    package var nanos: Int128
    package var format: Format

    package static let zero = Quantity(nanos: 0, format: .decimalSI)

    package init(nanos: Int128, format: Format) {
        self.nanos = nanos
        self.format = format
    }

    /// A whole number of units.
    package init(_ units: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(units) * Self.unit, format: format)
    }

    /// A number of thousandths, as CPU is counted.
    package init(milli: Int64) {
        self.init(nanos: Int128(milli) * (Self.unit / 1000), format: .decimalSI)
    }

    static let unit: Int128 = 1_000_000_000

    /// The amount in whole units, rounded up as `Quantity.Value()` does.
    package var value: Int64 { Self.roundedUp(nanos, by: Self.unit) }

    /// The amount in thousandths, rounded up as `Quantity.MilliValue()` does.
    package var milliValue: Int64 { Self.roundedUp(nanos, by: Self.unit / 1000) }

    /// The amount without what is finer than a thousandth, rounded away from zero as `Quantity.RoundUp(-3)` does.
    package var roundedUpToThousandths: Quantity {
        let step = Self.unit / 1000
        let rest = nanos % step
        guard rest != 0 else { return self }
        let (sum, overflow) = (nanos - rest).addingReportingOverflow(rest > 0 ? step : -step)
        return overflow ? self : Quantity(nanos: sum, format: format)
    }

    private static func roundedUp(_ nanos: Int128, by divisor: Int128) -> Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: divisor)
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }

    /// Sums keep the format of the side that is not zero, as `Quantity.Add()` does; they saturate at 128 bits.
    package static func + (left: Self, right: Self) -> Self {
        let (sum, overflow) = left.nanos.addingReportingOverflow(right.nanos)
        let nanos = overflow ? (right.nanos < 0 ? Int128.min + 1 : .max) : sum
        return Quantity(nanos: nanos, format: left.nanos == 0 ? right.format : left.format)
    }

    package static func - (left: Self, right: Self) -> Self {
        left + Quantity(nanos: right.nanos == .min ? .max : -right.nanos, format: right.format)
    }
}

extension Quantity: Hashable, Comparable {
    package static func == (left: Self, right: Self) -> Bool { left.nanos == right.nanos }
    package static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }
    package func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity {
    private static let decimalSuffixes: [(suffix: String, exponent: Int)] = [
        ("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18),
    ]
    private static let binarySuffixes: [(suffix: String, shift: Int)] = [
        ("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60),
    ]

    /// Reads an amount; `nil` when the text is none (`apimachinery/pkg/api/resource`'s grammar) or beyond 128 bits of
    /// billionths.
    ///
    /// As in Kubernetes, what is finer than a billionth is rounded up, binary amounts above 2^63-1 count as that, and
    /// binary amounts below 1 become decimal ones.
    package init?(_ text: String) {
        var rest = text.utf8[...]
        let negative = rest.first == UInt8(ascii: "-")
        if negative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let whole = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !whole.isEmpty || !fraction.isEmpty, var scale = Self.scale(of: String(Substring(rest))) else {
            return nil
        }
        var digits = Array(whole) + Array(fraction)
        var places = fraction.count
        while places > 0, digits.last == 0x30 {
            digits.removeLast()
            places -= 1
        }
        guard var magnitude = Self.magnitude(digits, places: places, scale: scale) else { return nil }
        if scale.format == .binarySI {
            magnitude = min(magnitude, Int128(Int64.max) * Self.unit)
            if magnitude > 0, magnitude < Self.unit { scale.format = .decimalSI }
        }
        self.init(nanos: negative ? -magnitude : magnitude, format: scale.format)
    }

    private struct Scale {
        var format: Format
        var exponent: Int
        var shift: Int
    }

    private static func scale(of suffix: String) -> Scale? {
        if let found = decimalSuffixes.first(where: { $0.suffix == suffix }) {
            return Scale(format: .decimalSI, exponent: found.exponent, shift: 0)
        }
        if let found = binarySuffixes.first(where: { $0.suffix == suffix }) {
            return Scale(format: .binarySI, exponent: 0, shift: found.shift)
        }
        guard suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()) else { return nil }
        // Beyond these an amount is out of range, or the smallest there is.
        return Scale(format: .decimalExponent, exponent: max(-1000, min(1000, exponent)), shift: 0)
    }

    /// The unsigned amount in billionths, rounded up.
    ///
    /// - Parameter places: how many of the digits stand after the point.
    private static func magnitude(_ digits: [UInt8], places: Int, scale: Scale) -> Int128? {
        var mantissa: Int128 = 0
        var exponent = scale.exponent + 9 - places
        var inexact = false
        for digit in digits {
            let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int128(digit - 0x30))
            guard high || carry else {
                mantissa = sum
                continue
            }
            // No room for more digits: they only matter where they would be rounded away.
            if digit != 0x30 { inexact = true }
            exponent += 1
        }
        if mantissa == 0 { return 0 }
        if inexact, exponent > 0 { return scale.format == .binarySI ? Int128.max : nil }
        let (shifted, overflow) = mantissa.multipliedReportingOverflow(by: Int128(1) << Int128(scale.shift))
        if overflow { return scale.format == .binarySI ? Int128.max : nil }
        mantissa = shifted
        for _ in 0..<max(0, exponent) {
            let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
            if high { return scale.format == .binarySI ? Int128.max : nil }
            mantissa = product
        }
        for _ in 0..<max(0, -exponent) where mantissa > 0 {
            if mantissa % 10 != 0 { inexact = true }
            mantissa /= 10
        }
        return inexact ? mantissa + 1 : mantissa
    }

    /// The canonical spelling: the largest suffix of the format that leaves an integer, and no fraction.
    ///
    /// Binary amounts below 1024, and those with a fraction, are written as decimal ones.
    package var description: String {
        let sign = nanos < 0 ? "-" : ""
        let magnitude = nanos < 0 ? -nanos : nanos
        if format == .binarySI, magnitude >= 1024 * Self.unit, magnitude % Self.unit == 0 {
            let units = magnitude / Self.unit
            for (suffix, shift) in Self.binarySuffixes.reversed() where units % (Int128(1) << Int128(shift)) == 0 {
                return "\(sign)\(units >> Int128(shift))\(suffix)"
            }
            return "\(sign)\(units)"
        }
        if magnitude == 0 { return "0" }
        var mantissa = magnitude
        var exponent = -9
        while exponent < 18 || format == .decimalExponent, mantissa % 1000 == 0 {
            mantissa /= 1000
            exponent += 3
        }
        if format == .decimalExponent { return exponent == 0 ? "\(sign)\(mantissa)" : "\(sign)\(mantissa)e\(exponent)" }
        let suffix = Self.decimalSuffixes.first { $0.exponent == exponent }?.suffix ?? ""
        return "\(sign)\(mantissa)\(suffix)"
    }
}

extension Quantity {
    /// A quantity as manifests spell it: a text or a number; `nil` for anything else.
    package init?(json: JSON) {
        switch json {
        case .int(let value): self.init(value)
        case .number(let literal), .string(let literal): self.init(literal)
        default: return nil
        }
    }
}
