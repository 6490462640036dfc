import Engine
package import Kinds
package import Model

/// How long containers take from their start until their probes pass: given by name, learned from pods that run or from
/// the last rollouts, or assumed.
package struct ReadyDelays: Hashable, Sendable {
    /// Where a delay comes from.
    package enum Origin: String, Sendable {
        case given, learned, history, assumed
    }

    /// By the name of the workload, as a person gave them.
    package var named: [String: Duration]
    /// Where nothing better is known.
    package var assumed: Duration
    /// By workload, from the pods of the last rollout.
    package private(set) var learned: [ObjectKey: Duration] = [:]
    /// The longest that a pod of the Application's last healthy revisions needed: what is expected of workloads of
    /// which no pod runs.
    package var history: Duration?

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
            guard let ready = pod.readySince,
                pod.status.containerStatuses.allSatisfy({ $0.restartCount == 0 }),
                let started = pod.status.containerStatuses.compactMap({ $0.state.running?.startedAt }).max()
            else { continue }
            seen[Workload.key(of: pod), default: []].append(max(.zero, ready - started))
        }
        learned = seen.mapValues { $0.sorted()[$0.count / 2] }
    }

    package func delay(of workload: ObjectKey) -> (delay: Duration, origin: Origin) {
        if let delay = named[workload.name] { return (delay, .given) }
        if let delay = learned[workload] { return (delay, .learned) }
        if let history { return (history, .history) }
        return (assumed, .assumed)
    }
}

/// How long a node takes to pull an image that it does not have yet.
package struct PullDelays: Hashable, Sendable {
    /// By the name of the workload, as a person gave them.
    package var named: [String: Duration]
    /// Of all others.
    package var assumed: Duration

    package init(named: [String: Duration] = [:], assumed: Duration = .zero) {
        self.named = named
        self.assumed = assumed
    }

    package func delay(of workload: ObjectKey) -> Duration { named[workload.name] ?? assumed }
}

/// Which workload a pod belongs to.
package enum Workload {
    package static let hashLabel = "pod-template-hash"

    /// The Deployment, or whatever else controls the pod; the pod itself where nothing does.
    package static func key(of pod: Pod) -> ObjectKey {
        guard let owner = pod.metadata.controller else { return pod.key }
        let kind = GroupVersionKind(apiVersion: owner.apiVersion, kind: owner.kind).groupKind
        guard kind == ReplicaSet.kind.groupKind, let hash = pod.metadata.json["labels"]?[hashLabel]?.string,
            owner.name.hasSuffix("-\(hash)")
        else { return ObjectKey(kind: kind, namespace: pod.metadata.namespace, name: owner.name) }
        return Deployment.key(String(owner.name.dropLast(hash.count + 1)), in: pod.metadata.namespace)
    }

    /// What tells the pods of one revision from those of another: the ReplicaSet, or the pod itself.
    static func revision(of pod: Pod) -> ObjectKey { replicaSet(of: pod) ?? pod.key }

    /// The ReplicaSet that controls the pod.
    package static func replicaSet(of pod: Pod) -> ObjectKey? {
        guard let owner = pod.metadata.controller, owner.kind == ReplicaSet.kind.kind else { return nil }
        return ReplicaSet.key(owner.name, in: pod.metadata.namespace)
    }
}
