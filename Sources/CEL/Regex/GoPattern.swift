/// Regular expressions as Go reads them (RE2), which patterns in schemas of custom resources are.
package enum GoPattern {
    /// Whether `pattern` is found anywhere in `text`, in time linear in the text; `nil` for a pattern that is none.
    package static func matches(_ pattern: String, _ text: String) -> Bool? {
        // Why it is none was told when the schema was admitted.
        guard let regex = try? RegexCache.shared.regex(pattern) else { return nil }
        return regex.matches(text)
    }
}
