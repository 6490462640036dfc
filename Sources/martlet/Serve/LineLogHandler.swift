import Cluster
import Glibc
import Logging
import Model

/// Log lines on standard error: for people, or as JSON for programs.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    let label: String
    let isJSON: Bool

    init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        self.isJSON = isJSON
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let time = SystemClock().now.text(fractionDigits: 3)
        var all = metadata
        for (key, value) in event.metadata ?? [:] { all[key] = value }
        let fields = all.sorted { $0.key < $1.key }
        var line: String
        if isJSON {
            var entry: JSON = [
                "time": .string(time), "level": .string(event.level.rawValue), "logger": .string(label),
                "message": .string("\(event.message)"),
            ]
            for (key, value) in fields { entry[key] = .string("\(value)") }
            line = entry.text()
        } else {
            line = "\(time) \(event.level.rawValue.uppercased()) \(event.message)"
            for (key, value) in fields { line += " \(key)=\(value)" }
        }
        line = line.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: "\\n")
        writeAll(line + "\n", to: STDERR_FILENO)
    }
}
