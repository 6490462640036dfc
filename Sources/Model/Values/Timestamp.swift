/// A point in time from year 0 to year 9999, which RFC 3339 can write, to the nanosecond.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    package let seconds: Int64
    /// What has passed of the second that follows: 0 to 999,999,999.
    package let nanosecond: Int64

    package static let first = Timestamp(unchecked: -62_167_219_200, 0)
    package static let last = Timestamp(unchecked: 253_402_300_799, 999_999_999)

    private init(unchecked seconds: Int64, _ nanosecond: Int64) {
        self.seconds = seconds
        self.nanosecond = nanosecond
    }

    /// What is before year 0 or after year 9999 counts as the first or last moment of those.
    /// - Parameter nanosecond: 0 to 999,999,999.
    package init(seconds: Int64, nanosecond: Int64 = 0) {
        precondition((0..<Self.billion).contains(nanosecond), "\(nanosecond) nanoseconds are no part of a second")
        if seconds < Self.first.seconds {
            self = .first
        } else if seconds > Self.last.seconds {
            self = .last
        } else {
            self.init(unchecked: seconds, nanosecond)
        }
    }

    /// - Parameter nanoseconds: since 1970-01-01T00:00:00Z; 64 bits reach from 1677 to 2262.
    package init(nanoseconds: Int64) {
        let (seconds, nanosecond) = Self.parts(nanoseconds)
        self.init(unchecked: seconds, nanosecond)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z; what 64 bits cannot hold counts as the least or largest that they can.
    package var nanoseconds: Int64 {
        // From what is nearer to the epoch, as the least value has its second's start out of reach.
        seconds < 0
            ? (seconds + 1).saturatingNanoseconds.addingSaturating(nanosecond - Self.billion)
            : seconds.saturatingNanoseconds.addingSaturating(nanosecond)
    }

    private static let billion: Int64 = 1_000_000_000

    /// A count of nanoseconds as seconds, rounded down, and the rest.
    private static func parts(_ nanoseconds: Int64) -> (seconds: Int64, nanosecond: Int64) {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: billion)
        return remainder < 0 ? (quotient - 1, remainder + billion) : (quotient, remainder)
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.seconds == right.seconds ? left.nanosecond < right.nanosecond : left.seconds < right.seconds
    }

    /// The sum to the nanosecond; it stays within the years 0 to 9999.
    package static func + (left: Self, right: Duration) -> Self {
        let (seconds, attoseconds) = right.components
        let (carry, nanosecond) = parts(left.nanosecond + attoseconds / billion)
        return Timestamp(
            seconds: left.seconds.addingSaturating(seconds).addingSaturating(carry), nanosecond: nanosecond)
    }

    package static func - (left: Self, right: Duration) -> Self {
        let (seconds, attoseconds) = right.components
        let (carry, nanosecond) = parts(left.nanosecond - attoseconds / billion)
        return Timestamp(
            seconds: left.seconds.subtractingSaturating(seconds).addingSaturating(carry), nanosecond: nanosecond)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .seconds(left.seconds - right.seconds) + .nanoseconds(left.nanosecond - right.nanosecond)
    }

    /// The text of `metav1.Time`: `2026-11-22T10:00:00Z`.
    package var description: String { text(fractionDigits: 0) }

    /// The text of `metav1.MicroTime`: `2026-11-22T10:00:00.000000Z`.
    package var microText: String { text(fractionDigits: 6) }

    /// RFC 3339 text in UTC with that many digits after the second (0 to 9).
    package func text(fractionDigits: Int) -> String {
        let days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let secondOfDay = seconds - days * 86400
        let (year, month, day) = Self.civil(fromDays: days)
        // Bytes, not texts that are put together: every write has several times.
        return String(unsafeUninitializedCapacity: 30) { bytes in
            var end = 0
            func append(_ value: Int64, _ width: Int, behind separator: Unicode.Scalar? = nil) {
                if let separator {
                    bytes[end] = UInt8(ascii: separator)
                    end += 1
                }
                var rest = value
                for position in (end..<end + width).reversed() {
                    bytes[position] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                end += width
            }
            append(year, 4)
            append(month, 2, behind: "-")
            append(day, 2, behind: "-")
            append(secondOfDay / 3600, 2, behind: "T")
            append(secondOfDay / 60 % 60, 2, behind: ":")
            append(secondOfDay % 60, 2, behind: ":")
            if fractionDigits > 0 {
                append(nanosecond, 9, behind: ".")
                end -= max(0, 9 - fractionDigits)
            }
            bytes[end] = UInt8(ascii: "Z")
            return end + 1
        }
    }

    /// The proleptic Gregorian date of a day number, by Howard Hinnant's `civil_from_days`.
    package static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Timestamp {
    /// Reads RFC 3339 text; `nil` when it is none, or in UTC a time outside the years 0 to 9999.
    ///
    /// Offsets other than `Z` are converted to UTC; digits beyond the ninth after the second are dropped.
    package init?(_ text: String) {
        guard let (time, _) = Self.withOffset(text) else { return nil }
        self = time
    }

    /// Reads RFC 3339 text as `init(_:)` does, and the seconds east of UTC in which it is written.
    package static func withOffset(_ text: String) -> (time: Timestamp, offset: Int64)? {
        var text = text
        return text.withUTF8(read)
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> (Timestamp, Int64)? {
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), let year = digits(bytes[0..<4]), let month = digits(bytes[5..<7]),
            let day = digits(bytes[8..<10]), let hour = digits(bytes[11..<13]),
            let minute = digits(bytes[14..<16]), let second = digits(bytes[17..<19]),
            (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty, let value = Self.digits(digits.prefix(9)) else { return nil }
            fraction = (digits.count..<max(9, digits.count)).reduce(value) { total, _ in total * 10 }
            rest = rest.dropFirst(digits.count + 1)
        }
        guard let offset = Self.offset(rest) else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
        guard (first.seconds...last.seconds).contains(seconds) else { return nil }
        return (Timestamp(unchecked: seconds, fraction), offset)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    private static func digits(_ bytes: some Sequence<UInt8>) -> Int64? {
        var value: Int64 = 0
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }

    /// Seconds east of UTC that `Z` or `+01:30` stands for.
    private static func offset(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        let bytes = UnsafeBufferPointer(rebasing: text)
        if bytes.count == 1 { return bytes[0] == UInt8(ascii: "Z") || bytes[0] == UInt8(ascii: "z") ? 0 : nil }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = digits(bytes[1..<3]),
            let minutes = digits(bytes[4..<6]), hours < 24, minutes < 60
        else { return nil }
        let seconds = hours * 3600 + minutes * 60
        switch bytes[0] {
        case UInt8(ascii: "+"): return seconds
        case UInt8(ascii: "-"): return -seconds
        default: return nil
        }
    }

    /// Days since the epoch, by Howard Hinnant's `days_from_civil`.
    package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

/// A point in time that is written with six digits after the second (`metav1.MicroTime`).
package struct MicroTimestamp: Hashable, Sendable {
    package var time: Timestamp

    package init(_ time: Timestamp) {
        self.time = time
    }
}

extension Duration {
    /// The duration in nanoseconds; what is longer than about 292 years counts as that.
    package var wholeNanoseconds: Int64 {
        components.seconds.saturatingNanoseconds.addingSaturating(components.attoseconds / 1_000_000_000)
    }
}

// Times and durations come from users too: they saturate where plain arithmetic would end the process.
extension Int64 {
    fileprivate var saturatingNanoseconds: Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (self < 0 ? .min : .max) : product
    }

    fileprivate func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    fileprivate func subtractingSaturating(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
