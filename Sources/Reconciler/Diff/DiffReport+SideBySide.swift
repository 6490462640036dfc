import Model

extension DiffReport {
    /// Old and new beside each other, with `<`, `>` and `|` for lines that go, come and change.
    ///
    /// - Parameter width: of both together, in columns; what does not fit is cut with an ellipsis.
    package func sideBySide(width: Int, colors: Bool) -> String {
        let column = max(20, (width - 3) / 2)
        return differences.map { difference in
            let old = difference.old == nil ? "" : (difference.previousKey ?? difference.key).description
            let new = difference.new == nil ? "" : difference.key.description + " " + difference.origin
            let title = Self.row(old, "=", new, column)
            let hunks = difference.text.hunks.map { hunk in
                Self.rows(hunk.lines, column).map { row in colors ? Self.colored(row.text, row.mark) : row.text }
                    .joined(separator: "\n")
            }
            let rule = String(repeating: "·", count: column) + "···" + String(repeating: "·", count: column)
            return (colors ? "\u{1B}[1m\(title)\u{1B}[0m" : title) + "\n" + hunks.joined(separator: "\n\(rule)\n")
                + "\n"
        }.joined(separator: "\n")
    }

    /// Lines that go stand beside those that come in their place.
    private static func rows(_ lines: [TextDiff.Line], _ column: Int) -> [(text: String, mark: Character)] {
        var rows: [(text: String, mark: Character)] = []
        var removed: [String] = []
        var added: [String] = []
        func flush() {
            for position in 0..<max(removed.count, added.count) {
                let left = position < removed.count ? removed[position] : nil
                let right = position < added.count ? added[position] : nil
                let mark: Character = left == nil ? ">" : right == nil ? "<" : "|"
                rows.append((row(left ?? "", mark, right ?? "", column), mark))
            }
            (removed, added) = ([], [])
        }
        for line in lines {
            switch line.kind {
            case .removed: removed.append(line.text)
            case .added: added.append(line.text)
            case .context:
                flush()
                rows.append((row(line.text, " ", line.text, column), " "))
            }
        }
        flush()
        return rows
    }

    private static func row(_ left: String, _ mark: Character, _ right: String, _ column: Int) -> String {
        let text = fitted(left, column) + " \(mark) " + fitted(right, column)
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    private static func fitted(_ text: String, _ column: Int) -> String {
        text.count > column
            ? text.prefix(column - 1) + "…" : text + String(repeating: " ", count: column - text.count)
    }

    private static func colored(_ text: String, _ mark: Character) -> String {
        switch mark {
        case "<": "\u{1B}[31m\(text)\u{1B}[0m"
        case ">": "\u{1B}[32m\(text)\u{1B}[0m"
        case "|": "\u{1B}[33m\(text)\u{1B}[0m"
        default: text
        }
    }
}
