import Kinds
package import Model

/// All differences between two states, ready to be shown.
package struct DiffReport: Sendable {
    /// Only objects that differ, in sync order.
    package var differences: [ObjectDifference]
    /// `nil` where only what changed was looked at.
    package var unchangedCount: Int?

    package init(_ all: [ObjectDifference], unchanged: Int? = 0) {
        let existing = all.filter(\.exists)
        unchangedCount = unchanged.map { $0 + all.count - existing.count }
        differences = Renames.paired(existing)
    }

    package var isEmpty: Bool { differences.isEmpty }

    private func count(_ change: ObjectDifference.Change) -> Int { differences.count { $0.change == change } }

    /// `1 to create, 2 to change, 0 to delete, 12 unchanged`
    package var headline: String {
        var parts = [
            "\(count(.created)) to create", "\(count(.modified)) to change", "\(count(.deleted)) to delete",
        ]
        if count(.renamed) > 0 { parts.append("\(count(.renamed)) renamed") }
        if let unchangedCount { parts.append("\(unchangedCount) unchanged") }
        return parts.joined(separator: ", ")
    }

    /// Unified diffs of YAML.
    ///
    /// - Parameter colors: wraps lines in ANSI colours.
    package func unified(colors: Bool) -> String {
        differences.map { difference in
            let name = difference.key.description
            let old = difference.old == nil ? "/dev/null" : (difference.previousKey ?? difference.key).description
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
            case .renamed:
                let before = difference.previousKey.map { "\($0) → " } ?? ""
                return "> \(before)\(difference.key) (+\(diff.addedCount) -\(diff.removedCount))"
            }
            return "\(sign) \(difference.key) (+\(diff.addedCount) -\(diff.removedCount))"
        }
        return (lines + [headline]).joined(separator: "\n")
    }

    package var json: JSON {
        var json: JSON = [
            "differences": .array(
                differences.map { difference in
                    var entry: JSON = [
                        "group": .string(difference.key.kind.group), "kind": .string(difference.key.kind.kind),
                        "namespace": .string(difference.key.namespace), "name": .string(difference.key.name),
                        "change": .string(difference.change.rawValue), "origin": .string(difference.origin),
                    ]
                    if let before = difference.previousKey {
                        entry["previous"] = ["namespace": .string(before.namespace), "name": .string(before.name)]
                    }
                    entry["fields"] = .array(Self.fields(difference))
                    entry["old"] = difference.old
                    entry["new"] = difference.new
                    return entry
                })
        ]
        if let unchangedCount { json["unchanged"] = .int(Int64(unchangedCount)) }
        return json
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
}
