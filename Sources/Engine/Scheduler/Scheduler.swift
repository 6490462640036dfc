package import Cluster
import Kinds
import Model
import Synchronization

/// Gives every pod its node (semantics-workloads H).
///
/// A pod's place is decided on a copy of the cluster that already counts the pods placed a moment ago, and bound by
/// writing a Binding: `{apiVersion: v1, kind: Binding, metadata: {name, namespace, uid}, target: {apiVersion: v1, kind:
/// Node, name}}` to the pod's subresource `binding`.
package final class Scheduler: Sendable {
    static let name = "default-scheduler"
    /// Pods that are bound at the same time.
    static let batchSize = 64

    private struct State {
        var cache = SchedulerCache()
        var queue = SchedulingQueue()
        var start = 0
    }

    private let cluster: any Cluster
    private let clock: any WallClock
    private let pods: Informer
    private let nodes: Informer
    private let events: EventRecorder
    private let state = Mutex(State())
    private let signal = Signal()

    /// - Parameters:
    ///   - pods: of all namespaces.
    ///   - events: of the component `default-scheduler`.
    package init(
        cluster: any Cluster, clock: any WallClock, pods: Informer, nodes: Informer, events: EventRecorder
    ) {
        self.cluster = cluster
        self.clock = clock
        self.pods = pods
        self.nodes = nodes
        self.events = events
        pods.onChange { [weak self] in self?.podChanged($0) }
        nodes.onChange { [weak self] in self?.nodeChanged($0) }
    }

    /// Schedules until the task is cancelled. The informers run elsewhere.
    package func run() async throws {
        try await pods.waitForSync()
        try await nodes.waitForSync()
        while true {
            try Task.checkCancellation()
            let (batch, due) = state.withLock { state in
                var batch: [ObjectKey] = []
                while batch.count < Self.batchSize, let key = state.queue.next(now: clock.now) { batch.append(key) }
                return (batch, state.queue.nextDue)
            }
            if batch.isEmpty {
                await signal.wait(until: due, on: clock)
                continue
            }
            await withDiscardingTaskGroup { group in
                for key in batch {
                    guard let (pod, decision) = decide(key) else { continue }
                    group.addTask { await self.carryOut(decision, for: pod) }
                }
            }
        }
    }

    private func podChanged(_ change: ObjectChange) {
        let now = clock.now
        state.withLock { state in
            if let old = change.old, change.new == nil || old.metadata.uid != change.new?.metadata.uid {
                let wasPlaced = state.cache.contains(pod: old.metadata.uid)
                state.cache.remove(pod: old.metadata.uid)
                state.queue.remove(old.key)
                if wasPlaced { state.queue.somethingChanged(now: now) }
            }
            guard let pod = change.new?.view(as: Pod.self) else { return }
            if pod.spec.nodeName.isEmpty {
                // One that is counted already is being bound: this is news from before.
                if state.cache.contains(pod: pod.metadata.uid) { return }
                if isOurs(pod) {
                    state.queue.add(pod.key, uid: pod.metadata.uid, priority: pod.spec.priority ?? 0, now: now)
                } else {
                    state.queue.remove(pod.key)
                }
            } else {
                let wasCounted = state.cache.contains(pod: pod.metadata.uid)
                state.cache.set(pod)
                state.queue.remove(pod.key)
                if wasCounted, pod.isTerminal { state.queue.somethingChanged(now: now) }
            }
        }
        signal.raise()
    }

    private func isOurs(_ pod: Pod) -> Bool {
        let scheduler = pod.spec.schedulerName ?? ""
        return (scheduler.isEmpty || scheduler == Self.name) && !pod.metadata.isBeingDeleted && !pod.isTerminal
            && pod.spec.schedulingGates.isEmpty
    }

    private func nodeChanged(_ change: ObjectChange) {
        let old = change.old?.view(as: Node.self)
        let new = change.new?.view(as: Node.self)
        // A node's heartbeats are no reason to try again.
        let matters =
            old?.spec != new?.spec || old?.metadata.labels != new?.metadata.labels
            || old?.status.allocatable != new?.status.allocatable || old?.status.capacity != new?.status.capacity
        if !matters { return }
        state.withLock { state in
            if let new { state.cache.set(new) } else if let old { state.cache.remove(node: old.metadata.name) }
            state.queue.somethingChanged(now: clock.now)
        }
        signal.raise()
    }

    /// Decides where a pod goes and counts it there at once.
    private func decide(_ key: ObjectKey) -> (Pod, SchedulingDecision)? {
        guard let pod = pods.get(key, as: Pod.self), pod.spec.nodeName.isEmpty, isOurs(pod) else {
            state.withLock { $0.queue.remove(key) }
            return nil
        }
        return state.withLock { state in
            let decision = SchedulingDecision(placing: PodInfo(pod), on: state.cache.nodes, start: &state.start)
            if case .place(let node) = decision {
                var placed = pod
                placed.spec.nodeName = node
                state.cache.set(placed)
            }
            return (pod, decision)
        }
    }

    private func carryOut(_ decision: SchedulingDecision, for pod: Pod) async {
        switch decision {
        case .place(let node):
            do throws(APIError) {
                _ = try await cluster.update(
                    Self.binding(pod, node), subresource: .binding, options: WriteOptions(fieldManager: Self.name))
                state.withLock { $0.queue.placed(pod.key) }
                events.record(
                    .normal, reason: "Scheduled",
                    message: "Successfully assigned \(pod.metadata.namespace)/\(pod.metadata.name) to \(node)",
                    about: pod)
            } catch {
                takeBack(pod)
                if error.reason == .notFound || error.reason == .conflict {
                    // Gone, leaving, or placed by somebody else: the informer will say which.
                    state.withLock { $0.queue.failed(pod.key, isError: true, now: clock.now) }
                } else {
                    await explain(pod, reason: "SchedulerError", message: "\(error)", isError: true)
                }
            }
        case .unschedulable(let message):
            await explain(pod, reason: "Unschedulable", message: message, isError: false)
        }
    }

    /// The pod was not bound: what the cluster says of it holds again.
    private func takeBack(_ pod: Pod) {
        let current = pods.get(pod.key, as: Pod.self)
        state.withLock { state in
            state.cache.remove(pod: pod.metadata.uid)
            if let current, current.metadata.uid == pod.metadata.uid { state.cache.set(current) }
        }
    }

    /// Tells the pod's owner why it has no node (H9), and has it wait.
    private func explain(_ pod: Pod, reason: String, message: String, isError: Bool) async {
        events.record(.warning, reason: "FailedScheduling", message: String(message.prefix(1024)), about: pod)
        var changed = pod
        changed.status.setCondition("PodScheduled", "False", reason: reason, message: message, now: clock.now)
        if changed != pod {
            let patch: JSON = [
                "metadata": [
                    "uid": .string(pod.metadata.uid), "resourceVersion": .string(pod.metadata.resourceVersion),
                ],
                "status": ["conditions": changed.status.json["conditions"] ?? []],
            ]
            // A condition that could not be written is written at the next attempt.
            _ = try? await cluster.patch(
                pod.key, .merge(patch), subresource: .status, options: WriteOptions(fieldManager: Self.name))
        }
        state.withLock { $0.queue.failed(pod.key, isError: isError, now: clock.now) }
    }

    private static func binding(_ pod: Pod, _ node: String) -> Object {
        Object(viewing: [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": [
                "name": .string(pod.metadata.name), "namespace": .string(pod.metadata.namespace),
                "uid": .string(pod.metadata.uid),
            ],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ])
    }
}
