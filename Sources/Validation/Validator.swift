package import GitSource
import Model
import Rendering

/// Asks all rules about a repository.
package struct Validator: Sendable {
    private let configuration: ValidationConfiguration

    package init(_ configuration: ValidationConfiguration = ValidationConfiguration()) {
        self.configuration = configuration
    }

    /// What is wrong, in the order of files and places.
    ///
    /// - Complexity: linear in the number of objects; only files with findings are read a second time, for the places.
    package func findings(_ subject: ValidationSubject) -> [Finding] {
        var sources = SourceFiles(subject.tree)
        var findings: [Finding] = []
        for rule in Rule.all {
            guard let severity = configuration.severity(of: rule) else { continue }
            for hit in rule.check(subject) where isWanted(hit, rule) {
                findings.append(Self.located(hit, rule, severity, &sources))
            }
        }
        return Self.withoutRepeats(findings.sorted(by: Self.precedes))
    }

    /// What stands in a base is found once for each directory that builds on it, of objects of other names at most.
    private static func withoutRepeats(_ findings: [Finding]) -> [Finding] {
        findings.enumerated().filter { position, finding in
            guard position > 0, finding.mark != nil else { return true }
            let before = findings[position - 1]
            return (finding.file, finding.mark, finding.rule, finding.message)
                != (before.file, before.mark, before.rule, before.message)
        }.map(\.element)
    }

    private func isWanted(_ hit: Hit, _ rule: Rule) -> Bool {
        switch hit.place {
        // What is hidden belongs to other tools.
        case .file(let file, _):
            !configuration.ignores(file) && !file.split(separator: "/").contains { $0.hasPrefix(".") }
        case .field(_, let object):
            !configuration.ignores(object.source.file) && !object.ignoredRules.contains(rule.name)
        }
    }

    private static func located(
        _ hit: Hit, _ rule: Rule, _ severity: Severity, _ sources: inout SourceFiles
    ) -> Finding {
        switch hit.place {
        case .file(let file, let mark):
            return Finding(
                rule: rule.name, severity: severity, file: file, mark: mark, object: "", field: "",
                message: hit.message)
        case .field(let field, let object):
            let source = object.source
            let steps = source.item + PathStep.steps(ofField: field)
            let mark = sources.document(source.document, of: source.file, source.blob).map {
                $0.keyMark(of: steps) ?? $0.nearestMark(of: steps)
            }
            return Finding(
                rule: rule.name, severity: severity, file: source.file, mark: mark ?? source.mark,
                object: object.key.description, field: field, message: hit.message,
                fix: hit.fix.map { LocatedFix(document: source.document, item: source.item, fix: $0) })
        }
    }

    private static func precedes(_ left: Finding, _ right: Finding) -> Bool {
        let start = Mark(line: 0, column: 0)
        return (left.file, left.mark ?? start, left.rule, left.message)
            < (right.file, right.mark ?? start, right.rule, right.message)
    }
}

/// The files in which something was found, each read once.
package struct SourceFiles {
    private struct File {
        var text: [UInt8]
        var lines: LineStarts
        var documents: [YAMLDocument]
    }

    private let tree: any FileTree
    private var files: [String: File] = [:]

    package init(_ tree: any FileTree) {
        self.tree = tree
    }

    mutating func document(_ number: Int, of path: String, _ blob: ObjectID) -> YAMLDocument? {
        let documents = file(path, blob).documents
        return documents.indices.contains(number) ? documents[number] : nil
    }

    /// A line of a file, as it is written; `nil` where there is none.
    package mutating func line(_ number: Int, of path: String) -> String? {
        let file = file(path, nil)
        return file.lines.line(number, of: file.text)
    }

    private mutating func file(_ path: String, _ blob: ObjectID?) -> File {
        if let known = files[path] { return known }
        var file = File(text: [], lines: LineStarts([]), documents: [])
        do {
            if let entry = try blob.map({ FileEntry(path: path, blob: $0) }) ?? entry(path) {
                file.text = try tree.content(of: entry)
                file.lines = LineStarts(file.text)
                file.documents = try YAML.documents(file.text, file: path)
            }
        } catch {
            // What cannot be read, or is no YAML, has the places that its findings have already.
        }
        files[path] = file
        return file
    }

    private func entry(_ path: String) throws(GitError) -> FileEntry? {
        try tree.files(under: path, recursive: false).files.first { $0.path == path }
    }
}
