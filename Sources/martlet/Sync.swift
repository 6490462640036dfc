import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Sync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", _superCommandName: "martlet",
        abstract: "Apply the manifests of a folder or repository once.", usage: "martlet sync [<options>] [<location>]",
        discussion: """
            Nothing is changed when a manifest is refused. Nothing is deleted, unless --prune: objects that an earlier \
            sync with the same --set applied and that have no manifest any more.

            Exit codes: 0 synced, 2 an error.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Flag(help: "Only show what would change.")
    var dryRun = false
    @Option(help: ArgumentHelp("Mark the objects as one set of this name, for --prune.", valueName: "name"))
    var set: String?
    @Flag(help: "Delete objects of the set that have no manifest; they are listed first.")
    var prune = false
    @Option(name: .shortAndLong, help: ArgumentHelp("Print the results as json or yaml.", valueName: "format"))
    var output: OutputFormat?
    @OptionGroup var connection: Connection

    func validate() throws {
        if prune, set == nil {
            throw ValidationError("--prune needs --set NAME: only objects of that set are deleted")
        }
        if let set, set.isEmpty || set.contains(where: { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "." }) {
            throw ValidationError("--set: \"\(set)\" is no name; use letters, digits, '-' and '.'")
        }
    }

    func run() async throws {
        let cluster = try connection.connect()
        var state = try await ManifestLoader(cluster: cluster).load(
            manifests, namespace: manifests.namespace ?? "default", revision: manifests.revision)
        try state.requireSound()
        var settings = ApplicationSettings()
        settings.prunes = prune
        var inventory: Set<ObjectKey> = []
        if let set {
            try await requireFree(set, cluster)
            state.mark(for: set)
            inventory = try await members(of: set, cluster)
        }
        let live = try await LiveSnapshot(of: state.objects.map(\.key) + inventory, in: cluster)
        let plan = SyncPlan(
            application: set ?? "", desired: state, live: live, inventory: inventory, settings: settings)
        if !plan.objections.isEmpty { throw CommandError(plan.objections.joined(separator: "\n")) }
        try await carryOut(plan, Syncer(cluster: cluster, clock: SystemClock(), settings: settings))
    }

    private func carryOut(_ plan: SyncPlan, _ syncer: Syncer) async throws {
        if dryRun {
            let (previews, faults, _) = await syncer.preview(plan)
            try show(previews.map { ($0.step.key, Self.word($0)) }, suffix: " (dry run)")
            if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
            return
        }
        for case .delete(let object) in plan.steps { printError("pruning \(object.key)") }
        let report = await syncer.sync(plan)
        try show(
            report.results.map { result in
                let kind = GroupKind(group: result.group ?? "", kind: result.kind)
                let key = ObjectKey(kind: kind, namespace: result.namespace ?? "", name: result.name)
                let word = result.message ?? (result.status ?? "").lowercased()
                return (key, result.status == "SyncFailed" ? "failed: \(word)" : word)
            })
        switch report.outcome {
        case .succeeded: return
        case .failed(let message), .refused(let message):
            throw CommandError(message.split(separator: "; ").joined(separator: "\n"))
        }
    }

    private func show(_ results: [(key: ObjectKey, word: String)], suffix: String = "") throws {
        guard let output else {
            for (key, word) in results { print("\(key) \(word)\(suffix)") }
            return
        }
        let list = results.map { key, word -> JSON in
            [
                "group": .string(key.kind.group), "kind": .string(key.kind.kind),
                "namespace": .string(key.namespace), "name": .string(key.name), "result": .string(word),
            ]
        }
        print(output.text(["dryRun": .bool(dryRun), "results": .array(list)]))
    }

    private static func word(_ preview: Syncer.Preview) -> String {
        switch preview.step {
        case .create: "created"
        case .apply: preview.changes ? "configured" : "unchanged"
        case .delete: "pruned"
        }
    }

    /// What a set marks as its own an Application of the same name would take for its own, too.
    private func requireFree(_ set: String, _ cluster: any Cluster) async throws {
        let applications = try await cluster.list(ListQuery(Application.kind.groupKind)).items
        guard !applications.contains(where: { $0.metadata.name == set }) else {
            throw CommandError("\(set) is an Application: choose another --set, or use 'martlet app sync \(set)'")
        }
    }

    /// What earlier syncs of the set applied.
    private func members(of set: String, _ cluster: any Cluster) async throws -> Set<ObjectKey> {
        var found: Set<ObjectKey> = []
        for type in try await cluster.resourceTypes().preferred where type.verbs.contains("list") {
            for object in try await cluster.list(ListQuery(type.kind.groupKind)).items
            where Tracking.owner(of: object) == set {
                found.insert(object.key)
            }
        }
        return found
    }
}

/// The live objects of some kinds, read once: one list per kind and namespace, however many objects are asked for.
struct LiveSnapshot: LiveState {
    private var byKey: [ObjectKey: Object] = [:]

    init(of keys: [ObjectKey], in cluster: any Cluster) async throws {
        let groups = Set(keys.map { ObjectKey(kind: $0.kind, namespace: $0.namespace, name: "") })
        for group in groups.sorted() {
            let query = ListQuery(group.kind, namespace: group.namespace.isEmpty ? nil : group.namespace)
            do throws(APIError) {
                for object in try await cluster.list(query).items { byKey[object.key] = object }
            } catch {
                // A kind that its own manifest is about to define has no objects yet.
                guard error.reason == .notFound else { throw error }
            }
        }
    }

    func object(_ key: ObjectKey) -> Object? { byKey[key] }
    func objects(of kind: GroupKind) -> [Object] { byKey.values.filter { $0.key.kind == kind } }
}
