package import Cluster
import Kinds
import Model
import Synchronization

/// Gives every pod its node (semantics-workloads H).
///
/// A pod's place is decided on a copy of the cluster that already counts the pods placed a moment ago, and bound by
/// writing a Binding: `{apiVersion: v1, kind: Binding, metadata: {name, namespace, uid}, target: {apiVersion: v1, kind:
/// Node, name}}` to the pod's subresource `binding`. A pod that could only run in the place of less important ones has
/// those ended (H11), while room is kept for it.
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
    private let namespaces: Informer
    private let events: EventRecorder
    private let state = Mutex(State())
    private let signal = Signal()

    /// - Parameters:
    ///   - pods: of all namespaces.
    ///   - namespaces: all; affinity selects among them by their labels.
    ///   - events: of the component `default-scheduler`.
    package init(
        cluster: any Cluster, clock: any WallClock, pods: Informer, nodes: Informer, namespaces: Informer,
        events: EventRecorder
    ) {
        self.cluster = cluster
        self.clock = clock
        self.pods = pods
        self.nodes = nodes
        self.namespaces = namespaces
        self.events = events
        pods.onChange { [weak self] in self?.podChanged($0) }
        nodes.onChange { [weak self] in self?.nodeChanged($0) }
        namespaces.onChange { [weak self] in self?.namespaceChanged($0) }
    }

    /// Schedules until the task is cancelled. The informers run elsewhere.
    package func run() async throws {
        try await pods.waitForSync()
        try await nodes.waitForSync()
        try await namespaces.waitForSync()
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
                let uid = old.metadata.uid
                let heldRoom = state.cache.contains(pod: uid) || state.cache.nomination(of: uid) != nil
                state.cache.remove(pod: uid)
                state.cache.nominate(old.view(as: Pod.self), on: nil)
                state.queue.remove(old.key)
                if heldRoom { state.queue.somethingChanged(now: now) }
            }
            guard let pod = change.new?.view(as: Pod.self) else { return }
            if pod.spec.nodeName.isEmpty {
                // One that is counted already is being bound: this is news from before.
                if state.cache.contains(pod: pod.metadata.uid) { return }
                if isOurs(pod) {
                    // What this scheduler decided a moment ago counts until the cluster says something new.
                    let nominated = pod.status.nominatedNodeName
                    if change.old?.view(as: Pod.self).status.nominatedNodeName != nominated {
                        state.cache.nominate(pod, on: nominated)
                    }
                    state.queue.add(pod.key, uid: pod.metadata.uid, priority: pod.spec.priority ?? 0, now: now)
                } else {
                    if state.cache.nomination(of: pod.metadata.uid) != nil { state.queue.somethingChanged(now: now) }
                    state.cache.nominate(pod, on: nil)
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

    private func namespaceChanged(_ change: ObjectChange) {
        let labels = change.new?.metadata.labels
        state.withLock { state in
            let name = change.object.metadata.name
            if state.cache.namespaces[name] == labels { return }
            state.cache.namespaces[name] = labels
            state.queue.somethingChanged(now: clock.now)
        }
        signal.raise()
    }

    /// Decides where a pod goes and counts it there at once, or keeps room for it.
    private func decide(_ key: ObjectKey) -> (Pod, SchedulingDecision)? {
        guard let pod = pods.get(key, as: Pod.self), pod.spec.nodeName.isEmpty, isOurs(pod) else {
            state.withLock { $0.queue.remove(key) }
            return nil
        }
        return state.withLock { state in
            var known = pod
            known.status.nominatedNodeName = state.cache.nomination(of: pod.metadata.uid)
            let decision = SchedulingDecision(
                placing: PodInfo(known), on: state.cache.nodes, namespaces: state.cache.namespaces, start: &state.start)
            switch decision {
            case .place(let node):
                var placed = pod
                placed.spec.nodeName = node
                state.cache.set(placed)
            case .preempt(let preemption, _):
                for displaced in preemption.displaced { state.cache.nominate(displaced, on: nil) }
                state.cache.nominate(pod, on: preemption.node)
            case .unschedulable(_, let keepsNomination):
                if !keepsNomination { state.cache.nominate(pod, on: nil) }
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
                    await explain(pod, reason: "SchedulerError", message: "\(error)")
                    state.withLock { $0.queue.failed(pod.key, isError: true, now: clock.now) }
                }
            }
        case .preempt(let preemption, let message):
            await explain(pod, reason: "Unschedulable", message: message)
            let isDone = await makeRoom(preemption, for: pod)
            state.withLock { $0.queue.failed(pod.key, isError: !isDone, now: clock.now) }
        case .unschedulable(let message, _):
            await explain(pod, reason: "Unschedulable", message: message)
            state.withLock { $0.queue.failed(pod.key, isError: false, now: clock.now) }
        }
    }

    /// The pod was not bound: what the cluster says of it holds again.
    private func takeBack(_ pod: Pod) {
        let current = pods.get(pod.key, as: Pod.self)
        state.withLock { state in
            state.cache.remove(pod: pod.metadata.uid)
            guard let current, current.metadata.uid == pod.metadata.uid else { return }
            state.cache.set(current)
            if current.spec.nodeName.isEmpty { state.cache.nominate(current, on: current.status.nominatedNodeName) }
        }
    }

    /// Tells the pod's owner why it has no node (H9), and on which one room is made for it (H11).
    private func explain(_ pod: Pod, reason: String, message: String) async {
        events.record(.warning, reason: "FailedScheduling", message: String(message.prefix(1024)), about: pod)
        let node = state.withLock { $0.cache.nomination(of: pod.metadata.uid) }
        var changed = pod
        changed.status.setCondition("PodScheduled", "False", reason: reason, message: message, now: clock.now)
        changed.status.nominatedNodeName = node
        guard changed != pod, let condition = changed.condition("PodScheduled") else { return }
        do throws(APIError) {
            try await report(condition, of: pod, ["nominatedNodeName": node.map { .string($0) } ?? .null])
        } catch {
            // A condition that could not be written is written at the next attempt; the room is kept all the same.
        }
    }

    /// Writes one condition of a pod, beside those that others write meanwhile.
    private func report(
        _ condition: PodCondition, of pod: Pod, _ status: JSON = [:]
    ) async throws(APIError) {
        var status = status
        status["conditions"] = [condition.json]
        _ = try await cluster.patch(
            pod.key, .strategicMerge(["metadata": ["uid": .string(pod.metadata.uid)], "status": status]),
            subresource: .status, options: WriteOptions(fieldManager: Self.name))
    }

    // MARK: Preemption

    /// Ends the victims, each with its own grace, and sends away who waited for the room (H11).
    ///
    /// - Returns: whether all victims end; whoever remains is found again at the next attempt.
    private func makeRoom(_ preemption: Preemption, for pod: Pod) async -> Bool {
        var isDone = true
        for displaced in preemption.displaced {
            do throws(APIError) {
                let patch: JSON = [
                    "metadata": ["uid": .string(displaced.metadata.uid)], "status": ["nominatedNodeName": .null],
                ]
                _ = try await cluster.patch(
                    displaced.key, .merge(patch), subresource: .status, options: WriteOptions(fieldManager: Self.name))
            } catch {
                // It only looks less free than it is: its own next attempt says where it belongs.
            }
        }
        for victim in preemption.victims {
            do throws(APIError) {
                try await end(victim, for: pod, on: preemption.node)
            } catch {
                // One that is gone already, or another of its name, leaves the room as well.
                if error.reason != .notFound, error.reason != .conflict { isDone = false }
            }
        }
        return isDone
    }

    private func end(_ victim: Pod, for pod: Pod, on node: String) async throws(APIError) {
        if victim.metadata.isBeingDeleted { return }
        var marked = victim
        let scheduler = pod.spec.schedulerName ?? ""
        marked.status.setCondition(
            "DisruptionTarget", "True", reason: "PreemptionByScheduler",
            message: "\(scheduler.isEmpty ? Self.name : scheduler): preempting to accommodate a higher priority pod",
            now: clock.now)
        if marked != victim, let condition = marked.condition("DisruptionTarget") {
            try await report(condition, of: victim)
        }
        _ = try await cluster.delete(victim.key, options: DeleteOptions(uid: victim.metadata.uid))
        events.record(
            .normal, reason: "Preempted", message: "Preempted by pod \(pod.metadata.uid) on node \(node)",
            about: victim)
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
