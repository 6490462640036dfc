package import Kinds
package import Model

/// What one `step` gathers.
struct StepOutput {
    var actions: [PodAction] = []
    var wakeAt: Timestamp?

    mutating func wake(at time: Timestamp?) {
        guard let time else { return }
        wakeAt = min(wakeAt ?? time, time)
    }

    mutating func event(_ warning: Bool, _ reason: String, _ message: String, of container: String? = nil) {
        actions.append(
            .event(PodEvent(isWarning: warning, reason: reason, message: message, container: container)))
    }
}

extension PodLifecycle {
    /// Decides what is to be done now.
    ///
    /// - Parameter exists: whether the cluster still has the pod; one that was deleted by force is stopped without
    ///   telling anybody.
    package mutating func step(_ pod: Pod, exists: Bool, state: SandboxState, now: Timestamp) -> PodStep {
        var output = StepOutput()
        absorb(state, pod, now: now, &output)
        decideTermination(pod, exists: exists, now: now, &output)
        if termination != nil || isTerminal(pod) {
            windDown(pod, exists: exists, now: now, &output)
        } else {
            bringUp(pod, now: now, &output)
        }
        if !reportedUnenforced, termination == nil, !context.enforcesResources {
            reportedUnenforced = true
            let fields = ContainerConfiguration.unenforced(pod, context.abilities)
            if !fields.isEmpty {
                output.event(
                    true, "FieldNotEnforced",
                    "accepted but not enforced by the process runtime: \(fields.joined(separator: ", "))")
            }
        }
        return PodStep(
            actions: output.actions, status: currentStatus(of: pod, now: now), wakeAt: output.wakeAt,
            isStarting: isStarting, isFinished: sandbox == .removed && !exists)
    }

    private var isStarting: Bool {
        // What ends is told at once: what is final must be known before the pod is gone.
        if termination != nil { return false }
        if case .opening = sandbox { return true }
        return volumes == .preparing || containers.values.contains { $0.current == .starting }
    }

    /// Takes in what the runtime says of containers.
    private mutating func absorb(_ state: SandboxState, _ pod: Pod, now: Timestamp, _ output: inout StepOutput) {
        guard sandbox == .open else { return }
        guard case .ready(let records) = state else {
            // What supervised the pod is gone. A new supervisor tells how its containers ended.
            output.event(false, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            sandbox = .needed(after: nil, failures: 0)
            rerunInit(pod)
            return
        }
        for container in pod.spec.initContainers + pod.spec.containers {
            guard var memory = containers[container.name] else { continue }
            let own = records.filter { $0.id.name == container.name && $0.id.attempt >= memory.attempt }
            if let record = own.max(by: { $0.id < $1.id }) {
                take(record, container, pod, into: &memory, now: now, &output)
            } else if case .running(let since) = memory.current {
                // The status says that it runs, and nothing is left of it: not even its journal (I3).
                let exit = ContainerExit(finishedAt: now, code: 137, isLost: true)
                ended(ContainerEnd(exit, startedAt: since, attempt: memory.attempt), container, pod, &memory, &output)
            }
            containers[container.name] = memory
        }
    }

    /// A new sandbox runs the init containers again (I5).
    private mutating func rerunInit(_ pod: Pod) {
        if pod.spec.restartPolicy == "Never" || termination != nil { return }
        for container in pod.spec.initContainers {
            guard let end = containers[container.name]?.end, end.exitCode == 0 else { continue }
            containers[container.name]?.last = end
            containers[container.name]?.attempt += 1
            containers[container.name]?.current = .none
        }
    }

    private func take(
        _ record: ContainerRecord, _ container: Container, _ pod: Pod, into memory: inout ContainerMemory,
        now: Timestamp, _ output: inout StepOutput
    ) {
        if record.id.attempt > memory.attempt {
            // Started by an earlier run of the service that could not report it any more.
            memory.last = memory.end ?? memory.last
            memory.attempt = record.id.attempt
            memory.current = .none
        }
        switch record.phase {
        case .running:
            switch memory.current {
            case .none, .ended:
                memory.current = .running(since: record.startedAt)
                memory.postStart = .done
            case .running, .starting: break
            }
            if case .running = memory.current { memory.current = .running(since: record.startedAt) }
        case .exited(let exit):
            if let end = memory.end, end.attempt == record.id.attempt || end.attempt == nil { return }
            // A container that ends while its start is still being reported is taken when that report is there.
            if memory.current == .starting { return }
            let end = ContainerEnd(exit, startedAt: record.startedAt, attempt: record.id.attempt)
            ended(end, container, pod, &memory, &output)
        }
    }

    /// A run has ended: decides whether and when the next one begins (I4).
    func ended(
        _ end: ContainerEnd, _ container: Container, _ pod: Pod, _ memory: inout ContainerMemory,
        _ output: inout StepOutput
    ) {
        memory.current = .ended(end)
        memory.stop = nil
        memory.probes = [:]
        memory.postStart = .pending
        memory.adoptedReady = false
        memory.adoptedStarted = false
        memory.isBackingOff = false
        memory.restartAt = nil
        guard RestartPolicy.restarts(container, in: pod, after: end.exitCode) else { return }
        if let started = end.startedAt, end.finishedAt - started > RestartPolicy.resetAfter { memory.backoff = .zero }
        memory.restartAt = end.finishedAt + memory.backoff
    }

    /// Deletion, and the limits of a pod's life (I9, I14).
    private mutating func decideTermination(
        _ pod: Pod, exists: Bool, now: Timestamp, _ output: inout StepOutput
    ) {
        if !exists {
            shorten(to: now + .seconds(1), reason: nil, message: nil)
        } else if let deletion = pod.metadata.deletionTimestamp {
            // The deletion timestamp is the end of the grace period, so that the time a service was away counts.
            shorten(to: max(deletion, now + .seconds(1)), reason: nil, message: nil)
        } else if let seconds = pod.spec.activeDeadlineSeconds, termination == nil, !isTerminal(pod) {
            let deadline = startTime + .seconds(seconds)
            if now >= deadline {
                let message = "Pod was active on the node longer than the specified deadline"
                output.event(false, "DeadlineExceeded", message)
                let grace = Duration.seconds(max(1, pod.spec.terminationGracePeriodSeconds ?? 30))
                shorten(to: now + grace, reason: "DeadlineExceeded", message: message)
            } else {
                output.wake(at: deadline)
            }
        }
    }

    /// Grace only shrinks (I9).
    private mutating func shorten(to deadline: Timestamp, reason: String?, message: String?) {
        guard var current = termination else {
            termination = Termination(deadline: deadline, reason: reason, message: message)
            return
        }
        if deadline < current.deadline {
            current.deadline = deadline
            termination = current
        }
    }

    /// Whether every container has ended for good (I1).
    func isTerminal(_ pod: Pod) -> Bool {
        if sandbox == .closed || sandbox == .closing || sandbox == .removed || sandbox == .removing { return true }
        if initFailed(pod) { return pod.spec.containers.allSatisfy { containers[$0.name]?.isStopped != false } }
        return pod.spec.containers.allSatisfy { container in
            guard let memory = containers[container.name], let end = memory.end else { return false }
            return !RestartPolicy.restarts(container, in: pod, after: end.exitCode)
        }
    }

    /// Whether an init container has failed and will not run again (I5).
    func initFailed(_ pod: Pod) -> Bool {
        pod.spec.initContainers.contains { container in
            guard let end = containers[container.name]?.end, end.exitCode != 0 else { return false }
            return RestartPolicy.role(of: container, in: pod) == .initial
                && !RestartPolicy.restarts(container, in: pod, after: end.exitCode)
        }
    }

    /// Sandbox, volumes, init containers one by one, then the rest (I5).
    private mutating func bringUp(_ pod: Pod, now: Timestamp, _ output: inout StepOutput) {
        switch sandbox {
        case .needed(let after, let failures):
            if let after, after > now { return output.wake(at: after) }
            sandbox = .opening(failures: failures)
            output.actions.append(.openSandbox)
            return
        case .opening: return
        default: break
        }
        switch volumes {
        case .needed(let after):
            if let after, after > now {
                output.wake(at: after)
            } else {
                volumes = .preparing
                output.actions.append(.prepareVolumes)
            }
        case .preparing, .ready: break
        }
        for container in pod.spec.initContainers {
            let role = RestartPolicy.role(of: container, in: pod)
            if role == .initial, containers[container.name]?.end?.exitCode == 0 { continue }
            tend(container, pod, now: now, &output)
            if role == .initial || containers[container.name]?.hasStarted(container) != true { return }
        }
        for container in pod.spec.containers { tend(container, pod, now: now, &output) }
    }
}
