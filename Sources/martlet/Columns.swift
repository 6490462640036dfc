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
    fputs(text + "\n", stderr)
}
