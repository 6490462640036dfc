import ArgumentParser
import Cluster
import Glibc
import Kinds
import Model
import Reconciler

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a folder, a repository or an Application would change.",
        discussion: """
            Compares with the live objects of the service, as a server-side dry run; with --against REV it compares \
            two revisions and needs no service. Values of Secrets are masked. Exit codes: \
            0 no difference, 1 differences, 2 an error.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(help: "Compare for this Application: its namespace, its rules, and what it would prune.")
    var app: String?
    @Option(help: "The Application's own namespace.")
    var appNamespace = "martlet"
    @Option(help: ArgumentHelp("Compare with this revision instead of what is live.", valueName: "rev"))
    var against: String?
    @Option(name: .shortAndLong, help: "unified, summary, json or markdown.")
    var output = Format.unified
    @Option(help: "auto, always or never.")
    var color = ColorChoice.auto

    @OptionGroup var connection: Connection

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case unified, summary, json, markdown
    }

    enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
        case auto, always, never

        /// Colours only for people: on a terminal, and not where NO_COLOR is set.
        var isOn: Bool {
            switch self {
            case .always: true
            case .never: false
            case .auto: isatty(STDOUT_FILENO) == 1 && (Connection.currentEnvironment["NO_COLOR"] ?? "").isEmpty
            }
        }
    }

    func run() async throws {
        let report = if let against { try await revisions(against) } else { try await live() }
        switch output {
        case .unified: print(report.unified(colors: color.isOn), terminator: "")
        case .summary: print(report.summary)
        case .json: print(report.json.text(.indented))
        case .markdown: print(report.markdown(), terminator: "")
        }
        if !report.isEmpty { throw ExitCode(1) }
    }

    /// Two revisions, both with defaults filled in, so that spelling a default out is no difference.
    private func revisions(_ other: String) async throws -> DiffReport {
        let loader = ManifestLoader()
        let namespace = manifests.namespace ?? "default"
        let new = try await loader.load(manifests, namespace: namespace, revision: manifests.revision)
        let old = try await loader.load(manifests, namespace: namespace, revision: other)
        try new.requireSound()
        try old.requireSound()
        let before = Dictionary(old.objects.map { ($0.key, $0) }) { first, _ in first }
        let after = Set(new.objects.map(\.key))
        let changes = new.objects.map { desired in
            ObjectDifference(
                key: desired.key, old: before[desired.key].map(Self.defaulted), new: Self.defaulted(desired),
                origin: desired.origin)
        }
        let removals = old.objects.filter { !after.contains($0.key) }.map {
            ObjectDifference(key: $0.key, old: Self.defaulted($0), new: nil, origin: "")
        }
        return DiffReport(changes + removals)
    }

    private static func defaulted(_ desired: DesiredObject) -> Object {
        guard let strategy = Catalog.builtIn.strategy(for: desired.key.kind) else { return desired.object }
        return Object(viewing: strategy.defaulted(desired.object.json))
    }

    private func live() async throws -> DiffReport {
        let cluster = try connection.connect()
        let target = try await DiffTarget(self, cluster)
        try target.desired.requireSound()
        let inventory = target.inventory
        let live = try await LiveSnapshot(of: target.desired.objects.map(\.key) + inventory, in: cluster)
        let plan = SyncPlan(
            application: app ?? "", desired: target.desired, live: live, inventory: inventory,
            settings: target.settings)
        if !plan.objections.isEmpty { throw CommandError(plan.objections.joined(separator: "\n")) }
        let syncer = Syncer(cluster: cluster, clock: SystemClock(), settings: target.settings)
        let (previews, faults, _) = await syncer.preview(plan)
        if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
        let rules = target.settings.ignoreDifferences
        return DiffReport(
            previews.map { preview in
                switch preview.step {
                case .create(let desired):
                    ObjectDifference(
                        key: desired.key, old: nil, new: preview.result, origin: desired.origin, ignoring: rules)
                case .apply(let desired, let live):
                    ObjectDifference(
                        key: desired.key, old: live, new: preview.result, origin: desired.origin, ignoring: rules)
                case .delete(let object): ObjectDifference(key: object.key, old: object, new: nil, origin: "")
                }
            }, unchanged: plan.unchanged)
    }
}

/// What `diff` compares with the live state: manifests alone, or manifests in the place of an Application's.
struct DiffTarget {
    var desired: DesiredState
    var settings = ApplicationSettings()
    var inventory: Set<ObjectKey> = []

    init(_ diff: Diff, _ cluster: any Cluster) async throws {
        let loader = ManifestLoader(cluster: cluster)
        guard let name = diff.app else {
            desired = try await loader.load(
                diff.manifests, namespace: diff.manifests.namespace ?? "default", revision: diff.manifests.revision)
            return
        }
        let application: Application
        do {
            application = try await cluster.get(Application.key(name, in: diff.appNamespace)).view()
        } catch {
            guard error.reason == .notFound else { throw error }
            throw CommandError("there is no Application \(diff.appNamespace)/\(name); see 'martlet app list'")
        }
        settings = try ApplicationSettings(application)
        settings.prunes = true
        inventory = application.status.inventory
        var state: DesiredState
        if diff.manifests.location != nil {
            state = try await loader.load(
                diff.manifests, namespace: settings.namespace, revision: diff.manifests.revision)
        } else {
            var source = application.spec.source ?? ApplicationSource()
            // What is deployed, so that the difference is drift; --revision asks about another commit.
            source.targetRevision =
                diff.manifests.revision ?? application.status.rollout?.revision ?? source.targetRevision
            state = try await loader.load(source, settings.namespace)
        }
        state.objects = state.objects.map { $0.with(Tracking.mark($0.object, for: name)) }
        desired = state
    }
}
