package import Kinds
package import Model

/// What the worker must do next for a pod. Its executor has no choice left.
package enum PodAction: Hashable, Sendable {
    case openSandbox
    case prepareVolumes
    case start(ContainerID)
    case postStart(ContainerID)
    case preStop(ContainerID, timeout: Duration)
    case signal(Int32, ContainerID)
    case probe(ProbeKind, ContainerID)
    case event(PodEvent)
    /// All containers have stopped for good: give back what the pod holds except its logs.
    case closeSandbox
    /// The pod is to go: remove every trace, then `finalDelete`.
    case removeSandbox
    /// DELETE with grace 0 and the pod's uid as precondition (I9).
    case finalDelete
}

package struct PodEvent: Hashable, Sendable {
    package var isWarning: Bool
    package var reason: String
    package var message: String
    /// `nil` for an event about the pod as a whole.
    package var container: String?
}

/// What became of an action.
package enum PodResult: Hashable, Sendable {
    case sandboxOpened
    case sandboxFailed(String)
    case volumesReady
    case volumesFailed(String)
    /// Something of them is on its way: to be tried again in a moment, and not told.
    case volumesAwaited
    case started(ContainerID, image: String)
    case imageFailed(ContainerID, String)
    case configurationFailed(ContainerID, String)
    case startFailed(ContainerID, String)
    case sandboxLost(ContainerID)
    case postStartEnded(ContainerID, failure: String?)
    case preStopEnded(ContainerID, failure: String?)
    case probed(ProbeKind, ContainerID, ProbeOutcome)
    case sandboxClosed
    case sandboxRemoved
    case cleanupFailed(String)
}

/// One look at a pod: what to do, what to report, when to look again at the latest.
package struct PodStep: Sendable {
    package var actions: [PodAction]
    package var status: PodStatus
    package var wakeAt: Timestamp?
    /// Something of the pod is being started, which mostly gives more to report in a moment.
    package var isStarting: Bool
    /// Nothing is left to do for this pod, ever.
    package var isFinished: Bool
}

/// The life of one pod on its node: a state machine without I/O or time of its own (I1–I9, I14, I18).
///
/// `step` looks at the pod, at what the runtime reports and at the time, and answers actions; `apply` takes in what
/// became of them. Between the two nothing else is remembered.
package struct PodLifecycle: Sendable {
    enum Sandbox: Hashable, Sendable {
        case needed(after: Timestamp?, failures: Int)
        case opening(failures: Int)
        case open
        /// Containers have ended; nothing runs.
        case closing
        case closed
        case removing
        case removed
    }

    enum Volumes: Hashable, Sendable {
        case needed(after: Timestamp?)
        case preparing
        case ready
    }

    struct Termination: Hashable, Sendable {
        var deadline: Timestamp
        /// Set when the pod is stopped by its node, not deleted: status.reason and message (I14).
        var reason: String?
        var message: String?
    }

    static let retryDelay = Duration.seconds(2)
    /// How long SIGTERM works at least before SIGKILL, whatever the grace left over (I9).
    static let leastKillDelay = Duration.seconds(2)

    var sandbox = Sandbox.needed(after: nil, failures: 0)
    var volumes = Volumes.needed(after: nil)
    /// Why the volumes could not be prepared the last time.
    var volumeFault: String?
    var containers: [String: ContainerMemory] = [:]
    var termination: Termination?
    var startTime: Timestamp
    var reportedUnenforced = false
    var finalDeleteAt: Timestamp?
    /// The status as it was last made, with what it was made of.
    var told: (basis: StatusBasis, status: PodStatus)?
    let context: Context

    /// What does not change during a pod's life on a node.
    package struct Context: Hashable, Sendable {
        package var podIP: String
        package var hostIP: String
        /// Whether limits and the like are enforced; if not, a Warning event says so.
        package var enforcesResources: Bool
        package var abilities: RuntimeAbilities

        package init(
            podIP: String, hostIP: String, enforcesResources: Bool = false,
            abilities: RuntimeAbilities = RuntimeAbilities(mounts: true, users: true)
        ) {
            self.abilities = abilities
            self.podIP = podIP
            self.hostIP = hostIP
            self.enforcesResources = enforcesResources
        }
    }

    /// Begins with, or goes on from, what the pod's status says.
    package init(_ pod: Pod, context: Context, now: Timestamp) {
        self.context = context
        startTime = pod.status.startTime ?? now
        let statuses = pod.status.initContainerStatuses + pod.status.containerStatuses
        for container in pod.spec.initContainers + pod.spec.containers {
            let status = statuses.first { $0.name == container.name }
            containers[container.name] = ContainerMemory(adopting: status)
        }
        // A service that comes back to an adopted pod need not say again what it said.
        reportedUnenforced = pod.status.startTime != nil
        if pod.status.phase == "Succeeded" || pod.status.phase == "Failed" { sandbox = .closed }
    }

    /// Lets configuration be tried again at once: an object that the pod refers to has changed.
    package mutating func configurationChanged() {
        if volumes != .preparing { volumes = .needed(after: nil) }
        for name in containers.keys { containers[name]?.fault?.retryAt = nil }
    }

    /// Lets the volumes be made anew: something in them is about to end.
    package mutating func volumesAged() {
        if volumes == .ready { volumes = .needed(after: nil) }
    }
}

/// What is remembered of one container.
struct ContainerMemory: Hashable, Sendable {
    enum Current: Hashable, Sendable {
        case none
        case starting
        case running(since: Timestamp)
        case ended(ContainerEnd)
    }

    /// Why it does not run though it should: the waiting reason, its message, and when to try again.
    struct Fault: Hashable, Sendable {
        var reason: String
        var message: String
        var since: Timestamp
        /// `nil`: at once.
        var retryAt: Timestamp?
    }

    enum Hook: Hashable, Sendable {
        case pending, running, done
    }

    struct Stop: Hashable, Sendable {
        var deadline: Timestamp
        var preStop = Hook.pending
        var killAt: Timestamp?
    }

    /// The run that `current` is about; restarts so far.
    var attempt = 0
    var current = Current.none
    var last: ContainerEnd?
    var fault: Fault?
    var postStart = Hook.pending
    var stop: Stop?
    var probes: [ProbeKind: ProbeLedger] = [:]
    var image = ""
    var pullFailures = 0
    /// The delay before the next restart but one (I4); zero: the next restart is immediate.
    var backoff = Duration.zero
    /// Since when a restart waits, and until when.
    var restartAt: Timestamp?
    var isBackingOff = false
    /// Readiness as it was when the service was restarted, so that an adopted pod stays ready.
    var adoptedReady = false
    var adoptedStarted = false

    init() {}

    init(adopting status: ContainerStatus?) {
        guard let status else { return }
        attempt = status.restartCount
        image = status.imageID
        adoptedReady = status.ready
        adoptedStarted = status.started == true
        last = status.lastState.terminated.map(ContainerEnd.init)
        if let running = status.state.running {
            current = .running(since: running.startedAt ?? Timestamp(seconds: 0))
            postStart = .done
        } else if let terminated = status.state.terminated {
            current = .ended(ContainerEnd(terminated))
        } else if let last {
            // It waited for its restart.
            current = .ended(last)
        }
    }

    /// Without what changes with every probe, and no status tells of.
    var untimed: ContainerMemory {
        var memory = self
        memory.probes = probes.mapValues(\.untimed)
        return memory
    }

    var isRunning: Bool {
        if case .running = current { true } else { false }
    }

    var end: ContainerEnd? {
        if case .ended(let end) = current { end } else { nil }
    }

    /// Whether it has stopped, or never ran.
    var isStopped: Bool {
        switch current {
        case .none, .ended: true
        case .starting, .running: false
        }
    }

    /// Whether it counts as started: what sidecars and the other probes wait for (I5, I6).
    func hasStarted(_ container: Container) -> Bool {
        guard isRunning else { return false }
        if container.lifecycle?.postStart != nil, postStart != .done { return false }
        return container.startupProbe == nil || probes[.startup]?.result ?? adoptedStarted
    }

    func isReady(_ container: Container) -> Bool {
        guard isRunning, hasStarted(container) else { return false }
        return container.readinessProbe == nil || probes[.readiness]?.result ?? adoptedReady
    }
}

/// How a run of a container ended, as its status says.
struct ContainerEnd: Hashable, Sendable {
    var startedAt: Timestamp?
    var finishedAt: Timestamp
    var exitCode: Int
    var signal = 0
    var reason: String
    var message: String?
    var attempt: Int?
}

extension ContainerEnd {
    /// Reasons of I3.
    init(_ exit: ContainerExit, startedAt: Timestamp, attempt: Int) {
        self.startedAt = startedAt
        finishedAt = exit.finishedAt
        exitCode = exit.isLost ? 137 : exit.code
        signal = exit.isLost ? 0 : exit.signal
        reason = exit.isLost ? "ContainerStatusUnknown" : exit.code == 0 ? "Completed" : "Error"
        message =
            exit.isLost
            ? "The container could not be located when the pod's supervisor was found to be gone" : exit.message
        self.attempt = attempt
    }

    init(_ state: ContainerStateTerminated) {
        startedAt = state.startedAt
        finishedAt = state.finishedAt ?? Timestamp(seconds: 0)
        exitCode = state.exitCode
        signal = state.signal ?? 0
        reason = state.reason ?? "Error"
        message = state.message
    }
}
