package import Kinds
import Model

/// What the Endpoints of a Service should be (semantics-workloads J6): the older form of EndpointSlices, in one object.
package struct EndpointsPlan: Sendable {
    package enum Action: Hashable, Sendable {
        case create(Endpoints)
        case update(Endpoints)
        case delete(Endpoints)
    }

    package static let capacity = 1000
    static let overCapacity = "endpoints.kubernetes.io/over-capacity"
    static let managerLabel = "endpoints.kubernetes.io/managed-by"
    static let manager = "endpoint-controller"

    package private(set) var action: Action?

    /// - Parameters:
    ///   - service: `nil` when it is gone.
    ///   - pods: of its namespace, at least those that it selects.
    package init(service: Service?, pods: [Pod], existing: Endpoints?) {
        guard let service else {
            if let existing, existing.metadata.labels[Self.managerLabel] == Self.manager { action = .delete(existing) }
            return
        }
        let backends = ServiceBackends(service: service)
        guard backends.isSelecting, !service.metadata.isBeingDeleted else { return }
        var wanted = existing ?? Endpoints(named: service.metadata.name, in: service.metadata.namespace)
        wanted.metadata.labels = service.metadata.labels
        wanted.metadata.labels[Self.managerLabel] = Self.manager
        wanted.metadata.labels["service.kubernetes.io/headless"] = backends.isHeadless ? "" : nil
        let (subsets, isTruncated) = Self.subsets(backends, pods)
        wanted.subsets = subsets
        wanted.metadata.annotations[Self.overCapacity] = isTruncated ? "truncated" : nil
        if existing == nil {
            action = .create(wanted)
        } else if wanted != existing {
            action = .update(wanted)
        }
    }

    private struct Side {
        var ready: [EndpointAddress] = []
        var notReady: [EndpointAddress] = []
    }

    private static func subsets(_ backends: ServiceBackends, _ pods: [Pod]) -> ([EndpointSubset], Bool) {
        var groups: [[ServiceBackends.Port]: Side] = [:]
        var count = 0
        let candidates = backends.backends(among: pods).filter { backend in
            (!backend.isTerminating || backends.publishesNotReady)
                && (!backend.ports.isEmpty || backends.service.spec.ports.isEmpty)
        }
        // Ready ones first, so that what is cut off beyond the capacity is of least use.
        let ready = candidates.filter(backends.isReady)
        let notReady = candidates.filter { !backends.isReady($0) }
        for (backend, isReady) in ready.map({ ($0, true) }) + notReady.map({ ($0, false) }) where count < capacity {
            var address = EndpointAddress()
            address.ip = backend.pod.addresses[0]
            if !backend.pod.spec.nodeName.isEmpty { address.nodeName = backend.pod.spec.nodeName }
            address.hostname = backends.hostname(of: backend.pod)
            address.targetRef = backend.pod.endpointReference
            count += 1
            if isReady {
                groups[backend.ports, default: Side()].ready.append(address)
            } else {
                groups[backend.ports, default: Side()].notReady.append(address)
            }
        }
        let subsets = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ports, side in
            var subset = EndpointSubset()
            subset.addresses = side.ready.sorted { $0.ip < $1.ip }
            subset.notReadyAddresses = side.notReady.sorted { $0.ip < $1.ip }
            subset.ports = ports.map { port in
                var result = EndpointPort()
                if !port.name.isEmpty { result.name = port.name }
                result.port = port.number
                result.protocol = port.transport
                result.appProtocol = port.appProtocol
                return result
            }
            return subset
        }
        return (subsets, candidates.count > capacity)
    }
}
