import Kinds
import Model

/// Which Service has which cluster address and node port (J2). A value: the registry keeps it behind a lock.
package struct ServiceAllocation: Sendable {
    enum Resource: Hashable, Sendable {
        case address(UInt32)
        case nodePort(Int, protocol: String)
    }

    /// Why a Service cannot have what it asks for.
    enum Fault: Error, Hashable {
        case invalid(FieldError)
        /// No address or port is left.
        case exhausted(String)
    }

    package let addresses: AddressRange
    package let nodePorts: ClosedRange<Int>
    /// By resource, the namespace and name of the Service that has it.
    private var holders: [Resource: String] = [:]

    package init(addresses: AddressRange, nodePorts: ClosedRange<Int> = 30000...32767) {
        self.addresses = addresses
        self.nodePorts = nodePorts
    }

    /// Notes what a stored Service has.
    mutating func adopt(_ service: JSON) {
        for resource in Self.resources(of: service) { holders[resource] = Self.name(of: service) }
    }

    mutating func release(_ resources: some Sequence<Resource>) {
        for resource in resources { holders[resource] = nil }
    }

    /// Gives a Service what it lacks; answers it with what was newly taken, to be released if the write fails.
    mutating func allocate(
        _ service: JSON, random: inout any RandomNumberGenerator & Sendable
    ) throws(Fault) -> (service: JSON, taken: [Resource]) {
        var service = service
        var taken: [Resource] = []
        do throws(Fault) {
            try allocateAddress(&service, &taken, &random)
            try allocateNodePorts(&service, &taken, &random)
        } catch {
            release(taken)
            throw error
        }
        return (service, taken)
    }

    /// What a Service has, as its own fields say.
    static func resources(of service: JSON) -> Set<Resource> {
        var resources: Set<Resource> = []
        if let text = service[path: ["spec", "clusterIP"]]?.string, let address = AddressRange.address(text) {
            resources.insert(.address(address))
        }
        for port in service[path: ["spec", "ports"]]?.array ?? [] {
            if let number = port["nodePort"]?.int, number > 0 {
                resources.insert(.nodePort(Int(number), protocol: port["protocol"]?.string ?? "TCP"))
            }
        }
        return resources
    }

    private static func name(of service: JSON) -> String {
        let metadata = service["metadata"]
        return "\(metadata?["namespace"]?.string ?? "")/\(metadata?["name"]?.string ?? "")"
    }

    // MARK: Addresses

    private mutating func allocateAddress(
        _ service: inout JSON, _ taken: inout [Resource], _ random: inout any RandomNumberGenerator & Sendable
    ) throws(Fault) {
        guard service[path: ["spec", "type"]]?.string != "ExternalName" else { return }
        let wanted = service[path: ["spec", "clusterIP"]]?.string ?? ""
        if wanted == "None" {
            service[path: ["spec", "clusterIPs"]] = ["None"]
            setFamilies(&service, isDual: service[path: ["spec", "selector"]] == nil)
            return
        }
        if wanted.isEmpty {
            guard let address = freeAddress(&random) else {
                throw .exhausted("failed to allocate a serviceIP: range is full")
            }
            take(.address(address), for: service, &taken)
            service[path: ["spec", "clusterIP"]] = .string(AddressRange.text(address))
        } else {
            try takeAddress(wanted, for: service, &taken)
        }
        service[path: ["spec", "clusterIPs"]] = [service[path: ["spec", "clusterIP"]] ?? ""]
        setFamilies(&service, isDual: false)
    }

    private func setFamilies(_ service: inout JSON, isDual: Bool) {
        if service[path: ["spec", "ipFamilies"]] == nil {
            service[path: ["spec", "ipFamilies"]] = isDual ? ["IPv4", "IPv6"] : ["IPv4"]
        }
        if service[path: ["spec", "ipFamilyPolicy"]] == nil {
            service[path: ["spec", "ipFamilyPolicy"]] = isDual ? "RequireDualStack" : "SingleStack"
        }
    }

    private mutating func takeAddress(
        _ text: String, for service: JSON, _ taken: inout [Resource]
    ) throws(Fault) {
        let fault = { (why: String) in
            Fault.invalid(
                FieldError(
                    .invalid, at: Kinds.FieldPath("spec", "clusterIPs"), value: [.string(text)],
                    detail: "failed to allocate IP \(text): \(why)"))
        }
        guard let address = AddressRange.address(text), addresses.contains(address), address != addresses.first,
            address != broadcast
        else { throw fault("provided IP is not in the valid range. The range of valid IPs is \(addresses)") }
        switch holders[.address(address)] {
        case nil: take(.address(address), for: service, &taken)
        case Self.name(of: service): break
        case let holder?: throw fault("provided IP is already allocated to the Service \(holder)")
        }
    }

    private var broadcast: UInt32 { addresses.first + UInt32(addresses.count - 1) }

    private mutating func take(_ resource: Resource, for service: JSON, _ taken: inout [Resource]) {
        holders[resource] = Self.name(of: service)
        taken.append(resource)
    }

    /// A random free address above the low band, which is kept for those who ask for one, else one of that band (J2).
    private func freeAddress(_ random: inout any RandomNumberGenerator & Sendable) -> UInt32? {
        let band = min(max(16, addresses.count / 16), 256)
        let offset = free(1...addresses.count - 2, above: min(band, addresses.count / 2), &random) {
            holders[.address(addresses.first + UInt32($0))] == nil
        }
        return offset.map { addresses.first + UInt32($0) }
    }

    private func free(
        _ range: ClosedRange<Int>, above band: Int, _ random: inout any RandomNumberGenerator & Sendable,
        _ isFree: (Int) -> Bool
    ) -> Int? {
        let upper = (range.lowerBound + band)...range.upperBound
        let start = Int.random(in: upper, using: &random)
        for candidate in start...upper.upperBound where isFree(candidate) { return candidate }
        for candidate in upper.lowerBound..<start where isFree(candidate) { return candidate }
        return (range.lowerBound..<upper.lowerBound).first(where: isFree)
    }

    // MARK: Node ports

    private mutating func allocateNodePorts(
        _ service: inout JSON, _ taken: inout [Resource], _ random: inout any RandomNumberGenerator & Sendable
    ) throws(Fault) {
        let type = service[path: ["spec", "type"]]?.string ?? "ClusterIP"
        let wantsPorts =
            type == "NodePort"
            || (type == "LoadBalancer" && service[path: ["spec", "allocateLoadBalancerNodePorts"]]?.bool != false)
        guard var ports = service[path: ["spec", "ports"]]?.array else { return }
        // Those that are asked for first, so that no other port takes them by chance.
        for (position, port) in ports.enumerated() {
            guard let number = port["nodePort"]?.int, number > 0 else { continue }
            try takeNodePort(Int(number), port, position, for: service, &taken)
        }
        guard wantsPorts else { return }
        for (position, port) in ports.enumerated() where (port["nodePort"]?.int ?? 0) == 0 {
            let transport = port["protocol"]?.string ?? "TCP"
            let number = shared(port, ports) ?? freeNodePort(transport, &random)
            guard let number else { throw .exhausted("failed to allocate a nodePort: range is full") }
            take(.nodePort(number, protocol: transport), for: service, &taken)
            ports[position]["nodePort"] = .int(Int64(number))
        }
        service[path: ["spec", "ports"]] = .array(ports)
    }

    private mutating func takeNodePort(
        _ number: Int, _ port: JSON, _ position: Int, for service: JSON, _ taken: inout [Resource]
    ) throws(Fault) {
        let fault = { (why: String) in
            Fault.invalid(
                FieldError(
                    .invalid, at: Kinds.FieldPath("spec", "ports")[position]["nodePort"], value: .int(Int64(number)),
                    detail: why))
        }
        guard nodePorts.contains(number) else {
            throw fault(
                "provided port is not in the valid range. The range of valid ports is "
                    + "\(nodePorts.lowerBound)-\(nodePorts.upperBound)")
        }
        let resource = Resource.nodePort(number, protocol: port["protocol"]?.string ?? "TCP")
        switch holders[resource] {
        case nil: take(resource, for: service, &taken)
        case Self.name(of: service): break
        case let holder?: throw fault("provided port is already allocated to the Service \(holder)")
        }
    }

    /// TCP and UDP of the same port share a number if they can (J2).
    private func shared(_ port: JSON, _ ports: [JSON]) -> Int? {
        let transport = port["protocol"]?.string ?? "TCP"
        for other in ports where other["port"] == port["port"] && other["protocol"] != port["protocol"] {
            if let number = other["nodePort"]?.int, number > 0,
                holders[.nodePort(Int(number), protocol: transport)] == nil
            {
                return Int(number)
            }
        }
        return nil
    }

    private func freeNodePort(_ transport: String, _ random: inout any RandomNumberGenerator & Sendable) -> Int? {
        let band = min(max(16, nodePorts.count / 32), 128, nodePorts.count / 2)
        return free(nodePorts, above: band, &random) { holders[.nodePort($0, protocol: transport)] == nil }
    }
}
