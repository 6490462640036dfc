import ArgumentParser
import FoundationEssentials
import GitSource
import Glibc
import Model
import Reconciler
import Rendering
import Validation

struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", _superCommandName: "martlet",
        abstract: "Check all manifests of a repository without a running service.",
        usage: "martlet validate [<options>] [<location>]",
        discussion: """
            Judges every object below the location by its kind (custom ones by the definitions in the repository) and \
            by rules about what goes wrong later: references that lead nowhere, ports that nobody has, removed API \
            versions, rollouts that cannot work. --list-rules shows them. A rule is switched off with --off, for an \
            object by the annotation martlet.dev/ignore-rules, for a repository in .martlet-validate.yaml.

            Exit codes: 0 all is well, 1 something is wrong (from --fail-on up), 2 it could not be checked.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("How findings are shown.", valueName: "format"))
    var output = Format.text
    @Option(help: ArgumentHelp("From which severity on the exit code is 1.", valueName: "severity"))
    var failOn = Severity.error
    @Option(help: ArgumentHelp("Switch a rule off (repeatable).", valueName: "rule"))
    var off: [String] = []
    @Option(help: ArgumentHelp("An earlier revision, to find changes that no rollout follows.", valueName: "rev"))
    var against: String?
    @Flag(help: "Mend what is mechanical in the files, and keep all else in them as it is.")
    var fix = false
    @Flag(help: "Show all rules, and end.")
    var listRules = false
    @Option(help: ArgumentHelp("Colours; auto means on a terminal, unless NO_COLOR is set.", valueName: "when"))
    var color = Diff.ColorChoice.auto

    enum Format: String, ChoiceArgument {
        case text, json, yaml, sarif, junit, github
    }

    func validate() throws {
        for name in off {
            if let fault = ValidationConfiguration.fault(ofRule: name) { throw ValidationError("--off: \(fault)") }
        }
        if fix, manifests.revision != nil {
            throw ValidationError("--fix changes files; it does not go with --revision")
        }
    }

    func run() async throws {
        if listRules { return print(Self.rules(output), terminator: "") }
        let local = try manifests.local()
        var tree = try await tree(local, at: manifests.revision)
        var report = try await report(local, tree)
        if fix {
            guard let local, tree is WorkingTree else {
                throw CommandError("\(manifests.place): there are no files to mend here")
            }
            let count = try mend(report, in: local)
            printError(count == 1 ? "1 fault was mended" : "\(count) faults were mended")
            tree = try local.tree(at: nil)
            report = try await self.report(local, tree)
        }
        show(report, tree)
        if report.fails(at: failOn) { throw ExitCode(1) }
    }

    private func tree(_ local: LocalManifests?, at revision: String?) async throws -> any FileTree {
        if let local { return try local.tree(at: revision) }
        return try await ManifestLoader().tree(of: manifests.place, at: revision ?? "HEAD")
    }

    private func report(_ local: LocalManifests?, _ tree: any FileTree) async throws -> ValidationReport {
        let path = local?.path ?? manifests.path ?? ""
        let rendered = try await render(tree, path)
        guard rendered.contains(where: { $0.count > 0 || !$0.errors.isEmpty }) else {
            throw CommandError("there are no manifests (*.yaml, *.yml, *.json) in \(manifests.place)")
        }
        var earlier: [Manifests] = []
        if let against { earlier = try await render(try await self.tree(local, at: against), path) }
        let place = manifests.place
        let subject = ValidationSubject(rendered, of: tree, earlier: earlier) { url in
            local?.copy?.isClone(of: url) ?? (local == nil && url == place)
        }
        let findings = Validator(try configuration(tree)).findings(subject)
        return ValidationReport(findings: findings, objects: subject.count)
    }

    private func render(_ tree: any FileTree, _ path: String) async throws -> [Manifests] {
        let options = RenderingOptions(
            path: path, recurse: true, namespace: manifests.namespace ?? "default")
        let renderer = Renderer()
        return try await ManifestLoader().fetchingBases { remotes in
            try renderer.renderRepository(tree, options, kinds: .any, remotes: remotes)
        } givingUp: { error in
            // All else is judged without it; that a build is missing is a finding.
            printError("note: \(error)")
        }
    }

    private func configuration(_ tree: any FileTree) throws -> ValidationConfiguration {
        var configuration = ValidationConfiguration()
        let file = try tree.files(under: "", recursive: false).files.first { $0.path == ValidationConfiguration.file }
        if let file { configuration = try ValidationConfiguration(try tree.content(of: file)) }
        for name in off { configuration.severities[name] = .some(nil) }
        return configuration
    }

    private func show(_ report: ValidationReport, _ tree: any FileTree) {
        switch output {
        case .text:
            var sources = SourceFiles(tree)
            print(report.text(colors: color.isOn) { sources.line($0, of: $1) }, terminator: "")
            print(report.summary)
        case .json: print(report.json.text(.indented))
        case .yaml: print(YAML.text(report.json), terminator: "")
        case .sarif: print(report.sarif(version: Version.text).text(.indented))
        case .junit: print(report.junit(failingAt: failOn), terminator: "")
        case .github: print(report.githubAnnotations, terminator: "")
        }
    }

    private static func rules(_ output: Format) -> String {
        switch output {
        case .json, .yaml:
            let list = JSON.array(
                Rule.all.map { rule in
                    [
                        "name": .string(rule.name), "severity": .string(rule.severity.rawValue),
                        "summary": .string(rule.summary), "explanation": .string(rule.explanation),
                    ]
                })
            return output == .json ? list.text(.indented) + "\n" : YAML.text(list)
        default:
            let rows = Rule.all.map { [$0.name, $0.severity.rawValue, $0.summary] }
            return Columns.text(["RULE", "SEVERITY", "FINDS"], rows, width: TextWidth.current) + "\n"
        }
    }

    // MARK: Mending

    /// Writes the files whose faults can be mended; answers how many faults were.
    private func mend(_ report: ValidationReport, in local: LocalManifests) throws -> Int {
        var mended = 0
        let fixable = Dictionary(grouping: report.findings.filter { $0.fix != nil }, by: \.file)
        for (file, findings) in fixable.sorted(by: { $0.key < $1.key }) {
            let path = "\(local.root)/\(file)"
            let text = [UInt8](try Data(contentsOf: URL(filePath: path)))
            let (result, count) = try Fixing.apply(findings.compactMap(\.fix), to: text, file: file)
            guard count > 0 else { continue }
            try Self.replace(path, with: result)
            mended += count
        }
        return mended
    }

    /// Puts the text in the place of the file's, whole or not at all; the file keeps its mode.
    private static func replace(_ path: String, with text: [UInt8]) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandError("\(path): \(String(cString: strerror(errno)))") }
        let temporary = "\(path).martlet-\(getpid())"
        do {
            try Data(text).write(to: URL(filePath: temporary))
        } catch {
            throw CommandError("\(temporary): it cannot be written: \(error)")
        }
        guard chmod(temporary, status.st_mode & 0o7777) == 0, rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw CommandError("\(path): it cannot be replaced: \(reason)")
        }
    }
}

extension Severity: ExpressibleByArgument {}
