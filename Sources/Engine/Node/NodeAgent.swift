package import Cluster
internal import HashTreeCollections
internal import Kinds
package import Model
internal import Synchronization

/// The node: runs the pods that are bound to its logical nodes, says what they do, and that the nodes live.
package final class NodeAgent: Sendable {
    private struct State {
        var workers: [String: PodWorker] = [:]
        /// Pods that changed, by uid; the inner `nil` means gone.
        var changed: [String: Pod?] = [:]
        /// Pods that wait for an address.
        var starved: [String: Pod] = [:]
    }

    private let cluster: any Cluster
    private let runtime: any PodRuntime
    private let clock: any WallClock
    private let nodes: [String: LogicalNode]
    private let addresses: PodAddresses
    private let version: String
    private let pods: Informer
    private let sources: PodWorker.Sources
    /// Those informers that nobody else runs.
    private let own: [Informer]
    private let recorder: EventRecorder
    private let wake = Signal()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - seed: of the jitter of the informers' retries.
    ///   - version: what the nodes give as their runtime's version.
    ///   - shared: informers of whole kinds that somebody else runs; other kinds get their own.
    package init(
        cluster: any Cluster, runtime: any PodRuntime, clock: any WallClock, nodes: [LogicalNode],
        addresses: PodAddresses, seed: UInt64 = 1, version: String = "0", sharing shared: [GroupKind: Informer] = [:]
    ) {
        self.cluster = cluster
        self.runtime = runtime
        self.clock = clock
        self.nodes = Dictionary(nodes.map { ($0.name, $0) }) { first, _ in first }
        self.addresses = addresses
        self.version = version
        var own: [Informer] = []
        func informer(_ kind: GroupKind) -> Informer {
            if let known = shared[kind] { return known }
            own.append(Informer(ListQuery(kind), of: cluster, clock: clock, seed: seed))
            return own[own.count - 1]
        }
        pods = informer(Pod.kind.groupKind)
        sources = PodWorker.Sources(
            configMaps: informer(ConfigMap.kind.groupKind), secrets: informer(Secret.kind.groupKind),
            services: informer(Service.kind.groupKind), tokens: AttachedTokens())
        self.own = own
        recorder = EventRecorder(
            component: "kubelet", host: nodes.first?.name, cluster: cluster, clock: clock)
    }

    /// What pods are configured by: informers of whole kinds, which run while this does, for others to share.
    package var informers: [GroupKind: Informer] {
        [ConfigMap.kind.groupKind: sources.configMaps, Secret.kind.groupKind: sources.secrets]
    }

    /// The logs of this node's containers, for `Registry.attach(logs:)`.
    package var logs: any LogSource { PodLogs(pods: pods, runtime: runtime, clock: clock) }

    /// Says who issues the tokens that volumes show; until then there are none.
    package func attach(tokens source: any TokenSource) { sources.tokens.attach(source) }

    /// Runs until the task is cancelled. Pods of an earlier run of the service are adopted; what is left of pods that
    /// the cluster does not know is removed.
    package func run() async throws {
        pods.onChange { [self] change in
            state.withLock { state in
                if let old = change.old, old.metadata.uid != change.new?.metadata.uid {
                    state.changed[old.metadata.uid] = .some(nil)
                }
                if let new = change.new { state.changed[new.metadata.uid] = .some(new.view()) }
            }
            wake.raise()
        }
        for informer in [sources.configMaps, sources.secrets] {
            informer.onChange { [self] change in
                // Most are nobody's here: a worker that begins later reads what the informer then has.
                let concerned = state.withLock(\.workers).filter { $0.value.refers(to: change.key) }
                for (_, worker) in concerned.sorted(by: { $0.key < $1.key }) { worker.configurationChanged() }
            }
        }
        try await withThrowingDiscardingTaskGroup { group in
            for informer in own { group.addTask { try await informer.run() } }
            group.addTask { try await self.recorder.run() }
            for node in nodes.values.sorted(by: { $0.name < $1.name }) {
                group.addTask { try await self.beat(node) }
            }
            for informer in [pods, sources.configMaps, sources.secrets, sources.services] {
                try await informer.waitForSync()
            }
            for pod in pods.all(as: Pod.self) where !pod.status.podIP.isEmpty && pod.spec.hostNetwork != true {
                addresses.reserve(pod.status.podIP, for: pod.metadata.uid)
            }
            group.addTask { await self.removeUnknownPods() }
            while !Task.isCancelled {
                for (worker, _) in takeChanges() {
                    group.addTask {
                        await worker.run()
                        if !Task.isCancelled { self.retire(worker) }
                    }
                }
                await wake.wait()
            }
            throw CancellationError()
        }
    }

    /// Hands changes to workers; answers workers that are new.
    private func takeChanges() -> [(PodWorker, Pod)] {
        let changed = state.withLock { state in
            defer { state.changed = [:] }
            return state.changed
        }
        var fresh: [(PodWorker, Pod)] = []
        for (uid, pod) in changed.sorted(by: { $0.key < $1.key }) {
            if let worker = state.withLock({ $0.workers[uid] }) {
                worker.update(pod)
            } else if let pod, let node = nodes[pod.spec.nodeName], let worker = employ(pod, on: node) {
                fresh.append((worker, pod))
            } else if pod == nil {
                state.withLock { $0.starved[uid] = nil }
            }
        }
        return fresh
    }

    private func employ(_ pod: Pod, on node: LogicalNode) -> PodWorker? {
        let uid = pod.metadata.uid
        let known = pod.status.podIP
        let address: String
        if pod.spec.hostNetwork == true {
            address = node.address
        } else if !known.isEmpty, addresses.reserve(known, for: uid) {
            address = known
        } else if let free = addresses.allocate(for: uid) {
            address = free
        } else {
            let isNew = state.withLock { $0.starved.updateValue(pod, forKey: uid) == nil }
            if isNew {
                let message = "Failed to create pod sandbox: no pod address is free; widen the range of pod addresses"
                recorder.record(.warning, reason: "FailedCreatePodSandBox", message: message, about: pod)
            }
            return nil
        }
        let worker = PodWorker(
            pod, node: node, address: address, runtime: runtime, cluster: cluster, clock: clock, recorder: recorder,
            sources: sources)
        state.withLock { state in
            state.starved[uid] = nil
            state.workers[uid] = worker
        }
        return worker
    }

    /// A pod is gone: its address is free for one that waits.
    private func retire(_ worker: PodWorker) {
        addresses.release(worker.uid)
        state.withLock { state in
            state.workers[worker.uid] = nil
            for (uid, pod) in state.starved where state.changed[uid] == nil { state.changed[uid] = .some(pod) }
        }
        wake.raise()
    }

    /// Removes what runs, or lies about, of pods that the cluster does not have.
    private func removeUnknownPods() async {
        let known = Set(pods.snapshot.values.map(\.metadata.uid))
        do throws(RuntimeError) {
            for sandbox in try await runtime.existingSandboxes() where !known.contains(sandbox.uid) {
                do throws(RuntimeError) {
                    try await runtime.remove(sandbox.uid)
                } catch {
                    report("remove pod \(sandbox.namespace)/\(sandbox.name), which is not in the cluster", error)
                }
            }
        } catch {
            report("look for pods of an earlier run", error)
        }
    }

    private func report(_ what: String, _ error: RuntimeError) {
        guard let name = nodes.keys.sorted().first else { return }
        recorder.record(
            .warning, reason: "FailedKillPod", message: "\(what): \(error.message)", about: Node(named: name))
    }

    /// Registers the node, then renews its lease every 10 s and its status every 5 min (G1), or with new resources.
    private func beat(_ node: LogicalNode) async throws {
        var reported: Timestamp?
        while true {
            let now = clock.now
            let interval = NodeReport.statusInterval
            var isDue = reported.map { now - $0 >= interval } ?? true
            if !isDue { isDue = await hasNewResources(node) }
            if isDue, await report(node, now: now) { reported = now }
            let renewed = await renewLease(of: node, now: now)
            let healthy = renewed && reported != nil
            // A heartbeat is due by the clock alone; one that was not taken is soon tried again.
            try await clock.sleep(for: healthy ? NodeReport.renewInterval : .seconds(1))
        }
    }

    /// What cannot be read is no reason to report: the lease tells whether the cluster answers.
    private func hasNewResources(_ node: LogicalNode) async -> Bool {
        do throws(APIError) {
            return NodeReport.lacksResources(try await cluster.get(Node.key(node.name)).view())
        } catch {
            return false
        }
    }

    private static let options = WriteOptions(fieldManager: "kubelet", fieldValidation: .ignore)

    /// False when the cluster did not take it; it is tried again soon.
    private func report(_ node: LogicalNode, now: Timestamp) async -> Bool {
        do throws(APIError) {
            var live: Node
            do throws(APIError) {
                live = try await cluster.get(Node.key(node.name)).view()
            } catch  where error.reason == .notFound {
                let new = NodeReport.node(node, over: nil, version: version, now: now)
                live = try await cluster.create(Object(viewing: new.json), options: Self.options).view()
            }
            let wanted = NodeReport.node(node, over: live, version: version, now: now)
            if wanted.metadata.labels != live.metadata.labels {
                var labelled = live
                labelled.metadata.labels = wanted.metadata.labels
                live = try await cluster.update(
                    Object(viewing: labelled.json), subresource: nil, options: Self.options
                ).view()
            }
            live.status = wanted.status
            _ = try await cluster.update(Object(viewing: live.json), subresource: .status, options: Self.options)
            return true
        } catch {
            return false
        }
    }

    private func renewLease(of node: LogicalNode, now: Timestamp) async -> Bool {
        do throws(APIError) {
            do throws(APIError) {
                let live: Lease = try await cluster.get(Lease.key(node.name, in: NodeReport.leaseNamespace)).view()
                let lease = NodeReport.lease(node, over: live, now: now)
                _ = try await cluster.update(Object(viewing: lease.json), subresource: nil, options: Self.options)
            } catch  where error.reason == .notFound {
                let lease = NodeReport.lease(node, over: nil, now: now)
                _ = try await cluster.create(Object(viewing: lease.json), options: Self.options)
            }
            return true
        } catch {
            return false
        }
    }
}
