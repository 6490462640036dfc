import Model

extension DiffReport {
    /// For a pull request: a table of what changes, then the diffs, folded; about `limit` bytes of them. What goes
    /// comes first, then what changes, then what is new.
    ///
    /// - Parameter links: where the repository's files are shown, such as `https://git.example.com/x/blob/main`.
    package func markdown(limit: Int = 60_000, links: String? = nil) -> String {
        if isEmpty { return "**Martlet diff**: no differences\(unchangedCount.map { " (\($0) objects)" } ?? "").\n" }
        let differences = differences.enumerated().sorted {
            (Self.importance($0.element), $0.offset) < (Self.importance($1.element), $1.offset)
        }.map(\.element)
        var text = "**Martlet diff**: \(headline)\n\n| | object | file |\n|---|---|---|\n"
        var listed = 0
        for difference in differences {
            let name = difference.previousKey.map { "`\($0)` → `\(difference.key)`" } ?? "`\(difference.key)`"
            let row = "| \(difference.change.rawValue) | \(name) | \(Self.place(difference.origin, links)) |\n"
            guard text.utf8.count + row.utf8.count <= limit else { break }
            text += row
            listed += 1
        }
        if listed < differences.count { text += "\n\(differences.count - listed) more objects are not listed.\n" }
        var omitted = 0
        for difference in differences {
            let diff = difference.text.text(from: "live", to: "desired")
            let fence = Self.fence(around: diff)
            let block =
                "\n<details><summary><code>\(difference.key)</code></summary>\n\n"
                + "\(fence)diff\n\(diff)\(fence)\n\n</details>\n"
            if text.utf8.count + block.utf8.count > limit { omitted += 1 } else { text += block }
        }
        if omitted > 0 { text += "\n\(omitted) diffs are too long to be shown here.\n" }
        return text
    }

    private static func importance(_ difference: ObjectDifference) -> Int {
        switch difference.change {
        case .deleted: 0
        case .modified: 1
        case .renamed: 2
        case .created: 3
        }
    }

    /// `file:line`, with a link to it where there is a place for files.
    private static func place(_ origin: String, _ links: String?) -> String {
        guard let links, let colon = origin.lastIndex(of: ":"), let line = Int(origin[origin.index(after: colon)...])
        else {
            return MarkdownText.escaped(origin)
        }
        let base = links.hasSuffix("/") ? String(links.dropLast()) : links
        return "[\(MarkdownText.escaped(origin))](\(base)/\(percentEncoded(origin[..<colon]))#L\(line))"
    }

    /// A path as part of a URL inside parentheses.
    private static func percentEncoded(_ path: Substring) -> String {
        path.utf8.reduce(into: "") { text, byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~/".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            text += isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
        }
    }

    /// More backticks than stand in a row anywhere in the text, so that nothing in it ends the block.
    private static func fence(around text: String) -> String {
        var (longest, run) = (2, 0)
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        return String(repeating: "`", count: longest + 1)
    }
}
