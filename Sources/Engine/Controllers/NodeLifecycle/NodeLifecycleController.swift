package import Cluster
import Kinds
import Model
import Synchronization

/// Watches over nodes: silent ones are declared unknown, their pods are evicted, and pods that nobody can finish any
/// more are collected (semantics-workloads G3 to G7).
package final class NodeLifecycleController: Sendable {
    package static let component = "node-controller"
    static let leaseNamespace = "kube-node-lease"

    /// What is looked at again.
    package enum Concern: Hashable, Sendable {
        case nodes
        case evictions(node: String)
        case collection
    }

    private struct State {
        var health = NodeHealth()
        var pace = NodeLifecyclePlan.Pace()
        var missing = PodCollectionPlan.Missing()
        /// Pods that will have to leave, by node.
        var doomed: [String: [String: Pod]] = [:]
    }

    private let cluster: any Cluster
    private let clock: any WallClock
    private let nodes: Informer
    private let leases: Informer
    private let pods: Informer
    private let events: EventRecorder
    private let queue: WorkQueue<Concern>
    private let state = Mutex(State())
    private let options = WriteOptions(fieldManager: component)

    /// - Parameters:
    ///   - leases: at least those of the namespace `kube-node-lease`.
    ///   - pods: with `ControllerIndex.pods`.
    package init(
        cluster: any Cluster, clock: any WallClock, nodes: Informer, leases: Informer, pods: Informer,
        events: EventRecorder
    ) {
        self.cluster = cluster
        self.clock = clock
        self.nodes = nodes
        self.leases = leases
        self.pods = pods
        self.events = events
        queue = WorkQueue(clock: clock)
        nodes.onChange { [weak self] in self?.nodeChanged($0) }
        leases.onChange { [weak self] in self?.leaseChanged($0) }
        pods.onChange { [weak self] in self?.podChanged($0) }
    }

    /// Works until the task is cancelled. The informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (Concern, any Error) -> Void = { _, _ in }) async throws {
        for informer in [nodes, leases, pods] { try await informer.waitForSync() }
        // What changed since they were first seen counts from now: before, nobody watched.
        queue.add(.nodes)
        await queue.run(failed: { concern, error, _ in failed(concern, error) }) { concern in
            switch concern {
            case .nodes: try await self.watchNodes()
            case .evictions(let node): try await self.evict(from: node)
            case .collection: try await self.collect()
            }
        }
    }

    private func nodeChanged(_ change: ObjectChange) {
        let name = change.object.metadata.name
        state.withLock { state in
            if let node = change.new?.view(as: Node.self) {
                state.health.observe(node, now: clock.now)
            } else {
                state.health.forget(name)
            }
        }
        queue.add(.nodes)
        queue.add(.evictions(node: name))
        if change.old == nil || change.new == nil { queue.add(.collection) }
    }

    /// A renewal only moves a deadline: it is looked at when the old one has come.
    private func leaseChanged(_ change: ObjectChange) {
        guard change.key.namespace == Self.leaseNamespace, let lease = change.new?.view(as: Lease.self) else { return }
        state.withLock { $0.health.observe(lease, now: clock.now) }
    }

    private func podChanged(_ change: ObjectChange) {
        queue.add(.collection, at: clock.now + PodCollectionPlan.period)
        guard let name = change.object.json[path: ["spec", "nodeName"]]?.string, !name.isEmpty,
            let node = nodes.get(Node.key(name), as: Node.self)
        else { return }
        if !node.spec.taints.isEmpty { queue.add(.evictions(node: name)) }
        if node.condition("Ready")?.status != "True" { queue.add(.nodes) }
    }

    private func pods(on node: String) -> [Pod] { pods.objects(in: ControllerIndex.node, under: node) }

    // MARK: Nodes

    private func watchNodes() async throws -> WorkQueue<Concern>.Outcome {
        let all = nodes.all(as: Node.self)
        let now = clock.now
        var (health, pace) = state.withLock { ($0.health, $0.pace) }
        for node in all { health.observe(node, now: now) }
        let plan = NodeLifecyclePlan(nodes: all, health: health, podsByNode: pods(on:), pace: &pace, now: now)
        state.withLock { [pace] in $0.pace = pace }
        // A node may get two writes: the second builds on the version that the first made.
        var versions: [ObjectKey: String] = [:]
        for action in plan.actions {
            switch action {
            case .updateStatus(let node):
                versions[node.key] = try await patch(
                    node, ["status": ["conditions": node.status.json["conditions"] ?? []]], .status, versions)
                let name = node.metadata.name
                let message = "Node \(name) status is now: NodeNotReady"
                events.record(.normal, reason: "NodeNotReady", message: message, about: node)
            case .updateTaints(let node):
                versions[node.key] = try await patch(
                    node, ["spec": ["taints": node.spec.json["taints"] ?? .null]], nil, versions)
            case .markNotReady(let pod):
                _ = try await patch(
                    pod, ["status": ["conditions": pod.status.json["conditions"] ?? []]], .status, versions)
                events.record(.warning, reason: "NodeNotReady", message: "Node is not ready", about: pod)
            }
        }
        return plan.checkAgainAt.map { .again(at: $0) } ?? .done
    }

    /// Writes part of an object, unless it has changed since it was read; answers its new version.
    @discardableResult
    private func patch(
        _ object: some KubernetesObject, _ change: JSON, _ subresource: Subresource?,
        _ versions: [ObjectKey: String] = [:]
    ) async throws -> String {
        var patch = change
        let version = versions[object.key] ?? object.metadata.resourceVersion
        patch["metadata"] = ["uid": .string(object.metadata.uid), "resourceVersion": .string(version)]
        return try await cluster.patch(object.key, .merge(patch), subresource: subresource, options: options)
            .metadata.resourceVersion
    }

    // MARK: Evictions

    private func evict(from name: String) async throws -> WorkQueue<Concern>.Outcome {
        let node = nodes.get(Node.key(name), as: Node.self)
        // Without taints nobody has to leave.
        if node?.spec.taints.isEmpty ?? true, state.withLock({ $0.doomed[name] == nil }) { return .done }
        let present = pods(on: name)
        let now = clock.now
        let plan = node.map { TaintEvictionPlan(node: $0, pods: present, now: now) }
        let evictions = plan?.evictions ?? []
        let waiting = Dictionary(
            evictions.filter { $0.due > now }.map { ($0.pod.metadata.uid, $0.pod) }
        ) { first, _ in first }
        let due = evictions.filter { $0.due <= now }
        let before = state.withLock { state in
            let before = state.doomed[name] ?? [:]
            state.doomed[name] = waiting.isEmpty ? nil : waiting
            return before
        }
        let active = Set(present.filter(\.isActive).map(\.metadata.uid)).subtracting(due.map(\.pod.metadata.uid))
        for (uid, pod) in before.sorted(by: { $0.key < $1.key }) where waiting[uid] == nil && active.contains(uid) {
            let message = "Cancelling deletion of Pod \(pod.metadata.namespace)/\(pod.metadata.name)"
            events.record(.normal, reason: "TaintManagerEviction", message: message, about: pod)
        }
        for eviction in due { try await evict(eviction.pod) }
        return evictions.first { $0.due > now }.map { .again(at: $0.due) } ?? .done
    }

    private func evict(_ pod: Pod) async throws {
        var changed = pod
        changed.status.setCondition(
            "DisruptionTarget", "True", reason: "DeletionByTaintManager",
            message: "Taint manager: deleting due to NoExecute taint", now: clock.now)
        do throws(APIError) {
            if changed != pod { try await writeConditions(of: changed) }
            _ = try await cluster.delete(pod.key, options: DeleteOptions(uid: pod.metadata.uid))
        } catch {
            if error.reason != .notFound { throw error }
            return
        }
        let message = "Marking for deletion Pod \(pod.metadata.namespace)/\(pod.metadata.name)"
        events.record(.normal, reason: "TaintManagerEviction", message: message, about: pod)
    }

    private func writeConditions(of pod: Pod, phase: String? = nil) async throws(APIError) {
        var status: JSON = ["conditions": pod.status.json["conditions"] ?? []]
        if let phase { status["phase"] = .string(phase) }
        let identity: JSON = [
            "uid": .string(pod.metadata.uid), "resourceVersion": .string(pod.metadata.resourceVersion),
        ]
        _ = try await cluster.patch(
            pod.key, .merge(["metadata": identity, "status": status]), subresource: .status, options: options)
    }

    // MARK: Collection

    private func collect() async throws -> WorkQueue<Concern>.Outcome {
        var missing = state.withLock { $0.missing }
        let known = Dictionary(nodes.all(as: Node.self).map { ($0.metadata.name, $0) }) { first, _ in first }
        let plan = PodCollectionPlan(pods: pods.all(), nodes: known, missing: &missing, now: clock.now)
        state.withLock { [missing] in $0.missing = missing }
        for action in plan.actions {
            do throws(APIError) {
                switch action {
                case .failAndDelete(let pod):
                    try await writeConditions(of: pod, phase: pod.status.phase)
                    try await remove(pod)
                case .delete(let pod): try await remove(pod)
                }
            } catch {
                if error.reason != .notFound { throw error }
            }
        }
        return plan.checkAgainAt.map { .again(at: $0) } ?? .done
    }

    private func remove(_ pod: Pod) async throws(APIError) {
        _ = try await cluster.delete(pod.key, options: DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid))
    }
}
