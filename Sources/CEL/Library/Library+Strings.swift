/// The strings extension of cel-go in its version 2, which is the one Kubernetes has.
extension Library {
    static let strings: [Overload] =
        texts("charAt", ["string_char_at_int": "string.(int) -> string"]) { text, arguments in
            guard case .int(let index) = arguments[0] else { return .noOverload }
            let scalars = text.unicodeScalars
            guard index >= 0, index <= Int64(text.utf8.count),
                let place = scalars.index(scalars.startIndex, offsetBy: Int(index), limitedBy: scalars.endIndex)
            else { return .error("index out of range: \(index)") }
            return .string(place == scalars.endIndex ? "" : String(scalars[place]))
        }
        + texts(
            "indexOf",
            [
                "string_index_of_string": "string.(string) -> int",
                "string_index_of_string_int": "string.(string, int) -> int",
            ]
        ) { StringSearch.index(of: $1, in: $0) }
        + texts(
            "lastIndexOf",
            [
                "string_last_index_of_string": "string.(string) -> int",
                "string_last_index_of_string_int": "string.(string, int) -> int",
            ]
        ) { StringSearch.lastIndex(of: $1, in: $0) }
        + texts("lowerAscii", ["string_lower_ascii": "string.() -> string"]) { text, _ in
            .string(text.mappingBytes { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 })
        }
        + texts("upperAscii", ["string_upper_ascii": "string.() -> string"]) { text, _ in
            .string(text.mappingBytes { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 })
        }
        + texts(
            "replace",
            [
                "string_replace_string_string": "string.(string, string) -> string",
                "string_replace_string_string_int": "string.(string, string, int) -> string",
            ]
        ) { StringSearch.replace($1, in: $0) }
        + texts(
            "split",
            [
                "string_split_string": "string.(string) -> list(string)",
                "string_split_string_int": "string.(string, int) -> list(string)",
            ]
        ) { StringSearch.split($0, $1) }
        + texts(
            "substring",
            [
                "string_substring_int": "string.(int) -> string",
                "string_substring_int_int": "string.(int, int) -> string",
            ]
        ) { StringSearch.substring($0, $1) }
        + texts("trim", ["string_trim": "string.() -> string"]) { text, _ in
            let scalars = Array(text.unicodeScalars)
            guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
                let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
            else { return .string("") }
            return .string(String(scalars[first...last]))
        }
        + texts("format", ["string_format": "string.(list(dyn)) -> string"]) { text, arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return TextFormat.format(text, list.values)
        }
        + texts("strings.quote", ["strings_quote": "(string) -> string"]) { text, _ in
            .string(GoNumber.quoted(text))
        }
        + function(
            "join",
            ["list_join": "list(string).() -> string", "list_join_string": "list(string).(string) -> string"]
        ) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            var separator = ""
            if arguments.count > 1 {
                guard case .string(let text) = arguments[1] else { return .noOverload }
                separator = text
            }
            var joined = ""
            for (index, value) in list.values.enumerated() {
                guard case .string(let text) = value else { return .noOverload }
                if index > 0 { joined += separator }
                joined += text
            }
            return .string(joined)
        }

    /// Functions whose first argument is a string.
    private static func texts(
        _ name: String, _ declarations: KeyValuePairs<String, String>,
        _ body: @escaping @Sendable (String, ArraySlice<CELValue>) -> CELValue
    ) -> [Overload] {
        function(name, declarations) { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            let rest = Array(arguments.dropFirst())
            return body(text, rest[...])
        }
    }
}

extension String {
    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }

    fileprivate func mappingBytes(_ change: (UInt8) -> UInt8) -> String {
        String(decoding: utf8.map(change), as: UTF8.self)
    }
}

/// Positions within strings count Unicode scalars.
enum StringSearch {
    static func index(of arguments: ArraySlice<CELValue>, in text: String) -> CELValue {
        guard case .string(let part) = arguments[0] else { return .noOverload }
        let scalars = Array(text.unicodeScalars)
        var start = 0
        if arguments.count > 1 {
            guard case .int(let offset) = arguments[1] else { return .noOverload }
            guard offset >= 0 else { return .error("index out of range: \(offset)") }
            start = Int(min(offset, Int64(scalars.count)))
        }
        if part.isEmpty { return .int(Int64(start)) }
        return .int(Int64(TextSearch.first(Array(part.unicodeScalars), in: scalars, from: start) ?? -1))
    }

    static func lastIndex(of arguments: ArraySlice<CELValue>, in text: String) -> CELValue {
        guard case .string(let part) = arguments[0] else { return .noOverload }
        let scalars = Array(text.unicodeScalars)
        var last = scalars.count
        if arguments.count > 1 {
            guard case .int(let offset) = arguments[1] else { return .noOverload }
            guard offset >= 0 else { return .error("index out of range: \(offset)") }
            if offset >= Int64(scalars.count), !part.isEmpty { return .int(-1) }
            last = Int(min(offset, Int64(scalars.count)))
        }
        if part.isEmpty { return .int(Int64(last)) }
        // The last place from the left is the first one from the right.
        let wanted = Array(part.unicodeScalars.reversed())
        let end = min(last + wanted.count, scalars.count)
        guard let found = TextSearch.first(wanted, in: Array(scalars[..<end].reversed())) else { return .int(-1) }
        return .int(Int64(end - found - wanted.count))
    }

    static func replace(_ arguments: ArraySlice<CELValue>, in text: String) -> CELValue {
        guard case .string(let old) = arguments[0], case .string(let new) = arguments[1] else { return .noOverload }
        var limit = Int.max
        if arguments.count > 2 {
            guard case .int(let count) = arguments[2] else { return .noOverload }
            if count >= 0 { limit = Int(count) }
        }
        var replaced: [UInt8] = []
        if old.isEmpty {
            var count = 0
            for scalar in text.unicodeScalars {
                if count < limit {
                    replaced += new.utf8
                    count += 1
                }
                replaced += String(scalar).utf8
            }
            if count < limit { replaced += new.utf8 }
            return .string(String(decoding: replaced, as: UTF8.self))
        }
        let bytes = Array(text.utf8)
        var position = 0
        for start in TextSearch.all(Array(old.utf8), in: bytes, limit: limit) {
            replaced += bytes[position..<start]
            replaced += new.utf8
            position = start + old.utf8.count
        }
        replaced += bytes[position...]
        return .string(String(decoding: replaced, as: UTF8.self))
    }

    static func split(_ text: String, _ arguments: ArraySlice<CELValue>) -> CELValue {
        guard case .string(let separator) = arguments[0] else { return .noOverload }
        var limit = Int.max
        if arguments.count > 1 {
            guard case .int(let count) = arguments[1] else { return .noOverload }
            if count == 0 { return .list([]) }
            if count > 0 { limit = Int(count) }
        }
        if separator.isEmpty {
            let scalars = Array(text.unicodeScalars)
            guard scalars.count > limit else { return .strings(scalars.map { String($0) }) }
            return .strings(scalars[..<(limit - 1)].map { String($0) } + [String(scalars[(limit - 1)...])])
        }
        let bytes = Array(text.utf8)
        var parts: [String] = []
        var position = 0
        for start in TextSearch.all(Array(separator.utf8), in: bytes, limit: limit - 1) {
            parts.append(String(decoding: bytes[position..<start], as: UTF8.self))
            position = start + separator.utf8.count
        }
        return .strings(parts + [String(decoding: bytes[position...], as: UTF8.self)])
    }

    static func substring(_ text: String, _ arguments: ArraySlice<CELValue>) -> CELValue {
        guard case .int(let start) = arguments[0] else { return .noOverload }
        let scalars = Array(text.unicodeScalars)
        let count = Int64(scalars.count)
        var end = count
        if arguments.count > 1 {
            guard case .int(let wanted) = arguments[1] else { return .noOverload }
            end = wanted
            if start > end { return .error("invalid substring range. start: \(start), end: \(end)") }
        }
        guard start >= 0, start <= count else { return .error("index out of range: \(start)") }
        guard end >= 0, end <= count else { return .error("index out of range: \(end)") }
        return .string(String(scalars[Int(start)..<Int(end)]))
    }
}
