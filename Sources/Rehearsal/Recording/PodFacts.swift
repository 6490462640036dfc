import Engine
import Kinds
import Model

/// What the recorder needs to know of a pod, read from it once.
struct PodFacts: Hashable, Sendable {
    var workload: ObjectKey
    var replicaSet: ObjectKey?
    /// Ended by itself: it counts for nothing any more.
    var isTerminal: Bool
    var isLeaving: Bool
    var readySince: Timestamp?
    var hasNode: Bool
    var cpu: Int64
    var memory: Int64
    /// What these were read from.
    private var spec: Spec
    /// Why it has no node, once the scheduler has tried.
    var homeless: String?
    var sign: String?

    /// Two that are one in memory are equal; others need not be compared, since what was read from them is.
    private struct Spec: Hashable {
        var json: JSON?

        static func == (left: Self, right: Self) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }

    /// - Parameter known: what was known of the same pod before.
    init(_ pod: Pod, over known: PodFacts? = nil) {
        workload = Workload.key(of: pod)
        replicaSet = Workload.replicaSet(of: pod)
        isTerminal = pod.isTerminal
        isLeaving = pod.metadata.isBeingDeleted
        readySince = pod.readySince
        hasNode = !pod.spec.nodeName.isEmpty
        spec = Spec(json: pod.json["spec"])
        if let known, let before = known.spec.json, let now = spec.json, now.isShared(with: before) {
            (cpu, memory) = (known.cpu, known.memory)
        } else {
            let request = PodInfo(pod).request
            (cpu, memory) = (request["cpu"], request["memory"])
        }
        if !hasNode, !isLeaving, let condition = pod.condition("PodScheduled"), condition.status == "False" {
            homeless = condition.message ?? condition.reason ?? "unschedulable"
        }
        sign = isLeaving ? nil : Self.sign(of: pod)
    }

    private static let failedWaits: Set<String> = [
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CrashLoopBackOff", "CreateContainerConfigError",
        "CreateContainerError", "RunContainerError",
    ]

    /// What says that a container failed, if anything does.
    private static func sign(of pod: Pod) -> String? {
        for status in pod.status.initContainerStatuses + pod.status.containerStatuses {
            if let reason = status.state.waiting?.reason, failedWaits.contains(reason) {
                return "container \(status.name): \(reason)"
            }
            if let end = status.state.terminated ?? status.lastState.terminated, end.exitCode != 0 {
                return "container \(status.name) ended with exit code \(end.exitCode)"
            }
        }
        return nil
    }

    /// Whether it holds room on a node, or asks for some.
    var counts: Bool { !isTerminal }

    var load: Recording.Load {
        counts ? Recording.Load(pods: 1, cpu: cpu, memory: memory) : Recording.Load()
    }
}

extension Recording.Load {
    static func + (left: Self, right: Self) -> Self {
        Self(pods: left.pods + right.pods, cpu: left.cpu + right.cpu, memory: left.memory + right.memory)
    }

    static func - (left: Self, right: Self) -> Self {
        Self(pods: left.pods - right.pods, cpu: left.cpu - right.cpu, memory: left.memory - right.memory)
    }

    static func larger(_ left: Self, _ right: Self) -> Self {
        Self(
            pods: max(left.pods, right.pods), cpu: max(left.cpu, right.cpu), memory: max(left.memory, right.memory))
    }
}
