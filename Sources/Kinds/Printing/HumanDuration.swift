package import Model

extension Duration {
    /// A span of time as kubectl's tables write it: two units at most, fewer the longer it is (semantics-api E1).
    package var humanReadable: String {
        // Go's spans of time end at about 292 years.
        let seconds = min(components.seconds, Int64.max / 1_000_000_000)
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return Self.pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return Self.pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return Self.pair(days, "d", hours % 24, "h") }
        let years = days / 365
        if years < 2 { return "\(days)d" }
        if years < 8 { return Self.pair(years, "y", days % 365, "d") }
        return "\(years)y"
    }

    private static func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }
}

extension Timestamp {
    /// How long ago a time was, as kubectl's tables write it; `<unknown>` for none (E1).
    package static func age(of time: Timestamp?, at now: Timestamp) -> String {
        time.map { (now - $0).humanReadable } ?? "<unknown>"
    }
}
