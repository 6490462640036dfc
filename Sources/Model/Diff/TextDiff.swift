/// The differences between two texts, line by line, as `diff -u` shows them.
package struct TextDiff: Hashable, Sendable {
    package struct Line: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case context, removed, added
        }

        package var kind: Kind
        /// Without its line break.
        package var text: String
        /// Only the last line of a text may have none.
        package var hasLineBreak: Bool
        /// Counted from 1; `nil` where that text has no such line.
        package var oldNumber: Int?
        package var newNumber: Int?
    }

    /// A run of changes with the lines around it.
    package struct Hunk: Hashable, Sendable {
        package var oldStart: Int
        package var oldCount: Int
        package var newStart: Int
        package var newCount: Int
        package var lines: [Line]

        /// `@@ -1,3 +1,4 @@`
        package var header: String {
            "@@ -\(Self.range(oldStart, oldCount)) +\(Self.range(newStart, newCount)) @@"
        }

        private static func range(_ start: Int, _ count: Int) -> String {
            // Where a side has no lines, the line before is named.
            count == 1 ? "\(start)" : "\(count == 0 ? start - 1 : start),\(count)"
        }
    }

    package var hunks: [Hunk]

    package var isEmpty: Bool { hunks.isEmpty }
    package var addedCount: Int { count(of: .added) }
    package var removedCount: Int { count(of: .removed) }

    private func count(of kind: Line.Kind) -> Int {
        hunks.reduce(0) { $0 + $1.lines.count { $0.kind == kind } }
    }

    /// Compares two texts (Myers' algorithm in linear space).
    ///
    /// - Parameter context: how many unchanged lines stand around a change.
    /// - Complexity: O(N·D) for N lines of which D differ; where D is very large the result is no longer the shortest.
    package init(from old: String, to new: String, context: Int = 3) {
        let oldLines = Self.lines(of: old)
        let newLines = Self.lines(of: new)
        hunks = Self.hunks(Self.script(oldLines, newLines), context: max(0, context))
    }

    /// The text of a unified diff; empty when there is no difference.
    package func text(from oldLabel: String, to newLabel: String) -> String {
        guard !isEmpty else { return "" }
        var text = "--- \(oldLabel)\n+++ \(newLabel)\n"
        for hunk in hunks {
            text += hunk.header + "\n"
            for line in hunk.lines {
                switch line.kind {
                case .context: text += " "
                case .removed: text += "-"
                case .added: text += "+"
                }
                text += line.text + "\n"
                if !line.hasLineBreak { text += "\\ No newline at end of file\n" }
            }
        }
        return text
    }

    private struct SourceLine: Hashable {
        var text: UTF8Key
        var hasLineBreak: Bool
    }

    private static func lines(of text: String) -> [SourceLine] {
        var lines: [SourceLine] = []
        var start = text.startIndex
        while start < text.endIndex {
            // By bytes: a Swift character may be a carriage return and a line feed at once.
            let end = text.utf8[start...].firstIndex(of: UInt8(ascii: "\n"))
            let line = UTF8Key(String(text[start..<(end ?? text.endIndex)]))
            lines.append(SourceLine(text: line, hasLineBreak: end != nil))
            start = end.map { text.utf8.index(after: $0) } ?? text.endIndex
        }
        return lines
    }

    /// Every line of both texts, in the order of a unified diff.
    private static func script(_ old: [SourceLine], _ new: [SourceLine]) -> [Line] {
        var ids: [SourceLine: Int] = [:]
        func id(of line: SourceLine) -> Int {
            if let id = ids[line] { return id }
            ids[line] = ids.count
            return ids.count - 1
        }
        var comparison = LineComparison(old: old.map(id), new: new.map(id))
        comparison.run()
        var script: [Line] = []
        var oldIndex = 0
        var newIndex = 0
        func line(_ kind: Line.Kind, _ source: SourceLine, _ oldNumber: Int?, _ newNumber: Int?) -> Line {
            Line(
                kind: kind, text: source.text.text, hasLineBreak: source.hasLineBreak, oldNumber: oldNumber,
                newNumber: newNumber)
        }
        while oldIndex < old.count || newIndex < new.count {
            if oldIndex < old.count, comparison.isRemoved[oldIndex] {
                script.append(line(.removed, old[oldIndex], oldIndex + 1, nil))
                oldIndex += 1
            } else if newIndex < new.count, comparison.isAdded[newIndex] {
                script.append(line(.added, new[newIndex], nil, newIndex + 1))
                newIndex += 1
            } else {
                script.append(line(.context, new[newIndex], oldIndex + 1, newIndex + 1))
                oldIndex += 1
                newIndex += 1
            }
        }
        return script
    }

    private static func hunks(_ script: [Line], context: Int) -> [Hunk] {
        var hunks: [Hunk] = []
        var range: Range<Int>?
        for (position, line) in script.enumerated() where line.kind != .context {
            let start = max(0, position - context)
            let end = min(script.count, position + 1 + context)
            if let current = range, start <= current.upperBound {
                range = current.lowerBound..<end
            } else {
                if let range { hunks.append(hunk(script, range)) }
                range = start..<end
            }
        }
        if let range { hunks.append(hunk(script, range)) }
        return hunks
    }

    private static func hunk(_ script: [Line], _ range: Range<Int>) -> Hunk {
        let lines = Array(script[range])
        let before = script[..<range.lowerBound]
        return Hunk(
            oldStart: before.count { $0.oldNumber != nil } + 1,
            oldCount: lines.count { $0.oldNumber != nil },
            newStart: before.count { $0.newNumber != nil } + 1,
            newCount: lines.count { $0.newNumber != nil },
            lines: lines)
    }
}

/// Which lines of two lists have no partner in the other (E. Myers, *An O(ND) Difference Algorithm*, §4b).
private struct LineComparison {
    private let old: [Int]
    private let new: [Int]
    private(set) var isRemoved: [Bool]
    private(set) var isAdded: [Bool]
    /// The furthest `x` reached on each diagonal, from the front and from the back.
    private var forward: [Int]
    private var backward: [Int]
    private let offset: Int

    /// The number of rounds after which a good split is taken instead of the best one.
    private static let roundLimit = 2048

    init(old: [Int], new: [Int]) {
        self.old = old
        self.new = new
        isRemoved = Array(repeating: false, count: old.count)
        isAdded = Array(repeating: false, count: new.count)
        forward = Array(repeating: 0, count: old.count + new.count + 3)
        backward = forward
        offset = new.count + 1
    }

    mutating func run() {
        compare(0..<old.count, 0..<new.count)
    }

    private mutating func compare(_ oldRange: Range<Int>, _ newRange: Range<Int>) {
        var (oldStart, oldEnd) = (oldRange.lowerBound, oldRange.upperBound)
        var (newStart, newEnd) = (newRange.lowerBound, newRange.upperBound)
        while oldStart < oldEnd, newStart < newEnd, old[oldStart] == new[newStart] {
            oldStart += 1
            newStart += 1
        }
        while oldStart < oldEnd, newStart < newEnd, old[oldEnd - 1] == new[newEnd - 1] {
            oldEnd -= 1
            newEnd -= 1
        }
        if oldStart == oldEnd {
            for index in newStart..<newEnd { isAdded[index] = true }
        } else if newStart == newEnd {
            for index in oldStart..<oldEnd { isRemoved[index] = true }
        } else {
            let (x, y) = split(oldStart..<oldEnd, newStart..<newEnd)
            compare(oldStart..<x, newStart..<y)
            compare(x..<oldEnd, y..<newEnd)
        }
    }

    /// A point on a shortest way through both ranges, found by walking from both ends until the ways meet.
    private mutating func split(_ a: Range<Int>, _ b: Range<Int>) -> (x: Int, y: Int) {
        let lowest = a.lowerBound - b.upperBound
        let highest = a.upperBound - b.lowerBound
        let front = a.lowerBound - b.lowerBound
        let back = a.upperBound - b.upperBound
        let isOdd = (front - back) & 1 != 0
        forward[offset + front] = a.lowerBound
        backward[offset + back] = a.upperBound
        var frontRange = front...front
        var backRange = back...back
        for round in 1... {
            frontRange = widened(frontRange, lowest, highest, sentinel: -1, isForward: true)
            for diagonal in stride(from: frontRange.upperBound, through: frontRange.lowerBound, by: -2) {
                let below = forward[offset + diagonal - 1]
                let above = forward[offset + diagonal + 1]
                var x = below < above ? above : below + 1
                while x < a.upperBound, x - diagonal < b.upperBound, old[x] == new[x - diagonal] { x += 1 }
                forward[offset + diagonal] = x
                if isOdd, backRange.contains(diagonal), backward[offset + diagonal] <= x { return (x, x - diagonal) }
            }
            backRange = widened(backRange, lowest, highest, sentinel: .max, isForward: false)
            for diagonal in stride(from: backRange.upperBound, through: backRange.lowerBound, by: -2) {
                let below = backward[offset + diagonal - 1]
                let above = backward[offset + diagonal + 1]
                var x = below < above ? below : above - 1
                while x > a.lowerBound, x - diagonal > b.lowerBound, old[x - 1] == new[x - diagonal - 1] { x -= 1 }
                backward[offset + diagonal] = x
                if !isOdd, frontRange.contains(diagonal), x <= forward[offset + diagonal] { return (x, x - diagonal) }
            }
            if round >= Self.roundLimit { return furthest(frontRange, a, b) }
        }
        return (a.upperBound, b.upperBound)
    }

    private mutating func widened(
        _ range: ClosedRange<Int>, _ lowest: Int, _ highest: Int, sentinel: Int, isForward: Bool
    ) -> ClosedRange<Int> {
        let low = range.lowerBound > lowest ? range.lowerBound - 1 : range.lowerBound + 1
        let high = range.upperBound < highest ? range.upperBound + 1 : range.upperBound - 1
        if range.lowerBound > lowest { setSentinel(low - 1, sentinel, isForward) }
        if range.upperBound < highest { setSentinel(high + 1, sentinel, isForward) }
        return low...high
    }

    private mutating func setSentinel(_ diagonal: Int, _ sentinel: Int, _ isForward: Bool) {
        if isForward { forward[offset + diagonal] = sentinel } else { backward[offset + diagonal] = sentinel }
    }

    private func furthest(_ range: ClosedRange<Int>, _ a: Range<Int>, _ b: Range<Int>) -> (x: Int, y: Int) {
        var best = (x: a.lowerBound, y: b.lowerBound)
        for diagonal in stride(from: range.upperBound, through: range.lowerBound, by: -2) {
            var x = min(forward[offset + diagonal], a.upperBound)
            var y = x - diagonal
            if y > b.upperBound {
                x = b.upperBound + diagonal
                y = b.upperBound
            }
            if x + y > best.x + best.y { best = (x, y) }
        }
        return best
    }
}
