import Kinds
import Model

/// Which EndpointSlices it takes for given endpoints, and what to do with those there are (semantics-workloads J5).
struct SliceFitting {
    /// Slices hold endpoints of one address family and one set of ports.
    struct Group: Hashable, Comparable {
        var family: String
        var ports: [ServiceBackends.Port]

        static func < (left: Self, right: Self) -> Bool {
            left.family != right.family ? left.family < right.family : left.ports.lexicographicallyPrecedes(right.ports)
        }
    }

    static let capacity = 100

    private(set) var actions: [EndpointSlicePlan.Action] = []
    /// What new slices are made from: namespace, name, labels, annotations and owner.
    private let template: EndpointSlice

    init(template: EndpointSlice) { self.template = template }

    /// - Parameters:
    ///   - slices: all that are managed.
    ///   - families: those that may be used; slices of others go.
    ///   - keepingPlaceholders: whether a family without endpoints keeps one empty slice.
    mutating func fit(
        _ slices: [EndpointSlice], to desired: [Group: [Endpoint]], families: [String], keepingPlaceholders: Bool
    ) {
        let existing = Dictionary(grouping: slices.sorted { $0.metadata.name < $1.metadata.name }, by: Self.group)
        for slice in slices where !families.contains(slice.addressType) { actions.append(.delete(slice)) }
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
            retire(spare, keepingPlaceholder: keepingPlaceholders && isEmpty, family: family)
        }
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
        updated.metadata.labels.merge(template.metadata.labels) { _, ours in ours }
        updated.metadata.annotations.merge(template.metadata.annotations) { _, ours in ours }
        if updated != slice { actions.append(.update(updated)) }
    }

    private func newSlice(_ group: Group, _ endpoints: [Endpoint]) -> EndpointSlice {
        var slice = template
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
