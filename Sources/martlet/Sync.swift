import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Sync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply the manifests of a folder or repository once; --dry-run shows what would happen.",
        discussion:
            "Nothing is pruned. Exit codes: 0 synced, 2 an error; nothing is changed when a manifest is refused.")

    @OptionGroup var manifests: ManifestOptions
    @Flag(help: "Only show what would change.")
    var dryRun = false
    @OptionGroup var connection: Connection

    func run() async throws {
        let cluster = try connection.connect()
        let namespace = manifests.namespace ?? "default"
        let state = try await ManifestLoader(cluster: cluster).load(
            manifests, namespace: namespace, revision: manifests.revision)
        try state.requireSound()
        let live = try await LiveSnapshot(of: state.objects.map(\.key), in: cluster)
        let syncer = Syncer(cluster: cluster, clock: SystemClock(), settings: ApplicationSettings())
        let plan = SyncPlan(
            application: "", desired: state, live: live, inventory: [], settings: ApplicationSettings())
        if dryRun {
            let (previews, faults, _) = await syncer.preview(plan)
            for preview in previews { print("\(preview.step.key) \(Self.word(preview)) (dry run)") }
            if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
            return
        }
        let report = await syncer.sync(plan)
        for result in report.results {
            print("\(result.kind)/\(result.name) \(result.message ?? result.status ?? "")")
        }
        switch report.outcome {
        case .succeeded: return
        case .failed(let message), .refused(let message): throw CommandError(message)
        }
    }

    private static func word(_ preview: Syncer.Preview) -> String {
        switch preview.step {
        case .create: "created"
        case .apply: preview.changes ? "configured" : "unchanged"
        case .delete: "pruned"
        }
    }
}

/// The live objects of some kinds, read once: one list per kind and namespace, however many objects are asked for.
struct LiveSnapshot: LiveState {
    private var byKey: [ObjectKey: Object] = [:]

    init(of keys: [ObjectKey], in cluster: any Cluster) async throws {
        let groups = Set(keys.map { ObjectKey(kind: $0.kind, namespace: $0.namespace, name: "") })
        for group in groups.sorted() {
            let query = ListQuery(group.kind, namespace: group.namespace.isEmpty ? nil : group.namespace)
            for object in try await cluster.list(query).items { byKey[object.key] = object }
        }
    }

    func object(_ key: ObjectKey) -> Object? { byKey[key] }
    func objects(of kind: GroupKind) -> [Object] { byKey.values.filter { $0.key.kind == kind } }
}
