/// Why an expression was refused, or why its evaluation ended without a value.
///
/// The texts are those of cel-go, which Kubernetes shows its users: a refusal names line and column and shows the line.
package struct CELError: Error, Hashable, CustomStringConvertible {
    /// When the fault showed itself.
    package enum Stage: Hashable, Sendable {
        /// The text is no expression.
        case syntax
        /// The expression does not fit the declared variables.
        case types
        /// The expression met a value that it cannot handle: no such key, division by zero …
        case evaluation
        /// Evaluation cost more than was allowed.
        case cost
    }

    /// One fault with its place.
    package struct Issue: Hashable, Sendable {
        /// Counted from 1.
        package var line: Int
        /// Counted from 1, in Unicode scalars.
        package var column: Int
        package var message: String
    }

    package var stage: Stage
    package var issues: [Issue]
    /// The whole text: of a refusal every issue with the line it is in, of a failed evaluation only its message.
    package var description: String

    init(refusing source: Source, _ stage: Stage, _ issues: [Issue]) {
        self.stage = stage
        self.issues = issues
        description = issues.map { source.display($0) }.joined(separator: "\n")
    }

    init(_ stage: Stage, _ message: String, at issue: Issue) {
        self.stage = stage
        issues = [issue]
        description = message
    }

    /// Whether what was left for all expressions is spent: no other one need be tried.
    package var isOutOfBudget: Bool { stage == .cost && description == CELCost.outOfBudget }

    /// What Kubernetes says where an expression costs more than its limit.
    static let costExceeded = "operation cancelled: actual cost limit exceeded"
}

/// The text of an expression, by Unicode scalars.
struct Source: Sendable {
    let scalars: [Unicode.Scalar]
    private let lineStarts: [Int]

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        var starts = [0]
        for (offset, scalar) in scalars.enumerated() where scalar == "\n" { starts.append(offset + 1) }
        lineStarts = starts
    }

    /// The issue with the line and column that the offset stands for.
    func issue(at offset: Int, _ message: String) -> CELError.Issue {
        let line = lineStarts.lastIndex { $0 <= offset } ?? 0
        return CELError.Issue(line: line + 1, column: offset - lineStarts[line] + 1, message: message)
    }

    /// The issue, its line, and a mark under its column.
    func display(_ issue: CELError.Issue) -> String {
        var text = "ERROR: <input>:\(issue.line):\(issue.column): \(issue.message)"
        let start = lineStarts[issue.line - 1]
        let line = scalars[start...].prefix { $0 != "\n" }
        guard line.count <= 16384 else { return text }
        text += "\n | "
        for scalar in line { text.unicodeScalars.append(scalar == "\t" ? " " : scalar) }
        text += "\n | "
        for offset in 0..<(issue.column - 1) where offset < line.count {
            text += line[start + offset].isASCII ? "." : "\u{ff0e}"
        }
        let marked = line.dropFirst(issue.column - 1).first
        return text + (marked?.isASCII ?? true ? "^" : "\u{ff3e}")
    }
}
