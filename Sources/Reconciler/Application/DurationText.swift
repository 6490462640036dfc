/// Durations as Go and Kubernetes write them: `300ms`, `10s`, `5m`, `1h30m`.
package enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12),
    ]

    /// Reads a non-negative duration; `nil` when the text is none.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let suffix = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(suffix.count)
            guard let value = Double(number), let unit = units.first(where: { $0.suffix == suffix }) else { return nil }
            total += value * unit.nanoseconds
        }
        return total < 9e18 ? .nanoseconds(Int64(total)) : nil
    }

    /// The shortest text: `90s` reads `1m30s`.
    package static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        var seconds = milliseconds / 1000
        var text = ""
        for (size, suffix) in [(Int64(3600), "h"), (60, "m"), (1, "s")] where seconds >= size {
            text += "\(seconds / size)\(suffix)"
            seconds %= size
        }
        return text
    }
}
