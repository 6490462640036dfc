internal import Model

extension Duration {
    /// The text that Go's `time.Duration` has, which Kubernetes' messages are made of: `10s`, `1m20s`, `1.5s`, `200ms`.
    var text: String {
        let nanoseconds = wholeNanoseconds
        if nanoseconds == 0 { return "0s" }
        if nanoseconds < 0 { return "-" + (Duration.zero - self).text }
        if nanoseconds < 1_000_000_000 {
            let (unit, name): (Int64, String) =
                nanoseconds < 1000 ? (1, "ns") : nanoseconds < 1_000_000 ? (1000, "µs") : (1_000_000, "ms")
            return Self.decimal(nanoseconds, unit) + name
        }
        let minutes = nanoseconds / 60_000_000_000
        let seconds = Self.decimal(nanoseconds % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return seconds }
        return minutes < 60 ? "\(minutes)m\(seconds)" : "\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func decimal(_ value: Int64, _ unit: Int64) -> String {
        let fraction = value % unit
        if fraction == 0 { return String(value / unit) }
        var digits = String(String(unit + fraction).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }
}

/// The text that Go's `%q` gives a string.
func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        default: String(Character(scalar))
        }
    }
    return "\"" + escaped.joined() + "\""
}
