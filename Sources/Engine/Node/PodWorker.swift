internal import Cluster
internal import HashTreeCollections
internal import Kinds
internal import Model
internal import Synchronization

/// Brings one pod to what its lifecycle decides: the only place where a pod's actions meet the runtime and the cluster.
///
/// One task for each pod. It looks, acts, reports and waits to be told that something changed.
final class PodWorker: Sendable {
    /// Objects that pods refer to, as they are now.
    struct Sources: Sendable {
        var configMaps: Informer
        var secrets: Informer
        var services: Informer
        var tokens: AttachedTokens
    }

    private struct State {
        /// As the cluster has it; the last known one after it is gone.
        var pod: Pod
        var exists = true
        var lifecycle: PodLifecycle
        /// What was reported last, to write only what changed.
        var written: JSON?
        var configurationChanged = false
    }

    let uid: String
    let node: LogicalNode
    let address: String
    let runtime: any PodRuntime
    let cluster: any Cluster
    let clock: any WallClock
    private let recorder: EventRecorder
    let sources: Sources
    /// When this began to look after the pod.
    let began: Timestamp
    let tokens = Mutex(PodTokens())
    private let wake = Signal()
    private let state: Mutex<State>

    init(
        _ pod: Pod, node: LogicalNode, address: String, runtime: any PodRuntime, cluster: any Cluster,
        clock: any WallClock, recorder: EventRecorder, sources: Sources
    ) {
        uid = pod.metadata.uid
        self.node = node
        self.address = address
        self.runtime = runtime
        self.cluster = cluster
        self.clock = clock
        self.recorder = recorder
        self.sources = sources
        began = clock.now
        let context = PodLifecycle.Context(
            podIP: address, hostIP: node.address, abilities: runtime.abilities)
        let lifecycle = PodLifecycle(pod, context: context, now: clock.now)
        state = Mutex(State(pod: pod, lifecycle: lifecycle))
    }

    /// Tells the worker of the pod's present state in the cluster; `nil` when it is gone.
    func update(_ pod: Pod?) {
        let isNews = state.withLock { state in
            let existed = state.exists
            state.exists = pod != nil
            // What this worker wrote itself comes back to it, or is newer than what the informer brings.
            guard let pod, pod.metadata.resourceVersion != state.pod.metadata.resourceVersion,
                !Self.isOlder(pod, than: state.pod)
            else { return existed != state.exists }
            state.pod = pod
            return true
        }
        if isNews { wake.raise() }
    }

    private static func isOlder(_ pod: Pod, than known: Pod) -> Bool {
        guard let new = UInt64(pod.metadata.resourceVersion), let old = UInt64(known.metadata.resourceVersion) else {
            return false
        }
        return new < old
    }

    /// Tells the worker that a ConfigMap, Secret or Service of its namespace has changed.
    func configurationChanged() {
        state.withLock { $0.configurationChanged = true }
        wake.raise()
    }

    /// Whether the pod's volumes or variables come from this ConfigMap or Secret.
    func refers(to key: ObjectKey) -> Bool {
        let pod = state.withLock { $0.pod }
        guard key.namespace == pod.metadata.namespace else { return false }
        return key.kind == ConfigMap.kind.groupKind
            ? PodReferences.configMaps(of: pod).contains(key.name) : PodReferences.secrets(of: pod).contains(key.name)
    }

    /// How long the status of a pod that is being started waits for what comes of that.
    private static let gathering = Duration.milliseconds(50)

    /// Returns when nothing of the pod is left, or when the task is cancelled: then the pod's containers go on.
    func run() async {
        var messages = TerminationMessages(uid: uid)
        // Until when the status need not be told.
        var tellBy: Timestamp?
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let renewal = tokens.withLock(\.nextRenewal)
                let sandbox = await messages.completing(runtime.state(of: uid), of: pod(), runtime)
                let (step, pod, exists) = state.withLock { state in
                    if state.configurationChanged {
                        state.configurationChanged = false
                        state.lifecycle.configurationChanged()
                    }
                    if let renewal, renewal <= clock.now { state.lifecycle.volumesAged() }
                    let step = state.lifecycle.step(
                        state.pod, exists: state.exists, state: sandbox, now: clock.now)
                    return (step, state.pod, state.exists)
                }
                if step.isFinished { break }
                // The cluster knows its address before anything is started: by that the pod is found again.
                let mayWait = step.isStarting && !pod.status.podIP.isEmpty
                tellBy = mayWait ? tellBy ?? clock.now + Self.gathering : nil
                let isDue = tellBy.map { $0 <= clock.now } ?? true
                // What is final must be known to the cluster before the pod is taken from it.
                let written = exists && isDue ? await write(step.status, of: pod) : true
                for action in step.actions {
                    if case .event(let event) = action {
                        record(event, about: pod)
                        continue
                    }
                    group.addTask { await self.execute(action, pod) }
                }
                let retryAt = written ? nil : clock.now + .seconds(1)
                // What is due already is being done, or is for nobody any more.
                let renewAt = renewal.flatMap { $0 > clock.now ? $0 : nil }
                let wakeAt = [step.wakeAt, retryAt, isDue ? nil : tellBy, renewAt].compactMap { $0 }.min()
                await wake.wait(until: wakeAt, on: clock)
            }
            group.cancelAll()
        }
    }

    private func pod() -> Pod { state.withLock { $0.pod } }

    private func record(_ event: PodEvent, about pod: Pod) {
        var reference = pod.reference
        if let name = event.container {
            let isInitial = pod.spec.initContainers.contains { $0.name == name }
            reference.fieldPath = "spec.\(isInitial ? "initContainers" : "containers"){\(name)}"
        }
        let report = EventReport(event.isWarning ? .warning : .normal, reason: event.reason, message: event.message)
        recorder.record(report, about: reference)
    }

    /// Writes the status when it differs; false when the cluster could not take it.
    private func write(_ status: PodStatus, of pod: Pod) async -> Bool {
        let last = state.withLock { $0.written }
        if status.json == last || (last == nil && status.json == pod.status.json) { return true }
        var current = pod
        var isChanged = false
        for _ in 0..<5 {
            do throws(APIError) {
                current.status = Self.merged(status, into: current.status)
                let answer = try await cluster.update(
                    Object(viewing: current.json), subresource: .status,
                    options: WriteOptions(fieldManager: "kubelet", fieldValidation: .ignore))
                let stored: Pod = answer.view()
                state.withLock { state in
                    state.written = status.json
                    if state.exists, !Self.isOlder(stored, than: state.pod) { state.pod = stored }
                    state.lifecycle.noteStored(stored)
                }
                // What others changed came with the answer: the informer brings nothing newer, and nobody has looked.
                if isChanged { wake.raise() }
                return true
            } catch {
                guard error.reason == .conflict else { return error.reason == .notFound }
                do throws(APIError) {
                    let fresh: Pod = try await cluster.get(pod.key).view()
                    if fresh.metadata.uid != uid { return true }
                    current = fresh
                    isChanged = true
                } catch {
                    return error.reason == .notFound
                }
            }
        }
        return false
    }

    /// The node's fields over what is there now: conditions of others stay as they are.
    private static func merged(_ status: PodStatus, into live: PodStatus) -> PodStatus {
        let own: Set<String> = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
        var result = status
        result.conditions =
            live.conditions.filter { !own.contains($0.type) } + status.conditions.filter { own.contains($0.type) }
        return result
    }

    private func execute(_ action: PodAction, _ pod: Pod) async {
        guard let result = await perform(action, pod) else { return }
        let events = state.withLock { $0.lifecycle.apply(result, pod, now: clock.now) }
        for case .event(let event) in events { record(event, about: pod) }
        wake.raise()
    }

    private func perform(_ action: PodAction, _ pod: Pod) async -> PodResult? {
        do throws(RuntimeError) {
            switch action {
            case .event: return nil
            case .openSandbox:
                let sandbox = PodSandbox(
                    uid: uid, namespace: pod.metadata.namespace, name: pod.metadata.name, node: node.name)
                try await runtime.open(sandbox) { [wake] in wake.raise() }
                return .sandboxOpened
            case .prepareVolumes: return await prepareVolumes(pod)
            case .start(let id): return await start(id, pod)
            case .postStart(let id): return await hook(id, pod, timeout: .seconds(3600), isPreStop: false)
            case .preStop(let id, let timeout): return await hook(id, pod, timeout: timeout, isPreStop: true)
            case .probe(let kind, let id): return await probe(kind, id, pod)
            case .signal(let number, let id):
                try await runtime.signal(number, to: id, in: uid)
                return nil
            case .closeSandbox:
                try await runtime.close(uid)
                return .sandboxClosed
            case .removeSandbox:
                try await runtime.remove(uid)
                return .sandboxRemoved
            case .finalDelete:
                // A failure shows in that the pod is still there: it is asked for again then.
                _ = try? await cluster.delete(pod.key, options: DeleteOptions(gracePeriodSeconds: 0, uid: uid))
                return nil
            }
        } catch {
            switch action {
            case .openSandbox: return .sandboxFailed(error.message)
            case .closeSandbox, .removeSandbox: return .cleanupFailed(error.message)
            default: return nil
            }
        }
    }

    private func container(_ name: String, of pod: Pod) -> Container? {
        (pod.spec.initContainers + pod.spec.containers).first { $0.name == name }
    }

    private func start(_ id: ContainerID, _ pod: Pod) async -> PodResult {
        guard let container = container(id.name, of: pod) else {
            return .configurationFailed(id, "the pod has no such container")
        }
        var image = ResolvedImage(id: container.image ?? "", entrypoint: [])
        do throws(ImageError) {
            // With a command of its own a container needs nothing of its image.
            let resolved = try await runtime.resolve(image: container.image ?? "", pod: pod)
            image = resolved
        } catch {
            if container.command.isEmpty || runtime.logPath(of: id, in: uid) == nil {
                return .imageFailed(id, error.message)
            }
        }
        do throws(ConfigurationFault) {
            let context = await contextWithServer(of: pod)
            let launch = try ContainerConfiguration.launch(
                container, attempt: id.attempt, of: pod, context: context, entrypoint: image.entrypoint,
                abilities: runtime.abilities
            ) { runtime.path(ofVolume: $0, of: uid) }
            do throws(RuntimeError) {
                try await runtime.start(launch, in: uid)
                return .started(id, image: image.id)
            } catch {
                return error.kind == .noSandbox ? .sandboxLost(id) : .startFailed(id, error.message)
            }
        } catch {
            return .configurationFailed(id, error.message)
        }
    }

    /// Probe errors are tried three times in a row (I6).
    private func probe(_ kind: ProbeKind, _ id: ContainerID, _ pod: Pod) async -> PodResult? {
        guard let container = container(id.name, of: pod), let probe = kind.probe(of: container) else { return nil }
        let timeout = Duration.seconds(max(1, probe.timeoutSeconds ?? 1))
        switch ProbeAction.of(probe, container, podIP: address) {
        case .fault(let message): return .probed(kind, id, .error(message))
        case .action(let action):
            var outcome = ProbeOutcome.error("")
            for _ in 0..<3 {
                outcome = await runtime.perform(action, for: id, of: pod, timeout: timeout)
                guard case .error = outcome else { break }
            }
            return Task.isCancelled ? nil : .probed(kind, id, outcome)
        }
    }

    private func hook(_ id: ContainerID, _ pod: Pod, timeout: Duration, isPreStop: Bool) async -> PodResult? {
        guard let container = container(id.name, of: pod) else { return nil }
        let handler = isPreStop ? container.lifecycle?.preStop : container.lifecycle?.postStart
        do {
            let failure = try await runtime.perform(
                handler, of: container, id, in: pod, at: address, timeout: timeout, clock: clock)
            return isPreStop ? .preStopEnded(id, failure: failure) : .postStartEnded(id, failure: failure)
        } catch {
            return nil
        }
    }
}
