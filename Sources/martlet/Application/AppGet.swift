import ArgumentParser
import Kinds
import Model

struct AppGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show an Application: what is deployed, how it does, and why.")

    @OptionGroup var options: ApplicationOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    func run() async throws {
        let application = try await options.get(options.connection.connect())
        if let output {
            print(output.text(application.json.withoutManagedFields))
            return
        }
        for line in Self.lines(application) { print(line) }
    }

    /// The description as lines of text.
    static func lines(_ application: Application) -> [String] {
        let (spec, status) = (application.spec, application.status)
        var lines = [
            "Name:        \(application.metadata.namespace)/\(application.metadata.name)",
            "Repository:  \(spec.source?.repoURL ?? "") \(spec.source?.path ?? ".") @ \(spec.source?.targetRevision ?? "HEAD")",
            "Destination: \(spec.destination.namespace ?? "default")",
            "Sync:        \(status.sync.status ?? "Unknown") (\(status.sync.revision ?? "nothing yet"))",
            "Health:      \(status.health.status ?? "Unknown")\(status.health.message.map { ": \($0)" } ?? "")",
        ]
        let name = application.metadata.name
        if spec.syncPolicy?.automated.map({ $0.enabled ?? true }) != true {
            lines.append("Policy:      manual; new commits wait for 'martlet app sync \(name)'")
        }
        if application.isSuspended {
            lines.append("Suspended:   nothing is synced, healed or rolled back until 'martlet app resume \(name)'")
        }
        if let rollout = status.rollout {
            var text = rollout.phase ?? "Idle"
            if let from = rollout.rolledBackFrom { text += " from \(from.prefix(12))" }
            if let last = rollout.lastHealthyRevision { text += ", last healthy \(last.prefix(12))" }
            lines.append("Rollout:     \(text)")
            // Of those before it what matters is that they are not taken again.
            if let held = rollout.held.last {
                lines.append("Held:        \(held.revision.prefix(12)) \(held.reason): \(held.message ?? "")")
            }
            for held in rollout.held.dropLast().reversed() {
                lines.append("             \(held.revision.prefix(12)) \(held.reason)")
            }
        }
        for condition in status.conditions where condition.type != "RevisionHeld" {
            lines.append("Condition:   \(condition.type): \(condition.message)")
        }
        let rows = status.resources.map { resource in
            [
                resource.kind, resource.namespace ?? "", resource.name, resource.status ?? "",
                resource.health?.status ?? "", resource.health?.message ?? "",
            ]
        }
        if !rows.isEmpty {
            lines += ["", Columns.text(["KIND", "NAMESPACE", "NAME", "SYNC", "HEALTH", "MESSAGE"], rows)]
        }
        return lines
    }
}
