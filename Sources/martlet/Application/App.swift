import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

/// `martlet app …`: everything about Applications.
struct App: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app", _superCommandName: "martlet", abstract: "Look at Applications and steer them.",
        subcommands: [
            AppList.self, AppGet.self, AppDiff.self, AppHistory.self, AppRefresh.self, AppSync.self, AppRollback.self,
            AppRetry.self, AppSuspend.self, AppResume.self,
        ])
}

/// The options of every verb that concerns one Application.
struct ApplicationOptions: ParsableArguments {
    @Argument(help: "The Application's name.")
    var name: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The Application's namespace.", valueName: "namespace"))
    var namespace = "martlet"

    @OptionGroup var connection: Connection

    var key: ObjectKey { Application.key(name, in: namespace) }

    func get(_ cluster: any Cluster) async throws -> Application {
        do {
            return try await cluster.get(key).view()
        } catch {
            guard error.reason == .notFound else { throw error }
            let known = try await cluster.list(ListQuery(Application.kind.groupKind)).items.map(\.key)
            let list = known.map { "\($0.namespace)/\($0.name)" }.joined(separator: ", ")
            throw CommandError(
                "there is no Application \(namespace)/\(name)" + (known.isEmpty ? "" : "; there are: \(list)"))
        }
    }

    func patch(_ patch: JSON, _ cluster: any Cluster) async throws {
        _ = try await cluster.patch(
            key, .merge(patch), subresource: nil, options: WriteOptions(fieldManager: "martlet-cli"))
    }

    /// Of this Application alone.
    var query: ListQuery {
        ListQuery(
            Application.kind.groupKind, namespace: namespace,
            fields: FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: name)]))
    }

    /// The Application, when it is one that takes syncs.
    func getActive(_ cluster: any Cluster) async throws -> Application {
        let application = try await get(cluster)
        if application.isSuspended {
            throw CommandError("\(name) is suspended; use 'martlet app resume \(name)' first")
        }
        return application
    }

    /// Prints what syncing a revision would change.
    func preview(_ revision: String) async throws {
        var arguments = ["--app", name, "--app-namespace", namespace, "--revision", revision]
        arguments += connection.arguments
        let report = try await Diff.parse(arguments).report()
        print(report.summary + " (dry run)")
    }

    func annotate(_ name: String, _ value: JSON, _ cluster: any Cluster) async throws {
        try await patch(["metadata": ["annotations": .object(JSONObject([.init(key: name, value: value)]))]], cluster)
    }
}

extension Application {
    /// `martlet app suspend`: the cluster is left alone.
    var isSuspended: Bool { metadata.annotations[ApplicationSettings.suspendAnnotation] == "true" }
}

struct AppList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List Applications.", usage: "martlet app list [<options>]",
        discussion: "Exit codes: 0 listed (even if there is none), 2 an error.")

    @Option(name: .shortAndLong, help: ArgumentHelp("Only those of one namespace.", valueName: "namespace"))
    var namespace: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    @Flag(name: .shortAndLong, help: "Go on with every change.")
    var watch = false

    @OptionGroup var connection: Connection

    private static let header = ["NAMESPACE", "NAME", "SYNC", "HEALTH", "ROLLOUT", "REVISION", "REPOSITORY"]

    func run() async throws {
        let cluster = try connection.connect()
        if watch { endWithReader() }
        let query = ListQuery(Application.kind.groupKind, namespace: namespace)
        let applications = try await cluster.list(query).items.map { $0.view(as: Application.self) }
        if applications.isEmpty, output == nil {
            let place = namespace.map { " in namespace \($0)" } ?? ""
            printError("no Applications\(place); 'martlet serve --repo URL' makes one")
        }
        var widths = [Int](repeating: 0, count: Self.header.count)
        if let output {
            showWhole(applications, output)
        } else if !applications.isEmpty || watch {
            print(Columns.text(Self.header, applications.map(Self.cells), &widths))
        }
        guard watch else { return }
        var said = Dictionary(applications.map { ($0.key, Self.cells($0)) }) { first, _ in first }
        var changes = ApplicationWatch(query, cluster, shown: applications)
        try await changes.run { key, application in
            guard let application else {
                said[key] = nil
                printError("Application \(key.namespace)/\(key.name) was deleted")
                return
            }
            if let output {
                showWhole([application], output)
                return
            }
            let cells = Self.cells(application)
            if said.updateValue(cells, forKey: key) != cells { print(Columns.text(nil, [cells], &widths)) }
        }
    }

    /// A list, or with `--watch` a document each: a stream has no end at which a list could be closed.
    private func showWhole(_ applications: [Application], _ output: OutputFormat) {
        let trees = applications.map(\.json.withoutManagedFields)
        if watch {
            for tree in trees { print((output == .yaml ? "---\n" : "") + output.text(tree)) }
        } else {
            print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(trees)]))
        }
    }

    private static func cells(_ application: Application) -> [String] {
        let status = application.status
        let rollout = status.rollout == nil ? "" : RolloutProgress(application, at: SystemClock().now).text
        return [
            application.metadata.namespace, application.metadata.name, status.sync.status ?? "Unknown",
            status.health.status ?? "Unknown", rollout + (application.isSuspended ? " (suspended)" : ""),
            PinnedRevision.short(status.sync.revision ?? ""), application.spec.source?.repoURL ?? "",
        ]
    }
}

struct AppHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show what was deployed when, and which revisions are held.",
        usage: "martlet app history [<options>] <name>",
        discussion: "Exit codes: 0 shown, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    func run() async throws {
        let application = try await options.get(options.connection.connect())
        let status = application.status
        if let output {
            let held = status.rollout?.held.map(\.json) ?? []
            print(output.text(["history": .array(status.history.map(\.json)), "held": .array(held)]))
            return
        }
        let held = Dictionary(uniqueKeysWithValues: (status.rollout?.held ?? []).map { ($0.revision, $0) })
        let now = SystemClock().now
        let rows = status.history.map { entry in
            let mark =
                held[entry.revision].map { "held: \($0.reason)" }
                ?? (entry.revision == status.rollout?.lastHealthyRevision ? "last healthy" : "")
            let time = entry.deployedAt.map { "\($0) (\(Timestamp.age(of: $0, at: now)) ago)" } ?? ""
            return [String(entry.id), PinnedRevision(entry.revision).short, time, mark]
        }
        print(Columns.text(["ID", "REVISION", "DEPLOYED AT", "NOTE"], rows))
    }
}
