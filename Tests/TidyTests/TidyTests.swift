import FoundationEssentials
import Testing

/// The house rules, as tests: what a reviewer would otherwise have to notice.
@Suite("Tidy")
struct TidyTests {
    struct SourceFile: Sendable, CustomTestStringConvertible {
        var path: String
        var lines: [Substring]
        var testDescription: String { path }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static func files(under folder: String, suffix: String) -> [SourceFile] {
        guard let paths = try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)") else { return [] }
        return paths.filter { $0.hasSuffix(suffix) }.sorted().compactMap { path in
            guard let data = FileManager.default.contents(atPath: "\(root)/\(folder)/\(path)") else { return nil }
            let text = String(decoding: data, as: UTF8.self)
            return SourceFile(
                path: "\(folder)/\(path)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    static let sources = files(under: "Sources", suffix: ".swift").filter { !$0.path.contains("/Generated/") }

    @Test("the sources are found")
    func findsSources() {
        #expect(Self.sources.count > 100)
    }

    @Test("no source file is longer than 400 lines")
    func shortFiles() {
        for file in Self.sources where file.lines.count > 401 {
            Issue.record("\(file.path) has \(file.lines.count - 1) lines")
        }
    }

    @Test("no line is longer than 120 characters")
    func shortLines() {
        for file in Self.sources {
            for (index, line) in file.lines.enumerated() where line.count > 120 && !line.contains("\"") {
                Issue.record("\(file.path):\(index + 1) has \(line.count) characters")
            }
        }
    }

    @Test("no function is longer than 70 lines")
    func shortFunctions() {
        for file in Self.sources {
            for (start, length) in Self.functions(in: file) where length > 70 {
                Issue.record("\(file.path):\(start + 1) has a function of \(length) lines")
            }
        }
    }

    /// Functions by their first line and length: from a line that declares one to the brace at the same indentation.
    static func functions(in file: SourceFile) -> [(start: Int, length: Int)] {
        var found: [(Int, Int)] = []
        for (start, line) in file.lines.enumerated() {
            let words = line.split(separator: " ")
            guard words.contains(where: { $0 == "func" || $0.hasPrefix("init(") }), !line.contains("//"),
                !line.hasSuffix("}")
            else {
                continue
            }
            let indentation = line.prefix { $0 == " " }
            guard let end = file.lines[start...].firstIndex(where: { $0 == indentation + "}" }) else { continue }
            // A declaration without a body ends before the next one begins.
            let next = file.lines[(start + 1)...].firstIndex { $0.hasPrefix(indentation + "func ") } ?? end
            if next >= end { found.append((start, end - start + 1)) }
        }
        return found
    }

    /// What escapes simulation or hides an error needs a comment that says why, on its line or just above.
    static let explained = [
        "Task {", "Task.detached", "try?", "Task.sleep", "@unchecked Sendable", "nonisolated(unsafe)",
    ]

    @Test("what escapes simulation or swallows an error is explained", arguments: Self.explained)
    func isExplained(pattern: String) {
        for file in Self.sources {
            for (index, line) in file.lines.enumerated() where Self.uses(pattern, line) {
                let isExplained =
                    line.contains("//") || file.lines[max(0, index - 3)..<index].contains { $0.contains("//") }
                if !isExplained {
                    Issue.record("\(file.path):\(index + 1) uses \(pattern) without a comment that says why")
                }
            }
        }
    }

    @Test("what waits for the clock in the engine says why, where it waits")
    func waitsAreExplained() {
        for file in Self.sources where file.path.contains("/Engine/") || file.path.contains("/Cluster/") {
            for (index, line) in file.lines.enumerated() where Self.code(line).contains("clock.sleep(") {
                if !file.lines[max(0, index - 1)...index].contains(where: { $0.contains("//") }) {
                    Issue.record("\(file.path):\(index + 1) sleeps without a comment that says why")
                }
            }
        }
    }

    /// Whether the pattern stands in the line's code as a word of its own: `addTask {` is no `Task {`.
    static func uses(_ pattern: String, _ line: Substring) -> Bool {
        " \(code(line))".split(separator: pattern, omittingEmptySubsequences: false).dropLast()
            .contains { $0.last?.isLetter != true }
    }

    @Test("nothing reads the wall clock but SystemClock, and nothing imports all of Foundation")
    func isForbidden() {
        for file in Self.sources {
            for (index, line) in file.lines.enumerated() {
                let code = Self.code(line)
                for pattern in ["Date()", "Date.now", "import Foundation\n", "Thread.sleep", "DispatchQueue"]
                where (code + "\n").contains(pattern) {
                    Issue.record("\(file.path):\(index + 1) uses \(pattern)")
                }
            }
        }
    }

    @Test("no file or type is a Utils, Helpers or Manager")
    func names() {
        for file in Self.sources {
            for word in ["Util", "Helper", "Manager"] where file.path.split(separator: "/").last?.contains(word) == true
            {
                Issue.record("\(file.path) has a name that says nothing")
            }
        }
    }

    @Test("unfinished marks do not land", arguments: ["TODO", "FIXME", "XXX", "HACK"])
    func unfinished(mark: String) {
        for file in Self.sources {
            for (index, line) in file.lines.enumerated() where line.contains(mark) {
                Issue.record("\(file.path):\(index + 1) says \(mark)")
            }
        }
    }

    /// The arrows of docs/ARCHITECTURE.md: what each target may import of this package.
    static let arrows: [String: Set<String>] = [
        "Model": ["CLibyaml"], "CEL": ["Model"], "Kinds": ["Model", "CEL", "Assets"], "Cluster": ["Model", "Kinds"],
        "Store": ["Model", "CSQLite"],
        "Engine": ["Model", "CEL", "Kinds", "Cluster", "Store", "CSupervisor"],
        "KubernetesClient": ["Model", "Kinds", "Cluster"], "GitSource": ["CLibgit2"],
        "Rendering": ["Model", "Kinds", "GitSource"],
        "Validation": ["Model", "Kinds", "GitSource", "Rendering"],
        "Reconciler": ["Model", "Kinds", "Cluster", "GitSource", "Rendering"], "Server": ["Model", "Kinds", "Cluster"],
        "SimulationKit": ["Model", "Kinds", "Cluster", "Store", "Engine"],
        "Rehearsal": ["Model", "Kinds", "Cluster", "Store", "Engine", "Reconciler", "SimulationKit"],
    ]

    @Test("arrows point down only", arguments: Self.arrows.keys.sorted())
    func pointsDown(target: String) {
        let own = Set(Self.arrows.keys).union(["CLibyaml", "Assets", "CSQLite", "CLibgit2", "CSupervisor", "martlet"])
        for file in Self.sources where file.path.hasPrefix("Sources/\(target)/") {
            for line in file.lines {
                let words = Self.code(line).split(separator: " ")
                guard words.count >= 2, let index = words.firstIndex(of: "import"), index <= 1, index + 1 < words.count
                else { continue }
                let imported = String(words[index + 1])
                if own.contains(imported), Self.arrows[target]?.contains(imported) != true {
                    Issue.record("\(file.path) imports \(imported)")
                }
            }
        }
    }

    /// The line without its comment and without the contents of string literals.
    static func code(_ line: Substring) -> String {
        var code = ""
        var isQuoted = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" { isQuoted.toggle() }
            if !isQuoted {
                if character == "/", previous == "/" { return String(code.dropLast()) }
                code.append(character)
            }
            previous = character
        }
        return code
    }
}
