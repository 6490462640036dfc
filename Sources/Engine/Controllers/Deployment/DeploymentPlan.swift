package import Cluster
package import Kinds
package import Model

/// What the Deployment controller does next about one Deployment: a function of what it sees and of the time.
///
/// Rules: semantics-workloads A1 to A22. Availability is counted more carefully than Kubernetes does: see
/// `DeploymentPlan+Rolling.swift`.
package struct DeploymentPlan: Sendable {
    package struct Snapshot: Sendable {
        package var deployment: Deployment
        /// Those the Deployment controls, and those without a controller that its selector matches.
        package var replicaSets: [ReplicaSet]
        /// The pods of these ReplicaSets; only the strategy `Recreate` looks at them.
        package var pods: [Pod]

        package init(deployment: Deployment, replicaSets: [ReplicaSet], pods: [Pod] = []) {
            self.deployment = deployment
            self.replicaSets = replicaSets
            self.pods = pods
        }
    }

    package enum Action: Hashable, Sendable {
        case adopt(ReplicaSet)
        case release(ReplicaSet)
        /// What follows is `afterCreating`'s to say.
        case create(ReplicaSet)
        case update(ReplicaSet)
        case delete(ReplicaSet)
        /// Write the Deployment's status, and its annotations with it (A2).
        case updateStatus(Deployment)
        /// Write the Deployment itself.
        case updateSpec(Deployment)
        case report(EventReport)
    }

    package internal(set) var actions: [Action] = []
    /// When to plan again even if nothing changes.
    package internal(set) var checkAgainAt: Timestamp?

    /// What is planned on: the Deployment with the status as it will be written.
    var deployment: Deployment
    /// Owned, oldest first.
    var replicaSets: [ReplicaSet]
    /// The one whose template is the Deployment's (A5).
    private(set) var newReplicaSetID: String?
    /// Their sizes before this plan changes any, by their uids.
    private(set) var sizes: [String: Int] = [:]
    var sizeBefore: Int { sizes.values.reduce(0, +) }
    let pods: [Pod]
    let stored: Deployment
    let now: Timestamp

    package init(_ snapshot: Snapshot, now: Timestamp) {
        deployment = snapshot.deployment
        stored = snapshot.deployment
        pods = snapshot.pods
        self.now = now
        replicaSets = []
        claim(snapshot.replicaSets)
        let template = deployment.spec.template
        newReplicaSetID = replicaSets.first { Self.areEqual($0.spec.template, template) }?.metadata.uid
        sizes = Dictionary(replicaSets.map { ($0.metadata.uid, $0.desired) }) { first, _ in first }
        if actions.isEmpty { decide() }
    }

    /// A1, A10: the fields with their defaults, and the fenceposts.
    var replicas: Int { deployment.wantedReplicas }
    var minReadySeconds: Int { deployment.spec.minReadySeconds ?? 0 }
    var isRolling: Bool { deployment.isRolling }

    /// `nil` when there is none (A1: the largest 32-bit number disables it).
    var progressDeadline: Duration? {
        let seconds = deployment.spec.progressDeadlineSeconds ?? 600
        return seconds == Int(Int32.max) ? nil : .seconds(seconds)
    }

    var maxSurge: Int { deployment.maxSurge }
    var maxUnavailable: Int { deployment.maxUnavailable }

    private mutating func claim(_ candidates: [ReplicaSet]) {
        let ownership = Ownership(owner: deployment, selector: Selector(matching: deployment.spec.selector))
        if ownership.selector.isEmpty { return }
        for replicaSet in ReplicaSet.oldestFirst(candidates) {
            switch ownership.claim(replicaSet.metadata) {
            case .ours: replicaSets.append(replicaSet)
            case .adopt: actions.append(.adopt(replicaSet))
            case .release: actions.append(.release(replicaSet))
            case .foreign: break
            }
        }
    }

    /// A3: the order of one sync.
    private mutating func decide() {
        if Selector(matching: deployment.spec.selector).isEmpty {
            report(
                .warning, "SelectingAll",
                "This deployment is selecting all pods. A non-empty selector is required.")
            deployment.status.observedGeneration = deployment.metadata.generation
            return writeStatusIfChanged()
        }
        if deployment.metadata.isBeingDeleted { return finishWithStatus(inRollout: false) }
        notePause()
        if deployment.spec.paused == true {
            let new = adoptNewReplicaSet()
            scale(new: new)
            if rollbackTarget == nil { cleanUp() }
            return finishWithStatus(inRollout: false)
        }
        if let target = rollbackTarget { return rollBack(to: target) }
        if isScalingEvent {
            scale(new: adoptNewReplicaSet())
            return finishWithStatus(inRollout: false)
        }
        if isRolling { roll() } else { recreate() }
    }

    /// A13
    var isScalingEvent: Bool {
        replicaSets.contains { replicaSet in
            guard replicaSet.desired > 0, let annotated = replicaSet.annotatedDesired else { return false }
            return annotated != replicas
        }
    }

    mutating func report(_ type: EventType, _ reason: String, _ message: String) {
        actions.append(.report(EventReport(type, reason: reason, message: message)))
    }

    /// Plans one write per ReplicaSet, however many changes it takes.
    mutating func replace(_ replicaSet: ReplicaSet) {
        if let index = replicaSets.firstIndex(where: { $0.metadata.uid == replicaSet.metadata.uid }) {
            replicaSets[index] = replicaSet
        }
        let planned = actions.firstIndex { action in
            if case .update(let other) = action { other.metadata.uid == replicaSet.metadata.uid } else { false }
        }
        if let planned { actions[planned] = .update(replicaSet) } else { actions.append(.update(replicaSet)) }
    }

    /// A9: sets a ReplicaSet's size and its scale annotations; answers whether the size changed.
    @discardableResult
    mutating func scale(_ replicaSet: ReplicaSet, to size: Int) -> Bool {
        var scaled = replicaSet
        let before = replicaSet.desired
        scaled.metadata.annotations[Annotation.desiredReplicas] = String(replicas)
        scaled.metadata.annotations[Annotation.maxReplicas] = String(replicas + maxSurge)
        scaled.spec.replicas = size
        if scaled == replicaSet { return false }
        replace(scaled)
        if size == before { return false }
        let direction = size > before ? "up" : "down"
        report(
            .normal, "ScalingReplicaSet",
            "Scaled \(direction) replica set \(replicaSet.metadata.name) from \(before) to \(size)")
        return true
    }
}

extension DeploymentPlan {
    enum Annotation {
        static let revision = "deployment.kubernetes.io/revision"
        static let revisionHistory = "deployment.kubernetes.io/revision-history"
        static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
        static let maxReplicas = "deployment.kubernetes.io/max-replicas"
        static let rollbackTo = "deprecated.deployment.rollback.to"
        static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

        /// A7: those that stay where they are when a Deployment's annotations are copied to its ReplicaSet.
        static let notCopied: Set<String> = [
            revision, revisionHistory, desiredReplicas, maxReplicas, rollbackTo, lastApplied,
        ]
    }

    /// The label that tells the pods of a Deployment's ReplicaSets apart (A6).
    static let hashLabel = "pod-template-hash"
}

extension ReplicaSet {
    var revision: Int { annotatedNumber(DeploymentPlan.Annotation.revision) ?? 0 }
    var annotatedDesired: Int? { annotatedNumber(DeploymentPlan.Annotation.desiredReplicas) }
    var annotatedMax: Int? { annotatedNumber(DeploymentPlan.Annotation.maxReplicas) }

    private func annotatedNumber(_ name: String) -> Int? {
        json[path: ["metadata", "annotations", name]]?.string.flatMap { Int($0) }
    }

    /// Whether the ReplicaSet's controller has seen its present spec.
    var isObserved: Bool { (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) }

    /// Reads each one's age once: a comparison would read it anew every time.
    static func oldestFirst(_ replicaSets: [ReplicaSet]) -> [ReplicaSet] {
        let aged = replicaSets.map { replicaSet in
            let metadata = replicaSet.metadata
            return (metadata.creationTimestamp ?? Timestamp(seconds: 0), metadata.name, replicaSet)
        }
        return aged.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    /// By creation, then name.
    static func isOlder(_ left: ReplicaSet, _ right: ReplicaSet) -> Bool {
        let times = (
            left.metadata.creationTimestamp ?? Timestamp(seconds: 0),
            right.metadata.creationTimestamp ?? Timestamp(seconds: 0)
        )
        return times.0 != times.1 ? times.0 < times.1 : left.metadata.name < right.metadata.name
    }
}
