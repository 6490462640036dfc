import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct AppRefresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Ask Git for new commits now.",
        usage: "martlet app refresh [<options>] <name>",
        discussion: "Exit codes: 0 asked for, 2 an error.")

    @OptionGroup var options: ApplicationOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.annotate(ApplicationSettings.refreshAnnotation, "normal", cluster)
        print("\(options.name) refreshed")
    }
}

struct AppRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to an earlier revision and hold the present one.",
        usage: "martlet app rollback [<options>] <name> [<id>]",
        discussion: "Exit codes: 0 gone back, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Argument(
        help: "An ID of 'martlet app history' (default: the last healthy one, or else the last that is not held.)")
    var id: Int?
    @Flag(help: "Only show what would change.")
    var dryRun = false

    func run() async throws {
        let cluster = try options.connection.connect()
        let application = try await options.getActive(cluster)
        let entry = try entry(of: application)
        let current = application.status.rollout?.revision ?? ""
        guard entry.revision != current else {
            print("\(options.name): \(Self.text(entry)) is what is deployed; nothing to do")
            return
        }
        print("\(options.name): from \(PinnedRevision.short(current)) back to \(Self.text(entry))")
        if dryRun {
            try await options.preview(entry.revision)
            return
        }
        _ = try await SyncRequest(application: options, revision: entry.revision).carryOut(cluster)
        let held = try await options.get(cluster).status.rollout?.held.last.map { PinnedRevision.short($0.revision) }
        let note = held.map { "; \($0) is held until 'martlet app retry' or a new commit" } ?? ""
        print("\(options.name): synced \(PinnedRevision.short(entry.revision))\(note)")
    }

    private static func text(_ entry: RevisionHistory) -> String {
        let time = entry.deployedAt.map { ", deployed at \($0)" } ?? ""
        return "\(PinnedRevision.short(entry.revision)) (ID \(entry.id)\(time))"
    }

    private func entry(of application: Application) throws -> RevisionHistory {
        let history = application.status.history
        let name = options.name
        if let id {
            guard let entry = history.last(where: { $0.id == id }) else {
                let ids = history.map { String($0.id) }.joined(separator: ", ")
                throw CommandError(
                    "the history of \(name) has no ID \(id); it has: \(ids.isEmpty ? "none" : ids) "
                        + "(see 'martlet app history \(name)')")
            }
            return entry
        }
        guard let entry = Self.lastGood(of: application.status) else {
            throw CommandError(
                "there is no earlier revision of \(name) to go back to; see 'martlet app history \(name)'")
        }
        return entry
    }

    /// The last healthy revision, unless that is the present one; then the last one of which nothing bad is known.
    static func lastGood(of status: ApplicationStatus) -> RevisionHistory? {
        let rollout = status.rollout
        let unfit = Set((rollout?.held.map(\.revision) ?? []) + [rollout?.revision ?? ""])
        let fit = status.history.filter { !unfit.contains($0.revision) }
        return fit.last { $0.revision == rollout?.lastHealthyRevision } ?? fit.last
    }
}

struct AppRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Release a held revision and try it again.",
        usage: "martlet app retry [<options>] <name> [<revision>]",
        discussion: "Exit codes: 0 synced (with --wait: healthy), 1 with --wait: not healthy, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Argument(help: "Which held revision, by any prefix (default: the one whose place the deployed one takes).")
    var revision: String?
    @Flag(help: "Wait for the verdict: healthy, or rolled back.")
    var wait = false

    func run() async throws {
        let cluster = try options.connection.connect()
        let rollout = try await options.getActive(cluster).status.rollout
        let held = rollout?.held ?? []
        guard let entry = Self.choice(among: held, revision, deployed: rollout?.revision) else {
            let names = held.map { PinnedRevision.short($0.revision) }.joined(separator: ", ")
            let deployed = PinnedRevision.short(rollout?.revision ?? "")
            let which = revision.map { " that starts with \($0)" } ?? ""
            throw CommandError(
                revision == nil && !held.isEmpty
                    ? "what is held of \(options.name) was replaced by \(deployed), "
                        + "which a retry would put on hold; if that is what you want, name the revision: \(names)"
                    : "no revision of \(options.name) is held\(which)" + (held.isEmpty ? "" : "; held: \(names)"))
        }
        _ = try await SyncRequest(application: options, revision: entry.revision).carryOut(cluster)
        print("\(options.name): trying \(PinnedRevision.short(entry.revision)) again")
        if wait { try await AppVerdict(options: options).follow(entry.revision, cluster) }
    }

    /// The held revision that starts with `prefix`; without one, the last that the deployed revision stands in for. One
    /// that a newer commit has replaced is tried only by name.
    static func choice(among held: [HeldRevision], _ prefix: String?, deployed: String?) -> HeldRevision? {
        if let prefix {
            // As it is shown, if it is built on bases that move; else by any beginning.
            return held.last { PinnedRevision.short($0.revision) == prefix }
                ?? held.last { $0.revision.hasPrefix(prefix) }
        }
        return held.last { $0.revision == deployed || $0.rolledBackTo == deployed }
    }
}

struct AppSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Leave the cluster alone until 'martlet app resume'.",
        usage: "martlet app suspend [<options>] <name>",
        discussion: "Exit codes: 0 suspended, 2 an error.")

    @OptionGroup var options: ApplicationOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.annotate(ApplicationSettings.suspendAnnotation, "true", cluster)
        print("\(options.name) suspended")
    }
}

struct AppResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Follow Git again after 'martlet app suspend'.",
        usage: "martlet app resume [<options>] <name>",
        discussion: "Exit codes: 0 resumed, 2 an error.")

    @OptionGroup var options: ApplicationOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.annotate(ApplicationSettings.suspendAnnotation, .null, cluster)
        print("\(options.name) resumed")
    }
}
