/// How far the clocks of a place are from UTC, and when that changes: what a file of the time zone database says
/// (RFC 9636).
package struct TimeZoneRules: Hashable, Sendable {
    private struct Change: Hashable {
        /// Seconds since the epoch, and the offset from then on.
        var time: Int64
        var offset: Int64
    }

    private var first: Int64
    /// In the order of time.
    private var changes: [Change] = []
    /// What holds after the last of them.
    private var rule: RecurringTimeZoneRule?

    /// Reads a file's 64-bit part.
    ///
    /// - Returns: `nil` for what is no such file, or one from before 2005 with 32 bits alone.
    package init?(file bytes: [UInt8]) {
        guard let old = Header(bytes[...]), old.version >= UInt8(ascii: "2"),
            let header = Header(bytes.dropFirst(Header.size + old.length(timeSize: 4)))
        else { return nil }
        let data = bytes.dropFirst(Header.size + old.length(timeSize: 4) + Header.size)
        let length = header.length(timeSize: 8)
        guard data.count >= length, header.types > 0 else { return nil }
        let types = data.dropFirst(header.times * 9)
        let offsets = (0..<header.types).map {
            Int64(Int32(truncatingIfNeeded: Self.number(types.dropFirst($0 * 6), 4)))
        }
        first = offsets[0]
        for index in 0..<header.times {
            let type = Int(data[data.startIndex + header.times * 8 + index])
            guard type < offsets.count else { return nil }
            changes.append(Change(time: Self.number(data.dropFirst(index * 8), 8), offset: offsets[type]))
        }
        let footer = data.dropFirst(length + 1).prefix { $0 != UInt8(ascii: "\n") }
        rule = RecurringTimeZoneRule(String(decoding: footer, as: UTF8.self))
    }

    /// Seconds east of UTC at a moment, in seconds since the epoch.
    ///
    /// - Complexity: O(log n) in the changes that are known.
    package func offset(at time: Int64) -> Int64 {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        if low == changes.count, let rule { return rule.offset(at: time) }
        return low == 0 ? first : changes[low - 1].offset
    }

    /// Big-endian, with the sign of its first bit where it has eight bytes.
    private static func number(_ bytes: ArraySlice<UInt8>, _ count: Int) -> Int64 {
        bytes.prefix(count).reduce(0) { $0 << 8 | Int64($1) }
    }

    private struct Header {
        static let size = 44
        var version: UInt8
        /// How many of what the part holds.
        var universal, standard, leaps, times, types, letters: Int

        init?(_ bytes: ArraySlice<UInt8>) {
            guard bytes.count >= Self.size, bytes.starts(with: Array("TZif".utf8)) else { return nil }
            version = bytes[bytes.startIndex + 4]
            let counts = (0..<6).map { Int(TimeZoneRules.number(bytes.dropFirst(20 + $0 * 4), 4)) }
            guard counts.allSatisfy({ $0 <= 1 << 16 }) else { return nil }
            (universal, standard, leaps, times, types, letters) = (
                counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]
            )
        }

        /// Bytes that follow the header.
        func length(timeSize: Int) -> Int {
            times * (timeSize + 1) + types * 6 + letters + leaps * (timeSize + 4) + standard + universal
        }
    }
}

/// The offset of every year that is still to come, in the form of POSIX: `CET-1CEST,M3.5.0,M10.5.0/3`.
private struct RecurringTimeZoneRule: Hashable, Sendable {
    private struct Day: Hashable {
        enum Kind: Hashable {
            /// The day of a year, from 0.
            case ordinal(Int64)
            /// From 1, and February 29th is never counted.
            case withoutLeapDay(Int64)
            /// The weekday (0 is Sunday) of a week of a month, 5 for the last one.
            case weekday(month: Int64, week: Int64, day: Int64)
        }

        var kind: Kind
        /// Seconds after midnight, by the clock before the change.
        var time: Int64 = 7200
    }

    private var standard: Int64
    /// Seconds east of UTC in summer, and when that begins and ends.
    private var summer: (offset: Int64, start: Day, end: Day)?

    static func == (left: Self, right: Self) -> Bool {
        left.standard == right.standard && left.summer?.offset == right.summer?.offset
            && left.summer?.start == right.summer?.start && left.summer?.end == right.summer?.end
    }

    func hash(into hasher: inout Hasher) { hasher.combine(standard) }

    init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.skipName(), let west = reader.duration() else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else { return }
        guard reader.skipName() else { return nil }
        let offset = reader.rest.first == UInt8(ascii: ",") ? standard + 3600 : reader.duration().map { -$0 }
        guard let offset, let start = reader.day(), let end = reader.day(), reader.rest.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    func offset(at time: Int64) -> Int64 {
        guard let summer else { return standard }
        let local = time + standard
        let days = local >= 0 ? local / 86400 : (local - 86399) / 86400
        let year = Timestamp.civil(fromDays: days).year
        let start = Self.moment(of: summer.start, in: year) - standard
        let end = Self.moment(of: summer.end, in: year) - summer.offset
        let isSummer = start < end ? (start..<end).contains(time) : !(end..<start).contains(time)
        return isSummer ? summer.offset : standard
    }

    /// By a clock that is not changed, in seconds since the epoch.
    private static func moment(of day: Day, in year: Int64) -> Int64 {
        let first = Timestamp.days(year: year, month: 1, day: 1)
        let isLeap = Timestamp.days(year: year, month: 3, day: 1) - first == 60
        let date: Int64
        switch day.kind {
        case .ordinal(let number): date = first + number
        case .withoutLeapDay(let number): date = first + number - 1 + (isLeap && number > 59 ? 1 : 0)
        case .weekday(let month, let week, let weekday):
            let start = Timestamp.days(year: year, month: month, day: 1)
            let next =
                month == 12
                ? Timestamp.days(year: year + 1, month: 1, day: 1)
                : Timestamp.days(year: year, month: month + 1, day: 1)
            // The epoch was a Thursday.
            let offset = (weekday - (start + 4) % 7 + 14) % 7
            var found = start + offset + (week - 1) * 7
            while found >= next { found -= 7 }
            date = found
        }
        return date * 86400 + day.time
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ byte: Character) -> Bool {
            guard rest.first == byte.asciiValue else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// `CET`, or anything in angle brackets.
        mutating func skipName() -> Bool {
            if skip("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let name = rest.prefix { (0x41...0x5A).contains($0 & ~0x20) }
            rest = rest.dropFirst(name.count)
            return !name.isEmpty
        }

        mutating func number() -> Int64? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits.count <= 4 ? Int64(String(decoding: digits, as: UTF8.self)) : nil
        }

        /// `-1`, `5:30` or `2:00:00`, in seconds.
        mutating func duration() -> Int64? {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            guard let hours = number() else { return nil }
            var seconds = hours * 3600
            for unit in [Int64(60), 1] where skip(":") {
                guard let part = number() else { return nil }
                seconds += part * unit
            }
            return isNegative ? -seconds : seconds
        }

        /// `,M3.5.0/3`, `,J60` or `,59`.
        mutating func day() -> Day? {
            guard skip(",") else { return nil }
            var day: Day
            if skip("M") {
                guard let month = number(), skip("."), let week = number(), skip("."), let weekday = number(),
                    (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
                else { return nil }
                day = Day(kind: .weekday(month: month, week: week, day: weekday))
            } else {
                let isCounted = skip("J")
                guard let number = number(), number <= 365 else { return nil }
                day = Day(kind: isCounted ? .withoutLeapDay(number) : .ordinal(number))
            }
            if skip("/") {
                guard let time = duration() else { return nil }
                day.time = time
            }
            return day
        }
    }
}
