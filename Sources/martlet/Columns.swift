/// Text in columns, each as wide as its widest cell.
enum Columns {
    /// - Parameter width: breaks the last column where lines would be longer.
    static func text(_ header: [String], _ rows: [[String]], width: Int? = nil) -> String {
        var widths = [Int](repeating: 0, count: header.count)
        return text(header, rows, &widths, width: width)
    }

    /// - Parameter widths: what earlier lines took; columns never become narrower, so that what follows stays aligned.
    static func text(
        _ header: [String]?, _ rows: [[String]], _ widths: inout [Int], width: Int? = nil
    ) -> String {
        let lines = (header.map { [$0] } ?? []) + rows
        for line in lines {
            for (column, cell) in line.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        let indent = widths.dropLast().reduce(0) { $0 + $1 + 3 }
        return lines.map { line in
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            let text = cells.joined(separator: "   ")
            let trimmed = String(text.reversed().drop { $0 == " " }.reversed())
            return TextWidth.wrap(trimmed, indent: indent, to: width)
        }.joined(separator: "\n")
    }
}
