import ArgumentParser
import Foundation
import Testing

@testable import martlet

@Suite("Documentation")
struct DocumentationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let pages: [String] = {
        do {
            let guides = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs/guides").path)
            return ["README.md"] + guides.sorted().map { "docs/guides/\($0)" }
        } catch {
            return []
        }
    }()

    /// What follows `$ martlet` or `martlet` on a line of a code block, without its comment and what it is piped to.
    private static func commands(_ page: String) throws -> [String] {
        let text = try String(contentsOf: root.appending(path: page), encoding: .utf8)
        var isCode = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line -> String? in
            if line.hasPrefix("```") { isCode.toggle() }
            guard isCode, let start = line.firstRange(of: "martlet ")?.upperBound else { return nil }
            let before = line[..<start].dropLast("martlet ".count)
            guard ["$ ", "", "  ", "exec ", "- run: ", "      - run: ", "    - "].contains(String(before)) else {
                return nil
            }
            // A table that the program prints has more than one space.
            guard line[start...].first != " " else { return nil }
            let filled = line[start...].replacing(/\${{.*?}}/, with: "value")
            return String(filled.prefix { !"#|>&".contains($0) })
        }
    }

    @Test("every command that the documentation shows is one that the program understands", arguments: Self.pages)
    func understandsCommands(page: String) throws {
        let commands = try Self.commands(page)
        #expect(!commands.isEmpty)
        for command in commands {
            let words = command.split(separator: " ").map { $0.trimmingCharacters(in: ["\"", "'"]) }
            #expect(throws: Never.self, "martlet \(command)") { try Martlet.parseAsRoot(words) }
        }
    }
}
