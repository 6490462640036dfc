package import Kinds
package import Model

extension PodLifecycle {
    /// Takes in what became of an action; answers what there is to report.
    package mutating func apply(_ result: PodResult, _ pod: Pod, now: Timestamp) -> [PodAction] {
        var output = StepOutput()
        switch result {
        case .sandboxOpened: sandbox = .open
        case .sandboxFailed(let message):
            guard case .opening(let failures) = sandbox else { break }
            let delay = min(Duration.seconds(60), Self.retryDelay * (1 << min(failures, 5)))
            sandbox = .needed(after: now + delay, failures: failures + 1)
            output.event(true, "FailedCreatePodSandBox", "Failed to create pod sandbox: \(message)")
        case .volumesReady:
            if volumes == .preparing { volumes = .ready }
            volumeFault = nil
        case .volumesFailed(let message):
            volumes = .needed(after: now + .seconds(10))
            volumeFault = "MountVolume.SetUp failed \(message)"
            output.event(true, "FailedMount", "MountVolume.SetUp failed \(message)")
        case .volumesAwaited: volumes = .needed(after: now + .milliseconds(200))
        case .started, .imageFailed, .configurationFailed, .startFailed, .sandboxLost:
            applyStart(result, pod, now: now, &output)
        case .postStartEnded(let id, let failure): postStartEnded(id, failure, pod, now: now, &output)
        case .preStopEnded(let id, let failure):
            change(id, pod) { memory, _ in memory.stop?.preStop = .done }
            if failure != nil { output.event(true, "FailedPreStopHook", "PreStopHook failed", of: id.name) }
        case .probed(let kind, let id, let outcome): probed(kind, id, outcome, pod, now: now, &output)
        case .sandboxClosed: sandbox = .closed
        case .sandboxRemoved: sandbox = .removed
        case .cleanupFailed(let message):
            output.event(true, "FailedKillPod", "error killing pod: \(message)")
            sandbox = .needed(after: now + Self.retryDelay, failures: 1)
        }
        return output.actions
    }

    /// Changes the memory of a container if it still is at that attempt.
    private mutating func change(
        _ id: ContainerID, _ pod: Pod, _ body: (inout ContainerMemory, Container) -> Void
    ) {
        let all = pod.spec.initContainers + pod.spec.containers
        guard var memory = containers[id.name], memory.attempt == id.attempt,
            let container = all.first(where: { $0.name == id.name })
        else { return }
        body(&memory, container)
        containers[id.name] = memory
    }

    private mutating func applyStart(_ result: PodResult, _ pod: Pod, now: Timestamp, _ output: inout StepOutput) {
        switch result {
        case .started(let id, let image):
            change(id, pod) { memory, container in
                let name = quoted(container.image ?? "")
                output.event(
                    false, "Pulled",
                    "Container image \(name) already present on machine and can be accessed by the pod", of: id.name)
                output.event(false, "Created", "Container created", of: id.name)
                output.event(false, "Started", "Container started", of: id.name)
                if memory.current == .starting { memory.current = .running(since: now) }
                memory.image = image
                memory.fault = nil
                memory.pullFailures = 0
            }
        case .imageFailed(let id, let message):
            change(id, pod) { memory, container in
                memory.current = .none
                if container.imagePullPolicy == "Never" {
                    let text =
                        "Container image \(quoted(container.image ?? "")) is not present with pull policy of Never"
                    memory.fault = .init(
                        reason: "ErrImageNeverPull", message: text, since: now, retryAt: now + .seconds(10))
                    output.event(true, "Failed", "Error: ErrImageNeverPull", of: id.name)
                    return
                }
                // I4: pulls back off like restarts, from 10 s to 300 s.
                let delay = min(Duration.seconds(300), .seconds(10) * (1 << min(memory.pullFailures, 5)))
                memory.pullFailures += 1
                memory.fault = .init(reason: "ErrImagePull", message: message, since: now, retryAt: now + delay)
                let image = quoted(container.image ?? "")
                output.event(false, "Pulling", "Pulling image \(image)", of: id.name)
                output.event(true, "Failed", "Failed to pull image \(image): \(message)", of: id.name)
                output.event(true, "Failed", "Error: ErrImagePull", of: id.name)
            }
        case .configurationFailed(let id, let message):
            change(id, pod) { memory, _ in
                memory.current = .none
                if memory.fault?.message != message { output.event(true, "Failed", "Error: \(message)", of: id.name) }
                memory.fault = .init(
                    reason: "CreateContainerConfigError", message: message, since: now, retryAt: now + .seconds(10))
            }
        case .startFailed(let id, let message):
            var copy = self
            copy.change(id, pod) { memory, container in
                output.event(true, "Failed", "Error: \(message)", of: id.name)
                memory.fault = nil
                let end = ContainerEnd(
                    startedAt: now, finishedAt: now, exitCode: 128, reason: "StartError", message: message,
                    attempt: id.attempt)
                ended(end, container, pod, &memory, &output)
            }
            self = copy
        case .sandboxLost(let id): change(id, pod) { memory, _ in memory.current = .none }
        default: break
        }
    }

    /// A postStart hook that fails kills its container (I8).
    private mutating func postStartEnded(
        _ id: ContainerID, _ failure: String?, _ pod: Pod, now: Timestamp, _ output: inout StepOutput
    ) {
        let grace = Duration.seconds(max(1, pod.spec.terminationGracePeriodSeconds ?? 30))
        var copy = self
        copy.change(id, pod) { memory, container in
            memory.postStart = .done
            guard failure != nil, memory.isRunning else { return }
            output.event(true, "FailedPostStartHook", "PostStartHook failed", of: id.name)
            beginStop(&memory, container, deadline: now + grace, because: "FailedPostStartHook", &output)
        }
        self = copy
    }

    /// Takes in a probe's outcome; a liveness or startup probe that has failed for good stops its container (I6).
    private mutating func probed(
        _ kind: ProbeKind, _ id: ContainerID, _ outcome: ProbeOutcome, _ pod: Pod, now: Timestamp,
        _ output: inout StepOutput
    ) {
        var copy = self
        copy.change(id, pod) { memory, container in
            guard var ledger = memory.probes[kind], let probe = kind.probe(of: container), memory.isRunning else {
                return
            }
            let changed = ledger.record(outcome, probe, now: now)
            memory.probes[kind] = ledger
            switch outcome {
            case .success: break
            case .warning(let message):
                output.event(true, "ProbeWarning", "\(kind.rawValue) probe warning: \(message)", of: id.name)
            case .failure(let message):
                output.event(true, "Unhealthy", "\(kind.rawValue) probe failed: \(message)", of: id.name)
            case .error(let message):
                output.event(true, "Unhealthy", "\(kind.rawValue) probe errored: \(message)", of: id.name)
            }
            guard changed, !ledger.result, kind != .readiness, memory.stop == nil else { return }
            let seconds = probe.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
            let message =
                "Container \(id.name) failed \(kind.rawValue.lowercased()) probe, will be restarted"
            beginStop(&memory, container, deadline: now + .seconds(max(1, seconds)), because: message, &output)
        }
        self = copy
    }
}
