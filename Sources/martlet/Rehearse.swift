import ArgumentParser
import Engine
import Model
import Reconciler
import Rehearsal

struct Rehearse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse", _superCommandName: "martlet",
        abstract: "Play the sync and rollout of a revision in memory, and show what would happen.",
        usage: "martlet rehearse [<options>] [<location>]",
        discussion: """
            Takes the live state, an empty cluster or a given state into an engine in memory and plays sync, \
            scheduling and rolling updates in virtual time, with the controllers that run for real; nothing is \
            changed. In a clone of a repository that an Application follows, it plays what that Application would do. \
            Containers are simulated: how long they take to become ready is learned from pods that run, else from the \
            Application's last rollouts, else given by --ready-delay. Played are the pods of Deployments, \
            ReplicaSets and ReplicationControllers, and pods on their own.

            Exit codes: 0 ends healthy, 1 does not, 2 an error.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(
        help: ArgumentHelp(
            "Rehearse for this Application: its repository, its rules, what it prunes.", valueName: "name"))
    var app: String?
    @Option(help: ArgumentHelp("The Application's own namespace.", valueName: "namespace"))
    var appNamespace = "martlet"
    @Option(
        help: ArgumentHelp(
            "What to begin with: live, empty, or a folder whose manifests are deployed first.", valueName: "state"),
        completion: .directory)
    var from = "live"
    @Option(
        help: ArgumentHelp(
            "A node to have besides the live ones (default for other states: this machine). Repeatable.",
            valueName: "cpu,memory"), transform: NodeSize.init)
    var node: [NodeSize] = []
    @Option(
        help: ArgumentHelp(
            "How long containers take to become ready, of one workload or where it cannot be learned (default: 2s). "
                + "Repeatable.", valueName: "[workload=]duration"), transform: DelayOption.init)
    var readyDelay: [DelayOption] = []
    @Option(
        help: ArgumentHelp(
            "How long a node takes to pull an image that it does not have yet, of one workload or of all (default: 0s). "
                + "Repeatable.", valueName: "[workload=]duration"), transform: DelayOption.init)
    var pullDelay: [DelayOption] = []
    @Option(
        help: ArgumentHelp(
            "Let the new pods of a workload fail: crash (the default) before they are ready, crash@30s so long after they "
                + "became ready, probe (never ready) or pull (no image). Repeatable.",
            valueName: "workload[=how]"), transform: FailOption.init)
    var fail: [FailOption] = []
    @Option(help: ArgumentHelp("The seed of what varies: timings and the order of what is concurrent.", valueName: "n"))
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("Play so many seeds, from --seed on, and show the worst (1 to 1000).", valueName: "n"))
    var seeds = 1
    @Option(help: ArgumentHelp("Simulated time after which to give up.", valueName: "duration"))
    var limit = "1h"
    @Option(name: .shortAndLong, help: ArgumentHelp("How the report is shown.", valueName: "format"))
    var output = Format.text
    @OptionGroup var connection: Connection

    enum Format: String, ChoiceArgument {
        case text, json, markdown, svg
    }

    func validate() throws {
        guard (1...1000).contains(seeds) else { throw ValidationError("--seeds: \(seeds) is not from 1 to 1000") }
        guard let duration = DurationText.parse(limit), duration > .zero else {
            throw ValidationError("--limit: \"\(limit)\" is no duration; write one like 30m or 2h")
        }
        try Self.checkOnce("--fail", fail.map(\.failure.workload))
        try Self.checkOnce("--ready-delay", readyDelay.map { $0.workload ?? "" })
        try Self.checkOnce("--pull-delay", pullDelay.map { $0.workload ?? "" })
    }

    /// Of two that are about the same, one would be ignored.
    private static func checkOnce(_ option: String, _ workloads: [String]) throws {
        var seen: Set<String> = []
        for name in workloads where !seen.insert(name).inserted {
            throw ValidationError("\(option): given twice for \(name.isEmpty ? "all workloads" : name); leave one out")
        }
    }

    func run() async throws {
        let (scenario, origin) = try await RehearsalSubject.scenario(self)
        let last = seed.addingReportingOverflow(UInt64(seeds - 1))
        guard !last.overflow else { throw CommandError("--seed: \(seed) leaves no room for \(seeds) seeds") }
        let report = try await RehearsalReport(playing: scenario, origin: origin, seeds: seed...last.partialValue)
        switch output {
        case .text:
            let width = TextWidth.current
            let lines = report.text(width: width ?? 100).split(separator: "\n", omittingEmptySubsequences: false)
            print(
                lines.map { TextWidth.wrap(String($0), indent: 4, to: width) }.joined(separator: "\n"), terminator: "")
        case .json: print(report.json.text(.indented))
        case .markdown: print(report.markdown, terminator: "")
        case .svg: print(report.svg, terminator: "")
        }
        if !report.recording.outcome.isHealthy { throw ExitCode(1) }
    }

    /// What the options say of time.
    var delays: ReadyDelays {
        var delays = ReadyDelays()
        readyDelay.read(into: &delays.named, others: &delays.assumed)
        return delays
    }

    var pullDelays: PullDelays {
        var delays = PullDelays()
        pullDelay.read(into: &delays.named, others: &delays.assumed)
        return delays
    }
}
