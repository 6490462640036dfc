import ArgumentParser

struct AppDiff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show how the cluster differs from what an Application deployed.",
        discussion: "Exit codes: 0 no difference, 1 differences, 2 an error.")

    @OptionGroup var options: ApplicationOptions
    @Option(help: "Compare with this revision instead of the deployed one.")
    var revision: String?
    @Option(name: .shortAndLong, help: "unified, summary, json or markdown.")
    var output = Diff.Format.unified
    @Option(help: "auto, always or never.")
    var color = Diff.ColorChoice.auto

    func run() async throws {
        var arguments = ["--app", options.name, "--app-namespace", options.namespace, "--output", output.rawValue]
        arguments += ["--color", color.rawValue]
        if let revision { arguments += ["--revision", revision] }
        if let directory = options.connection.dataDir { arguments += ["--data-dir", directory] }
        if let file = options.connection.kubeconfig { arguments += ["--kubeconfig", file] }
        try await Diff.parse(arguments).run()
    }
}
