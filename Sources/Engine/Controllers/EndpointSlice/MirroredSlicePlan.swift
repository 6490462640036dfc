import Kinds
import Model

/// Which EndpointSlices mirror the Endpoints that somebody wrote for a Service without a selector, so that who reads
/// slices alone sees them too (Kubernetes' endpointslicemirroring controller).
struct MirroredSlicePlan {
    static let manager = "endpointslicemirroring-controller.k8s.io"
    /// Endpoints with this label are left alone.
    static let skipLabel = "endpointslice.kubernetes.io/skip-mirror"
    /// Endpoints with this annotation are somebody's lock.
    private static let lock = "control-plane.alpha.kubernetes.io/leader"
    private static let ownAnnotations = [
        "endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration",
    ]
    /// Of one subset no more is mirrored.
    static let capacity = 1000

    let actions: [EndpointSlicePlan.Action]

    /// - Parameters:
    ///   - service: `nil` when it is gone.
    ///   - endpoints: of the Service's name.
    ///   - slices: those of the Service that this plan's manager has.
    init(service: Service?, endpoints: Endpoints?, slices: [EndpointSlice]) {
        guard let service, service.spec.selector.isEmpty, !service.metadata.isBeingDeleted, let endpoints,
            Self.isMirrored(endpoints)
        else {
            actions = slices.map { .delete($0) }
            return
        }
        var fitting = SliceFitting(template: Self.template(endpoints))
        fitting.fit(
            slices, to: Self.desired(endpoints), families: ["IPv4", "IPv6"], keepingPlaceholders: false)
        actions = fitting.actions
    }

    private static func isMirrored(_ endpoints: Endpoints) -> Bool {
        !endpoints.metadata.isBeingDeleted && endpoints.metadata.labels[skipLabel] != "true"
            && endpoints.metadata.annotations[lock] == nil
    }

    private static func template(_ endpoints: Endpoints) -> EndpointSlice {
        let metadata = endpoints.metadata
        var slice = EndpointSlice(named: "", in: metadata.namespace)
        slice.metadata.generateName = "\(metadata.name)-"
        slice.metadata.labels = metadata.labels
        slice.metadata.labels[EndpointSlicePlan.serviceLabel] = metadata.name
        slice.metadata.labels[EndpointSlicePlan.managerLabel] = manager
        let annotations = metadata.annotations.filter { !ownAnnotations.contains($0.key) }
        if !annotations.isEmpty { slice.metadata.annotations = annotations }
        slice.metadata.ownerReferences = [endpoints.controllerReference]
        return slice
    }

    private static func desired(_ endpoints: Endpoints) -> [SliceFitting.Group: [Endpoint]] {
        var result: [SliceFitting.Group: [Endpoint]] = [:]
        for subset in endpoints.subsets {
            let ports = subset.ports.map { port in
                ServiceBackends.Port(
                    name: port.name ?? "", number: port.port, transport: port.protocol ?? "TCP",
                    appProtocol: port.appProtocol)
            }.sorted()
            let all =
                subset.addresses.map { endpoint($0, isReady: true) }
                + subset.notReadyAddresses.map { endpoint($0, isReady: false) }
            for endpoint in all.prefix(capacity) {
                let family = endpoint.addresses[0].contains(":") ? "IPv6" : "IPv4"
                result[.init(family: family, ports: ports), default: []].append(endpoint)
            }
        }
        return result
    }

    private static func endpoint(_ address: EndpointAddress, isReady: Bool) -> Endpoint {
        var endpoint = Endpoint()
        endpoint.addresses = [address.ip]
        var conditions = EndpointConditions()
        conditions.ready = isReady
        endpoint.conditions = conditions
        endpoint.hostname = address.hostname
        endpoint.nodeName = address.nodeName
        endpoint.targetRef = address.targetRef
        return endpoint
    }
}
