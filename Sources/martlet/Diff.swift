import ArgumentParser
import Cluster
import Glibc
import Kinds
import Model
import Reconciler

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", _superCommandName: "martlet",
        abstract: "Show what a folder, a repository or an Application would change.",
        usage: "martlet diff [<options>] [<location>]",
        discussion: """
            Compares with the live objects of the service, as a server-side dry run. In a clone of a repository that \
            an Application follows, it compares as that Application would sync, prunes included; of several, one that \
            cannot be compared keeps nobody from seeing the others. 'martlet diff main..feature' compares two \
            revisions of the clone that it is called in, --against REV the files with one; neither needs a service. \
            Values of Secrets are masked.

            Exit codes: 0 no difference, 1 differences, 2 an error.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(
        help: ArgumentHelp(
            "Compare for this Application: its namespace, its rules, and what it would prune.", valueName: "name"))
    var app: String?
    @Option(help: ArgumentHelp("The Application's own namespace.", valueName: "namespace"))
    var appNamespace = "martlet"
    @Option(
        help: ArgumentHelp(
            "Compare with this revision instead of what is live; with --app also last-healthy.", valueName: "rev"))
    var against: String?
    @Option(help: ArgumentHelp("Compare --app with what this Application deploys.", valueName: "name"))
    var againstApp: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("How differences are shown.", valueName: "format"))
    var output = Format.unified
    @Option(
        help: ArgumentHelp(
            "Where files are shown, for links in Markdown: https://git.example.com/x/blob/main.", valueName: "url"))
    var linkBase: String?
    @Flag(help: "Print at once, also on a terminal; else $PAGER shows what is longer than that.")
    var noPager = false
    @Option(help: ArgumentHelp("Colours; auto means on a terminal, unless NO_COLOR is set.", valueName: "when"))
    var color = ColorChoice.auto

    @OptionGroup var connection: Connection

    enum Format: String, ChoiceArgument {
        case unified, summary, json, markdown
        case sideBySide = "side-by-side"
    }

    enum ColorChoice: String, ChoiceArgument {
        case auto, always, never

        var isOn: Bool {
            switch self {
            case .always: true
            case .never: false
            case .auto: wantsColor(on: STDOUT_FILENO)
            }
        }
    }

    mutating func validate() throws {
        if let location = manifests.location, let range = RevisionRange(location) {
            guard against == nil, manifests.revision == nil else {
                throw ValidationError("\(location) names both revisions: leave out --against and --revision")
            }
            manifests.location = nil
            manifests.recurse = true
            isWholeRepository = true
            against = range.old
            manifests.revision = range.new
        }
        if againstApp != nil || against == Self.lastHealthy {
            guard app != nil else { throw ValidationError("name the Application to compare with --app") }
        }
        guard against == nil || againstApp == nil else {
            throw ValidationError("--against and --against-app exclude each other")
        }
    }

    static let lastHealthy = "last-healthy"
    /// Whether files that hold no manifests at all may lie among the others.
    private(set) var isWholeRepository = false

    func run() async throws {
        let (report, faults) = try await compare()
        switch output {
        case .unified: Pager.show(report.unified(colors: color.isOn), unless: noPager)
        case .sideBySide:
            Pager.show(report.sideBySide(width: TextWidth.current ?? 160, colors: color.isOn), unless: noPager)
        case .summary: print(report.summary)
        case .json: print(report.json.text(.indented))
        case .markdown: print(report.markdown(links: linkBase), terminator: "")
        }
        for fault in faults { printError("error: \(fault)") }
        if !faults.isEmpty { throw ExitCode(Failure.code) }
        if !report.isEmpty { throw ExitCode(1) }
    }

    /// All differences, in the order in which a sync would carry them out.
    func report() async throws -> DiffReport {
        let (report, faults) = try await compare()
        if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
        return report
    }

    /// All differences, and why some Applications could not be compared.
    ///
    /// - Throws: when nothing could be compared.
    private func compare() async throws -> (report: DiffReport, faults: [String]) {
        if let againstApp { return (try await applications(againstApp), []) }
        if let against { return (try await revisions(against), []) }
        let cluster = try connection.connect()
        let comparisons = try await DiffSubject.all(of: self, cluster)
        var all: [ObjectDifference] = []
        var unchanged = 0
        var faults: [String] = []
        for comparison in comparisons {
            do {
                let (differences, count) = try await comparison.subject().differences(cluster)
                all += differences
                unchanged += count
            } catch {
                faults.append(comparison.named(Failure.message(error)))
            }
        }
        if faults.count == comparisons.count, !faults.isEmpty {
            throw CommandError(faults.joined(separator: "\n"))
        }
        return (DiffReport(all, unchanged: unchanged), faults)
    }
}
