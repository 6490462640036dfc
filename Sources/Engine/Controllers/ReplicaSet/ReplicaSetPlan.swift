package import Kinds
package import Model

/// What the ReplicaSet controller does next about one ReplicaSet (semantics-workloads B1 to B7), or about one
/// ReplicationController, for which the rules are the same.
package struct ReplicaSetPlan<Owner: ReplicaOwner>: Sendable {
    package struct Snapshot: Sendable {
        package var owner: Owner
        /// Those the owner controls, and those without a controller that its selector matches.
        package var pods: [Pod]
        /// Pods of the sibling ReplicaSets, which the same controller owns; may be left out while there are not more
        /// pods than desired.
        package var siblings: [Pod]
        /// Whether everything done before has been seen (B3).
        package var isCurrent: Bool

        package init(owner: Owner, pods: [Pod], siblings: [Pod] = [], isCurrent: Bool = true) {
            self.owner = owner
            self.pods = pods
            self.siblings = siblings
            self.isCurrent = isCurrent
        }
    }

    package enum Action: Hashable, Sendable {
        case adopt(Pod)
        case release(Pod)
        /// Create this many of the pod, in the batches that `SlowStart` says (B4).
        case create(Pod, count: Int)
        /// Delete all of them at once (B4).
        case delete([Pod])
    }

    /// At most so many creations or deletions at once (B4).
    static var burst: Int { 500 }

    package private(set) var actions: [Action] = []
    package private(set) var checkAgainAt: Timestamp?
    private let stored: Owner
    private var status: ReplicaSetStatus
    private let now: Timestamp

    package init(_ snapshot: Snapshot, now: Timestamp) {
        stored = snapshot.owner
        status = stored.replicaStatus
        self.now = now
        let ownership = Ownership(owner: stored, selector: stored.podSelector)
        var owned: [Pod] = []
        for pod in snapshot.pods {
            switch ownership.claim(pod.metadata) {
            case .ours: owned.append(pod)
            case .adopt where pod.isActive: actions.append(.adopt(pod))
            case .release where pod.isActive: actions.append(.release(pod))
            case .adopt, .release, .foreign: break
            }
        }
        // An adoption changes who counts: it is seen first.
        let active = owned.filter(\.isActive)
        if actions.isEmpty, snapshot.isCurrent, !stored.metadata.isBeingDeleted {
            adjust(active: active, siblings: snapshot.siblings)
        }
        count(owned: owned, active: active)
    }

    private mutating func adjust(active: [Pod], siblings: [Pod]) {
        let missing = stored.desired - active.count
        if missing > 0 {
            actions.append(.create(newPod, count: min(missing, Self.burst)))
        } else if missing < 0 {
            let victims = PodVictims(related: active + siblings, now: now)
                .choose(min(-missing, Self.burst), from: active)
            actions.append(.delete(victims))
        }
    }

    /// B2
    private var newPod: Pod {
        let template = stored.podTemplate
        var pod = Pod(named: "", in: stored.metadata.namespace)
        pod.metadata.generateName = "\(stored.metadata.name)-"
        pod.metadata.labels = template.metadata.labels
        pod.metadata.annotations = template.metadata.annotations
        pod.metadata.finalizers = template.metadata.finalizers
        pod.metadata.ownerReferences = [stored.controllerReference]
        pod.spec = template.spec
        return pod
    }

    /// B6: of the pods as they were before this plan acts.
    private mutating func count(owned: [Pod], active: [Pod]) {
        let minReadySeconds = stored.minReadySeconds
        let labels = Selector(labels: stored.podTemplate.metadata.labels)
        status.replicas = active.count
        status.fullyLabeledReplicas = active.count { labels.matches($0.metadata.json["labels"]) }.unlessZero
        status.readyReplicas = active.count(where: \.isReady).unlessZero
        status.availableReplicas =
            active.count { $0.isAvailable(at: now, minReadySeconds: minReadySeconds) }.unlessZero
        status.terminatingReplicas = owned.count { $0.metadata.isBeingDeleted && !$0.isTerminal }
        status.observedGeneration = stored.metadata.generation
        checkAgainAt = active.compactMap { $0.availableSince(minReadySeconds: minReadySeconds) }.filter { $0 > now }
            .min()
    }

    package enum Failure: Hashable, Sendable {
        case create(message: String)
        case delete(message: String)
    }

    /// The owner with its new status, after the actions were carried out with this result; `nil` when it need not be
    /// written (B6).
    package func updated(after failure: Failure?) -> Owner? {
        var status = status
        let hasFailed = status.conditions.contains { $0.type == "ReplicaFailure" }
        switch failure {
        case nil: if hasFailed { status.conditions = status.conditions.filter { $0.type != "ReplicaFailure" } }
        case .create(let message): if !hasFailed { status.addFailure("FailedCreate", message, now: now) }
        case .delete(let message): if !hasFailed { status.addFailure("FailedDelete", message, now: now) }
        }
        var updated = stored
        updated.replicaStatus = status
        return updated.replicaStatus == stored.replicaStatus ? nil : updated
    }
}

extension ReplicaSetStatus {
    fileprivate mutating func addFailure(_ reason: String, _ message: String, now: Timestamp) {
        var condition = ReplicaSetCondition()
        condition.type = "ReplicaFailure"
        condition.status = "True"
        condition.reason = reason
        condition.message = message
        condition.lastTransitionTime = now
        conditions.append(condition)
    }
}

/// The sizes of the batches in which pods are created: 1, 2, 4 … so that a failure that all share is met once (B4).
enum SlowStart {
    static func batches(_ count: Int) -> [Int] {
        var batches: [Int] = []
        var rest = count
        var size = 1
        while rest > 0 {
            batches.append(min(size, rest))
            rest -= size
            size *= 2
        }
        return batches
    }
}
