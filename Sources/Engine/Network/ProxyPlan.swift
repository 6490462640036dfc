package import Kinds
import Model

/// Where the service proxy listens and to whom it forwards: a pure function of Services and EndpointSlices.
///
/// Rules: semantics-workloads J1, J7. Every logical node is this machine, so the traffic policy `Local` finds each
/// endpoint local and means the same as `Cluster`, and `trafficDistribution` finds each endpoint as close as any.
package struct ProxyPlan: Hashable, Sendable {
    /// An IPv4 address and port, to listen on or to forward to.
    package struct Endpoint: Hashable, Comparable, Sendable, CustomStringConvertible {
        package var address: String
        package var port: Int

        package init(_ address: String, _ port: Int) {
            self.address = address
            self.port = port
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.address, left.port) < (right.address, right.port)
        }

        package var description: String { "\(address):\(port)" }
    }

    /// One listening socket and what is behind it.
    package struct Listener: Hashable, Sendable {
        package var frontend: Endpoint
        package var service: ServiceReference
        /// The name of the Service's port; empty when it has only one and no name.
        package var portName: String
        /// Sorted; empty when nobody can serve, and then connections are refused.
        package var backends: [Endpoint]
        /// How long a client stays with its backend (`sessionAffinity: ClientIP`); `nil` for no affinity.
        package var affinity: Duration?
        /// Who may connect (`loadBalancerSourceRanges`); `nil` for everybody.
        package var sources: [SourceRange]?
    }

    /// The Service a listener or fault belongs to.
    package struct ServiceReference: Hashable, Comparable, Sendable {
        package var namespace: String
        package var name: String
        package var uid: String

        init(_ service: Service) {
            namespace = service.metadata.namespace
            name = service.metadata.name
            uid = service.metadata.uid
        }

        package static func < (left: Self, right: Self) -> Bool {
            (left.namespace, left.name, left.uid) < (right.namespace, right.name, right.uid)
        }
    }

    /// What a Service asks for and does not get, for a Warning event on it.
    package struct Fault: Hashable, Sendable {
        package var service: ServiceReference
        package var reason: String
        package var message: String
    }

    package struct Options: Hashable, Sendable {
        /// The addresses on which node ports and load balancers listen. `0.0.0.0` opens them to the network: only by
        /// explicit choice.
        package var nodePortAddresses: [String]

        package init(nodePortAddresses: [String] = ["127.0.0.1"]) {
            self.nodePortAddresses = nodePortAddresses
        }
    }

    /// Sorted by address and port; no two with the same.
    package private(set) var listeners: [Listener] = []
    package internal(set) var faults: [Fault] = []
    /// What is to be published of load balancers, the oldest Service first.
    package internal(set) var loadBalancers: [LoadBalancer] = []

    package init(services: [Service], slices: [EndpointSlice], options: Options = Options()) {
        var slicesOfService: [ObjectKey: [EndpointSlice]] = [:]
        for slice in slices where slice.addressType == "IPv4" {
            guard let name = slice.metadata.labels["kubernetes.io/service-name"] else { continue }
            slicesOfService[Service.key(name, in: slice.metadata.namespace), default: []].append(slice)
        }
        var owners: [Endpoint: Listener] = [:]
        for service in services.sorted(by: { $0.key < $1.key }) {
            reportUnserved(service)
            for port in service.spec.ports {
                plan(port, of: service, slices: slicesOfService[service.key] ?? [], options: options, into: &owners)
            }
        }
        planLoadBalancers(services, slices: slicesOfService, options: options, into: &owners)
        listeners = owners.values.sorted { $0.frontend < $1.frontend }
    }

    /// What no port of the Service gets on one machine.
    private mutating func reportUnserved(_ service: Service) {
        if !service.spec.externalIPs.isEmpty {
            let addresses = service.spec.externalIPs.joined(separator: ", ")
            faults.append(
                Fault(
                    service: ServiceReference(service), reason: "UnsupportedExternalIP",
                    message: "the proxy does not listen on externalIPs (\(addresses)): use type NodePort"))
        }
    }

    private mutating func plan(
        _ port: ServicePort, of service: Service, slices: [EndpointSlice], options: Options,
        into owners: inout [Endpoint: Listener]
    ) {
        let spec = service.spec
        // ExternalName and headless Services have no address of their own; an empty one is not allocated yet.
        guard spec.type != "ExternalName", spec.clusterIP != "None", !spec.clusterIP.isEmpty else { return }
        let reference = ServiceReference(service)
        let transport = port.protocol ?? "TCP"
        guard transport == "TCP" else {
            faults.append(
                Fault(
                    service: reference, reason: "UnsupportedProtocol",
                    message: "port \(port.port) uses \(transport): the proxy forwards only TCP"))
            return
        }
        var frontends: [Endpoint] = []
        if spec.clusterIP.hasPrefix("127.") {
            frontends.append(Endpoint(spec.clusterIP, port.port))
        } else {
            faults.append(
                Fault(
                    service: reference, reason: "UnsupportedClusterIP",
                    message: "clusterIP \(spec.clusterIP) is not in 127.0.0.0/8: the proxy cannot listen on it"))
        }
        if let nodePort = port.nodePort, nodePort > 0 {
            frontends += options.nodePortAddresses.map { Endpoint($0, nodePort) }
        }
        for frontend in frontends {
            if let owner = owners[frontend] {
                faults.append(
                    Fault(
                        service: reference, reason: "PortAlreadyClaimed",
                        message: "\(frontend) belongs to Service \(owner.service.namespace)/\(owner.service.name)"))
                continue
            }
            owners[frontend] = listener(for: port, of: service, at: frontend, slices: slices)
        }
    }

    func listener(
        for port: ServicePort, of service: Service, at frontend: Endpoint, slices: [EndpointSlice]
    ) -> Listener {
        Listener(
            frontend: frontend, service: ServiceReference(service), portName: port.name ?? "",
            backends: Self.backends(of: port.name ?? "", in: slices), affinity: Self.affinity(of: service.spec))
    }

    /// Ready endpoints; when there is none, those that still serve while they terminate (J7).
    private static func backends(of portName: String, in slices: [EndpointSlice]) -> [Endpoint] {
        var ready: Set<Endpoint> = []
        var terminating: Set<Endpoint> = []
        for slice in slices {
            for port in slice.ports where (port.name ?? "") == portName && (port.protocol ?? "TCP") == "TCP" {
                guard let number = port.port else { continue }
                for endpoint in slice.endpoints {
                    guard let address = endpoint.addresses.first else { continue }
                    let conditions = endpoint.conditions
                    if conditions.ready ?? true {
                        ready.insert(Endpoint(address, number))
                    } else if conditions.serving ?? false, conditions.terminating ?? false {
                        terminating.insert(Endpoint(address, number))
                    }
                }
            }
        }
        return (ready.isEmpty ? terminating : ready).sorted()
    }

    private static func affinity(of spec: ServiceSpec) -> Duration? {
        guard spec.sessionAffinity == "ClientIP" else { return nil }
        return .seconds(spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800)
    }
}
