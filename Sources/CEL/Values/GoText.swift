internal import Model

/// Durations as Go writes them: `1h30m`, `-1.5s`, `300ms`.
enum GoDuration {
    private static let units: [(name: String, nanoseconds: Int128)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// In nanoseconds; `nil` when the text is none, or 64 bits cannot hold it.
    static func parse(_ text: String) -> Int64? {
        var rest = text.unicodeScalars[...]
        let isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        if String(rest) == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: Int128 = 0
        while !rest.isEmpty {
            let whole = rest.prefix { $0.isDigit }
            rest = rest.dropFirst(whole.count)
            var fraction = rest.prefix(0)
            if rest.first == "." {
                fraction = rest.dropFirst().prefix { $0.isDigit }
                rest = rest.dropFirst(1 + fraction.count)
            }
            guard !whole.isEmpty || !fraction.isEmpty, whole.count <= 20 else { return nil }
            let unit = String(rest.prefix { !$0.isDigit && $0 != "." })
            rest = rest.dropFirst(unit.unicodeScalars.count)
            guard let size = units.first(where: { $0.name.hasSameBytes(as: unit) })?.nanoseconds else { return nil }
            total += (Int128(String(whole)) ?? 0) * size
            let digits = String(fraction.prefix(18))
            var scale: Int128 = 1
            for _ in digits.utf8 { scale *= 10 }
            total += (Int128(digits) ?? 0) * size / scale
            guard total <= Int128(1) << 63 else { return nil }
        }
        return Int64(exactly: isNegative ? -total : total)
    }

    /// Seconds with a fraction where there is one: `5400s`, `1.5s`.
    static func text(_ nanoseconds: Int64) -> String { GoNumber.fixed(Double(nanoseconds) / 1e9) + "s" }
}

/// Numbers as Go's `strconv` writes them.
enum GoNumber {
    /// The fewest digits that name the number, and the place of its point: `digits` × 10^(`point` − count).
    static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point = 0
        var seen = false
        var exponent = 0
        let text = Array(value.magnitude.description.utf8)
        for (index, byte) in text.enumerated() {
            switch byte {
            case 0x2e: seen = true
            case 0x65:
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
            case 0x30...0x39 where !text[..<index].contains(0x65):
                digits.append(byte)
                if !seen { point += 1 }
            default: break
            }
        }
        point += exponent
        while digits.first == 0x30 {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == 0x30 { digits.removeLast() }
        return digits.isEmpty ? ([], 0) : (digits, point)
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : nil
    }

    /// `FormatFloat(value, 'g', -1, 64)`: `1`, `0.5`, `1e+06`, `1e-07`.
    ///
    /// - Parameter isStrict: `false` for the form of `%v`, which has an exponent from 1e+21 on only.
    static func shortest(_ value: Double, isStrict: Bool = true) -> String {
        if let special = special(value) { return special }
        let (digits, point) = decimal(value)
        let exponent = point - 1
        guard !digits.isEmpty, exponent < -4 || exponent >= 21 || exponent >= 6 && isStrict else { return fixed(value) }
        let sign = value.sign == .minus ? "-" : ""
        let text = String(decoding: digits, as: UTF8.self)
        let mantissa = text.count > 1 ? "\(text.prefix(1)).\(text.dropFirst())" : text
        let magnitude = String(abs(exponent))
        return "\(sign)\(mantissa)e\(exponent < 0 ? "-" : "+")\(magnitude.count < 2 ? "0" : "")\(magnitude)"
    }

    /// `FormatFloat(value, 'f', -1, 64)`.
    static func fixed(_ value: Double) -> String {
        if let special = special(value) { return special }
        let (digits, point) = decimal(value)
        let sign = value.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0" }
        let text = String(decoding: digits, as: UTF8.self)
        if point <= 0 { return "\(sign)0.\(String(repeating: "0", count: -point))\(text)" }
        if point >= text.count { return sign + text + String(repeating: "0", count: point - text.count) }
        return "\(sign)\(text.prefix(point)).\(text.dropFirst(point))"
    }

    /// A text in quotes with Go's escapes.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{7}": quoted += "\\a"
            case "\u{8}": quoted += "\\b"
            case "\u{c}": quoted += "\\f"
            case "\u{b}": quoted += "\\v"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
