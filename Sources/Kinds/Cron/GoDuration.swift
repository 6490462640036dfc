import Model

/// Spans of time as Go writes them: `1h30m`, `1.5s`, `300ms`.
package enum GoDuration {
    package struct Fault: Error, CustomStringConvertible {
        package var description: String
    }

    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// - Throws: with Go's text, when `text` is no duration or one of more than 292 years.
    package static func duration(_ text: String) throws(Fault) -> Duration {
        let shown = JSON.string(text).text()
        let invalid = Fault(description: "time: invalid duration \(shown)")
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return .zero }
        if rest.isEmpty { throw invalid }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            // A leading point is Go's way to write a fraction, not Swift's.
            guard digits.contains(where: \.isNumber), let number = Double("0" + String(digits)) else { throw invalid }
            let name = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
            rest = rest.dropFirst(name.count)
            if name.isEmpty { throw Fault(description: "time: missing unit in duration \(shown)") }
            guard let unit = units.first(where: { $0.name == name }) else {
                let shownUnit = JSON.string(String(name)).text()
                throw Fault(description: "time: unknown unit \(shownUnit) in duration \(shown)")
            }
            total += number * unit.nanoseconds
            if total >= 0x1p63 { throw invalid }
        }
        return .nanoseconds(Int64(isNegative ? -total : total))
    }
}
