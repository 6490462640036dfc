/// A point in time from year 1 to year 9999, to the nanosecond.
package struct CELTimestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    package var seconds: Int64
    /// 0 to 999,999,999.
    package var nanoseconds: Int64
    /// Seconds east of UTC in which the time was written, and is written again; it takes no part in comparisons.
    var zone: Int64 = 0

    static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
    static let billion: Int64 = 1_000_000_000

    /// `nil` outside the years 1 to 9999.
    package init?(seconds: Int64, nanoseconds: Int64 = 0) {
        guard Self.range.contains(seconds) else { return nil }
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.seconds == right.seconds && left.nanoseconds == right.nanoseconds
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(seconds)
        hasher.combine(nanoseconds)
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// `nil` when the sum is out of range.
    func adding(nanoseconds duration: Int64) -> CELTimestamp? {
        let total = Int128(seconds) * Int128(Self.billion) + Int128(nanoseconds) + Int128(duration)
        var whole = total / Int128(Self.billion)
        var rest = total % Int128(Self.billion)
        if rest < 0 {
            rest += Int128(Self.billion)
            whole -= 1
        }
        var sum = CELTimestamp(seconds: Int64(whole), nanoseconds: Int64(rest))
        sum?.zone = zone
        return sum
    }

    /// The time since another in nanoseconds; `nil` when 64 bits cannot hold it.
    func since(_ other: CELTimestamp) -> Int64? {
        let difference = (Int128(seconds) - Int128(other.seconds)) * Int128(Self.billion)
        return Int64(exactly: difference + Int128(nanoseconds - other.nanoseconds))
    }

    /// Reads RFC 3339 text; `nil` when it is none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        let marks: [(Int, Character)] = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")]
        guard marks.allSatisfy({ bytes[$0] == $1.asciiValue }), let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10), let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19), (1...12).contains(month), day >= 1,
            day <= Self.daysInMonth(month, of: year), hour < 24, minute < 60, second < 60
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == 0x2e {
            let start = position + 1
            var end = start
            while end < bytes.count, (0x30...0x39).contains(bytes[end]) { end += 1 }
            guard end > start, let value = number(start..<min(end, start + 9)) else { return nil }
            fraction = value
            for _ in min(end - start, 9)..<9 { fraction *= 10 }
            position = end
        }
        guard position < bytes.count else { return nil }
        var offset: Int64 = 0
        if bytes[position] == 0x5a {
            guard position + 1 == bytes.count else { return nil }
        } else {
            guard let value = TimeZoneOffset.parse(String(decoding: bytes[position...], as: UTF8.self)),
                bytes.count == position + 6
            else { return nil }
            offset = value
        }
        let days = Self.days(year: year, month: month, day: day)
        self.init(seconds: days * 86400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: fraction)
        zone = offset
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

    static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Days since the epoch, by Howard Hinnant's `days_from_civil`.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
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
            let shifted = days + 719_468
            let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
            let dayInYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shiftedMonth = (5 * dayInYear + 2) / 153
            day = dayInYear - (153 * shiftedMonth + 2) / 5 + 1
            month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            dayOfYear = days - CELTimestamp.days(year: year, month: 1, day: 1)
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
