package import Kinds
package import Model

/// How quotas count the objects of one kind (semantics-workloads K9; pkg/quota/v1/evaluator).
package enum CountedKind: Hashable, Sendable {
    case pods
    case services
    case claims
    /// Every object counts one, under each of these names.
    case objects(names: Set<String>)

    /// Kinds that had a name of their own before there was `count/…`.
    private static let namedKinds: Set<String> = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"]

    /// `nil` for what no quota counts: objects without a namespace, Events, and what is never stored.
    package init?(_ type: ResourceType) {
        guard type.isNamespaced, type.kind.kind != "Event", type.verbs.contains("create"), type.verbs.contains("list")
        else { return nil }
        switch type.kind.groupKind {
        case Pod.kind.groupKind: self = .pods
        case Service.kind.groupKind: self = .services
        case PersistentVolumeClaim.kind.groupKind: self = .claims
        default:
            var names: Set = ["count/\(type.qualifiedPlural)"]
            if type.kind.group.isEmpty, Self.namedKinds.contains(type.plural) { names.insert(type.plural) }
            self = .objects(names: names)
        }
    }

    /// Whether objects of this kind use what the quota limits under this name.
    package func counts(_ name: String) -> Bool {
        switch self {
        case .pods: PodUsage.counts(name)
        case .services: ServiceUsage.names.contains(name)
        case .claims: ClaimUsage.counts(name)
        case .objects(let names): names.contains(name)
        }
    }

    /// What an object uses.
    ///
    /// - Parameter now: a pod whose time to end has passed uses nothing but its place in the store.
    package func usage(of object: JSON, now: Timestamp) -> QuotaAmounts {
        switch self {
        case .pods: PodUsage.of(Pod(viewing: object), now: now)
        case .services: ServiceUsage.of(Service(viewing: object))
        case .claims: ClaimUsage.of(PersistentVolumeClaim(viewing: object))
        case .objects(let names): QuotaAmounts(Dictionary(uniqueKeysWithValues: names.map { ($0, Quantity(1)) }))
        }
    }

    /// Whether a change of an object can make it use more: only then is it checked (the evaluators' `Handles`).
    ///
    /// - Parameter isOfStatus: of its status alone.
    func isChecked(_ object: JSON, from old: JSON, isOfStatus: Bool) -> Bool {
        switch self {
        case .pods: !isOfStatus && Pod(viewing: object).spec.isTerminating != Pod(viewing: old).spec.isTerminating
        case .services: !isOfStatus
        case .claims:
            !isOfStatus
                || ClaimUsage.isAnother(
                    PersistentVolumeClaim(viewing: object), from: PersistentVolumeClaim(viewing: old))
        case .objects: false
        }
    }

    /// What is wrong with an object that says too little of what it uses.
    ///
    /// - Parameter names: what the quota limits.
    func fault(of object: JSON, limitedBy names: [String]) -> String? {
        self == .pods ? PodUsage.fault(of: Pod(viewing: object).spec, limitedBy: names) : nil
    }
}

/// What a Service uses: itself, node ports, and a load balancer.
enum ServiceUsage {
    static let names: Set = ["count/services", "services", "services.nodeports", "services.loadbalancers"]

    /// Ports are counted by what is asked for, not by what was allocated.
    static func of(_ service: Service) -> QuotaAmounts {
        let ports = service.spec.ports
        var nodePorts = 0
        switch service.spec.type {
        case "NodePort": nodePorts = ports.count
        case "LoadBalancer":
            nodePorts =
                service.spec.allocateLoadBalancerNodePorts == false
                ? ports.count { ($0.nodePort ?? 0) != 0 } : ports.count
        default: break
        }
        return [
            "count/services": Quantity(1), "services": Quantity(1), "services.nodeports": Quantity(Int64(nodePorts)),
            "services.loadbalancers": Quantity(service.spec.type == "LoadBalancer" ? 1 : 0),
        ]
    }
}

/// What a claim uses: itself and storage, of all and of its class.
enum ClaimUsage {
    private static let countName = "persistentvolumeclaims"
    private static let storageName = "requests.storage"
    private static let classInfix = ".storageclass.storage.k8s.io/"
    private static let classAnnotation = "volume.beta.kubernetes.io/storage-class"

    static func counts(_ name: String) -> Bool {
        name == "count/\(countName)" || name == countName || name == storageName
            || name.hasSuffix(classInfix + countName) || name.hasSuffix(classInfix + storageName)
    }

    static func of(_ claim: PersistentVolumeClaim) -> QuotaAmounts {
        var usage: QuotaAmounts = ["count/\(countName)": Quantity(1), countName: Quantity(1)]
        let storageClass = claim.metadata.annotations[classAnnotation] ?? claim.spec.storageClassName ?? ""
        if !storageClass.isEmpty { usage[storageClass + classInfix + countName] = Quantity(1) }
        if let storage = storage(of: claim) {
            usage[storageName] = storage
            if !storageClass.isEmpty { usage[storageClass + classInfix + storageName] = storage }
        }
        return usage
    }

    /// What is asked for, or what is allocated if that is more; in whole bytes.
    private static func storage(of claim: PersistentVolumeClaim) -> Quantity? {
        guard let asked = claim.spec.resources.requests["storage"] else { return nil }
        let amount = max(asked, claim.status.allocatedResources["storage"] ?? asked)
        return Quantity(amount.value, format: amount.format)
    }

    /// Whether a change of the status changes what a claim uses, or of which quota.
    static func isAnother(_ claim: PersistentVolumeClaim, from old: PersistentVolumeClaim) -> Bool {
        claim.status.allocatedResources["storage"] != old.status.allocatedResources["storage"]
            || claim.attributesClasses != old.attributesClasses
    }
}

extension PersistentVolumeClaim {
    /// The VolumeAttributesClasses that it has, had, or is to get.
    var attributesClasses: Set<String> {
        let names = [
            spec.volumeAttributesClassName, status.currentVolumeAttributesClassName,
            status.modifyVolumeStatus?.targetVolumeAttributesClassName,
        ]
        return Set(names.compactMap(\.self).filter { !$0.isEmpty })
    }
}
