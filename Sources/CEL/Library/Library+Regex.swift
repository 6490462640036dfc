/// `matches` of the language, `find` and `findAll` of Kubernetes.
extension Library {
    static let regex: [Overload] =
        function("matches", ["matches_string": "string.(string) -> bool", "matches": "(string, string) -> bool"]) {
            patterned($0, illegal: "") { .bool($0.matches($1)) }
        }
        + function("find", ["string_find_string": "string.(string) -> string"]) {
            patterned($0) { regex, text in
                let scalars = Array(text.unicodeScalars)
                return .string(regex.find(in: scalars).map { String(scalars[$0]) } ?? "")
            }
        }
        + function(
            "findAll",
            [
                "string_find_all_string": "string.(string) -> list(string)",
                "string_find_all_string_int": "string.(string, int) -> list(string)",
            ]
        ) { arguments in
            var limit = Int.max
            if arguments.count > 2 {
                guard case .int(let count) = arguments[2] else { return .noOverload }
                if count >= 0 { limit = Int(count) }
            }
            return patterned(arguments) { regex, text in
                let scalars = Array(text.unicodeScalars)
                return .strings(regex.findAll(in: scalars, limit: limit).map { String(scalars[$0]) })
            }
        }

    private static func patterned(
        _ arguments: [CELValue], illegal: String = "Illegal regex: ", _ body: (LinearRegex, String) -> CELValue
    ) -> CELValue {
        guard case .string(let text) = arguments[0], case .string(let pattern) = arguments[1] else {
            return .noOverload
        }
        do {
            return body(try RegexCache.shared.regex(pattern), text)
        } catch {
            return .error(illegal + error.description)
        }
    }
}
