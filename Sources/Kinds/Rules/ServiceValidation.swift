import Model

extension FieldErrors {
    mutating func checkService(_ spec: ServiceSpec, _ path: FieldPath) {
        if spec.ports.isEmpty, !spec.isHeadless, spec.type != "ExternalName" { required(path["ports"]) }
        checkType(spec, path)
        checkServicePorts(spec, path["ports"])
        checkLabels(spec.json["selector"], path["selector"])
        checkAffinity(spec, path)
        checkClusterIPs(spec, path)
        for (index, address) in spec.externalIPs.enumerated() { checkAddress(address, path["externalIPs"][index]) }
        for (index, range) in spec.loadBalancerSourceRanges.enumerated()
        where !AddressSyntax.isBlock(range.filter { !$0.isWhitespace }) {
            let rule = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            invalid(path["LoadBalancerSourceRanges"][index], .string(range), rule)
        }
        checkTraffic(spec, path)
    }

    private mutating func checkType(_ spec: ServiceSpec, _ path: FieldPath) {
        switch spec.type {
        case "LoadBalancer", "NodePort":
            if spec.isHeadless {
                let rule = "may not be set to 'None' for \(spec.type ?? "") services"
                invalid(path["clusterIPs"][0], "None", rule)
            }
        case "ExternalName":
            for name in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] where spec.json[name] != nil {
                forbidden(path[name], "may not be set for ExternalName services")
            }
            var name = spec.externalName ?? ""
            // A name may end with the dot that says it is complete.
            if name.hasSuffix(".") { name.removeLast() }
            if name.isEmpty {
                required(path["externalName"])
            } else {
                invalid(path["externalName"], name, NameSyntax.subdomain(name))
            }
        default: break
        }
        if spec.type == "LoadBalancer" { return }
        let rule = "may only be used when `type` is 'LoadBalancer'"
        if spec.allocateLoadBalancerNodePorts != nil { forbidden(path["allocateLoadBalancerNodePorts"], rule) }
        if spec.loadBalancerClass != nil { forbidden(path["loadBalancerClass"], rule) }
        if !spec.loadBalancerSourceRanges.isEmpty { forbidden(path["LoadBalancerSourceRanges"], rule) }
    }

    /// J2: what node ports are allocated from.
    private static let nodePorts = 30000...32767

    private mutating func checkServicePorts(_ spec: ServiceSpec, _ path: FieldPath) {
        var names: Set<String> = []
        var ports: Set<String> = []
        var nodePorts: Set<String> = []
        for (index, port) in spec.ports.enumerated() {
            let path = path[index]
            let name = port.name ?? ""
            if !name.isEmpty {
                invalid(path["name"], name, NameSyntax.label(name))
                if !names.insert(name).inserted { duplicate(path["name"], .string(name)) }
            } else if spec.ports.count > 1 {
                required(path["name"])
            }
            checkPortOrName(port.json["targetPort"], path["targetPort"])
            if let application = port.appProtocol {
                invalid(path["appProtocol"], application, NameSyntax.qualifiedName(application))
            }
            let transport = port.protocol ?? "TCP"
            if !ports.insert("\(port.port)/\(transport)").inserted {
                duplicate(path, ["port": .int(Int64(port.port)), "protocol": .string(transport)])
            }
            guard let nodePort = port.nodePort, nodePort != 0 else { continue }
            if spec.type == "ClusterIP" {
                forbidden(path["nodePort"], "may not be used when `type` is 'ClusterIP'")
            } else if !Self.nodePorts.contains(nodePort) {
                let range = "\(Self.nodePorts.lowerBound)-\(Self.nodePorts.upperBound)"
                let rule = "provided port is not in the valid range. The range of valid ports is \(range)"
                invalid(path["nodePort"], .int(Int64(nodePort)), rule)
            }
            if !nodePorts.insert("\(nodePort)/\(transport)").inserted {
                duplicate(path["nodePort"], .int(Int64(nodePort)))
            }
        }
    }

    private mutating func checkAffinity(_ spec: ServiceSpec, _ path: FieldPath) {
        let path = path["sessionAffinityConfig"]
        guard spec.sessionAffinity == "ClientIP" else { return }
        guard let seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds else {
            required(path["clientIP"]["timeoutSeconds"])
            return
        }
        if !(1...86400).contains(seconds) {
            let rule = "must be greater than 0 and less than 86400"
            invalid(path["clientIP"]["timeoutSeconds"], .int(Int64(seconds)), rule)
        }
    }

    private mutating func checkClusterIPs(_ spec: ServiceSpec, _ path: FieldPath) {
        if spec.type == "ExternalName" { return }
        let addresses = spec.clusterIPs
        for (index, address) in addresses.enumerated() {
            let path = path["clusterIPs"][index]
            if address == "None" {
                if addresses.count > 1 {
                    let rule = "None must be the first and only value"
                    invalid(path, .array(addresses.map(JSON.string)), rule)
                }
            } else {
                checkAddress(address, path)
            }
        }
        if !spec.clusterIP.isEmpty, let first = addresses.first, first != spec.clusterIP {
            let rule = "first value must match `clusterIP`"
            invalid(path["clusterIPs"], .array(addresses.map(JSON.string)), rule)
        }
        if spec.clusterIP.isEmpty, !addresses.isEmpty {
            let rule = "must be empty when `clusterIP` is not specified"
            invalid(path["clusterIPs"], .array(addresses.map(JSON.string)), rule)
        }
    }

    private mutating func checkTraffic(_ spec: ServiceSpec, _ path: FieldPath) {
        if let policy = spec.externalTrafficPolicy, !policy.isEmpty, !spec.isExternallyAccessible {
            let rule = "may only be set for externally-accessible services"
            invalid(path["externalTrafficPolicy"], .string(policy), rule)
        }
        if let port = spec.healthCheckNodePort, port != 0 {
            if spec.needsHealthCheck {
                checkPortNumber(port, path["healthCheckNodePort"])
            } else {
                let rule =
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
                invalid(path["healthCheckNodePort"], .int(Int64(port)), rule)
            }
        }
    }
}
