package import Model

extension TablePrinter {
    static let pod = Layout(
        Pod.self,
        [
            name, Table.Column("Ready", description: "How many of the pod's containers are ready, of how many."),
            Table.Column("Status", description: "The pod's phase, or what keeps it from running."),
            Table.Column("Restarts", description: "How often its containers were restarted, and when last."), age,
            Table.Column("IP", description: "The pod's address.", priority: 1),
            Table.Column("Node", description: "The node it runs on.", priority: 1),
            Table.Column("Nominated Node", description: "The node that makes room for it.", priority: 1),
            Table.Column("Readiness Gates", description: "How many of its readiness gates are open.", priority: 1),
        ], conditions: completion
    ) { pod, now in
        let summary = PodSummary(pod)
        var restarts = "\(summary.restarts)"
        if summary.restarts > 0, let last = summary.lastRestart {
            restarts += " (\(Timestamp.age(of: last, at: now)) ago)"
        }
        let gates = pod.spec.readinessGates
        let open = gates.filter { gate in
            pod.status.conditions.contains { $0.type == gate.conditionType && $0.status == "True" }
        }
        return [
            .string(pod.metadata.name), .string("\(summary.ready)/\(summary.total)"), .string(summary.status),
            .string(restarts), ageCell(pod.metadata, now), orNone(pod.status.podIP), orNone(pod.spec.nodeName),
            orNone(pod.status.nominatedNodeName), gates.isEmpty ? "<none>" : .string("\(open.count)/\(gates.count)"),
        ]
    }

    /// What lets `kubectl get` skip pods that are done (E4).
    private static func completion(_ pod: Pod) -> [Table.RowCondition] {
        switch pod.status.phase {
        case "Succeeded":
            [
                Table.RowCondition(
                    type: "Completed", status: "True", reason: "Succeeded",
                    message: "The pod has completed successfully.")
            ]
        case "Failed":
            [Table.RowCondition(type: "Completed", status: "True", reason: "Failed", message: "The pod failed.")]
        default: []
        }
    }
}

/// A pod in a few words: what `kubectl get pods` says about it (semantics-api E3, E4).
package struct PodSummary: Hashable, Sendable {
    /// The phase, or what keeps the pod from running: `CrashLoopBackOff`, `Init:1/2`, `Terminating`.
    package private(set) var status: String
    package private(set) var ready = 0
    package private(set) var total: Int
    package private(set) var restarts = 0
    /// When a container that was restarted ended last.
    package private(set) var lastRestart: Timestamp?

    package init(_ pod: Pod) {
        let state = pod.status
        status = state.phase
        if let reason = state.reason, !reason.isEmpty { status = reason }
        if state.conditions.contains(where: { $0.type == "PodScheduled" && $0.reason == "SchedulingGated" }) {
            status = "SchedulingGated"
        }
        let sidecars = Set(pod.spec.initContainers.filter { $0.restartPolicy == "Always" }.map(\.name))
        total = pod.spec.containers.count + sidecars.count
        let isBlocked = readInitContainers(pod, sidecars)
        if !isBlocked || state.conditions.contains(where: { $0.type == "Initialized" && $0.status == "True" }) {
            // Restarts of ordinary init containers count only while they run.
            restarts = 0
            lastRestart = nil
            for container in state.initContainerStatuses where sidecars.contains(container.name) {
                countRestarts(of: container)
            }
            readContainers(state)
        }
        guard pod.metadata.isBeingDeleted else { return }
        if state.reason == "NodeLost" {
            status = "Unknown"
        } else if state.phase != "Succeeded" && state.phase != "Failed" {
            status = "Terminating"
        }
    }

    private mutating func countRestarts(of container: ContainerStatus) {
        restarts += container.restartCount
        guard let ended = container.lastState.terminated?.finishedAt else { return }
        lastRestart = max(lastRestart ?? ended, ended)
    }

    /// Answers whether an init container still keeps the pod from starting.
    private mutating func readInitContainers(_ pod: Pod, _ sidecars: Set<String>) -> Bool {
        for (position, container) in pod.status.initContainerStatuses.enumerated() {
            countRestarts(of: container)
            if let terminated = container.state.terminated {
                if terminated.exitCode == 0 { continue }
            }
            if sidecars.contains(container.name), container.started == true {
                if container.ready { ready += 1 }
                continue
            }
            if let terminated = container.state.terminated {
                status = "Init:" + Self.reason(of: terminated)
            } else if let reason = container.state.waiting?.reason, !reason.isEmpty, reason != "PodInitializing" {
                status = "Init:" + reason
            } else {
                status = "Init:\(position)/\(pod.spec.initContainers.count)"
            }
            return true
        }
        return false
    }

    private mutating func readContainers(_ state: PodStatus) {
        var isRunning = false
        var failure: String?
        for container in state.containerStatuses.reversed() {
            countRestarts(of: container)
            if let reason = container.state.waiting?.reason, !reason.isEmpty {
                status = reason
            } else if let terminated = container.state.terminated {
                status = Self.reason(of: terminated)
                if terminated.exitCode != 0 { failure = status }
            } else if container.ready, container.state.running != nil {
                isRunning = true
                ready += 1
            }
        }
        guard status == "Completed" else { return }
        if isRunning, state.conditions.contains(where: { $0.type == "Ready" && $0.status == "True" }) {
            status = "Running"
        } else if let failure {
            status = failure
        } else if isRunning {
            status = "NotReady"
        }
    }

    private static func reason(of terminated: ContainerStateTerminated) -> String {
        if let reason = terminated.reason, !reason.isEmpty { return reason }
        if let signal = terminated.signal, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(terminated.exitCode)"
    }
}
