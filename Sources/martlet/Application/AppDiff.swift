import ArgumentParser
import Kinds
import Reconciler

struct AppDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show how the cluster differs from what an Application deployed.",
        usage: "martlet app diff [<options>] <name>",
        discussion: "Exit codes: 0 no difference, 1 differences, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Option(help: ArgumentHelp("Compare with this revision instead of the deployed one.", valueName: "rev"))
    var revision: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("How differences are shown.", valueName: "format"))
    var output = Diff.Format.unified
    @Option(help: ArgumentHelp("Colours; auto means on a terminal, unless NO_COLOR is set.", valueName: "when"))
    var color = Diff.ColorChoice.auto

    func run() async throws {
        var arguments = ["--app", options.name, "--app-namespace", options.namespace, "--output", output.rawValue]
        arguments += ["--color", color.rawValue]
        if let revision { arguments += ["--revision", revision] }
        arguments += options.connection.arguments
        if revision == nil { try await explain() }
        try await Diff.parse(arguments).run()
    }

    /// Without a difference from what is deployed an Application can still be OutOfSync: Git has a commit that is held.
    private func explain() async throws {
        let application = try await options.get(options.connection.connect())
        guard let rollout = application.status.rollout, let from = rollout.rolledBackFrom,
            let deployed = rollout.revision
        else { return }
        printError(
            "comparing with \(PinnedRevision.short(deployed)), which is deployed; "
                + "\(PinnedRevision.short(from)) is held: --revision \(from) shows what that one changes")
    }
}
