internal import Model

/// `size`, the language's own functions on strings, and those of times.
extension Library {
    static let standard: [Overload] =
        function(
            "size",
            [
                "size_bytes": "(bytes) -> int", "bytes_size": "bytes.() -> int", "size_list": "(list(A)) -> int",
                "list_size": "list(A).() -> int", "size_map": "(map(A, B)) -> int", "map_size": "map(A, B).() -> int",
                "size_string": "(string) -> int", "string_size": "string.() -> int",
            ]
        ) { arguments in
            switch arguments[0] {
            case .string(let text): .int(Int64(text.scalarCount))
            case .bytes(let bytes): .int(Int64(bytes.count))
            case .list(let list): .int(Int64(list.count))
            case .map(let map): .int(Int64(map.count))
            default: .noOverload
            }
        }
        + function("contains", ["contains_string": "string.(string) -> bool"]) { arguments in
            guard case .string(let text) = arguments[0], case .string(let part) = arguments[1] else {
                return .noOverload
            }
            return .bool(TextSearch.first(Array(part.utf8), in: Array(text.utf8)) != nil)
        }
        + function("startsWith", ["starts_with_string": "string.(string) -> bool"]) { arguments in
            guard case .string(let text) = arguments[0], case .string(let part) = arguments[1] else {
                return .noOverload
            }
            return .bool(text.utf8.starts(with: part.utf8))
        }
        + function("endsWith", ["ends_with_string": "string.(string) -> bool"]) { arguments in
            guard case .string(let text) = arguments[0], case .string(let part) = arguments[1] else {
                return .noOverload
            }
            return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
        }

    static let times: [Overload] =
        accessor("getFullYear", "year") { $0.year } + accessor("getMonth", "month") { $0.month - 1 }
        + accessor("getDayOfYear", "day_of_year") { $0.dayOfYear }
        + accessor("getDayOfMonth", "day_of_month") { $0.day - 1 }
        + accessor("getDate", "day_of_month_1_based") { $0.day }
        + accessor("getDayOfWeek", "day_of_week") { $0.dayOfWeek }
        + accessor("getHours", "hours", { $0 / 3_600_000_000_000 }) { $0.hour }
        + accessor("getMinutes", "minutes", { $0 / 60_000_000_000 }) { $0.minute }
        + accessor("getSeconds", "seconds", { $0 / 1_000_000_000 }) { $0.second } + milliseconds

    private static func accessor(
        _ name: String, _ id: String, _ span: (@Sendable (Int64) -> Int64)? = nil,
        _ field: @escaping @Sendable (CELTimestamp.Fields) -> Int64
    ) -> [Overload] {
        let ofTimes = function(
            name,
            [
                "timestamp_to_\(id)": "timestamp.() -> int",
                "timestamp_to_\(id)_with_tz": "timestamp.(string) -> int",
            ]
        ) { arguments in
            guard case .timestamp(let time) = arguments[0] else { return .noOverload }
            guard arguments.count > 1 else { return .int(field(CELTimestamp.Fields(time, offset: 0))) }
            guard case .string(let zone) = arguments[1] else { return .noOverload }
            let offset = TimeZoneOffset.parse(zone) ?? TimeZones.rules(zone)?.offset(at: time.seconds)
            guard let offset else { return .error("unknown time zone \(zone)") }
            return .int(field(CELTimestamp.Fields(time, offset: offset)))
        }
        guard let span else { return ofTimes }
        return ofTimes
            + function(name, ["duration_to_\(id)": "duration.() -> int"]) { arguments in
                guard case .duration(let nanoseconds) = arguments[0] else { return .noOverload }
                return .int(span(nanoseconds))
            }
    }

    private static let milliseconds: [Overload] = function(
        "getMilliseconds",
        [
            "timestamp_to_milliseconds": "timestamp.() -> int",
            "timestamp_to_milliseconds_with_tz": "timestamp.(string) -> int",
            "duration_to_milliseconds": "duration.() -> int",
        ]
    ) { arguments in
        switch arguments[0] {
        case .timestamp(let time): .int(time.nanoseconds / 1_000_000)
        case .duration(let nanoseconds): .int(nanoseconds / 1_000_000)
        default: .noOverload
        }
    }
}

/// Search in time linear in both texts (Knuth, Morris and Pratt): a rule's cost must bound its time.
enum TextSearch {
    static func first<Element: Equatable>(
        _ part: [Element], in text: [Element], from start: Int = 0
    ) -> Int? {
        guard !part.isEmpty else { return start }
        guard text.count - start >= part.count else { return nil }
        let fallback = borders(of: part)
        var matched = 0
        for index in start..<text.count {
            while matched > 0, part[matched] != text[index] { matched = fallback[matched - 1] }
            if part[matched] == text[index] { matched += 1 }
            if matched == part.count { return index - part.count + 1 }
        }
        return nil
    }

    /// All places where the part stands, none overlapping the one before; at most `limit`.
    static func all<Element: Equatable>(_ part: [Element], in text: [Element], limit: Int) -> [Int] {
        var found: [Int] = []
        guard !part.isEmpty, limit > 0 else { return [] }
        let fallback = borders(of: part)
        var matched = 0
        for index in text.indices {
            while matched > 0, part[matched] != text[index] { matched = fallback[matched - 1] }
            if part[matched] == text[index] { matched += 1 }
            if matched == part.count {
                found.append(index - part.count + 1)
                if found.count == limit { break }
                matched = 0
            }
        }
        return found
    }

    private static func borders<Element: Equatable>(of part: [Element]) -> [Int] {
        var borders = [Int](repeating: 0, count: part.count)
        var length = 0
        for index in part.indices.dropFirst() {
            while length > 0, part[length] != part[index] { length = borders[length - 1] }
            if part[length] == part[index] { length += 1 }
            borders[index] = length
        }
        return borders
    }
}
