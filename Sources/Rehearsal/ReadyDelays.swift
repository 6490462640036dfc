import Engine
package import Kinds
package import Model

/// How long containers take from their start until their probes pass: given by name, learned from pods that run, or
/// assumed.
package struct ReadyDelays: Hashable, Sendable {
    /// Where a delay comes from.
    package enum Origin: String, Sendable {
        case given, learned, assumed
    }

    /// By the name of the workload, as a person gave them.
    package var named: [String: Duration]
    /// Where nothing better is known.
    package var assumed: Duration
    /// By workload, from the pods of the last rollout.
    package private(set) var learned: [ObjectKey: Duration] = [:]

    package init(named: [String: Duration] = [:], assumed: Duration = .seconds(2)) {
        self.named = named
        self.assumed = assumed
    }

    /// Learns from pods that run: the median of what the ready ones of a workload took. A pod that was restarted does
    /// not count, since its time tells of the restart.
    ///
    /// Times in statuses are whole seconds, and so is what is learned.
    package mutating func learn(from pods: [Pod]) {
        var seen: [ObjectKey: [Duration]] = [:]
        for pod in pods {
            guard let workload = Workload.key(of: pod), let ready = pod.readySince,
                pod.status.containerStatuses.allSatisfy({ $0.restartCount == 0 }),
                let started = pod.status.containerStatuses.compactMap({ $0.state.running?.startedAt }).max()
            else { continue }
            seen[workload, default: []].append(max(.zero, ready - started))
        }
        learned = seen.mapValues { $0.sorted()[$0.count / 2] }
    }

    package func delay(of workload: ObjectKey) -> (delay: Duration, origin: Origin) {
        if let delay = named[workload.name] { return (delay, .given) }
        if let delay = learned[workload] { return (delay, .learned) }
        return (assumed, .assumed)
    }
}

/// Which workload a pod belongs to.
package enum Workload {
    package static let hashLabel = "pod-template-hash"

    /// The Deployment, or whatever else controls the pod; `nil` for a pod that nothing controls.
    package static func key(of pod: Pod) -> ObjectKey? {
        guard let owner = pod.metadata.controller else { return nil }
        let kind = GroupVersionKind(apiVersion: owner.apiVersion, kind: owner.kind).groupKind
        guard kind == ReplicaSet.kind.groupKind, let hash = pod.metadata.labels[hashLabel],
            owner.name.hasSuffix("-\(hash)")
        else { return ObjectKey(kind: kind, namespace: pod.metadata.namespace, name: owner.name) }
        return Deployment.key(String(owner.name.dropLast(hash.count + 1)), in: pod.metadata.namespace)
    }

    /// The ReplicaSet that controls the pod.
    package static func replicaSet(of pod: Pod) -> ObjectKey? {
        guard let owner = pod.metadata.controller, owner.kind == ReplicaSet.kind.kind else { return nil }
        return ReplicaSet.key(owner.name, in: pod.metadata.namespace)
    }
}
