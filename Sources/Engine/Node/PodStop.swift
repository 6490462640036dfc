internal import Cluster
internal import Kinds
internal import Model
internal import Synchronization

/// Ends what runs of a pod that stays in the cluster, as when the service is stopped with its pods.
///
/// It goes the way of the pod's deletion (I9): preStop hooks, stop signal, SIGKILL at the end of the grace, sidecars
/// last. Its status is left as it is: the next service starts the containers again.
final class PodStop: Sendable {
    private let pod: Pod
    private let runtime: any PodRuntime
    private let clock: any WallClock
    private let wake = Signal()
    private let lifecycle: Mutex<PodLifecycle>

    init(_ pod: Pod, runtime: any PodRuntime, clock: any WallClock) {
        var pod = pod
        let now = clock.now
        let grace = Duration.seconds(max(1, pod.spec.terminationGracePeriodSeconds ?? 30))
        // One that is being deleted keeps the time that it was given.
        if pod.metadata.deletionTimestamp == nil { pod.metadata.deletionTimestamp = now + grace }
        self.pod = pod
        self.runtime = runtime
        self.clock = clock
        let context = PodLifecycle.Context(podIP: pod.status.podIP, hostIP: pod.status.hostIP ?? "")
        lifecycle = Mutex(PodLifecycle(pod, context: context, now: now))
    }

    /// How long after the grace a process that does not go even for SIGKILL keeps the service from ending.
    private static let patience = Duration.seconds(10)

    /// Returns when nothing of the pod is left.
    ///
    /// - Throws: when something is, long after the grace.
    func run() async throws(RuntimeError) {
        let limit = (pod.metadata.deletionTimestamp ?? clock.now) + Self.patience
        let isGone = await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            while !Task.isCancelled, clock.now < limit {
                let state = runtime.state(of: pod.metadata.uid)
                let step = lifecycle.withLock { $0.step(pod, exists: true, state: state, now: clock.now) }
                // What would follow is the deletion of the object.
                if step.actions.contains(.finalDelete) { return true }
                for action in step.actions { group.addTask { await self.execute(action) } }
                await wake.wait(until: step.wakeAt.map { min($0, limit) } ?? limit, on: clock)
            }
            return false
        }
        if !isGone { try await runtime.remove(pod.metadata.uid) }
    }

    private func execute(_ action: PodAction) async {
        guard let result = await perform(action) else { return }
        lifecycle.withLock { _ = $0.apply(result, pod, now: clock.now) }
        wake.raise()
    }

    private func perform(_ action: PodAction) async -> PodResult? {
        let uid = pod.metadata.uid
        do throws(RuntimeError) {
            switch action {
            case .openSandbox:
                let sandbox = PodSandbox(
                    uid: uid, namespace: pod.metadata.namespace, name: pod.metadata.name, node: pod.spec.nodeName)
                try await runtime.open(sandbox) { [wake] in wake.raise() }
                return .sandboxOpened
            case .preStop(let id, let timeout): return await preStop(id, timeout: timeout)
            case .signal(let number, let id):
                try await runtime.signal(number, to: id, in: uid)
                return nil
            case .removeSandbox:
                try await runtime.remove(uid)
                return .sandboxRemoved
            // Nothing is started, probed or told of a pod while the service ends.
            case .event, .prepareVolumes, .start, .postStart, .probe, .closeSandbox, .finalDelete: return nil
            }
        } catch {
            switch action {
            case .openSandbox: return .sandboxFailed(error.message)
            case .removeSandbox: return .cleanupFailed(error.message)
            default: return nil
            }
        }
    }

    private func preStop(_ id: ContainerID, timeout: Duration) async -> PodResult? {
        guard let container = (pod.spec.initContainers + pod.spec.containers).first(where: { $0.name == id.name })
        else { return nil }
        do {
            let failure = try await runtime.perform(
                container.lifecycle?.preStop, of: container, id, in: pod, at: pod.status.podIP, timeout: timeout,
                clock: clock)
            return .preStopEnded(id, failure: failure)
        } catch {
            return nil
        }
    }
}
