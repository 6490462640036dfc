/// `format()`: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x` and `%X`, with a precision where there is a point.
enum TextFormat {
    /// Kubernetes bounds no precision; more digits than these say nothing.
    private static let maximumPrecision = 1000

    static func format(_ text: String, _ arguments: [CELValue]) -> CELValue {
        var formatted = ""
        var used = 0
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%" else {
                formatted.unicodeScalars.append(scalar)
                continue
            }
            guard let next = rest.first else { return .error("unexpected end of string") }
            if next == "%" {
                rest.removeFirst()
                formatted += "%"
                continue
            }
            guard used < arguments.count else { return .error("index \(used) out of range") }
            var precision: Int?
            if next == "." {
                rest.removeFirst()
                let digits = rest.prefix { $0.isDigit }
                guard let value = Int(String(digits)), value <= maximumPrecision else {
                    return .error("error while parsing precision: precision exceeds \(maximumPrecision)")
                }
                precision = value
                rest = rest.dropFirst(digits.count)
            }
            guard let clause = rest.popFirst() else { return .error("unexpected end of string") }
            switch part(clause, arguments[used], precision) {
            case .success(let text): formatted += text
            case .failure(let fault): return .error(fault.message)
            }
            used += 1
        }
        return .string(formatted)
    }

    private struct Fault: Error {
        var message: String
    }

    private static func part(
        _ clause: Unicode.Scalar, _ value: CELValue, _ precision: Int?
    ) -> Result<String, Fault> {
        switch clause {
        case "s": return display(value)
        case "d":
            switch value {
            case .int(let number): return .success(String(number))
            case .uint(let number): return .success(String(number))
            default: return wrong("decimal clause can only be used on integers", value)
            }
        case "f", "e":
            guard let number = double(value) else {
                return wrong(
                    "\(clause == "f" ? "fixed-point" : "scientific") clause can only be used on doubles", value)
            }
            if number.isNaN { return .success("NaN") }
            if number.isInfinite { return .success(number < 0 ? "-∞" : "∞") }
            return .success(
                clause == "f" ? grouped(Decimal.fixed(number, precision ?? 6)) : scientific(number, precision ?? 6))
        case "b": return integer(value, radix: 2, "only integers and bools can be formatted as binary")
        case "o": return integer(value, radix: 8, "octal clause can only be used on integers")
        case "x", "X": return hexadecimal(value, upper: clause == "X")
        default:
            return .failure(
                Fault(
                    message: "could not parse formatting clause: unrecognized formatting clause \"\(clause)\""))
        }
    }

    private static func wrong(_ message: String, _ value: CELValue) -> Result<String, Fault> {
        .failure(Fault(message: "error during formatting: \(message), was given \(value.typeName)"))
    }

    /// A double, or one of the texts that stand for what no literal can.
    private static func double(_ value: CELValue) -> Double? {
        switch value {
        case .double(let number): number
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    /// With commas between thousands: this version of the extension writes as one does in the United States.
    private static func grouped(_ text: String) -> String {
        let sign = text.prefix { $0 == "-" }
        let whole = text.dropFirst(sign.count).prefix { $0 != "." }
        var grouped = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { grouped += "," }
            grouped.append(digit)
        }
        return sign + grouped + text.dropFirst(sign.count + whole.count)
    }

    /// `1.052×10⁰³`, as one writes it in the United States.
    private static func scientific(_ value: Double, _ places: Int) -> String {
        let parts = Decimal.scientific(value, places).split(separator: "e")
        var power = ""
        for scalar in parts[1].unicodeScalars {
            switch scalar {
            case "-": power += "⁻"
            case "+": break
            default: power += ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"][Int(scalar.value) - 0x30]
            }
        }
        return "\(parts[0])×10\(power)"
    }

    private static func integer(_ value: CELValue, radix: Int, _ message: String) -> Result<String, Fault> {
        switch value {
        case .int(let number): .success(String(number, radix: radix))
        case .uint(let number): .success(String(number, radix: radix))
        case .bool(let flag) where radix == 2: .success(flag ? "1" : "0")
        default: wrong(message, value)
        }
    }

    private static func hexadecimal(_ value: CELValue, upper: Bool) -> Result<String, Fault> {
        let bytes: [UInt8]
        switch value {
        case .int(let number): return .success(String(number, radix: 16, uppercase: upper))
        case .uint(let number): return .success(String(number, radix: 16, uppercase: upper))
        case .string(let text): bytes = Array(text.utf8)
        case .bytes(let content): bytes = content
        default: return wrong("only integers, byte buffers, and strings can be formatted as hex", value)
        }
        var text = ""
        for byte in bytes {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16, uppercase: upper)
        }
        return .success(text)
    }

    /// A value as `%s` shows it.
    private static func display(_ value: CELValue) -> Result<String, Fault> {
        switch value {
        case .null: return .success("null")
        case .type(let name): return .success(name)
        case .list(let list):
            var parts: [String] = []
            for element in list.values {
                guard case .success(let text) = nested(element) else { return nested(element) }
                parts.append(text)
            }
            return .success("[\(parts.joined(separator: ", "))]")
        case .map(let map):
            var parts: [(key: String, text: String)] = []
            for key in map.keys {
                guard case .success(let name) = nested(key) else { return nested(key) }
                let entry = nested(map[key] ?? .null)
                guard case .success(let text) = entry else { return entry }
                parts.append((name, "\(name):\(text)"))
            }
            parts.sort { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return .success("{\(parts.map(\.text).joined(separator: ", "))}")
        default:
            if case .string(let text) = Conversion.string(value) { return .success(text) }
            return wrong(
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
                    + "durations, and timestamps", value)
        }
    }

    /// Within a list or a map what stands for text is quoted.
    private static func nested(_ value: CELValue) -> Result<String, Fault> {
        switch value {
        case .string(let text): return .success("\"\(text)\"")
        case .double(let number):
            return .success(number.isFinite ? Decimal.fixed(number, 6) : "\"\(GoNumber.fixed(number))\"")
        case .timestamp, .duration, .bytes:
            guard case .success(let text) = display(value) else { return display(value) }
            if case .timestamp = value { return .success("timestamp(\"\(text)\")") }
            if case .duration = value { return .success("duration(\"\(text)\")") }
            return .success("b\"\(text)\"")
        default: return display(value)
        }
    }
}

/// Doubles with a number of digits, exactly rounded: half goes to the even neighbour of the exact binary value.
enum Decimal {
    static func fixed(_ value: Double, _ places: Int) -> String {
        let sign = value.sign == .minus ? "-" : ""
        let digits = rounded(value.magnitude, places: places)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        guard places > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
    }

    static func scientific(_ value: Double, _ places: Int) -> String {
        let sign = value.sign == .minus ? "-" : ""
        guard value != 0 else {
            return sign + "0" + (places > 0 ? "." + String(repeating: "0", count: places) : "") + "e+00"
        }
        // The first digit's place, which rounding may carry one further.
        var exponent = GoNumber.decimal(value).point - 1
        var digits = rounded(value.magnitude, places: places - exponent)
        if digits.utf8.count > places + 1 {
            exponent += 1
            digits = rounded(value.magnitude, places: places - exponent)
        }
        let mantissa = places > 0 ? "\(digits.prefix(1)).\(digits.dropFirst())" : digits
        let power = String(abs(exponent))
        return "\(sign)\(mantissa)e\(exponent < 0 ? "-" : "+")\(power.utf8.count < 2 ? "0" : "")\(power)"
    }

    /// The digits of value × 10^places as a whole number.
    private static func rounded(_ value: Double, places: Int) -> String {
        guard value > 0 else { return "0" }
        // value = significand × 2^exponent, exactly.
        let exponent = Int(value.exponent) - 52
        let significand = UInt64(value.significand * 0x1p52)
        var number = BigNumber(significand)
        var divisor = BigNumber(1)
        if exponent >= 0 { number.multiply(by: 2, times: exponent) } else { divisor.multiply(by: 2, times: -exponent) }
        if places >= 0 { number.multiply(by: 10, times: places) } else { divisor.multiply(by: 10, times: -places) }
        return number.dividedRounding(by: divisor)
    }
}

/// A whole number of any size, as far as rounding decimals needs it.
private struct BigNumber {
    /// Least significant first.
    var limbs: [UInt32]

    init(_ value: UInt64) { limbs = [UInt32(truncatingIfNeeded: value), UInt32(value >> 32)] }

    mutating func multiply(by factor: UInt32, times: Int) {
        for _ in 0..<times {
            var carry: UInt64 = 0
            for index in limbs.indices {
                carry += UInt64(limbs[index]) * UInt64(factor)
                limbs[index] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            if carry > 0 { limbs.append(UInt32(carry)) }
        }
    }

    private func isLess(than other: BigNumber) -> Bool { compare(other) < 0 }

    private func compare(_ other: BigNumber) -> Int {
        for index in (0..<max(limbs.count, other.limbs.count)).reversed() {
            let left = index < limbs.count ? limbs[index] : 0
            let right = index < other.limbs.count ? other.limbs[index] : 0
            if left != right { return left < right ? -1 : 1 }
        }
        return 0
    }

    private mutating func subtract(_ other: BigNumber) {
        var borrow: Int64 = 0
        for index in limbs.indices {
            var part = Int64(limbs[index]) - borrow - (index < other.limbs.count ? Int64(other.limbs[index]) : 0)
            borrow = part < 0 ? 1 : 0
            if part < 0 { part += 1 << 32 }
            limbs[index] = UInt32(part)
        }
    }

    /// The quotient in decimal digits, to the nearest, half to even.
    func dividedRounding(by divisor: BigNumber) -> String {
        // Scaled divisors, the largest first: each digit is found by subtraction.
        var scaled = [divisor]
        while !isLess(than: scaled[scaled.count - 1]) {
            var next = scaled[scaled.count - 1]
            next.multiply(by: 10, times: 1)
            scaled.append(next)
        }
        var rest = self
        var digits: [UInt8] = []
        for step in scaled.reversed() {
            var digit: UInt8 = 0
            while !rest.isLess(than: step) {
                rest.subtract(step)
                digit += 1
            }
            digits.append(digit)
        }
        rest.multiply(by: 2, times: 1)
        let half = rest.compare(divisor)
        if half > 0 || half == 0 && digits[digits.count - 1] % 2 == 1 {
            var index = digits.count - 1
            while index >= 0, digits[index] == 9 {
                digits[index] = 0
                index -= 1
            }
            if index >= 0 { digits[index] += 1 } else { digits.insert(1, at: 0) }
        }
        while digits.count > 1, digits[0] == 0 { digits.removeFirst() }
        return String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    }
}
