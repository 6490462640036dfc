import ArgumentParser
import Engine
import Model
import Reconciler
import Rehearsal

struct Rehearse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Play the sync and rollout of a revision in memory, and show what would happen.",
        usage: "martlet rehearse [<options>] [<location>]",
        discussion: """
            Takes the live state, an empty cluster or a given state into an engine in memory and plays sync, \
            scheduling and rolling updates in virtual time, with the controllers that run for real; nothing is \
            changed. In a clone of a repository that an Application follows, it plays what that Application would do. \
            Containers are simulated: how long they take to become ready is learned from pods that run, else given by \
            --ready-delay.

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
            valueName: "cpu,memory"))
    var node: [NodeSize] = []
    @Option(
        help: ArgumentHelp(
            "How long containers take to become ready, of one workload or where it cannot be learned (default: 2s). "
                + "Repeatable.", valueName: "[workload=]duration"))
    var readyDelay: [ReadyDelayOption] = []
    @Option(
        help: ArgumentHelp(
            "Let the new pods of a workload fail before they are ready: crash (the default), probe or pull. Repeatable.",
            valueName: "workload[=how]"))
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

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, markdown, svg
    }

    func validate() throws {
        guard (1...1000).contains(seeds) else { throw ValidationError("--seeds: \(seeds) is not from 1 to 1000") }
        guard let duration = DurationText.parse(limit), duration > .zero else {
            throw ValidationError("--limit: \"\(limit)\" is no duration; write one like 30m or 2h")
        }
    }

    func run() async throws {
        let (scenario, origin) = try await RehearsalSubject.scenario(self)
        let last = seed.addingReportingOverflow(UInt64(seeds - 1))
        guard !last.overflow else { throw CommandError("--seed: \(seed) leaves no room for \(seeds) seeds") }
        let report = try RehearsalReport(playing: scenario, origin: origin, seeds: seed...last.partialValue)
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
        for option in readyDelay {
            if let workload = option.workload {
                delays.named[workload] = option.delay
            } else {
                delays.assumed = option.delay
            }
        }
        return delays
    }
}

/// `--node 4,8Gi`
struct NodeSize: ExpressibleByArgument {
    var cpu: Quantity
    var memory: Quantity

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let cpu = Quantity(String(parts[0])), let memory = Quantity(String(parts[1])),
            cpu > .zero, memory > .zero
        else { return nil }
        self.cpu = cpu
        self.memory = memory
    }

    func node(named name: String) -> LogicalNode {
        LogicalNode(name: name, capacity: ["cpu": cpu, "memory": memory, "pods": Quantity(110)])
    }
}

/// `--ready-delay 5s` or `--ready-delay web=5s`
struct ReadyDelayOption: ExpressibleByArgument {
    var workload: String?
    var delay: Duration

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let delay = DurationText.parse(parts[parts.count - 1]), delay <= .seconds(86400),
            parts.count == 1 || !parts[0].isEmpty
        else { return nil }
        self.delay = delay
        workload = parts.count == 2 ? parts[0] : nil
    }
}

/// `--fail web` or `--fail web=probe`
struct FailOption: ExpressibleByArgument {
    var failure: InjectedFailure

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !parts[0].isEmpty, let mode = parts.count == 1 ? .crash : FailureMode(rawValue: parts[1]) else {
            return nil
        }
        failure = InjectedFailure(workload: parts[0], mode: mode)
    }
}
