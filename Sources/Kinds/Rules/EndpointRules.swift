import Model

/// Endpoints: semantics-api C9; semantics-workloads J6.
struct EndpointsRules: KindRules {
    var allowsCreateOnUpdate: Bool { true }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for (index, subset) in Endpoints(viewing: object).subsets.enumerated() {
            let path = FieldPath("subsets")[index]
            if subset.addresses.isEmpty, subset.notReadyAddresses.isEmpty {
                errors.required(path, "must specify `addresses` or `notReadyAddresses`")
            }
            for (list, addresses) in [
                ("addresses", subset.addresses), ("notReadyAddresses", subset.notReadyAddresses),
            ] {
                for (position, address) in addresses.enumerated() {
                    let path = path[list][position]
                    if !address.ip.isEmpty { errors.checkAddress(address.ip, path["ip"]) }
                    if let name = address.hostname, !name.isEmpty {
                        errors.invalid(path["hostname"], name, NameSyntax.label(name))
                    }
                }
            }
            for (position, port) in subset.ports.enumerated() {
                let path = path["ports"][position]["name"]
                if let name = port.name, !name.isEmpty {
                    errors.invalid(path, name, NameSyntax.label(name))
                } else if subset.ports.count > 1 {
                    errors.required(path)
                }
            }
        }
    }
}

/// EndpointSlices: semantics-api C14; semantics-workloads J4, J5. Loopback addresses are legitimate here: a machine
/// without a network for its pods gives them such.
struct EndpointSliceRules: KindRules {
    var generation: GenerationRule { .content }
    private static let endpointLimit = 1000
    private static let addressLimit = 100
    private static let portLimit = 20000

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let slice = EndpointSlice(viewing: object)
        let path = FieldPath("endpoints")
        let endpoints = slice.endpoints
        if endpoints.count > Self.endpointLimit { errors.tooMany(path, endpoints.count, limit: Self.endpointLimit) }
        for (index, endpoint) in endpoints.enumerated() {
            let path = path[index]
            if endpoint.addresses.count > Self.addressLimit {
                errors.tooMany(path["addresses"], endpoint.addresses.count, limit: Self.addressLimit)
            }
            for (position, address) in endpoint.addresses.enumerated() {
                check(address, slice.addressType, path["addresses"][position], &errors)
            }
            if let name = endpoint.hostname { errors.invalid(path["hostname"], name, NameSyntax.label(name)) }
            if let name = endpoint.nodeName { errors.invalid(path["nodeName"], name, NameSyntax.subdomain(name)) }
        }
        checkPorts(slice.ports, &errors)
    }

    private func check(_ address: String, _ type: String, _ path: FieldPath, _ errors: inout FieldErrors) {
        switch type {
        case "IPv4", "IPv6":
            guard let family = AddressSyntax.family(of: address) else {
                errors.checkAddress(address, path)
                return
            }
            if (family == .v4) != (type == "IPv4") {
                errors.invalid(path, .string(address), "must be an \(type) address")
            }
        case "FQDN": errors.invalid(path, address, NameSyntax.subdomain(address))
        default: break
        }
    }

    private func checkPorts(_ ports: [EndpointSlicePort], _ errors: inout FieldErrors) {
        let path = FieldPath("ports")
        if ports.count > Self.portLimit { errors.tooMany(path, ports.count, limit: Self.portLimit) }
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let name = port.name ?? ""
            if !name.isEmpty { errors.invalid(path[index]["name"], name, NameSyntax.label(name)) }
            if !names.insert(name).inserted { errors.duplicate(path[index]["name"], .string(name)) }
            if let application = port.appProtocol {
                errors.invalid(path[index]["appProtocol"], application, NameSyntax.qualifiedName(application))
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("addressType"), object["addressType"], old["addressType"])
    }
}
