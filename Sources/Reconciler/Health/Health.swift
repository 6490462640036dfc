package import Kinds
import Model

/// How well a resource is, in Argo CD's words (gitops.md §2), best first.
package enum HealthStatusCode: String, Sendable, CaseIterable, Comparable {
    case healthy = "Healthy"
    case suspended = "Suspended"
    case progressing = "Progressing"
    case missing = "Missing"
    case degraded = "Degraded"
    case unknown = "Unknown"

    package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// The health of one resource, and why.
package struct Health: Hashable, Sendable {
    package var status: HealthStatusCode
    package var message: String

    package init(_ status: HealthStatusCode, _ message: String = "") {
        self.status = status
        self.message = message
    }
}

extension Health {
    /// The health of a live object. Kinds that have no health of their own are healthy when they exist.
    package static func of(_ object: Object) -> Health {
        if object.metadata.isBeingDeleted { return Health(.progressing, "Pending deletion") }
        switch (object.kind.group, object.kindName) {
        case ("apps", "Deployment"): return of(object.view(as: Deployment.self))
        case ("apps", "ReplicaSet"): return of(object.view(as: ReplicaSet.self))
        case ("apps", "StatefulSet"): return ofStatefulSet(object.json)
        case ("apps", "DaemonSet"): return ofDaemonSet(object.json)
        case ("batch", "Job"): return ofJob(object.json)
        case ("", "Pod"): return of(object.view(as: Pod.self))
        case ("", "ReplicationController"):
            return ofReplicas(object.view(as: ReplicaSet.self), called: "replication controller")
        case ("", "Service"): return of(object.view(as: Service.self))
        case ("", "PersistentVolumeClaim"): return ofClaim(object.json)
        case ("apiextensions.k8s.io", "CustomResourceDefinition"):
            return of(CustomResourceDefinition(viewing: object.json))
        case ("apiregistration.k8s.io", "APIService"): return ofAPIService(object.json)
        case ("argoproj.io", "Application"):
            let status = object.view(as: Application.self).status.health.status
            return Health(status.flatMap(HealthStatusCode.init(rawValue:)) ?? .progressing)
        default: return Health(.healthy)
        }
    }

    /// Whether objects of this kind are of no use until something acts on them: until it runs their pods or binds them.
    static func needsController(_ kind: GroupKind) -> Bool {
        switch (kind.group, kind.kind) {
        case ("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("apps", "DaemonSet"),
            ("batch", "Job"), ("batch", "CronJob"), ("", "ReplicationController"), ("", "Pod"),
            ("", "PersistentVolumeClaim"):
            true
        default: false
        }
    }
}
