import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct AppGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show an Application: what is deployed, how it does, and why.",
        usage: "martlet app get [<options>] <name>",
        discussion: "Exit codes: 0 shown, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?
    @Flag(name: .shortAndLong, help: "Print it again whenever it changes.")
    var watch = false

    func run() async throws {
        let cluster = try options.connection.connect()
        if watch { endWithReader() }
        let application = try await options.get(cluster)
        var said = ""
        show(application, &said)
        guard watch else { return }
        var changes = ApplicationWatch(options.query, cluster, shown: [application])
        try await changes.run { _, application in
            guard let application else { throw CommandError("Application \(options.name) was deleted") }
            show(application, &said)
        }
    }

    /// - Parameter said: what was printed before; the same text is not printed again.
    private func show(_ application: Application, _ said: inout String) {
        switch output {
        case .json: print(OutputFormat.json.text(application.json.withoutManagedFields))
        case .yaml: print((watch ? "---\n" : "") + OutputFormat.yaml.text(application.json.withoutManagedFields))
        case nil:
            let text = Self.text(application, at: SystemClock().now, width: TextWidth.current)
            guard text != said else { return }
            print((said.isEmpty ? "" : "\n") + text)
            said = text
        }
    }

    /// A label, and what is said under it: lines after the first stand below the first one's words.
    private static func field(_ label: String, _ text: String, _ width: Int?) -> String {
        let indent = 13
        let space = String(repeating: " ", count: indent)
        let start = label.isEmpty ? space : "\(label):".padding(to: indent)
        return text.split(separator: "\n").enumerated().map { index, line in
            TextWidth.wrap((index == 0 ? start : space) + line, indent: indent, to: width)
        }.joined(separator: "\n")
    }

    /// The description, broken to a width if one is given.
    static func text(_ application: Application, at now: Timestamp, width: Int?) -> String {
        let (spec, status, name) = (application.spec, application.status, application.metadata.name)
        let source =
            "\(spec.source?.repoURL ?? "") \(spec.source?.path ?? ".") @ \(spec.source?.targetRevision ?? "HEAD")"
        let health = "\(status.health.status ?? "Unknown")\(status.health.message.map { ": \($0)" } ?? "")"
        var fields = [
            ("Name", "\(application.metadata.namespace)/\(name)"), ("Repository", source),
            ("Destination", spec.destination.namespace ?? "default"),
            ("Sync", "\(status.sync.status ?? "Unknown") (\(status.sync.revision ?? "nothing yet"))"),
        ]
        for (index, base) in status.sync.bases.enumerated() {
            fields.append((index == 0 ? "Bases" : "", "\(base.base) (\(base.revision))"))
        }
        fields.append(("Health", health))
        if spec.syncPolicy?.automated.map({ $0.enabled ?? true }) != true {
            fields.append(("Policy", "manual; new commits wait for 'martlet app sync \(name)'"))
        }
        if application.isSuspended {
            fields.append(("Suspended", "nothing is synced, healed or rolled back until 'martlet app resume \(name)'"))
        }
        fields += rollout(application, at: now)
        for condition in status.conditions where condition.type != "RevisionHeld" {
            fields.append(("Condition", "\(condition.type): \(condition.message)"))
        }
        let rows = status.resources.map { resource in
            [
                resource.kind, resource.namespace ?? "", resource.name, resource.status ?? "",
                resource.health?.status ?? "", resource.health?.message ?? "",
            ]
        }
        var lines = fields.map { field($0, $1, width) }
        if !rows.isEmpty {
            let header = ["KIND", "NAMESPACE", "NAME", "SYNC", "HEALTH", "MESSAGE"]
            lines += ["", Columns.text(header, rows, width: width)]
        }
        return lines.joined(separator: "\n")
    }

    /// How the rollout does, what it waits for, and which revisions are held.
    private static func rollout(_ application: Application, at now: Timestamp) -> [(String, String)] {
        guard let rollout = application.status.rollout else { return [] }
        let progress = RolloutProgress(application, at: now)
        var text = progress.text
        if let from = rollout.rolledBackFrom { text += " from \(PinnedRevision(from).short)" }
        if let last = rollout.lastHealthyRevision { text += ", last healthy \(PinnedRevision(last).short)" }
        var fields = [("Rollout", text)]
        // A single one stands in the line of the health.
        if progress.waitsFor.count > 1 {
            for (index, wait) in progress.waitsFor.enumerated() {
                fields.append((index == 0 ? "Waiting for" : "", wait))
            }
        }
        // Of those before the last what matters is that they are not taken again.
        for (index, held) in rollout.held.reversed().enumerated() {
            let age = held.heldAt.map { ", \(Timestamp.age(of: $0.time, at: now)) ago" } ?? ""
            let message = index == 0 ? ": \(held.message ?? "")" : ""
            let revision = PinnedRevision(held.revision).short
            fields.append((index == 0 ? "Held" : "", "\(revision) \(held.reason)\(age)\(message)"))
        }
        if !rollout.held.isEmpty, ["RollingBack", "RolledBack", "Degraded"].contains(rollout.phase) {
            let retry = "'martlet app retry \(application.metadata.name)'"
            fields.append(("Next", "push a commit that mends it, or try the held one once more with \(retry)"))
        }
        return fields
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
