import Kinds
import Model

extension ProxyPlan {
    /// What the status of a Service should say of its load balancer once all its listeners stand.
    package struct LoadBalancer: Hashable, Sendable {
        package var service: ServiceReference
        /// All that must listen; empty when it gets no address: not all of its ports can be had.
        package var frontends: [Endpoint]
        /// What the status says now.
        package var published: [String]

        /// The addresses to publish, given who listens now: all of the Service's ports are there, or it has none.
        package func addresses(listening: Set<Endpoint>) -> [String] {
            guard !frontends.isEmpty, frontends.allSatisfy(listening.contains) else { return [] }
            // Whoever listens on all addresses is found on this one.
            return Set(frontends.map { $0.address == "0.0.0.0" ? "127.0.0.1" : $0.address }).sorted()
        }
    }

    /// Who may connect through a load balancer: an IPv4 block of `loadBalancerSourceRanges`.
    package struct SourceRange: Hashable, Sendable {
        private var first: UInt32
        private var mask: UInt32

        /// `nil` for what is no IPv4 block: no client of this proxy comes from there.
        package init?(_ text: String) {
            let parts = text.filter { !$0.isWhitespace }.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let address = AddressRange.address(String(parts[0])), let length = UInt32(parts[1]),
                length <= 32
            else { return nil }
            mask = length == 0 ? 0 : ~UInt32(0) << (32 - length)
            first = address & mask
        }

        package func contains(_ client: String) -> Bool {
            AddressRange.address(client).map { $0 & mask == first } ?? false
        }
    }

    /// The proxy is the load balancer of Services that name no other one (`loadBalancerClass`): it listens where node
    /// ports listen, on the Service's own ports. Of two Services that want the same port the older one keeps it.
    ///
    /// - Parameter slices: of every Service, by its key.
    mutating func planLoadBalancers(
        _ services: [Service], slices: [ObjectKey: [EndpointSlice]], options: Options,
        into owners: inout [Endpoint: Listener]
    ) {
        let byAge = services.sorted { left, right in
            let times = [left, right].map { $0.metadata.creationTimestamp?.nanoseconds ?? .max }
            return times[0] == times[1] ? left.key < right.key : times[0] < times[1]
        }
        for service in byAge {
            let published = service.status.loadBalancer.ingress.compactMap(\.ip)
            let reference = ServiceReference(service)
            guard service.spec.type == "LoadBalancer" else {
                // One that was a load balancer before.
                if !published.isEmpty {
                    loadBalancers.append(LoadBalancer(service: reference, frontends: [], published: published))
                }
                continue
            }
            guard (service.spec.loadBalancerClass ?? "").isEmpty, !service.spec.isHeadless else { continue }
            let frontends = claim(service, slices: slices[service.key] ?? [], options: options, into: &owners)
            loadBalancers.append(LoadBalancer(service: reference, frontends: frontends, published: published))
        }
    }

    /// Makes the Service's listeners; answers all of them, or none when one of its ports belongs to somebody else.
    private mutating func claim(
        _ service: Service, slices: [EndpointSlice], options: Options, into owners: inout [Endpoint: Listener]
    ) -> [Endpoint] {
        let reference = ServiceReference(service)
        var addresses = options.nodePortAddresses
        if let wanted = service.spec.loadBalancerIP, !wanted.isEmpty {
            if addresses.contains(wanted) {
                addresses = [wanted]
            } else {
                let ours = addresses.joined(separator: ", ")
                faults.append(
                    Fault(
                        service: reference, reason: "UnsupportedLoadBalancerIP",
                        message: "the proxy cannot listen on loadBalancerIP \(wanted), only on \(ours): remove it"))
                return []
            }
        }
        var frontends: [Endpoint] = []
        var isComplete = true
        for port in service.spec.ports where (port.protocol ?? "TCP") == "TCP" {
            for frontend in addresses.map({ Endpoint($0, port.port) }) {
                if let owner = owners[frontend], owner.service != reference {
                    let name = "\(owner.service.namespace)/\(owner.service.name)"
                    faults.append(
                        Fault(
                            service: reference, reason: "PortAlreadyClaimed",
                            message: "\(frontend) belongs to Service \(name): choose another port"))
                    isComplete = false
                    continue
                }
                var listener = listener(for: port, of: service, at: frontend, slices: slices)
                let ranges = service.spec.loadBalancerSourceRanges
                if !ranges.isEmpty { listener.sources = ranges.compactMap(SourceRange.init) }
                owners[frontend] = listener
                frontends.append(frontend)
            }
        }
        return isComplete ? frontends : []
    }
}
