import Kinds
import Model
import Testing

@testable import Engine

/// Plays runtime, cluster and clock to a lifecycle, one look at a time.
struct LifecycleDriver {
    var pod: Pod
    var lifecycle: PodLifecycle
    var now = Timestamp(seconds: 1_000_000)
    var records: [ContainerRecord] = []
    var sandbox: SandboxState?
    var exists = true
    var events: [PodEvent] = []

    init(_ spec: JSON, status: JSON? = nil) {
        pod = Pod(named: "web", in: "default")
        pod.metadata.uid = "u1"
        pod.json["spec"] = spec
        if let status { pod.json["status"] = status }
        lifecycle = PodLifecycle(
            pod, context: .init(podIP: "127.64.0.1", hostIP: "127.0.0.1"), now: Timestamp(seconds: 1_000_000))
    }

    /// One look: actions without events, which are kept aside.
    mutating func step() -> [PodAction] {
        let step = lifecycle.step(pod, exists: exists, state: sandbox ?? .ready(records), now: now)
        // What is told again is what would be made anew.
        #expect(step.status == lifecycle.status(of: pod, now: now))
        if pod.status != step.status {
            pod.status = step.status
            lifecycle.noteStored(pod)
        }
        wakeAt = step.wakeAt
        isStarting = step.isStarting
        isFinished = step.isFinished
        return sift(step.actions)
    }

    var wakeAt: Timestamp?
    var isStarting = false
    var isFinished = false

    private mutating func sift(_ actions: [PodAction]) -> [PodAction] {
        actions.filter { action in
            if case .event(let event) = action { events.append(event) }
            if case .event = action { return false }
            return true
        }
    }

    mutating func apply(_ result: PodResult) {
        _ = sift(lifecycle.apply(result, pod, now: now))
    }

    /// Lets sandbox, volumes and starts succeed until nothing is left to do now.
    mutating func settle() -> [PodAction] {
        var others: [PodAction] = []
        for _ in 0..<20 {
            let actions = step()
            if actions.isEmpty { break }
            for action in actions {
                switch action {
                case .openSandbox: apply(.sandboxOpened)
                case .prepareVolumes: apply(.volumesReady)
                case .start(let id):
                    records.append(ContainerRecord(id: id, startedAt: now, phase: .running))
                    apply(.started(id, image: "image"))
                case .closeSandbox: apply(.sandboxClosed)
                case .removeSandbox: apply(.sandboxRemoved)
                default: others.append(action)
                }
            }
        }
        return others
    }

    mutating func exit(_ name: String, _ code: Int, signal: Int = 0, lost: Bool = false) {
        guard let index = records.lastIndex(where: { $0.id.name == name }) else { return }
        records[index].phase = .exited(ContainerExit(finishedAt: now, code: code, signal: signal, isLost: lost))
    }

    mutating func advance(_ seconds: Int) { now = now + .seconds(seconds) }

    func container(_ name: String) -> ContainerStatus {
        (pod.status.initContainerStatuses + pod.status.containerStatuses).first { $0.name == name }
            ?? ContainerStatus()
    }

    func condition(_ type: String) -> PodCondition? { pod.status.conditions.first { $0.type == type } }
}

extension JSON {
    /// The spec of a pod with one container, `extra` merged into the container.
    static func podSpec(_ extra: JSON = [:], restartPolicy: String = "Always", grace: Int64 = 30) -> JSON {
        var container: JSON = ["name": "web", "image": "image"]
        for member in extra.object ?? JSONObject() { container[member.key] = member.value }
        return [
            "containers": [container], "restartPolicy": .string(restartPolicy),
            "terminationGracePeriodSeconds": .int(grace), "nodeName": "node",
        ]
    }
}
