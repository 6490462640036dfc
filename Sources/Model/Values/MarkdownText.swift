/// Text that is put into Markdown.
package enum MarkdownText {
    /// Text as text, whatever it is made of, also in a cell of a table.
    package static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\n", "\r", "\r\n": escaped += " "
            case "<": escaped += "&lt;"
            case "&": escaped += "&amp;"
            case _ where "\\`*_[]|~#".contains(character): escaped += "\\\(character)"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
