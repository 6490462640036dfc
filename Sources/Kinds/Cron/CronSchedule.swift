import Model

/// When a CronJob is due: five fields (minute, hour, day of the month, month, day of the week), or a descriptor as
/// `@daily` or `@every 1h30m`. Understood, and refused, as by robfig/cron, which Kubernetes uses.
package struct CronSchedule: Hashable, Sendable {
    /// Why a text is no schedule, in robfig/cron's words.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// The times of the clock that a schedule names.
    package struct Times: Hashable, Sendable {
        package var minutes: Set<Int>
        package var hours: Set<Int>
        package var daysOfMonth: Set<Int>
        package var months: Set<Int>
        /// Sunday is 0.
        package var daysOfWeek: Set<Int>
        /// Whether both kinds of day must fit: where neither is left open, one of them suffices.
        package var needsBothDays: Bool

        /// Whether a minute of the calendar is due.
        package func matches(minute: Int, hour: Int, day: Int, month: Int, weekday: Int) -> Bool {
            guard minutes.contains(minute), hours.contains(hour), months.contains(month) else { return false }
            let fitsMonth = daysOfMonth.contains(day)
            let fitsWeek = daysOfWeek.contains(weekday)
            return needsBothDays ? fitsMonth && fitsWeek : fitsMonth || fitsWeek
        }
    }

    package enum Rule: Hashable, Sendable {
        case times(Times)
        /// Again and again after so long; at least a second.
        case every(Duration)
    }

    package var rule: Rule
    /// The zone that the text itself names (`TZ=Europe/Berlin 0 4 * * *`).
    package var timeZone: String?

    package init(_ text: String) throws(Fault) {
        if text.isEmpty { throw Fault(description: "empty spec string") }
        var text = Substring(text)
        if text.hasPrefix("TZ=") || text.hasPrefix("CRON_TZ=") {
            let zone = text[text.index(after: text.firstIndex(of: "=") ?? text.startIndex)...].prefix { $0 != " " }
            let name = String(zone)
            if !name.isEmpty, !TimeZoneNames.all.contains(name), !TimeZoneNames.isLocal(name) {
                throw Fault(description: "provided bad location \(name): unknown time zone \(name)")
            }
            timeZone = name
            text = text[zone.endIndex...].drop(while: \.isWhitespace)
        }
        if text.hasPrefix("@") {
            rule = try Self.descriptor(String(text))
            return
        }
        let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 5 else {
            let shown = fields.joined(separator: " ")
            throw Fault(description: "expected exactly 5 fields, found \(fields.count): [\(shown)]")
        }
        let minutes = try CronField.minute.values(fields[0])
        let hours = try CronField.hour.values(fields[1])
        let daysOfMonth = try CronField.dayOfMonth.values(fields[2])
        let months = try CronField.month.values(fields[3])
        let daysOfWeek = try CronField.dayOfWeek.values(fields[4])
        rule = .times(
            Times(
                minutes: minutes.set, hours: hours.set, daysOfMonth: daysOfMonth.set, months: months.set,
                daysOfWeek: daysOfWeek.set, needsBothDays: daysOfMonth.isOpen || daysOfWeek.isOpen))
    }

    private static func descriptor(_ text: String) throws(Fault) -> Rule {
        let every = "@every "
        if text.hasPrefix(every) {
            do throws(GoDuration.Fault) {
                let duration = try GoDuration.duration(String(text.dropFirst(every.count)))
                // Whole seconds, and one at least.
                return .every(max(.seconds(1), .seconds(duration.components.seconds)))
            } catch {
                throw Fault(description: "failed to parse duration \(text): \(error)")
            }
        }
        let fields: [String: String] = [
            "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
            "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
        ]
        guard let fields = fields[text] else { throw Fault(description: "unrecognized descriptor: \(text)") }
        return try CronSchedule(fields).rule
    }
}

/// One of the five fields: a list of numbers, names and ranges, each with a step if need be.
private struct CronField {
    typealias Fault = CronSchedule.Fault

    var bounds: ClosedRange<Int>
    /// Of the numbers from the least on.
    var names: [String] = []

    static let minute = CronField(bounds: 0...59)
    static let hour = CronField(bounds: 0...23)
    static let dayOfMonth = CronField(bounds: 1...31)
    static let month = CronField(
        bounds: 1...12,
        names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
    static let dayOfWeek = CronField(bounds: 0...6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    /// - Returns: the numbers, and whether a `*` among them leaves the field open.
    func values(_ text: String) throws(Fault) -> (set: Set<Int>, isOpen: Bool) {
        var set: Set<Int> = []
        var isOpen = false
        for expression in text.split(separator: ",") {
            let (values, isStar) = try range(String(expression))
            set.formUnion(values)
            isOpen = isOpen || isStar
        }
        return (set, isOpen)
    }

    private func range(_ text: String) throws(Fault) -> (values: StrideThrough<Int>, isStar: Bool) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        var start = bounds.lowerBound
        var end = bounds.upperBound
        var isStar = ends[0] == "*" || ends[0] == "?"
        if !isStar {
            start = try number(ends[0])
            switch ends.count {
            case 1: end = start
            case 2: end = try number(ends[1])
            default: throw Fault(description: "too many hyphens: \(text)")
            }
        }
        var step = 1
        switch parts.count {
        case 1: break
        case 2:
            step = try integer(parts[1])
            // `N/step` goes on to the end.
            if ends.count == 1 { end = bounds.upperBound }
            if step > 1 { isStar = false }
        default: throw Fault(description: "too many slashes: \(text)")
        }
        if start < bounds.lowerBound {
            throw Fault(description: "beginning of range (\(start)) below minimum (\(bounds.lowerBound)): \(text)")
        }
        if end > bounds.upperBound {
            throw Fault(description: "end of range (\(end)) above maximum (\(bounds.upperBound)): \(text)")
        }
        if start > end {
            throw Fault(description: "beginning of range (\(start)) beyond end of range (\(end)): \(text)")
        }
        if step == 0 { throw Fault(description: "step of range should be a positive number: \(text)") }
        return (stride(from: start, through: end, by: step), isStar)
    }

    private func number(_ text: String) throws(Fault) -> Int {
        if let position = names.firstIndex(of: text.lowercased()) { return bounds.lowerBound + position }
        return try integer(text)
    }

    private func integer(_ text: String) throws(Fault) -> Int {
        guard let value = Int(text) else {
            let digits = text.first == "+" ? text.dropFirst() : text[...]
            let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
            let reason = isNumber ? "value out of range" : "invalid syntax"
            let shown = JSON.string(text).text()
            throw Fault(description: "failed to parse int from \(text): strconv.Atoi: parsing \(shown): \(reason)")
        }
        if value < 0 { throw Fault(description: "negative number (\(value)) not allowed: \(text)") }
        return value
    }
}
