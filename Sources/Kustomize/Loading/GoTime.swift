/// Times as go-yaml reads them and Go's JSON writes them.
enum GoTime {
    /// `2001-12-14t21:59:43.10-05:00` as `2001-12-14T21:59:43.1-05:00`; `nil` for what is no time.
    static func text(_ text: String) -> String? {
        var rest = Substring(text)
        guard let year = number(&rest, 4...4), take("-", &rest), let month = number(&rest, 1...2), take("-", &rest),
            let day = number(&rest, 1...2), (1...12).contains(month), day >= 1, day <= days(of: month, year)
        else { return nil }
        let date = "\(padded(year, 4))-\(padded(month))-\(padded(day))"
        if rest.isEmpty { return date + "T00:00:00Z" }
        let hasSpace = rest.first == " "
        guard take("T", &rest) || take("t", &rest) || take(" ", &rest), let hour = number(&rest, 1...2),
            take(":", &rest), let minute = number(&rest, 1...2), take(":", &rest), let second = number(&rest, 1...2),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = ""
        if take(".", &rest) {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, digits.count <= 9 else { return nil }
            rest = rest.dropFirst(digits.count)
            let significant = String(digits.reversed().drop { $0 == "0" }.reversed())
            if !significant.isEmpty { fraction = ".\(significant)" }
        }
        guard let zone = hasSpace ? (rest.isEmpty ? "Z" : nil) : zone(rest) else { return nil }
        return "\(date)T\(padded(hour)):\(padded(minute)):\(padded(second))\(fraction)\(zone)"
    }

    private static func zone(_ text: Substring) -> String? {
        if text == "Z" { return "Z" }
        var rest = text.dropFirst()
        guard text.first == "+" || text.first == "-", let hour = number(&rest, 2...2), take(":", &rest),
            let minute = number(&rest, 2...2), rest.isEmpty, hour <= 24, minute < 60
        else { return nil }
        return hour == 0 && minute == 0 ? "Z" : String(text)
    }

    private static func number(_ text: inout Substring, _ count: ClosedRange<Int>) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }.prefix(count.upperBound)
        guard count.contains(digits.count) else { return nil }
        text = text.dropFirst(digits.count)
        return Int(digits)
    }

    private static func take(_ sign: Character, _ text: inout Substring) -> Bool {
        guard text.first == sign else { return false }
        text = text.dropFirst()
        return true
    }

    private static func days(of month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
