import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct AppRefresh: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "refresh", abstract: "Ask Git for new commits now.")

    @OptionGroup var options: ApplicationOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.annotate(ApplicationSettings.refreshAnnotation, "normal", cluster)
        print("\(options.name) refreshed")
    }
}

struct AppSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Sync an Application now, to its target or to a revision you name.")

    @OptionGroup var options: ApplicationOptions
    @Option(help: "The commit to sync instead of the target revision.")
    var revision: String?

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.requestSync(revision, cluster)
        print("\(options.name): sync of \(revision ?? "the target revision") requested")
    }
}

struct AppRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to an earlier revision and hold the present one.")

    @OptionGroup var options: ApplicationOptions
    @Argument(help: "An ID of 'martlet app history' (default: the revision before the present one).")
    var id: Int?

    func run() async throws {
        let cluster = try options.connection.connect()
        let application = try await options.get(cluster)
        let history = application.status.history
        let current = application.status.rollout?.revision
        let entry = id.map { id in history.last { $0.id == id } } ?? history.last { $0.revision != current }
        guard let entry else {
            throw CommandError(
                id.map { "history has no ID \($0); see 'martlet app history \(options.name)'" }
                    ?? "there is no earlier revision to go back to")
        }
        try await options.requestSync(entry.revision, cluster)
        print("\(options.name): going back to \(entry.revision.prefix(12))")
    }
}

struct AppRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Release the held revision and try it again.")

    @OptionGroup var options: ApplicationOptions
    @Argument(help: "Which held revision, by any prefix (default: the one held last).")
    var revision: String?

    func run() async throws {
        let cluster = try options.connection.connect()
        let held = try await options.get(cluster).status.rollout?.held ?? []
        guard let entry = held.last(where: { $0.revision.hasPrefix(revision ?? "") }) else {
            throw CommandError(
                "no revision of \(options.name) is held" + (revision.map { " that starts with \($0)" } ?? ""))
        }
        try await options.requestSync(entry.revision, cluster)
        print("\(options.name): trying \(entry.revision.prefix(12)) again")
    }
}

struct AppSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Leave the cluster alone until 'martlet app resume'.")

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
        commandName: "resume", abstract: "Follow Git again after 'martlet app suspend'.")

    @OptionGroup var options: ApplicationOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        _ = try await options.get(cluster)
        try await options.annotate(ApplicationSettings.suspendAnnotation, .null, cluster)
        print("\(options.name) resumed")
    }
}
