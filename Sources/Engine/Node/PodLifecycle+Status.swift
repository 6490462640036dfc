internal import Kinds
internal import Model

extension PodLifecycle {
    /// What a status is made of, apart from what never changes.
    struct StatusBasis: Sendable {
        fileprivate var pod: JSON
        private let containers: [String: ContainerMemory]
        /// Those of them that wait for their restart.
        private let waiting: Set<String>
        private let sandbox: Sandbox
        private let termination: Termination?
        private let volumeFault: String?

        init(_ lifecycle: PodLifecycle, _ pod: Pod, now: Timestamp) {
            self.pod = pod.json
            containers = lifecycle.containers.mapValues(\.untimed)
            waiting = Set(
                lifecycle.containers.lazy.filter { $0.value.restartAt.map { $0 > now } ?? false }.map(\.key))
            sandbox = lifecycle.sandbox
            termination = lifecycle.termination
            volumeFault = lifecycle.volumeFault
        }

        /// Whether a status made of both is the same.
        func isSame(as other: StatusBasis) -> Bool {
            pod.isShared(with: other.pod) && sandbox == other.sandbox && waiting == other.waiting
                && termination == other.termination && volumeFault == other.volumeFault
                && containers == other.containers
        }
    }

    /// The status of the pod as it is now, made anew only where something that it tells of has changed: most steps are
    /// those of probes, which change nothing.
    mutating func currentStatus(of pod: Pod, now: Timestamp) -> PodStatus {
        let basis = StatusBasis(self, pod, now: now)
        if let told, told.basis.isSame(as: basis) { return told.status }
        let status = status(of: pod, now: now)
        told = (basis, status)
        return status
    }

    /// Takes note that the cluster has the status that was told last, which need not be made anew for it.
    mutating func noteStored(_ pod: Pod) {
        guard let told, told.status == pod.status, told.basis.pod["spec"] == pod.json["spec"],
            told.basis.pod["metadata"]?["generation"] == pod.json["metadata"]?["generation"]
        else { return }
        self.told?.basis.pod = pod.json
    }

    /// The status of the pod as it is now (I1, I2, I3). Conditions and fields that are not the node's stay.
    func status(of pod: Pod, now: Timestamp) -> PodStatus {
        var status = pod.status
        status.hostIP = context.hostIP
        status.json["hostIPs"] = [["ip": .string(context.hostIP)]]
        status.podIP = context.podIP
        status.json["podIPs"] = [["ip": .string(context.podIP)]]
        status.startTime = startTime
        if status.qosClass == nil { status.qosClass = Self.qualityOfService(of: pod) }
        status.observedGeneration = pod.metadata.generation
        if status.phase == "Succeeded" || status.phase == "Failed" { return status }
        let phase = phase(of: pod)
        status.phase = phase
        if let reason = termination?.reason, phase == "Failed" {
            status.reason = reason
            status.message = termination?.message
        }
        status.initContainerStatuses = pod.spec.initContainers.map { containerStatus($0, pod, now: now) }
        status.containerStatuses = pod.spec.containers.map { containerStatus($0, pod, now: now) }
            .sorted { $0.name < $1.name }
        var list = status.conditions
        for condition in conditions(of: pod, phase: phase) { Self.set(condition, in: &list, pod, now: now) }
        status.conditions = list
        return status
    }

    private var allHaveStopped: Bool {
        containers.values.allSatisfy { $0.isStopped && $0.current != .starting }
    }

    /// I1.
    private func phase(of pod: Pod) -> String {
        let ends = pod.spec.containers.map { containers[$0.name]?.end }
        let succeeded = ends.allSatisfy { $0?.exitCode == 0 }
        if let termination, allHaveStopped {
            return succeeded && termination.reason == nil ? "Succeeded" : "Failed"
        }
        if isTerminal(pod), allHaveStopped { return succeeded && !initFailed(pod) ? "Succeeded" : "Failed" }
        let memories = pod.spec.containers.compactMap { containers[$0.name] }
        // What has never run is waiting; what has ended and will run again counts as running (I1).
        let waiting = memories.contains { !$0.isRunning && $0.end == nil && $0.last == nil }
        return waiting ? "Pending" : "Running"
    }

    private func containerStatus(_ container: Container, _ pod: Pod, now: Timestamp) -> ContainerStatus {
        let memory = containers[container.name] ?? ContainerMemory()
        var status = ContainerStatus()
        status.name = container.name
        status.image = container.image ?? ""
        status.imageID = memory.image
        var state = ContainerState()
        var last = memory.last
        var restarts = memory.attempt
        var shownAttempt = memory.attempt
        switch memory.current {
        case .running(let since):
            state.json = ["running": ["startedAt": since.json]]
        case .ended(let end):
            if let restartAt = memory.restartAt, restartAt > now {
                let delay = restartAt - end.finishedAt
                state = Self.waiting(
                    "CrashLoopBackOff",
                    "back-off \(delay.text) restarting failed container=\(container.name) pod=\(Self.fullName(pod))")
                last = end
            } else {
                state = Self.terminated(end, pod, container.name)
            }
        case .none, .starting:
            if let fault = memory.fault {
                state = Self.waiting(fault.reason, fault.message)
            } else if let ended = memory.last {
                // The next run is about to begin; until then the last one is what there is.
                state = Self.terminated(ended, pod, container.name)
                restarts = max(0, memory.attempt - 1)
                shownAttempt = restarts
                last = nil
            } else {
                state = Self.waiting(
                    isInitializing(pod, before: container) ? "PodInitializing" : "ContainerCreating", volumeFault)
            }
        }
        status.state = state
        status.lastState = last.map { Self.terminated($0, pod, container.name) } ?? ContainerState()
        status.restartCount = restarts
        let role = RestartPolicy.role(of: container, in: pod)
        status.ready = role == .initial ? memory.end?.exitCode == 0 : memory.isReady(container)
        status.started = role == .initial ? memory.isRunning : memory.hasStarted(container)
        let hasRun = memory.isRunning || memory.end != nil || memory.last != nil
        if hasRun { status.containerID = Self.containerID(pod, container.name, shownAttempt) }
        return status
    }

    static func containerID(_ pod: Pod, _ name: String, _ attempt: Int) -> String {
        "martlet://\(pod.metadata.uid)/\(name)/\(attempt)"
    }

    /// Whether a container waits for init containers (I3).
    private func isInitializing(_ pod: Pod, before container: Container) -> Bool {
        for other in pod.spec.initContainers {
            if other.name == container.name { return false }
            guard let memory = containers[other.name] else { continue }
            let sidecar = RestartPolicy.role(of: other, in: pod) == .sidecar
            if sidecar ? !memory.hasStarted(other) : memory.end?.exitCode != 0 { return true }
        }
        return false
    }

    private static func waiting(_ reason: String, _ message: String?) -> ContainerState {
        var waiting: JSON = ["reason": .string(reason)]
        if let message { waiting["message"] = .string(message) }
        return ContainerState(viewing: ["waiting": waiting])
    }

    private static func terminated(_ end: ContainerEnd, _ pod: Pod, _ name: String) -> ContainerState {
        var state = ContainerStateTerminated()
        state.exitCode = end.exitCode
        if end.signal != 0 { state.signal = end.signal }
        state.reason = end.reason
        state.message = end.message
        state.startedAt = end.startedAt
        state.finishedAt = end.finishedAt
        if let attempt = end.attempt { state.containerID = containerID(pod, name, attempt) }
        return ContainerState(viewing: ["terminated": state.json])
    }
}

extension PodLifecycle {
    private struct Condition {
        var type: String
        var holds: Bool
        var reason: String?
        var message: String?
    }

    /// I2.
    private func conditions(of pod: Pod, phase: String) -> [Condition] {
        let done = phase == "Succeeded" ? "PodCompleted" : phase == "Failed" ? "PodFailed" : nil
        let incomplete = pod.spec.initContainers.filter { container in
            guard let memory = containers[container.name] else { return true }
            let sidecar = RestartPolicy.role(of: container, in: pod) == .sidecar
            return sidecar ? !memory.hasStarted(container) : memory.end?.exitCode != 0
        }.map(\.name)
        // Once a regular container has run, the pod is initialized for good.
        let hasRun = pod.spec.containers.contains { container in
            containers[container.name].map { $0.isRunning || $0.end != nil || $0.last != nil } ?? false
        }
        let initialized = incomplete.isEmpty || hasRun || phase == "Succeeded"
        let sidecars = pod.spec.initContainers.filter { RestartPolicy.role(of: $0, in: pod) == .sidecar }
        let unready = (sidecars + pod.spec.containers)
            .filter { containers[$0.name]?.isReady($0) != true }.map(\.name)
        var initial = Condition(type: "Initialized", holds: initialized)
        if phase == "Succeeded" {
            initial.reason = "PodCompleted"
        } else if !initialized {
            initial.reason = "ContainersNotInitialized"
            initial.message = "containers with incomplete status: [\(incomplete.joined(separator: " "))]"
        }
        var ready = Condition(type: "ContainersReady", holds: done == nil && unready.isEmpty)
        if let done {
            ready.reason = done
        } else if !unready.isEmpty {
            ready.reason = "ContainersNotReady"
            ready.message = "containers with unready status: [\(unready.joined(separator: " "))]"
        }
        var whole = ready
        whole.type = "Ready"
        if ready.holds, let fault = gateFault(pod) {
            whole = Condition(type: "Ready", holds: false, reason: "ReadinessGatesNotReady", message: fault)
        }
        return [
            // An adopted pod has its sandbox before this run of the service has opened it.
            Condition(
                type: "PodReadyToStartContainers",
                holds: sandbox == .open || containers.values.contains(where: \.isRunning)), initial, whole, ready,
            Condition(type: "PodScheduled", holds: true),
        ]
    }

    private func gateFault(_ pod: Pod) -> String? {
        let faults = pod.spec.readinessGates.compactMap { gate -> String? in
            let name = quoted(gate.conditionType)
            guard let condition = pod.status.conditions.first(where: { $0.type == gate.conditionType }) else {
                return "corresponding condition of pod readiness gate \(name) does not exist."
            }
            if condition.status == "True" { return nil }
            return "the status of pod readiness gate \(name) is not \"True\", but \(condition.status)"
        }
        return faults.isEmpty ? nil : faults.joined(separator: ", ")
    }

    private static func set(_ condition: Condition, in list: inout [PodCondition], _ pod: Pod, now: Timestamp) {
        let index = list.firstIndex { $0.type == condition.type }
        var new = index.map { list[$0] } ?? PodCondition()
        let value = condition.holds ? "True" : "False"
        let generation = pod.metadata.generation
        if index != nil, new.status == value, new.reason == condition.reason, new.message == condition.message,
            new.observedGeneration == generation
        {
            return
        }
        new.type = condition.type
        if new.status != value { new.lastTransitionTime = now }
        new.status = value
        new.reason = condition.reason
        new.message = condition.message
        new.observedGeneration = generation
        if let index { list[index] = new } else { list.append(new) }
    }

    /// I15.
    static func qualityOfService(of pod: Pod) -> String {
        var guaranteed = true
        var any = false
        for container in pod.spec.initContainers + pod.spec.containers {
            for resource in ["cpu", "memory"] {
                let limit = container.resources.limits[resource] ?? .zero
                let request = container.resources.requests[resource] ?? limit
                if limit.nanos > 0 || request.nanos > 0 { any = true }
                if limit.nanos <= 0 || request != limit { guaranteed = false }
            }
        }
        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable"
    }
}
