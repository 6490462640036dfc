/// The numbers of YAML 1.1 as go-yaml v2 reads them (`strconv.ParseInt` with base 0, then decimal fractions).
enum YAMLNumber {
    /// - Parameter bytes: without underscores.
    static func resolve(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLScalar.Resolved {
        guard let first = bytes.first else { return .string }
        let signed = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        let negative = first == UInt8(ascii: "-")
        let digits = UnsafeBufferPointer(rebasing: bytes[(signed ? 1 : 0)...])
        if digits.count > 1, digits[0] == 0x30, let value = prefixed(digits, signed: signed, negative: negative) {
            return value
        }
        if !digits.isEmpty, digits[0] != 0x30 || digits.count == 1, let magnitude = magnitude(digits, radix: 10) {
            if let value = signedInt(magnitude, negative: negative) {
                return YAMLScalar.Resolved(kind: .int, value: .int(value))
            }
        }
        guard let decimal = DecimalText(bytes) else { return .string }
        // What a double cannot hold is a text to go-yaml.
        if decimal.exponent > 308 || (decimal.exponent == 308 && decimal.double.isInfinite) { return .string }
        // And what is too small for one is zero.
        if decimal.exponent < -324 || (decimal.exponent == -324 && decimal.double == 0) {
            return YAMLScalar.Resolved(kind: .float, value: negative ? .number("-0") : .int(0))
        }
        return YAMLScalar.Resolved(kind: decimal.isInteger ? .int : .float, value: decimal.json)
    }

    /// `0x1F`, `0o17`, `0b101`, and the octal `017`.
    private static func prefixed(
        _ digits: UnsafeBufferPointer<UInt8>, signed: Bool, negative: Bool
    ) -> YAMLScalar.Resolved? {
        let radix: UInt64
        var body = UnsafeBufferPointer(rebasing: digits[1...])
        switch digits[1] | 0x20 {
        case UInt8(ascii: "x"): radix = 16
        case UInt8(ascii: "o"): radix = 8
        case UInt8(ascii: "b"): radix = 2
        default: radix = 0
        }
        if radix > 0 { body = UnsafeBufferPointer(rebasing: digits[2...]) }
        guard !body.isEmpty, body.allSatisfy({ value($0).map { $0 < (radix > 0 ? radix : 8) } ?? false }) else {
            return nil
        }
        if let magnitude = magnitude(body, radix: radix > 0 ? radix : 8) {
            if let value = signedInt(magnitude, negative: negative) {
                return YAMLScalar.Resolved(kind: .int, value: .int(value))
            }
            if !signed { return YAMLScalar.Resolved(kind: .int, value: .number(String(magnitude))) }
        }
        // Beyond 64 bits `0777…` reads as a decimal, and a sign makes the others texts.
        if radix == 0 { return nil }
        if signed || body.count > 1024 { return .string }
        // Written as all other numbers are, so that it reads as the same number again.
        var text = decimalText(body, radix: radix)
        return text.withUTF8 { DecimalText($0) }.map { YAMLScalar.Resolved(kind: .int, value: $0.json) } ?? .string
    }

    private static func value(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    private static func magnitude(_ digits: UnsafeBufferPointer<UInt8>, radix: UInt64) -> UInt64? {
        var magnitude: UInt64 = 0
        for byte in digits {
            guard let digit = value(byte), digit < radix else { return nil }
            let (product, high) = magnitude.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(digit)
            if high || carry { return nil }
            magnitude = sum
        }
        return magnitude
    }

    private static func signedInt(_ magnitude: UInt64, negative: Bool) -> Int64? {
        if !negative { return Int64(exactly: magnitude) }
        return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }

    /// An integer of any size in decimal digits.
    private static func decimalText(_ body: UnsafeBufferPointer<UInt8>, radix: UInt64) -> String {
        // Least significant first, nine decimal digits each.
        var limbs: [UInt64] = [0]
        for byte in body {
            var carry = value(byte) ?? 0
            for index in limbs.indices {
                let sum = limbs[index] * radix + carry
                limbs[index] = sum % 1_000_000_000
                carry = sum / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        let rest = limbs.dropLast().reversed().map { limb in
            let text = String(limb)
            return String(repeating: "0", count: 9 - text.utf8.count) + text
        }
        return String(limbs[limbs.count - 1]) + rest.joined()
    }
}

/// A decimal number taken apart, exact however long it is.
struct DecimalText {
    private let negative: Bool
    /// Without leading or trailing zeros; empty for zero.
    private let digits: [UInt8]
    /// Where the point stands: the value is 0.`digits` × 10^`point`.
    private let point: Int
    /// Written without a point or an exponent.
    let isInteger: Bool
    private let literal: String

    /// From `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; `nil` for anything else.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var rest = bytes[...]
        negative = rest.first == UInt8(ascii: "-")
        if negative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let unsigned = rest
        let whole = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        let hasPoint = rest.first == UInt8(ascii: ".")
        if hasPoint {
            fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var exponent = 0
        let hasExponent = rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E")
        if hasExponent {
            rest.removeFirst()
            let minus = rest.first == UInt8(ascii: "-")
            if minus || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
            guard !rest.isEmpty, rest.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            // Clamped far beyond any double, so that no exponent overflows.
            exponent = rest.reduce(0) { min($0 * 10 + Int($1 - 0x30), 1_000_000_000) } * (minus ? -1 : 1)
        } else if !rest.isEmpty {
            return nil
        }
        let all = Array(whole) + Array(fraction)
        let leading = all.prefix { $0 == 0x30 }.count
        let trailing = leading == all.count ? 0 : all.reversed().prefix { $0 == 0x30 }.count
        digits = Array(all[leading..<(all.count - trailing)])
        point = whole.count - leading + exponent
        isInteger = !hasPoint && !hasExponent
        literal = (negative ? "-" : "") + String(decoding: unsigned, as: UTF8.self)
    }

    /// The power of ten of the first digit.
    var exponent: Int { digits.isEmpty ? 0 : point - 1 }

    var double: Double { Double(literal) ?? .infinity }

    /// The number as Go's `encoding/json` writes it, without rounding: plain between 1e-6 and 1e21.
    var json: JSON {
        guard !digits.isEmpty else { return negative && !isInteger ? .number("-0") : .int(0) }
        if exponent < -6 || exponent >= 21 {
            let sign = exponent < 0 ? "-" : "+"
            return .number(scientific + "e\(sign)\(abs(exponent))")
        }
        let text = plain
        return Int64(text).map(JSON.int) ?? .number(text)
    }

    /// The number as Go's `%g` writes it, which is how `sigs.k8s.io/yaml` makes keys of fractions.
    var keyText: String {
        guard !digits.isEmpty else { return negative ? "-0" : "0" }
        guard exponent < -4 || exponent >= 21 || (exponent >= 6 && !isInteger) else { return plain }
        let power = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        return scientific + "e\(exponent < 0 ? "-" : "+")\(power)"
    }

    private var scientific: String {
        let rest = digits.dropFirst()
        return (negative ? "-" : "") + String(decoding: digits.prefix(1), as: UTF8.self)
            + (rest.isEmpty ? "" : "." + String(decoding: rest, as: UTF8.self))
    }

    private var plain: String {
        let sign = negative ? "-" : ""
        let text = String(decoding: digits, as: UTF8.self)
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + text }
        if point >= digits.count { return sign + text + String(repeating: "0", count: point - digits.count) }
        return sign + String(decoding: digits[..<point], as: UTF8.self) + "."
            + String(decoding: digits[point...], as: UTF8.self)
    }
}
