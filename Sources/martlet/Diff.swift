import ArgumentParser
import Cluster
import Glibc
import Kinds
import Model
import Reconciler

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a folder, a repository or an Application would change.",
        usage: "martlet diff [<options>] [<location>]",
        discussion: """
            Compares with the live objects of the service, as a server-side dry run. In a clone of a repository that \
            an Application follows, it compares as that Application would sync, prunes included; of several, one that \
            cannot be compared keeps nobody from seeing the others. With --against REV it compares with that revision \
            and needs no service. Values of Secrets are masked.

            Exit codes: 0 no difference, 1 differences, 2 an error.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(
        help: ArgumentHelp(
            "Compare for this Application: its namespace, its rules, and what it would prune.", valueName: "name"))
    var app: String?
    @Option(help: ArgumentHelp("The Application's own namespace.", valueName: "namespace"))
    var appNamespace = "martlet"
    @Option(help: ArgumentHelp("Compare with this revision instead of what is live.", valueName: "rev"))
    var against: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("How differences are shown.", valueName: "format"))
    var output = Format.unified
    @Option(help: ArgumentHelp("Colours; auto means on a terminal, unless NO_COLOR is set.", valueName: "when"))
    var color = ColorChoice.auto

    @OptionGroup var connection: Connection

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case unified, summary, json, markdown
    }

    enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
        case auto, always, never

        var isOn: Bool {
            switch self {
            case .always: true
            case .never: false
            case .auto: wantsColor(on: STDOUT_FILENO)
            }
        }
    }

    func run() async throws {
        let (report, faults) = try await compare()
        switch output {
        case .unified: print(report.unified(colors: color.isOn), terminator: "")
        case .summary: print(report.summary)
        case .json: print(report.json.text(.indented))
        case .markdown: print(report.markdown(), terminator: "")
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

    /// Two revisions, both with defaults filled in, so that spelling a default out is no difference.
    private func revisions(_ other: String) async throws -> DiffReport {
        let (old, new) = try await sides(other)
        try new.requireSound()
        try old.requireSound()
        let (earlier, later) = (
            OfflineValidation(old.objects.map(\.object)), OfflineValidation(new.objects.map(\.object))
        )
        let before = Dictionary(old.objects.map { ($0.key, $0) }) { first, _ in first }
        let after = Set(new.objects.map(\.key))
        let changes = new.objects.map { desired in
            ObjectDifference(
                key: desired.key, old: before[desired.key].map { earlier.defaulted($0.object) },
                new: later.defaulted(desired.object),
                origin: desired.origin)
        }
        let removals = old.objects.filter { !after.contains($0.key) }.map {
            ObjectDifference(key: $0.key, old: earlier.defaulted($0.object), new: nil, origin: "")
        }
        return DiffReport(changes + removals)
    }

    private func sides(_ other: String) async throws -> (old: DesiredState, new: DesiredState) {
        guard let app, manifests.location == nil else {
            let loader = ManifestLoader()
            let namespace = manifests.namespace ?? "default"
            return (
                try await loader.loadEarlier(manifests, namespace: namespace, revision: other),
                try await loader.load(manifests, namespace: namespace, revision: manifests.revision)
            )
        }
        let cluster = try connection.connect()
        let application = try await DiffSubject.application(app, in: appNamespace, cluster)
        let namespace = try ApplicationSettings(application).namespace
        let loader = ManifestLoader(cluster: cluster)
        var source = application.spec.source ?? ApplicationSource()
        source.targetRevision =
            manifests.revision ?? application.status.rollout?.revision ?? source.targetRevision
        let new = try await loader.load(source, namespace)
        source.targetRevision = other
        return (try await loader.load(source, namespace), new)
    }
}
