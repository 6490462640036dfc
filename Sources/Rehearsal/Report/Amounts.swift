import Model

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }

    /// Seconds with three digits, as a number in JSON and SVG.
    var secondsText: String {
        let (whole, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let digits = String(rest)
        return "\(whole).\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits)"
    }

    /// For people: `0.4s`, `23.4s`, `2m05s`, `1h02m`.
    var text: String {
        let tenths = milliseconds / 100
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10)s" }
        let seconds = tenths / 10
        func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if seconds < 3600 { return "\(seconds / 60)m\(padded(seconds % 60))s" }
        return "\(seconds / 3600)h\(padded(seconds / 60 % 60))m"
    }
}

extension Recording.Load {
    var cpuText: String { Quantity(milli: cpu).description }
    /// Exact where that is short; what a machine has is rounded down to a tenth.
    var memoryText: String {
        for (unit, suffix) in [(Int64(1 << 30), "Gi"), (1 << 20, "Mi")] where memory >= unit && memory % (1 << 20) != 0
        {
            return "\(memory / unit).\(memory % unit * 10 / unit)\(suffix)"
        }
        return Quantity(memory, format: .binarySI).description
    }
}

extension Outcome {
    /// One word for programs.
    var word: String {
        switch self {
        case .healthy: "Healthy"
        case .rolledBack: "RolledBack"
        case .degraded: "Degraded"
        case .unfinished: "Unfinished"
        }
    }

    var message: String {
        switch self {
        case .healthy: ""
        case .rolledBack(let text), .degraded(let text), .unfinished(let text): text
        }
    }
}

func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
