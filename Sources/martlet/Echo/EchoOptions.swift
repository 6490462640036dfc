import ArgumentParser
import Glibc

/// How the echo server behaves, and misbehaves.
struct EchoOptions: Sendable {
    var address = "127.0.0.1"
    var port = 8080
    var version = "v1"
    var message: String?
    var pod = ""
    /// `nil` when it never becomes ready.
    var readyAfter: Duration? = .zero
    var delay = Duration.zero
    /// The share of requests that are answered 500, from 0 to 1.
    var failRate = 0.0
    var crashAfter: Duration?
    var exitCode: Int32 = 1
    var ignoresTermination = false
    /// How long connections are still accepted after SIGTERM.
    var drain = Duration.seconds(1)
}

/// A length of time as Go writes it: `50ms`, `2s`, `1m30s`, `1.5h`.
struct GoDuration: ExpressibleByArgument, Hashable, Sendable {
    var duration: Duration

    init?(argument: String) {
        var rest = Substring(argument)
        guard !rest.isEmpty else { return nil }
        if rest == "0" {
            duration = .zero
            return
        }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(digits), let seconds = Self.units[String(unit)] else { return nil }
            total += amount * seconds
        }
        guard total < 1e9 else { return nil }
        duration = .nanoseconds(Int64(total * 1e9))
    }

    private static let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
}
