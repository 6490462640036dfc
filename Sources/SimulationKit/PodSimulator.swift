package import Cluster
package import Kinds
import Model
import Synchronization

/// Stands in for the nodes of a cluster: pods that are bound to them start, become ready, crash and end in virtual
/// time, without anything that runs.
///
/// Far cheaper than a `NodeAgent` on a `SimulatedRuntime`: for histories of thousands of pods, where what happens
/// inside a pod does not matter. A pod whose image ends in `:bad` runs and never becomes ready.
package final class PodSimulator: Sendable {
    /// How long things take, in milliseconds; each pod draws its own times.
    package struct Pace: Sendable {
        package var start = 200...4000
        package var stop = 50...2000
        package var recovery = 1000...8000

        package init() {}
    }

    private struct State {
        var lost: Set<String> = []
        /// By pod UID: when it becomes ready, ends, or recovers from a crash.
        var due: [String: Timestamp] = [:]
        var crashed: Set<String> = []
        var addresses = 0
        var random: SplitMix64
    }

    private static let options = WriteOptions(fieldManager: "simulation", fieldValidation: .ignore)
    private static let heartbeat = Duration.seconds(10)

    private let cluster: any Cluster
    private let clock: any WallClock
    private let nodes: [String]
    private let pace: Pace
    private let pods: Informer
    private let queue: WorkQueue<ObjectKey>
    private let state: Mutex<State>

    package init(cluster: any Cluster, clock: any WallClock, nodes: [String], pace: Pace = Pace(), seed: UInt64) {
        self.cluster = cluster
        self.clock = clock
        self.nodes = nodes
        self.pace = pace
        pods = Informer(ListQuery(Pod.kind.groupKind), of: cluster, clock: clock, seed: seed)
        queue = WorkQueue(clock: clock)
        state = Mutex(State(random: SplitMix64(seed: seed)))
        pods.onChange { [queue] in queue.add($0.key) }
    }

    /// The node falls silent: its pods stay as they are, whatever the cluster wants.
    package func lose(_ node: String) {
        state.withLock { _ = $0.lost.insert(node) }
    }

    /// The node is back, with its pods as they were.
    package func restore(_ node: String) {
        state.withLock { _ = $0.lost.remove(node) }
        for pod in pods.all(as: Pod.self) where pod.spec.nodeName == node { queue.add(pod.key) }
    }

    /// A container of the pod ends by itself: it is not ready for a while.
    package func crash(_ pod: Pod) {
        state.withLock { _ = $0.crashed.insert(pod.metadata.uid) }
        queue.add(pod.key)
    }

    package func run() async throws {
        for node in nodes { try await register(node) }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.pods.run() }
            for node in nodes { group.addTask { try await self.beat(node) } }
            group.addTask {
                try await self.pods.waitForSync()
                await self.queue.run(workers: 4) { try await self.sync($0) }
            }
        }
    }

    private func register(_ name: String) async throws {
        var node = Node(named: name)
        node.metadata.labels = ["kubernetes.io/hostname": name]
        _ = try await cluster.create(Object(viewing: node.json), options: Self.options)
        try await report(name)
        var lease = Lease(named: name, in: "kube-node-lease")
        lease.spec.holderIdentity = name
        lease.spec.leaseDurationSeconds = 40
        lease.spec.renewTime = MicroTimestamp(clock.now)
        _ = try await cluster.create(Object(viewing: lease.json), options: Self.options)
    }

    private func report(_ name: String) async throws {
        let time = JSON.string(clock.now.description)
        let patch: JSON = [
            "status": [
                "allocatable": ["cpu": "64", "memory": "256Gi", "pods": "1000"],
                "capacity": ["cpu": "64", "memory": "256Gi", "pods": "1000"],
                "conditions": [
                    [
                        "type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": time,
                        "lastTransitionTime": time,
                    ]
                ],
            ]
        ]
        _ = try await cluster.patch(Node.key(name), .merge(patch), subresource: .status, options: Self.options)
    }

    private func beat(_ name: String) async throws {
        while true {
            try await clock.sleep(for: Self.heartbeat)
            if state.withLock({ $0.lost.contains(name) }) { continue }
            let patch: JSON = ["spec": ["renewTime": .string(clock.now.microText)]]
            _ = try await cluster.patch(
                Lease.key(name, in: "kube-node-lease"), .merge(patch), subresource: nil, options: Self.options)
            let node: Node = try await cluster.get(Node.key(name)).view()
            if !node.status.conditions.contains(where: { $0.type == "Ready" && $0.status == "True" }) {
                try await report(name)
            }
        }
    }

    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        guard let pod = pods.get(key, as: Pod.self), nodes.contains(pod.spec.nodeName),
            !state.withLock({ $0.lost.contains(pod.spec.nodeName) })
        else { return .done }
        let uid = pod.metadata.uid
        if pod.metadata.deletionTimestamp != nil {
            if let due = wait(uid + " stop", pace.stop) { return .again(at: due) }
            try await end(key, uid)
            return .done
        }
        switch pod.status.phase {
        case "Succeeded", "Failed": return .done
        case "Running":
            let isGood = !(pod.spec.containers.first?.image ?? "").hasSuffix(":bad")
            if state.withLock({ $0.crashed.remove(uid) }) != nil {
                state.withLock { $0.due[uid + " ready"] = nil }
                if try await write(pod, isReady: false) { return .again(at: clock.now + .milliseconds(1)) }
            }
            let isReady = pod.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
            if isReady || !isGood { return .done }
            if let due = wait(uid + " ready", pace.recovery) { return .again(at: due) }
            _ = try await write(pod, isReady: true)
        default:
            if let due = wait(uid + " start", pace.start) { return .again(at: due) }
            state.withLock { $0.due[uid + " ready"] = clock.now }
            _ = try await write(pod, isReady: false)
        }
        return .done
    }

    private func send(_ patch: JSON, to pod: ObjectKey) async throws(APIError) {
        do throws(APIError) {
            _ = try await cluster.patch(pod, .merge(patch), subresource: .status, options: Self.options)
        } catch {
            // It may be gone meanwhile.
            if error.reason != .notFound { throw error }
        }
    }

    private func end(_ key: ObjectKey, _ uid: String) async throws(APIError) {
        do throws(APIError) {
            _ = try await cluster.delete(key, options: DeleteOptions(gracePeriodSeconds: 0, uid: uid))
        } catch {
            // Somebody else was faster.
            if error.reason != .notFound, error.reason != .conflict { throw error }
        }
    }

    /// When something that takes its time is over; `nil` when it is.
    private func wait(_ what: String, _ range: ClosedRange<Int>) -> Timestamp? {
        let now = clock.now
        return state.withLock { state in
            let due = state.due[what] ?? (now + .milliseconds(Int.random(in: range, using: &state.random)))
            state.due[what] = due
            return due > now ? due : nil
        }
    }

    /// Answers whether that was news.
    private func write(_ pod: Pod, isReady: Bool) async throws -> Bool {
        let value = isReady ? "True" : "False"
        if pod.status.phase == "Running",
            pod.status.conditions.contains(where: { $0.type == "Ready" && $0.status == value })
        {
            return false
        }
        let time = JSON.string(clock.now.description)
        let kept = pod.status.conditions.filter { $0.type != "Ready" && $0.type != "ContainersReady" }.map(\.json)
        let set = ["Ready", "ContainersReady"].map { type -> JSON in
            ["type": .string(type), "status": .string(value), "lastTransitionTime": time]
        }
        let address = state.withLock { state -> String in
            if !pod.status.podIP.isEmpty { return pod.status.podIP }
            state.addresses += 1
            return "127.64.\(state.addresses / 250 % 250).\(state.addresses % 250 + 1)"
        }
        let patch: JSON = [
            "metadata": ["uid": .string(pod.metadata.uid), "resourceVersion": .string(pod.metadata.resourceVersion)],
            "status": [
                "phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]],
                "startTime": pod.status.json["startTime"] ?? time, "conditions": .array(kept + set),
            ],
        ]
        try await send(patch, to: pod.key)
        return true
    }
}
