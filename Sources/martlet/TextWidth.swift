import Glibc

/// How wide the text for a person may be, and how longer text is broken.
enum TextWidth {
    /// The columns of the terminal, or what COLUMNS says; `nil` where a program reads, and lines stay whole.
    static var current: Int? {
        if let text = Connection.currentEnvironment["COLUMNS"], let columns = Int(text), columns > 0 { return columns }
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// The least room beside an indentation in which breaking still helps.
    private static let least = 24

    /// Breaks a line between words so that it fits; what follows the first line stands below its column `indent`.
    static func wrap(_ line: String, indent: Int, to width: Int?) -> String {
        guard let width, line.count > width, width - indent >= least else { return line }
        var lines: [String] = []
        var words = line.split(separator: " ", omittingEmptySubsequences: false)[...]
        var current = String(words.popFirst() ?? "")
        for word in words {
            if current.count + 1 + word.count <= width {
                current += " \(word)"
            } else {
                lines.append(current)
                current = String(repeating: " ", count: indent) + word
            }
        }
        lines.append(current)
        return lines.joined(separator: "\n")
    }
}
