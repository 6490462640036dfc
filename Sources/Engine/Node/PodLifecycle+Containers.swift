internal import Kinds
internal import Model

extension PodLifecycle {
    /// Starts, restarts, watches over one container that is to run.
    mutating func tend(_ container: Container, _ pod: Pod, now: Timestamp, _ output: inout StepOutput) {
        guard var memory = containers[container.name] else { return }
        defer { containers[container.name] = memory }
        switch memory.current {
        case .starting: return
        case .running(let since):
            watch(container, pod, since: since, &memory, now: now, &output)
        case .none:
            start(container, &memory, now: now, &output)
        case .ended(let end):
            guard let restartAt = memory.restartAt else {
                // Adopted: its wait begins anew, at once.
                if RestartPolicy.restarts(container, in: pod, after: end.exitCode) {
                    memory.restartAt = now
                    restart(end, container, pod, &memory, now: now, &output)
                }
                return
            }
            if restartAt > now {
                if !memory.isBackingOff {
                    memory.isBackingOff = true
                    output.event(
                        true, "BackOff",
                        "Back-off restarting failed container \(container.name) in pod \(Self.fullName(pod))",
                        of: container.name)
                }
                output.wake(at: restartAt)
            } else {
                restart(end, container, pod, &memory, now: now, &output)
            }
        }
    }

    private func restart(
        _ end: ContainerEnd, _ container: Container, _ pod: Pod, _ memory: inout ContainerMemory, now: Timestamp,
        _ output: inout StepOutput
    ) {
        memory.last = end
        memory.attempt += 1
        memory.backoff = RestartPolicy.next(after: memory.backoff)
        memory.current = .none
        memory.restartAt = nil
        memory.isBackingOff = false
        start(container, &memory, now: now, &output)
    }

    private func start(
        _ container: Container, _ memory: inout ContainerMemory, now: Timestamp, _ output: inout StepOutput
    ) {
        guard volumes == .ready else { return }
        if var fault = memory.fault, let retryAt = fault.retryAt, retryAt > now {
            output.wake(at: retryAt)
            guard fault.reason == "ErrImagePull" else { return }
            let settles = fault.since + .seconds(1)
            if now < settles { return output.wake(at: settles) }
            // I3: after the error itself, what is waited for.
            let image = quoted(container.image ?? "")
            fault.reason = "ImagePullBackOff"
            fault.message = "Back-off pulling image \(image): ErrImagePull: \(fault.message)"
            memory.fault = fault
            output.event(false, "BackOff", "Back-off pulling image \(image)", of: container.name)
            output.event(true, "Failed", "Error: ImagePullBackOff", of: container.name)
            return
        }
        memory.current = .starting
        memory.postStart = .pending
        memory.probes = [:]
        output.actions.append(.start(ContainerID(container.name, attempt: memory.attempt)))
    }

    /// `name_namespace(uid)`, as the kubelet names a pod in messages.
    static func fullName(_ pod: Pod) -> String {
        "\(pod.metadata.name)_\(pod.metadata.namespace)(\(pod.metadata.uid))"
    }

    /// Hooks and probes of a container that runs.
    private func watch(
        _ container: Container, _ pod: Pod, since: Timestamp, _ memory: inout ContainerMemory, now: Timestamp,
        _ output: inout StepOutput
    ) {
        let id = ContainerID(container.name, attempt: memory.attempt)
        if memory.stop != nil {
            stop(container, id, &memory, now: now, &output)
            return
        }
        if container.lifecycle?.postStart != nil, memory.postStart == .pending {
            memory.postStart = .running
            output.actions.append(.postStart(id))
        }
        for kind in ProbeKind.allCases {
            guard let probe = kind.probe(of: container), probe.grpc == nil else { continue }
            if kind == .startup, memory.probes[.startup]?.result == true { continue }
            if kind != .startup, container.startupProbe != nil, memory.probes[.startup]?.result != true { continue }
            schedule(kind, probe, id, since: since, &memory, now: now, &output)
        }
    }

    private func schedule(
        _ kind: ProbeKind, _ probe: Probe, _ id: ContainerID, since: Timestamp, _ memory: inout ContainerMemory,
        now: Timestamp, _ output: inout StepOutput
    ) {
        if memory.probes[kind] == nil {
            let adopted = kind == .readiness ? memory.adoptedReady : kind == .startup && memory.adoptedStarted
            memory.probes[kind] = ProbeLedger(kind, probe, startedAt: since, result: adopted ? true : nil)
        }
        guard var ledger = memory.probes[kind], !ledger.isRunning else { return }
        if ledger.dueAt <= now {
            ledger.isRunning = true
            ledger.dueAt = now
            output.actions.append(.probe(kind, id))
        } else {
            output.wake(at: ledger.dueAt)
        }
        memory.probes[kind] = ledger
    }

    /// One step of stopping a container: preStop within the grace, SIGTERM, SIGKILL (I9).
    func stop(
        _ container: Container, _ id: ContainerID, _ memory: inout ContainerMemory, now: Timestamp,
        _ output: inout StepOutput
    ) {
        guard var stop = memory.stop, memory.isRunning else { return }
        defer { memory.stop = stop }
        if container.lifecycle?.preStop != nil, stop.preStop == .pending, stop.deadline > now {
            stop.preStop = .running
            output.actions.append(.preStop(id, timeout: stop.deadline - now))
        }
        if stop.preStop == .running, stop.deadline > now { return output.wake(at: stop.deadline) }
        guard let killAt = stop.killAt else {
            stop.killAt = max(stop.deadline, now + Self.leastKillDelay)
            output.actions.append(.signal(Self.stopSignal(of: container), id))
            return output.wake(at: stop.killAt)
        }
        if killAt > now { return output.wake(at: killAt) }
        let kill: Int32 = 9
        output.actions.append(.signal(kill, id))
        // A process that does not go for SIGKILL waits in the kernel; it is asked again.
        stop.killAt = now + .seconds(5)
        output.wake(at: stop.killAt)
    }

    static func stopSignal(of container: Container) -> Int32 {
        let numbers: [String: Int32] = [
            "SIGHUP": 1, "SIGINT": 2, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12, "SIGTERM": 15,
            "SIGWINCH": 28,
        ]
        return container.lifecycle?.stopSignal.flatMap { numbers[$0] } ?? 15
    }

    /// Begins to stop a container, or shortens the time that it has left.
    func beginStop(
        _ memory: inout ContainerMemory, _ container: Container, deadline: Timestamp, because message: String,
        _ output: inout StepOutput
    ) {
        if var stop = memory.stop {
            if deadline < stop.deadline {
                stop.deadline = deadline
                if let killAt = stop.killAt { stop.killAt = min(killAt, deadline) }
                memory.stop = stop
            }
            return
        }
        memory.stop = ContainerMemory.Stop(deadline: deadline)
        memory.probes[.liveness] = nil
        memory.probes[.startup]?.isRunning = false
        output.event(false, "Killing", message, of: container.name)
    }

    /// Stops all containers, sidecars last and in reverse order, then gives the sandbox back (I9).
    mutating func windDown(_ pod: Pod, exists: Bool, now: Timestamp, _ output: inout StepOutput) {
        let sidecars = pod.spec.initContainers.filter { RestartPolicy.role(of: $0, in: pod) == .sidecar }
        let others =
            pod.spec.containers + pod.spec.initContainers.filter { RestartPolicy.role(of: $0, in: pod) == .initial }
        let grace = Duration.seconds(max(1, pod.spec.terminationGracePeriodSeconds ?? 30))
        let deadline = termination?.deadline ?? now + grace
        switch sandbox {
        case .opening: return
        case .needed(let after, let failures) where failures == 0 || !containers.values.allSatisfy(\.isStopped):
            // A pod whose sandbox was not opened by this run of the service may have processes all the same.
            if let after, after > now { return output.wake(at: after) }
            sandbox = .opening(failures: failures)
            output.actions.append(.openSandbox)
            return
        default: break
        }
        if !allStopped(others, deadline, pod, now: now, &output) { return }
        for sidecar in sidecars.reversed() where !allStopped([sidecar], deadline, pod, now: now, &output) { return }
        finish(pod, exists: exists, now: now, &output)
    }

    /// Goes on stopping these containers; true when none of them runs.
    private mutating func allStopped(
        _ list: [Container], _ deadline: Timestamp, _ pod: Pod, now: Timestamp, _ output: inout StepOutput
    ) -> Bool {
        var stopped = true
        for container in list {
            guard var memory = containers[container.name], !memory.isStopped else { continue }
            stopped = false
            guard memory.isRunning else { continue }
            beginStop(
                &memory, container, deadline: deadline, because: "Stopping container \(container.name)", &output)
            let id = ContainerID(container.name, attempt: memory.attempt)
            stop(container, id, &memory, now: now, &output)
            // Readiness goes on to be probed, so that a draining pod is told apart from a broken one (I6).
            if let probe = container.readinessProbe, case .running(let since) = memory.current,
                memory.hasStarted(container)
            {
                schedule(.readiness, probe, id, since: since, &memory, now: now, &output)
            }
            containers[container.name] = memory
        }
        return stopped
    }

    private mutating func finish(_ pod: Pod, exists: Bool, now: Timestamp, _ output: inout StepOutput) {
        let leaves = !exists || pod.metadata.deletionTimestamp != nil
        switch sandbox {
        case .open, .needed:
            sandbox = leaves ? .removing : .closing
            output.actions.append(leaves ? .removeSandbox : .closeSandbox)
        case .closed where leaves:
            sandbox = .removing
            output.actions.append(.removeSandbox)
        case .removed where exists:
            // Asked again until the pod is gone: a finalizer may hold it, or the answer was lost.
            if finalDeleteAt.map({ $0 <= now }) ?? true {
                finalDeleteAt = now + .seconds(10)
                output.actions.append(.finalDelete)
            }
            output.wake(at: finalDeleteAt)
        default: break
        }
    }
}
