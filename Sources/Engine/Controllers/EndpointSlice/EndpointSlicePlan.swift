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

    package static let capacity = 100
    package static let serviceLabel = "kubernetes.io/service-name"
    package static let managerLabel = "endpointslice.kubernetes.io/managed-by"
    package static let manager = "endpointslice-controller.k8s.io"
    static let headlessLabel = "service.kubernetes.io/headless"

    package private(set) var actions: [Action] = []

    /// Slices hold endpoints of one address family and one set of ports.
    private struct Group: Hashable, Comparable {
        var family: String
        var ports: [ServiceBackends.Port]

        static func < (left: Self, right: Self) -> Bool {
            left.family != right.family ? left.family < right.family : left.ports.lexicographicallyPrecedes(right.ports)
        }
    }

    private let backends: ServiceBackends
    private let nodes: [String: Node]

    package init(_ snapshot: Snapshot) {
        backends = ServiceBackends(service: snapshot.service)
        nodes = snapshot.nodes
        guard backends.isSelecting, !snapshot.service.metadata.isBeingDeleted else { return }
        let families = snapshot.service.spec.ipFamilies.isEmpty ? ["IPv4"] : snapshot.service.spec.ipFamilies
        let desired = endpoints(of: snapshot.pods, families: families)
        let existing = Dictionary(
            grouping: snapshot.slices.sorted { $0.metadata.name < $1.metadata.name }, by: Self.group)
        for slice in snapshot.slices where !families.contains(slice.addressType) { actions.append(.delete(slice)) }
        for family in families {
            let groups = Set(desired.keys).union(existing.keys).filter { $0.family == family }.sorted()
            var isEmpty = true
            var spare: [EndpointSlice] = []
            for group in groups {
                let wanted = desired[group] ?? []
                if wanted.isEmpty {
                    spare += existing[group] ?? []
                } else {
                    isEmpty = false
                    reconcile(existing[group] ?? [], to: wanted, group)
                }
            }
            retire(spare, keepingPlaceholder: isEmpty, family: family)
        }
    }

    private func endpoints(of pods: [Pod], families: [String]) -> [Group: [Endpoint]] {
        var result: [Group: [Endpoint]] = [:]
        for backend in backends.backends(among: pods) {
            let nodeName = backend.pod.spec.nodeName
            if !nodeName.isEmpty, nodes[nodeName] == nil, !backends.publishesNotReady { continue }
            if backend.ports.isEmpty, !backends.service.spec.ports.isEmpty { continue }
            for family in families {
                let addresses = backend.pod.addresses.filter { ($0.contains(":") ? "IPv6" : "IPv4") == family }
                guard let address = addresses.first else { continue }
                result[Group(family: family, ports: backend.ports), default: []].append(endpoint(backend, address))
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

    /// J5: endpoints stay in the slice they are in; new ones go to slices that change anyway, then to the fullest with
    /// room, then to new ones.
    private mutating func reconcile(_ slices: [EndpointSlice], to wanted: [Endpoint], _ group: Group) {
        var missing = Dictionary(wanted.map { ($0.identity, $0) }) { first, _ in first }
        var kept: [(slice: EndpointSlice, endpoints: [Endpoint], isChanged: Bool)] = []
        for slice in slices {
            let endpoints = slice.endpoints.compactMap { missing.removeValue(forKey: $0.identity) }
            kept.append((slice, endpoints, endpoints != slice.endpoints))
        }
        var rest = wanted.filter { missing[$0.identity] != nil }[...]
        func fill(_ index: Int) {
            let taken = rest.prefix(Self.capacity - kept[index].endpoints.count)
            rest = rest.dropFirst(taken.count)
            if taken.isEmpty { return }
            kept[index].endpoints += taken
            kept[index].isChanged = true
        }
        for index in kept.indices where kept[index].isChanged && !kept[index].endpoints.isEmpty { fill(index) }
        let byFullness = kept.indices.sorted { left, right in
            let counts = (kept[left].endpoints.count, kept[right].endpoints.count)
            return counts.0 != counts.1 ? counts.0 > counts.1 : left < right
        }
        for index in byFullness { fill(index) }
        for (slice, endpoints, _) in kept {
            if endpoints.isEmpty {
                actions.append(.delete(slice))
            } else {
                update(slice, endpoints)
            }
        }
        while !rest.isEmpty {
            actions.append(.create(newSlice(group, Array(rest.prefix(Self.capacity)))))
            rest = rest.dropFirst(Self.capacity)
        }
    }

    /// J5: a Service without endpoints keeps one empty slice.
    private mutating func retire(_ slices: [EndpointSlice], keepingPlaceholder: Bool, family: String) {
        var rest = slices
        if keepingPlaceholder {
            if let index = rest.firstIndex(where: { $0.ports.isEmpty && $0.endpoints.isEmpty }) {
                update(rest.remove(at: index), [])
            } else {
                actions.append(.create(newSlice(Group(family: family, ports: []), [])))
            }
        }
        actions += rest.map { .delete($0) }
    }

    private mutating func update(_ slice: EndpointSlice, _ endpoints: [Endpoint]) {
        var updated = slice
        updated.setEndpoints(endpoints)
        updated.metadata.labels.merge(labels) { _, ours in ours }
        if updated != slice { actions.append(.update(updated)) }
    }

    private var labels: [String: String] {
        var labels = backends.service.metadata.labels
        labels[Self.serviceLabel] = backends.service.metadata.name
        labels[Self.managerLabel] = Self.manager
        labels[Self.headlessLabel] = backends.isHeadless ? "" : nil
        return labels
    }

    private func newSlice(_ group: Group, _ endpoints: [Endpoint]) -> EndpointSlice {
        let service = backends.service
        var slice = EndpointSlice(named: "", in: service.metadata.namespace)
        slice.metadata.generateName = "\(service.metadata.name)-"
        slice.metadata.labels = labels
        slice.metadata.ownerReferences = [service.controllerReference]
        slice.addressType = group.family
        slice.ports = group.ports.map { port in
            var result = EndpointSlicePort()
            result.name = port.name
            result.port = port.number
            result.protocol = port.transport
            result.appProtocol = port.appProtocol
            return result
        }
        slice.setEndpoints(endpoints)
        return slice
    }

    private static func group(_ slice: EndpointSlice) -> Group {
        let ports = slice.ports.map {
            ServiceBackends.Port(
                name: $0.name ?? "", number: $0.port ?? 0, transport: $0.protocol ?? "TCP", appProtocol: $0.appProtocol)
        }
        return Group(family: slice.addressType, ports: ports.sorted())
    }
}

extension EndpointSlice {
    /// `endpoints` is a required member: it is written even when empty.
    fileprivate mutating func setEndpoints(_ endpoints: [Endpoint]) {
        json["endpoints"] = .array(endpoints.map(\.json))
    }
}

extension Endpoint {
    /// What makes two endpoints the same backend.
    fileprivate var identity: [String] { addresses + [targetRef?.uid ?? ""] }
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
