import Model

/// A point in time from year 1 to year 9999, to the nanosecond.
package struct CELTimestamp: Hashable, Comparable, Sendable {
    let time: Timestamp
    /// Seconds east of UTC in which the time was written, and is written again; it takes no part in comparisons.
    let zone: Int64

    private static let first = Timestamp(seconds: -62_135_596_800)

    /// `nil` outside the years 1 to 9999.
    private init?(_ time: Timestamp, zone: Int64) {
        guard time >= Self.first else { return nil }
        self.time = time
        self.zone = zone
    }

    /// `nil` outside the years 1 to 9999.
    package init?(seconds: Int64) {
        guard (Self.first.seconds...Timestamp.last.seconds).contains(seconds) else { return nil }
        self.init(Timestamp(seconds: seconds), zone: 0)
    }

    /// Reads RFC 3339 text, in capitals as Go does; `nil` when it is none.
    package init?(_ text: String) {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "t") || $0 == UInt8(ascii: "z") }),
            let (time, offset) = Timestamp.withOffset(text)
        else { return nil }
        self.init(time, zone: offset)
    }

    /// Since 1970-01-01T00:00:00Z.
    package var seconds: Int64 { time.seconds }
    /// 0 to 999,999,999.
    package var nanoseconds: Int64 { time.nanosecond }

    package static func == (left: Self, right: Self) -> Bool { left.time == right.time }

    package func hash(into hasher: inout Hasher) { hasher.combine(time) }

    package static func < (left: Self, right: Self) -> Bool { left.time < right.time }

    /// `nil` when the sum is out of range.
    func adding(nanoseconds duration: Int64) -> CELTimestamp? {
        let sum = time + .nanoseconds(duration)
        // What is out of range was held at its end.
        guard sum - time == .nanoseconds(duration) else { return nil }
        return CELTimestamp(sum, zone: zone)
    }

    /// The time since another in nanoseconds; `nil` when 64 bits cannot hold it.
    func since(_ other: CELTimestamp) -> Int64? {
        let difference = (Int128(seconds) - Int128(other.seconds)) * 1_000_000_000
        return Int64(exactly: difference + Int128(nanoseconds - other.nanoseconds))
    }

    /// RFC 3339 text with as many digits after the second as there are.
    package var text: String {
        let fields = Fields(self, offset: zone)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        var text = "\(padded(fields.year, 4))-\(padded(fields.month, 2))-\(padded(fields.day, 2))"
        text += "T\(padded(fields.hour, 2)):\(padded(fields.minute, 2)):\(padded(fields.second, 2))"
        if nanoseconds > 0 {
            var digits = padded(nanoseconds, 9)
            while digits.last == "0" { digits.removeLast() }
            text += ".\(digits)"
        }
        if zone == 0 { return text + "Z" }
        return text + (zone < 0 ? "-" : "+") + "\(padded(abs(zone) / 3600, 2)):\(padded(abs(zone) / 60 % 60, 2))"
    }

    /// The parts of a time as a clock somewhere shows them.
    struct Fields {
        var year, month, day, hour, minute, second: Int64
        /// 0 is January 1st.
        var dayOfYear: Int64
        /// 0 is Sunday.
        var dayOfWeek: Int64

        /// - Parameter offset: seconds east of UTC.
        init(_ time: CELTimestamp, offset: Int64) {
            let local = time.seconds + offset
            let days = local >= 0 ? local / 86400 : (local - 86399) / 86400
            let rest = local - days * 86400
            hour = rest / 3600
            minute = rest / 60 % 60
            second = rest % 60
            (year, month, day) = Timestamp.civil(fromDays: days)
            dayOfYear = days - Timestamp.days(year: year, month: 1, day: 1)
            dayOfWeek = ((days + 4) % 7 + 7) % 7
        }
    }
}

/// Time zones as expressions name them: UTC, or an offset such as `+02:00`, `-8:00` or `05:30`.
///
/// Names of regions need a database that a pure evaluator does not have: they are refused by name.
enum TimeZoneOffset {
    static func parse(_ text: String) -> Int64? {
        if ["", "UTC", "Z", "Etc/UTC", "GMT", "Etc/GMT"].contains(text) { return 0 }
        var rest = Substring(text)
        let isWest = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }), let hours = Int64(parts[0]),
            let minutes = Int64(parts[1]), hours < 24, minutes < 60
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        return isWest ? -seconds : seconds
    }
}
