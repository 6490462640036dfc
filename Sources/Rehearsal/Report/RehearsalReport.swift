import Engine
import Kinds
package import Model
import Reconciler

/// What a rehearsal found, ready to be shown: everything in it comes out of recordings of what was played.
package struct RehearsalReport: Sendable {
    /// One rehearsal of several that differ in their seeds alone.
    package struct Run: Sendable {
        package var seed: UInt64
        package var recording: Recording

        package init(seed: UInt64, recording: Recording) {
            self.seed = seed
            self.recording = recording
        }
    }

    /// What the nodes have for pods, together.
    package struct Capacity: Hashable, Sendable {
        package var nodes: Int
        package var load: Recording.Load
    }

    package var revision: String
    /// What it began with, in words: `the live state`.
    package var origin: String
    package var capacity: Capacity
    /// What was taken for the time that pods need to become ready, by workload.
    package var delays: [ObjectKey: (delay: Duration, origin: ReadyDelays.Origin)]
    /// What was taken for the time that an image needs where it is not there yet, by workload, where that is any.
    package var pulls: [ObjectKey: Duration]
    /// What a reader should know that no figure says.
    package var remarks: [String]
    package var runs: [Run]

    /// - Parameter runs: at least one.
    package init(_ scenario: Scenario, origin: String, runs: [Run]) {
        precondition(!runs.isEmpty, "a report is about something that was played")
        revision = scenario.target.revision
        self.origin = origin
        self.runs = runs
        var load = Recording.Load()
        for node in scenario.nodes {
            load =
                load
                + Recording.Load(
                    pods: Int(clamping: node.capacity["pods"]?.value ?? 0),
                    cpu: node.capacity["cpu"]?.milliValue ?? 0, memory: node.capacity["memory"]?.value ?? 0)
        }
        capacity = Capacity(nodes: scenario.nodes.count, load: load)
        delays = [:]
        pulls = [:]
        remarks = []
        let changed = Set(runs.flatMap { $0.recording.workloads }.filter(\.changes).map(\.key))
        for key in changed {
            delays[key] = scenario.delays.delay(of: key)
            let pull = scenario.pullDelays.delay(of: key)
            if pull > .zero { pulls[key] = pull }
        }
        remarks = Self.remarks(scenario, recording)
    }

    /// The run that is shown in full: the worst one.
    package var worst: Run { runs.dropFirst().reduce(runs[0]) { Self.isWorse($1.recording, $0.recording) ? $1 : $0 } }

    package var recording: Recording { worst.recording }

    /// The workloads of which anything moved.
    package var workloads: [Recording.WorkloadRecord] { recording.workloads.filter(\.changes) }

    /// Ending badly is worse than a broken promise, that is worse than a budget violated, a pod that waits, and time.
    static func isWorse(_ left: Recording, _ right: Recording) -> Bool {
        rank(right).lexicographicallyPrecedes(rank(left))
    }

    private static func rank(_ recording: Recording) -> [Int64] {
        let ending: Int64 =
            switch recording.outcome {
            case .healthy: 0
            case .rolledBack: 1
            case .unfinished: 2
            case .degraded: 3
            }
        let missing = recording.workloads.filter { $0.brokenAt != nil }.map { $0.promise - ($0.lowest ?? 0) }
        return [
            ending, Int64(missing.reduce(0, +)), Int64(recording.budgets.count),
            Int64(recording.waiting.map(\.remaining).reduce(0, +)), recording.duration.milliseconds,
        ]
    }

    private static func remarks(_ scenario: Scenario, _ recording: Recording) -> [String] {
        var remarks = AssumedObjects(scenario).remarks
        for object in scenario.target.objects
        where Catalog.builtIn.inertKinds.contains(object.key.kind)
            && Scenario.unplayed.contains(object.key.kind.kind)
        {
            remarks.append(
                "\(object.key): its pods are not played, since nothing in Martlet's engine acts on that kind yet; played "
                    + "are \(Scenario.playedText)")
        }
        for failure in scenario.failures {
            let records = recording.workloads.filter { $0.key.name == failure.workload }
            if !records.contains(where: { $0.samples.contains { $0.counts.new > 0 } }) {
                remarks.append(
                    "--fail \(failure.workload): the revision starts no new pods of it, so nothing of it failed")
            }
            let deployment = scenario.target.objects.first {
                $0.key.kind == Deployment.kind.groupKind && $0.key.name == failure.workload
            }
            let containers = deployment?.object.view(as: Deployment.self).spec.template.spec.containers ?? []
            if failure.mode == .probe, containers.allSatisfy({ $0.readinessProbe == nil }) {
                remarks.append(
                    "--fail \(failure.workload)=probe: it has no readiness probe, so nobody can notice a failing one")
            }
        }
        return remarks
    }
}

/// How a failure was noticed and answered, as a recording tells it.
package struct FailureStory: Hashable, Sendable {
    /// The first sign in a pod, where there was one.
    package var sign: (workload: ObjectKey, sign: Recording.FailureSign)? {
        signs.first.map { ($0.workload, $0.sign) }
    }
    private struct Sign: Hashable, Sendable {
        var workload: ObjectKey
        var sign: Recording.FailureSign
    }
    private var signs: [Sign]
    /// When the verdict was certain, and why.
    package var judgedAt: Duration
    package var message: String
    /// From the verdict until the last healthy revision was back; `nil` where it did not come back.
    package var rollback: Duration?

    /// `nil` when nothing failed.
    package init?(_ recording: Recording) {
        var judged: (at: Duration, message: String)?
        for step in recording.steps {
            guard case .verdict(let phase, _, let message) = step.kind else { continue }
            switch phase {
            case "RollingBack", "Degraded": judged = judged ?? (step.at, message)
            case "RolledBack", "Healthy": if let judged { rollback = rollback ?? (step.at - judged.at) }
            default: break
            }
        }
        guard let judged else { return nil }
        signs = recording.workloads.compactMap { record in record.sign.map { Sign(workload: record.key, sign: $0) } }
            .sorted { ($0.sign.at, $0.workload) < ($1.sign.at, $1.workload) }
        judgedAt = judged.at
        message = judged.message
    }
}
