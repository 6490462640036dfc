import Glibc

/// Text in columns, each as wide as its widest cell.
enum Columns {
    static func text(_ header: [String], _ rows: [[String]]) -> String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            let text = cells.joined(separator: "   ")
            return String(text.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// Prints a line to standard error, where remarks do not disturb what a program reads.
func printError(_ text: String) {
    writeAll(text + "\n", to: STDERR_FILENO)
}

/// Writes text as it is and at once, however little.
func writeAll(_ text: String, to descriptor: Int32) {
    // What was printed before comes first.
    fflush(nil)
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        // A reader that is gone needs nothing more.
        if count < 0, errno != EINTR { return }
        rest = rest.dropFirst(max(0, count))
    }
}
