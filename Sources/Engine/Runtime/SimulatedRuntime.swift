package import Cluster
package import Kinds
internal import Model
internal import Synchronization

/// Runs nothing: containers start, crash and fail as annotations of their pod say, in whatever time the clock gives.
///
/// | annotation `simulation.martlet.dev/…` | meaning |
/// |---|---|
/// | `start-delay` | seconds from a container's start until its probes pass |
/// | `stop-delay` | seconds from SIGTERM until a container ends |
/// | `crash-after` | seconds after which a container ends, each time |
/// | `exit-code` | the code of that end (default 1) |
/// | `probe` | `fail`: probes never pass |
/// | `pull` | `fail`: no image can be resolved |
/// | `pull-delay` | seconds that a node takes to pull an image that it does not have yet |
/// | `start` | `fail`: no container can be started |
package final class SimulatedRuntime: PodRuntime {
    package static let prefix = "simulation.martlet.dev/"

    private struct Sandbox {
        var description: PodSandbox
        var script = Script()
        var records: [ContainerID: ContainerRecord] = [:]
        var onChange: @Sendable () -> Void
    }

    /// How the containers of one pod behave.
    package struct Script: Hashable, Sendable {
        package var startDelay = Duration.zero
        package var stopDelay = Duration.zero
        package var crashAfter: Duration?
        package var exitCode = 1
        package var failsProbes = false
        package var failsPull = false
        /// What a node takes to pull an image that it does not have yet, or to learn that it cannot.
        package var pullDelay = Duration.zero
        package var failsStart = false
        /// Containers that end well by themselves, as init containers do, and how long they take.
        package var finishing: [String: Duration] = [:]
        /// Once the pod is ready its probes are not answered any more, since nothing would come of them but work.
        package var isSteady = false

        package init() {}

        /// What the annotations of a pod say.
        package init(_ annotations: [String: String]) {
            func seconds(_ name: String) -> Duration? {
                // Within bounds: anybody may write an annotation, and not every number is a time.
                annotations[prefix + name].flatMap(Double.init).flatMap {
                    (0...1_000_000_000).contains($0) ? .milliseconds(Int64($0 * 1000)) : nil
                }
            }
            startDelay = seconds("start-delay") ?? .zero
            pullDelay = seconds("pull-delay") ?? .zero
            stopDelay = seconds("stop-delay") ?? .zero
            crashAfter = seconds("crash-after")
            exitCode = annotations[prefix + "exit-code"].flatMap { Int($0) } ?? 1
            failsProbes = annotations[prefix + "probe"] == "fail"
            failsPull = annotations[prefix + "pull"] == "fail"
            failsStart = annotations[prefix + "start"] == "fail"
        }
    }

    private struct State {
        var sandboxes: [String: Sandbox] = [:]
        /// Ends to come, in no order.
        var ends: [(uid: String, id: ContainerID, at: Timestamp, exit: ContainerExit)] = []
        /// When an image is there, or was, on the node of that name.
        var images: [NodeImage: Timestamp] = [:]
    }

    private struct NodeImage: Hashable {
        var node: String
        var image: String
    }

    private let clock: any WallClock
    private let script: @Sendable (Pod) -> Script
    private let state = Mutex(State())
    private let wake = Signal()
    package let abilities = RuntimeAbilities(mounts: true, users: true)

    /// - Parameter script: how a pod behaves; by default as its annotations say.
    package init(
        clock: any WallClock,
        script: @escaping @Sendable (Pod) -> Script = { Script($0.metadata.annotations) }
    ) {
        self.clock = clock
        self.script = script
    }

    /// Takes over a pod that runs already: its containers are as its status says.
    package func adopt(_ pod: Pod) {
        let description = PodSandbox(
            uid: pod.metadata.uid, namespace: pod.metadata.namespace, name: pod.metadata.name, node: pod.spec.nodeName)
        var sandbox = Sandbox(description: description, script: script(pod)) {}
        for status in pod.status.initContainerStatuses + pod.status.containerStatuses {
            guard let running = status.state.running else { continue }
            let id = ContainerID(status.name, attempt: status.restartCount)
            sandbox.records[id] = ContainerRecord(id: id, startedAt: running.startedAt ?? clock.now, phase: .running)
        }
        let images = (pod.spec.initContainers + pod.spec.containers).map { container in
            NodeImage(node: pod.spec.nodeName, image: container.image ?? "")
        }
        state.withLock { state in
            state.sandboxes[description.uid] = sandbox
            for image in images { state.images[image] = clock.now }
        }
        for id in sandbox.records.keys.sorted() { endLater(id, in: description.uid, sandbox.script) }
    }

    /// Sees to it that a container that has started ends, if it is one that does.
    private func endLater(_ id: ContainerID, in uid: String, _ script: Script) {
        if let delay = script.finishing[id.name] {
            end(uid, id, after: delay, code: 0)
        } else if let delay = script.crashAfter {
            end(uid, id, after: delay, code: script.exitCode)
        }
    }

    /// Ends containers when their time has come, until the task is cancelled.
    package func run() async throws {
        while true {
            try Task.checkCancellation()
            let next = state.withLock { $0.ends.map(\.at).min() }
            await wake.wait(until: next, on: clock)
            finishDue()
        }
    }

    private func finishDue() {
        let now = clock.now
        let changed = state.withLock { state in
            let due = state.ends.filter { $0.at <= now }
            state.ends.removeAll { $0.at <= now }
            for end in due {
                guard case .running = state.sandboxes[end.uid]?.records[end.id]?.phase else { continue }
                state.sandboxes[end.uid]?.records[end.id]?.phase = .exited(end.exit)
            }
            return due.compactMap { state.sandboxes[$0.uid]?.onChange }
        }
        for onChange in changed { onChange() }
    }

    private func end(_ uid: String, _ id: ContainerID, after delay: Duration, code: Int, signal number: Int = 0) {
        let at = clock.now + delay
        state.withLock { state in
            state.ends.append((uid, id, at, ContainerExit(finishedAt: at, code: code, signal: number)))
        }
        wake.raise()
    }

    package func existingSandboxes() async throws(RuntimeError) -> [PodSandbox] {
        state.withLock { state in state.sandboxes.values.map(\.description).sorted { $0.uid < $1.uid } }
    }

    package func open(
        _ sandbox: PodSandbox, onChange: @escaping @Sendable () -> Void
    ) async throws(RuntimeError) {
        state.withLock { state in
            state.sandboxes[sandbox.uid, default: Sandbox(description: sandbox, onChange: onChange)].onChange = onChange
        }
        onChange()
    }

    package func state(of uid: String) -> SandboxState {
        state.withLock { state in
            guard let sandbox = state.sandboxes[uid] else { return .absent }
            return .ready(sandbox.records.values.sorted { $0.id < $1.id })
        }
    }

    package func resolve(image name: String, pod: Pod) async throws(ImageError) -> ResolvedImage {
        let script = script(pod)
        let now = clock.now
        let image = NodeImage(node: pod.spec.nodeName, image: name)
        let arrival = state.withLock { state in
            state.sandboxes[pod.metadata.uid]?.script = script
            if script.failsPull { return now + script.pullDelay }
            let arrival = state.images[image] ?? (now + script.pullDelay)
            state.images[image] = arrival
            return arrival
        }
        // Until then, or until nobody wants the image any more, which its caller sees.
        if arrival > now { try? await clock.sleep(until: arrival) }
        if script.failsPull { throw ImageError("image \"\(name)\" cannot be pulled in this simulation") }
        return ResolvedImage(id: name, entrypoint: ["simulated"])
    }

    package func provide(_ volumes: [VolumeContents], to uid: String) async throws(RuntimeError) {}

    package func path(ofVolume name: String, of uid: String) -> String { "/simulated/\(uid)/\(name)" }

    package func start(_ launch: ContainerLaunch, in uid: String) async throws(RuntimeError) {
        let now = clock.now
        let (script, onChange): (Script?, (@Sendable () -> Void)?) = state.withLock { state in
            guard let sandbox = state.sandboxes[uid] else { return (nil, nil) }
            if sandbox.script.failsStart { return (sandbox.script, nil) }
            if sandbox.records[launch.id] == nil {
                state.sandboxes[uid]?.records[launch.id] = ContainerRecord(
                    id: launch.id, startedAt: now, phase: .running)
            }
            let old = sandbox.records.keys.filter {
                $0.name == launch.id.name && $0.attempt < launch.id.attempt - 1
            }
            for id in old { state.sandboxes[uid]?.records[id] = nil }
            return (sandbox.script, sandbox.onChange)
        }
        guard let script else { throw RuntimeError(.noSandbox, "the pod has no sandbox") }
        if script.failsStart { throw RuntimeError(.start, "this simulation starts no container of the pod") }
        endLater(launch.id, in: uid, script)
        onChange?()
    }

    package func signal(_ signal: Int32, to id: ContainerID, in uid: String) async throws(RuntimeError) {
        let script = state.withLock { $0.sandboxes[uid]?.script } ?? Script()
        let kill: Int32 = 9
        if signal == kill {
            end(uid, id, after: .zero, code: 137, signal: 9)
        } else {
            end(uid, id, after: script.stopDelay, code: 0)
        }
    }

    package func perform(
        _ action: ProbeAction, for id: ContainerID, of pod: Pod, timeout: Duration
    ) async -> ProbeOutcome {
        let (script, record) = state.withLock { state in
            (state.sandboxes[pod.metadata.uid]?.script ?? Script(), state.sandboxes[pod.metadata.uid]?.records[id])
        }
        guard let record, record.phase == .running else { return .failure("the container does not run") }
        if script.failsProbes { return .failure("fails as its annotation says") }
        guard clock.now >= record.startedAt + script.startDelay else { return .failure("not started yet") }
        // Until the pod ends, which cancels its probes. A hook before the end is answered.
        if script.isSteady, pod.isReady, !pod.metadata.isBeingDeleted { await Signal().wait() }
        return .success
    }

    package func close(_ uid: String) async throws(RuntimeError) {
        try await remove(uid)
    }

    package func remove(_ uid: String) async throws(RuntimeError) {
        state.withLock { state in
            state.sandboxes[uid] = nil
            state.ends.removeAll { $0.uid == uid }
        }
    }

    package func logPath(of id: ContainerID, in uid: String) -> String? { nil }
}
