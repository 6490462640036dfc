import Kinds
import Model

/// Which pods a shrinking ReplicaSet gives up first (B5).
struct PodVictims {
    /// How many active pods of the same controller's ReplicaSets share each node.
    var crowding: [String: Int]
    var now: Timestamp

    /// - Parameter related: active pods of all ReplicaSets of the same controller, this one's included.
    init(related: [Pod], now: Timestamp) {
        crowding = [:]
        for pod in related where pod.isActive { crowding[pod.spec.nodeName, default: 0] += 1 }
        self.now = now
    }

    func choose(_ count: Int, from pods: [Pod]) -> [Pod] {
        if count >= pods.count { return pods }
        return pods.map { Rank(of: $0, among: self) }.sorted().prefix(count).map(\.pod)
    }

    /// What is compared, in this order; the smaller goes first.
    private struct Rank: Comparable {
        var pod: Pod
        var keys: [Int]

        init(of pod: Pod, among victims: PodVictims) {
            self.pod = pod
            let restarts = Self.restarts(pod)
            keys = [
                pod.spec.nodeName.isEmpty ? 0 : 1,
                ["Pending": 0, "Unknown": 1, "Running": 2][pod.status.phase] ?? 0,
                pod.isReady ? 1 : 0,
                pod.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int($0) } ?? 0,
                -(victims.crowding[pod.spec.nodeName] ?? 0),
                Self.magnitude(of: pod.readySince, at: victims.now),
                -restarts.regular, -restarts.sidecars,
                Self.magnitude(of: pod.metadata.creationTimestamp, at: victims.now),
            ]
        }

        /// The age's base-2 logarithm: pods of about the same age count as equal.
        private static func magnitude(of time: Timestamp?, at now: Timestamp) -> Int {
            guard let time else { return -1 }
            let age = max(0, (now - time).wholeNanoseconds)
            return age == 0 ? 0 : 64 - age.leadingZeroBitCount
        }

        private static func restarts(_ pod: Pod) -> (regular: Int, sidecars: Int) {
            let sidecars = Set(pod.spec.initContainers.filter { $0.restartPolicy == "Always" }.map(\.name))
            return (
                pod.status.containerStatuses.map(\.restartCount).max() ?? 0,
                pod.status.initContainerStatuses.filter { sidecars.contains($0.name) }.map(\.restartCount).max() ?? 0
            )
        }

        static func < (left: Self, right: Self) -> Bool {
            for (mine, other) in zip(left.keys, right.keys) where mine != other { return mine < other }
            return left.pod.metadata.uid < right.pod.metadata.uid
        }
    }
}
