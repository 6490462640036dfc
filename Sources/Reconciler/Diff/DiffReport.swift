import Kinds
package import Model

/// All differences between two states, ready to be shown.
package struct DiffReport: Sendable {
    /// Only objects that differ, in sync order.
    package var differences: [ObjectDifference]
    package var unchangedCount: Int

    package init(_ all: [ObjectDifference], unchanged: Int = 0) {
        differences = all.filter(\.exists)
        unchangedCount = unchanged + all.count - differences.count
    }

    package var isEmpty: Bool { differences.isEmpty }

    private func count(_ change: ObjectDifference.Change) -> Int { differences.count { $0.change == change } }

    /// `1 to create, 2 to change, 0 to delete, 12 unchanged`
    package var headline: String {
        "\(count(.created)) to create, \(count(.modified)) to change, \(count(.deleted)) to delete, "
            + "\(unchangedCount) unchanged"
    }

    /// Unified diffs of YAML.
    ///
    /// - Parameter colors: wraps lines in ANSI colours.
    package func unified(colors: Bool) -> String {
        differences.map { difference in
            let name = difference.key.description
            let old = difference.old == nil ? "/dev/null" : name
            let new =
                difference.new == nil ? "/dev/null" : name + (difference.origin.isEmpty ? "" : "  \(difference.origin)")
            let text = difference.text.text(from: old, to: new)
            return colors ? Self.colored(text) : text
        }.joined()
    }

    private static func colored(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.hasPrefix("+++") || line.hasPrefix("---") { return "\u{1B}[1m\(line)\u{1B}[0m" }
            if line.hasPrefix("@@") { return "\u{1B}[36m\(line)\u{1B}[0m" }
            if line.hasPrefix("+") { return "\u{1B}[32m\(line)\u{1B}[0m" }
            if line.hasPrefix("-") { return "\u{1B}[31m\(line)\u{1B}[0m" }
            return String(line)
        }.joined(separator: "\n")
    }

    /// One line an object.
    package var summary: String {
        let lines = differences.map { difference in
            let diff = difference.text
            let sign: String
            switch difference.change {
            case .created: sign = "+"
            case .modified: sign = "~"
            case .deleted: sign = "-"
            }
            return "\(sign) \(difference.key) (+\(diff.addedCount) -\(diff.removedCount))"
        }
        return (lines + [headline]).joined(separator: "\n")
    }

    package var json: JSON {
        [
            "differences": .array(
                differences.map { difference in
                    var entry: JSON = [
                        "group": .string(difference.key.kind.group), "kind": .string(difference.key.kind.kind),
                        "namespace": .string(difference.key.namespace), "name": .string(difference.key.name),
                        "change": .string(difference.change.rawValue), "origin": .string(difference.origin),
                    ]
                    entry["fields"] = .array(Self.fields(difference))
                    entry["old"] = difference.old
                    entry["new"] = difference.new
                    return entry
                }),
            "unchanged": .int(Int64(unchangedCount)),
        ]
    }

    private static func fields(_ difference: ObjectDifference) -> [JSON] {
        guard let old = difference.old, let new = difference.new else { return [] }
        let schema = Catalog.builtIn.schema(for: difference.key.kind)
        return TreeDiff.changes(from: old, to: new, schema: schema).map { change in
            var field: JSON = ["path": .string(change.path.description)]
            field["old"] = change.old
            field["new"] = change.new
            return field
        }
    }

    /// For a pull request: a table of what changes, then the diffs, folded; about `limit` bytes of them.
    package func markdown(limit: Int = 60_000) -> String {
        if isEmpty { return "**Martlet diff**: no differences (\(unchangedCount) objects).\n" }
        var text = "**Martlet diff**: \(headline)\n\n| | object | file |\n|---|---|---|\n"
        var listed = 0
        for difference in differences {
            let origin = Self.escaped(difference.origin)
            let row = "| \(difference.change.rawValue) | `\(difference.key)` | \(origin) |\n"
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

    /// A file's name as text in a cell of a table, whatever it is made of.
    private static func escaped(_ text: String) -> String {
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
