package import Kinds
package import Model

/// What runs the containers of pods: where the pod worker's decisions become processes.
///
/// All state is level-triggered: a worker reads `state(of:)` whenever it is told that something changed. Every verb is
/// idempotent, so that a worker that died in the middle of one may repeat it.
package protocol PodRuntime: Sendable {
    /// The pods of which something exists here, from this run of the service or an earlier one.
    func existingSandboxes() async throws(RuntimeError) -> [PodSandbox]

    /// Creates the pod's sandbox, or adopts the one that runs. After that `onChange` is called, on any thread, whenever
    /// `state(of:)` has changed.
    func open(_ sandbox: PodSandbox, onChange: @escaping @Sendable () -> Void) async throws(RuntimeError)

    func state(of uid: String) -> SandboxState

    /// The command that an image stands for.
    func resolve(image: String, pod: Pod) async throws(ImageError) -> ResolvedImage

    /// Makes the contents of volumes present, replacing an earlier version of them in one step.
    func provide(_ volumes: [VolumeContents], to uid: String) async throws(RuntimeError)

    /// Where a volume is on this machine.
    func path(ofVolume name: String, of uid: String) -> String

    /// Starts a container. Nothing happens when this attempt was started before.
    func start(_ launch: ContainerLaunch, in uid: String) async throws(RuntimeError)

    /// Signals a container's first process; SIGKILL all that it started.
    func signal(_ signal: Int32, to id: ContainerID, in uid: String) async throws(RuntimeError)

    /// Does what a probe or a hook asks for.
    func perform(
        _ action: ProbeAction, for id: ContainerID, of pod: Pod, timeout: Duration
    ) async -> ProbeOutcome

    /// Ends what runs of the pod and frees what it holds; its logs remain.
    func close(_ uid: String) async throws(RuntimeError)

    /// Ends what runs of the pod and removes every trace of it.
    func remove(_ uid: String) async throws(RuntimeError)

    /// Where a container's log is kept, or `nil` when this runtime keeps none.
    func logPath(of id: ContainerID, in uid: String) -> String?

    /// What an ended container said of its end, of at most `limit` bytes (I17): the file at its
    /// `terminationMessagePath` or, if that is empty and `fallsBackToLog`, the end of its log. `nil` when it said
    /// nothing.
    func terminationMessage(
        of id: ContainerID, in uid: String, limit: Int, fallsBackToLog: Bool
    ) async -> String?

    /// What this runtime can do for a container.
    var abilities: RuntimeAbilities { get }
}

extension PodRuntime {
    package func terminationMessage(
        of id: ContainerID, in uid: String, limit: Int, fallsBackToLog: Bool
    ) async -> String? { nil }
}

package struct RuntimeAbilities: Hashable, Sendable {
    /// Whether containers may see volumes at their mount paths.
    package var mounts: Bool
    /// Whether containers may run as another user.
    package var users: Bool

    package init(mounts: Bool, users: Bool) {
        self.mounts = mounts
        self.users = users
    }
}

/// The place of one pod on a node.
package struct PodSandbox: Hashable, Sendable {
    package var uid: String
    package var namespace: String
    package var name: String
    package var node: String

    package init(uid: String, namespace: String, name: String, node: String) {
        self.uid = uid
        self.namespace = namespace
        self.name = name
        self.node = node
    }
}

/// One run of a container; `attempt` counts restarts, from 0.
package struct ContainerID: Hashable, Sendable, Comparable {
    package var name: String
    package var attempt: Int

    package init(_ name: String, attempt: Int) {
        self.name = name
        self.attempt = attempt
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.name, left.attempt) < (right.name, right.attempt)
    }
}

package struct ContainerRecord: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case running
        case exited(ContainerExit)
    }

    package var id: ContainerID
    package var startedAt: Timestamp
    package var phase: Phase

    package init(id: ContainerID, startedAt: Timestamp, phase: Phase) {
        self.id = id
        self.startedAt = startedAt
        self.phase = phase
    }
}

package struct ContainerExit: Hashable, Sendable {
    package var finishedAt: Timestamp
    /// 128 + signal for a process that a signal ended.
    package var code: Int
    /// The signal that ended it, or 0.
    package var signal: Int
    /// Nobody saw the end: what supervised it was killed.
    package var isLost: Bool
    /// What the container said of its end.
    package var message: String?

    package init(finishedAt: Timestamp, code: Int, signal: Int = 0, isLost: Bool = false) {
        self.finishedAt = finishedAt
        self.code = code
        self.signal = signal
        self.isLost = isLost
    }
}

package enum SandboxState: Hashable, Sendable {
    case absent
    case ready([ContainerRecord])
    /// What supervised the pod is gone, and its containers with it: open it anew.
    case lost
}

/// Everything that a container's start needs, resolved.
package struct ContainerLaunch: Hashable, Sendable {
    package struct Mount: Hashable, Sendable {
        package var source: String
        package var target: String
        package var readOnly: Bool
    }

    package var id: ContainerID
    package var arguments: [String]
    /// `NAME=value`, in order.
    package var environment: [String]
    package var workingDirectory: String
    package var user: Int?
    package var group: Int?
    package var supplementalGroups: [Int]
    /// Whether it has those groups alone, also where it runs as whom the runtime runs as.
    package var hasStrictGroups = false
    package var noNewPrivileges: Bool
    package var mounts: [Mount]
    /// Where else the container finds the file for its termination message: at the least its path is in
    /// `MARTLET_TERMINATION_LOG` (docs/decisions/006).
    package var terminationMessagePath: String?

    package init(
        id: ContainerID, arguments: [String], environment: [String] = [], workingDirectory: String = "/",
        user: Int? = nil, group: Int? = nil, supplementalGroups: [Int] = [], noNewPrivileges: Bool = false,
        mounts: [Mount] = []
    ) {
        self.id = id
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.group = group
        self.supplementalGroups = supplementalGroups
        self.noNewPrivileges = noNewPrivileges
        self.mounts = mounts
    }
}

/// What a volume holds.
package struct VolumeContents: Hashable, Sendable {
    package struct File: Hashable, Sendable {
        /// Relative to the volume.
        package var path: String
        package var bytes: [UInt8]
        package var mode: Int
        /// Whose it is, where not that of who runs Martlet.
        var owner: Int?
    }

    package enum Source: Hashable, Sendable {
        case emptyDirectory
        case files([File])
        /// A path of the machine; `type` as in `HostPathVolumeSource`.
        case hostPath(String, type: String)
    }

    package var name: String
    package var source: Source
    /// The group that owns the volume, of `fsGroup`.
    package var group: Int?
}

package struct ResolvedImage: Hashable, Sendable {
    package var id: String
    package var entrypoint: [String]
}

package enum ProbeAction: Hashable, Sendable {
    case http(HTTPProbe)
    case tcp(host: String, port: Int)
    case exec([String])
    case sleep(Duration)
}

package struct HTTPProbe: Hashable, Sendable {
    package var scheme: String
    package var host: String
    package var port: Int
    package var path: String
    package var headers: [[String]]
}

package enum ProbeOutcome: Hashable, Sendable {
    case success
    /// Passes, with something to tell.
    case warning(String)
    case failure(String)
    /// Nothing was learned; it does not count.
    case error(String)
}

package struct RuntimeError: Error, Hashable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The sandbox is not there, or what supervised it is gone.
        case noSandbox
        /// The program could not be started.
        case start
        /// The machine refused something.
        case system
    }

    package var kind: Kind
    package var message: String
    package var description: String { message }

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

package struct ImageError: Error, Hashable, CustomStringConvertible {
    package var message: String
    package var description: String { message }

    package init(_ message: String) {
        self.message = message
    }
}
