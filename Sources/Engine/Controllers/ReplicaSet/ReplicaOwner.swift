package import Kinds
package import Model

/// A kind whose objects keep a number of identical pods by the rules of B: ReplicaSets, and the ReplicationControllers
/// that they came from.
package protocol ReplicaOwner: KubernetesObject {
    /// In whose name pods are created, and whose events these are.
    static var component: String { get }
    var desired: Int { get }
    var podSelector: Selector { get }
    var podTemplate: PodTemplateSpec { get }
    var minReadySeconds: Int { get }
    /// What is counted. The fields that both kinds have are named alike; one that a kind lacks is not set.
    var replicaStatus: ReplicaSetStatus { get set }
}

extension ReplicaSet: ReplicaOwner {
    package static var component: String { "replicaset-controller" }
    package var desired: Int { spec.replicas ?? 1 }
    package var podSelector: Selector { Selector(matching: spec.selector) }
    package var podTemplate: PodTemplateSpec { spec.template }
    package var minReadySeconds: Int { spec.minReadySeconds ?? 0 }
    package var replicaStatus: ReplicaSetStatus {
        get { status }
        set { status = newValue }
    }
}

extension ReplicationController: ReplicaOwner {
    package static var component: String { "replication-controller" }
    package var desired: Int { spec.replicas ?? 1 }
    package var podSelector: Selector { Selector(labels: spec.selector) }
    package var podTemplate: PodTemplateSpec { spec.template ?? PodTemplateSpec() }
    package var minReadySeconds: Int { spec.minReadySeconds ?? 0 }
    package var replicaStatus: ReplicaSetStatus {
        get { ReplicaSetStatus(viewing: status.json) }
        set {
            var counted = newValue
            // Only ReplicaSets tell it.
            counted.terminatingReplicas = nil
            status = ReplicationControllerStatus(viewing: counted.json)
        }
    }
}
