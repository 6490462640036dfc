import Glibc

/// Shows long text on a terminal by the program of the user's choice.
enum Pager {
    /// Prints the text, on a terminal by way of `$MARTLET_PAGER`, `$PAGER` or `less`.
    ///
    /// - Parameter isOff: print it at once.
    static func show(_ text: String, unless isOff: Bool) {
        let environment = Connection.currentEnvironment
        guard !isOff, isLonger(text), environment["TERM"] != "dumb" else { return print(text, terminator: "") }
        let program = environment["MARTLET_PAGER"] ?? environment["PAGER"] ?? "less"
        guard !program.isEmpty, program != "cat" else { return print(text, terminator: "") }
        // As Git has it: colours are kept.
        setenv("LESS", "FRX", 0)
        guard let pipe = popen("command -v \(firstWord(program)) >/dev/null && exec \(program)", "w") else {
            return print(text, terminator: "")
        }
        // Whoever leaves the pager before its end has seen enough.
        signal(SIGPIPE, SIG_IGN)
        writeAll(text, to: pipe)
        // 127 and the like: there is no such program.
        if pclose(pipe) != 0 { print(text, terminator: "") }
    }

    /// Whether the text does not fit on the screen of the terminal, if there is one.
    private static func isLonger(_ text: String) -> Bool {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else {
            return false
        }
        return text.utf8.count { $0 == UInt8(ascii: "\n") } >= Int(size.ws_row)
    }

    private static func firstWord(_ program: String) -> String {
        String(program.split(separator: " ").first ?? "")
    }

    private static func writeAll(_ text: String, to pipe: UnsafeMutablePointer<FILE>) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { _ = fwrite($0.baseAddress, 1, $0.count, pipe) }
        fflush(pipe)
    }
}
