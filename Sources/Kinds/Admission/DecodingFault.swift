/// A difference between an object and the shape of its kind, found before its values are judged.
package struct DecodingFault: Error, Hashable, Sendable {
    package var path: FieldPath
    /// `unknown field "spec.foo"` as Kubernetes says it (C21), or what type a value should have.
    package var message: String
    /// What was probably meant (`did you mean "replicas"?`), for the caller to append where a person reads it.
    package var suggestion: String?
    /// Unknown fields are faults only where validation is strict; they are warnings otherwise (C22). A value of a wrong
    /// type is never accepted.
    package var isStrictOnly: Bool

    package init(path: FieldPath, message: String, suggestion: String? = nil, isStrictOnly: Bool) {
        self.path = path
        self.message = message
        self.suggestion = suggestion
        self.isStrictOnly = isStrictOnly
    }
}

extension DecodingFault: CustomStringConvertible {
    package var description: String { suggestion.map { "\(message); \($0)" } ?? message }
}

/// Finds the name that was probably meant.
package enum Spelling {
    /// The known name nearest to `name`, when it is near enough to be a slip: a different case, or about one wrong
    /// letter in three.
    package static func nearest(to name: String, among known: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8)
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = distance(wanted, Array(candidate.lowercased().utf8))
            if distance <= max(1, wanted.count / 3), distance < best?.distance ?? .max {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let cost = byte == other ? 0 : 1
                var best = min(previous[column + 1] + 1, current[column] + 1, previous[column] + cost)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    best = min(best, beforePrevious[column - 1] + 1)
                }
                current.append(best)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[right.count]
    }
}
