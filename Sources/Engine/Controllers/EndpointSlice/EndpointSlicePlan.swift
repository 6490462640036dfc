package import Kinds
import Model

/// Which EndpointSlices a Service should have (semantics-workloads J4, J5).
package struct EndpointSlicePlan: Sendable {
    package struct Snapshot: Sendable {
        package var service: Service
        /// Pods of the Service's namespace, at least those that it selects.
        package var pods: [Pod]
        /// By name.
        package var nodes: [String: Node]
        /// The Service's slices that this controller manages.
        package var slices: [EndpointSlice]

        package init(service: Service, pods: [Pod], nodes: [String: Node], slices: [EndpointSlice]) {
            self.service = service
            self.pods = pods
            self.nodes = nodes
            self.slices = slices
        }
    }

    package enum Action: Hashable, Sendable {
        case create(EndpointSlice)
        case update(EndpointSlice)
        case delete(EndpointSlice)
    }

    package static let serviceLabel = "kubernetes.io/service-name"
    package static let managerLabel = "endpointslice.kubernetes.io/managed-by"
    package static let manager = "endpointslice-controller.k8s.io"
    static let headlessLabel = "service.kubernetes.io/headless"

    package private(set) var actions: [Action] = []

    private let backends: ServiceBackends
    private let nodes: [String: Node]

    package init(_ snapshot: Snapshot) {
        backends = ServiceBackends(service: snapshot.service)
        nodes = snapshot.nodes
        guard backends.isSelecting, !snapshot.service.metadata.isBeingDeleted else { return }
        let families = snapshot.service.spec.ipFamilies.isEmpty ? ["IPv4"] : snapshot.service.spec.ipFamilies
        var fitting = SliceFitting(template: template)
        fitting.fit(
            snapshot.slices, to: endpoints(of: snapshot.pods, families: families), families: families,
            keepingPlaceholders: true)
        actions = fitting.actions
    }

    private func endpoints(of pods: [Pod], families: [String]) -> [SliceFitting.Group: [Endpoint]] {
        var result: [SliceFitting.Group: [Endpoint]] = [:]
        for backend in backends.backends(among: pods) {
            let nodeName = backend.pod.spec.nodeName
            if !nodeName.isEmpty, nodes[nodeName] == nil, !backends.publishesNotReady { continue }
            if backend.ports.isEmpty, !backends.service.spec.ports.isEmpty { continue }
            for family in families {
                let addresses = backend.pod.addresses.filter { ($0.contains(":") ? "IPv6" : "IPv4") == family }
                guard let address = addresses.first else { continue }
                result[.init(family: family, ports: backend.ports), default: []].append(endpoint(backend, address))
            }
        }
        return result
    }

    private func endpoint(_ backend: ServiceBackends.Backend, _ address: String) -> Endpoint {
        let pod = backend.pod
        var endpoint = Endpoint()
        endpoint.addresses = [address]
        var conditions = EndpointConditions()
        conditions.ready = backends.isReady(backend)
        conditions.serving = backend.isServing
        conditions.terminating = backend.isTerminating
        endpoint.conditions = conditions
        endpoint.hostname = backends.hostname(of: pod)
        if !pod.spec.nodeName.isEmpty { endpoint.nodeName = pod.spec.nodeName }
        endpoint.zone = nodes[pod.spec.nodeName]?.metadata.labels["topology.kubernetes.io/zone"]
        endpoint.targetRef = pod.endpointReference
        return endpoint
    }

    private var labels: [String: String] {
        var labels = backends.service.metadata.labels
        labels[Self.serviceLabel] = backends.service.metadata.name
        labels[Self.managerLabel] = Self.manager
        labels[Self.headlessLabel] = backends.isHeadless ? "" : nil
        return labels
    }

    private var template: EndpointSlice {
        let service = backends.service
        var slice = EndpointSlice(named: "", in: service.metadata.namespace)
        slice.metadata.generateName = "\(service.metadata.name)-"
        slice.metadata.labels = labels
        slice.metadata.ownerReferences = [service.controllerReference]
        return slice
    }
}

extension Pod {
    /// How endpoints point at their pod.
    var endpointReference: ObjectReference {
        var reference = ObjectReference()
        reference.kind = "Pod"
        reference.namespace = metadata.namespace
        reference.name = metadata.name
        reference.uid = metadata.uid
        return reference
    }
}
