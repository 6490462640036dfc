package import Engine
package import Kinds
import Model
package import Reconciler

/// What is rehearsed: a state to begin with, a revision to bring about, and what may go wrong. Pure data.
package struct Scenario: Sendable {
    /// The objects that there are at the start, an Application among them when one is rehearsed; may be empty.
    package var start: [Object]
    /// The nodes that run pods. Nodes of `start` are among them unless they are not ready.
    package var nodes: [LogicalNode]
    /// The Application whose sync is played.
    package var application: Application
    /// What the Application deployed last, so that there is something to return to; with an empty start it is played
    /// first. `nil` when nothing was deployed.
    package var base: DesiredState?
    package var target: DesiredState
    package var delays: ReadyDelays
    package var pullDelays: PullDelays
    package var failures: [InjectedFailure]
    /// Virtual time after which a rehearsal that has not ended is given up.
    package var limit: Duration

    package init(
        start: [Object] = [], nodes: [LogicalNode], application: Application, base: DesiredState? = nil,
        target: DesiredState, delays: ReadyDelays = ReadyDelays(), pullDelays: PullDelays = PullDelays(),
        failures: [InjectedFailure] = [], limit: Duration = .seconds(3600)
    ) {
        self.start = start
        self.nodes = nodes
        self.application = application
        self.base = base
        self.target = target
        self.delays = delays
        self.pullDelays = pullDelays
        self.failures = failures
        self.limit = limit
    }

    /// How many objects a start may hold.
    package static let objectLimit = 100_000

    /// An Application for manifests that belong to none: it makes its namespace and prunes what it created.
    package static func application(named name: String, in namespace: String) -> Application {
        var application = Application(named: name, in: "martlet")
        application.json["spec"] = [
            "project": "default", "source": ["repoURL": "file:///rehearsal", "path": "."],
            "destination": ["namespace": .string(namespace)],
            "syncPolicy": ["automated": ["prune": true], "syncOptions": ["CreateNamespace=true"]],
        ]
        return application
    }
}

/// How pods of one workload fail when they are of the rehearsed revision.
package enum FailureMode: Hashable, Sendable {
    /// The readiness probe never passes.
    case probe
    /// The containers end with exit code 1 after a second, each time.
    case crash
    /// The same, but only so long after they became ready: what looks good fails while it bakes.
    case crashWhenReady(after: Duration)
    /// The image cannot be pulled.
    case pull

    private static let crashWhenReadyPrefix = "crash@"

    /// Reads `probe`, `pull`, `crash` or `crash@30s`; `nil` when it is none of these.
    package init?(_ text: String) {
        switch text {
        case "probe": self = .probe
        case "crash": self = .crash
        case "pull": self = .pull
        default:
            guard text.hasPrefix(Self.crashWhenReadyPrefix),
                let after = DurationText.parse(String(text.dropFirst(Self.crashWhenReadyPrefix.count)))
            else { return nil }
            self = .crashWhenReady(after: after)
        }
    }
}

/// One `--fail WORKLOAD=MODE`.
package struct InjectedFailure: Hashable, Sendable {
    package var workload: String
    package var mode: FailureMode

    package init(workload: String, mode: FailureMode) {
        self.workload = workload
        self.mode = mode
    }
}

/// Why a rehearsal could not be played.
package enum RehearsalError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooManyObjects(Int)
    case noNodes
    case unknownWorkload(String, known: [String])
    /// The revision has it, but nothing plays its pods.
    case unplayedWorkload(String)
    /// The state to begin with could not be brought about.
    case unhealthyStart(String)
    case unusableStart(String)

    package var description: String {
        switch self {
        case .tooManyObjects(let count):
            "the live state holds \(count) objects; a rehearsal takes at most \(Scenario.objectLimit)"
        case .noNodes: "there is no ready node on which pods could run; give some with --node CPU,MEMORY"
        case .unknownWorkload(let name, let known):
            "the revision has no workload \"\(name)\"; "
                + (known.isEmpty ? "it has none at all" : "there are: \(known.joined(separator: ", "))")
        case .unplayedWorkload(let name):
            "the pods of \(name) are not played, so nothing of them can fail or be slow; "
                + "played are \(Scenario.playedText)"
        case .unhealthyStart(let why): "what to begin with does not become healthy itself: \(why)"
        case .unusableStart(let why): "what to begin with cannot be stored: \(why)"
        }
    }
}

extension Scenario {
    /// The kinds whose pods are played: those that the engine runs.
    static let played: Set<GroupKind> = [
        Deployment.kind.groupKind, ReplicaSet.kind.groupKind, ReplicationController.kind.groupKind, Pod.kind.groupKind,
    ]
    static let playedText = "pods of Deployments, ReplicaSets and ReplicationControllers, and pods on their own"
    /// Kinds that have pods elsewhere, and none here.
    static let unplayed: Set<String> = ["StatefulSet", "DaemonSet", "Job", "CronJob"]

    /// Checks what can be known to be wrong before anything is played.
    ///
    /// - Throws: `.tooManyObjects`, `.noNodes`, or `.unknownWorkload` or `.unplayedWorkload` for a failure or delay of
    ///   a workload that the revision does not have, or whose pods are not played.
    package func check() throws(RehearsalError) {
        if start.count > Self.objectLimit { throw .tooManyObjects(start.count) }
        if nodes.isEmpty { throw .noNodes }
        let keys = target.objects.map(\.key)
        let known = Set(keys.filter { Self.played.contains($0.kind) }.map(\.name))
        let named = failures.map(\.workload) + delays.named.keys.sorted() + pullDelays.named.keys.sorted()
        for name in named where !known.contains(name) {
            if let key = keys.first(where: { Self.unplayed.contains($0.kind.kind) && $0.name == name }) {
                throw .unplayedWorkload("\(key)")
            }
            throw .unknownWorkload(name, known: known.sorted())
        }
    }
}
