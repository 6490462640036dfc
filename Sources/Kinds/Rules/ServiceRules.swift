import Model

/// Services: semantics-workloads J1-J3; semantics-api C26, F.
///
/// Addresses and node ports are not allocated here: that needs to know what is taken.
struct ServiceRules: KindRules {
    var names: NameRule { .label1035 }
    var allowsCreateOnUpdate: Bool { true }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { json in
            json.changeEach("ports") { port in
                let target = port["targetPort"]
                if target == nil || target == 0 || target == "" { port["targetPort"] = port["port"] }
            }
            let spec = ServiceSpec(viewing: json)
            if spec.sessionAffinity == "ClientIP" {
                var affinity = json["sessionAffinityConfig"] ?? .emptyObject
                var client = affinity["clientIP"] ?? .emptyObject
                client.setDefault("timeoutSeconds", 10_800)
                affinity["clientIP"] = client
                json["sessionAffinityConfig"] = affinity
            } else if spec.sessionAffinity == "None" {
                // Dropped, not refused: a client that switches the affinity off sends what it had read (F).
                json["sessionAffinityConfig"] = nil
            }
            if spec.type != "ExternalName" { json.setDefault("internalTrafficPolicy", "Cluster") }
            if spec.isExternallyAccessible { json.setDefault("externalTrafficPolicy", "Cluster") }
            if spec.type == "LoadBalancer", spec.allocateLoadBalancerNodePorts == nil {
                json["allocateLoadBalancerNodePorts"] = true
            }
            if !spec.clusterIP.isEmpty, spec.clusterIPs.isEmpty { json["clusterIPs"] = [.string(spec.clusterIP)] }
            if spec.type != "ExternalName" { fillFamilies(&json, spec) }
        }
    }

    /// One family, as one machine has; a headless service without selector may point to either.
    private func fillFamilies(_ json: inout JSON, _ spec: ServiceSpec) {
        let pointsAnywhere = spec.isHeadless && spec.selector.isEmpty
        if spec.ipFamilies.isEmpty {
            let first: JSON = AddressSyntax.family(of: spec.clusterIP) == .v6 ? "IPv6" : "IPv4"
            json["ipFamilies"] = pointsAnywhere && spec.ipFamilyPolicy != "SingleStack" ? ["IPv4", "IPv6"] : [first]
        }
        json.setDefault("ipFamilyPolicy", pointsAnywhere ? "RequireDualStack" : "SingleStack")
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        guard subresource == nil, let previous = old["spec"].flatMap(ServiceSpec.init(json:)) else { return }
        object.change("spec") { spec in
            keepAllocated(&spec, previous)
            dropDependent(&spec, previous)
        }
    }

    /// C26: what was allocated stays when an update leaves it out.
    private func keepAllocated(_ json: inout JSON, _ old: ServiceSpec) {
        let spec = ServiceSpec(viewing: json)
        if spec.needsClusterIP, old.needsClusterIP {
            if spec.clusterIP.isEmpty, spec.clusterIPs.isEmpty {
                json["clusterIP"] = old.json["clusterIP"]
                json["clusterIPs"] = old.json["clusterIPs"]
            } else if spec.clusterIP != old.clusterIP, spec.clusterIPs == old.clusterIPs, !spec.clusterIP.isEmpty {
                json["clusterIPs"] = [.string(spec.clusterIP)]
            }
        }
        if spec.needsNodePort, old.needsNodePort {
            json.changeEach("ports") { port in
                guard port["nodePort"]?.int ?? 0 == 0 else { return }
                let same = old.ports.first {
                    $0.port == Int(port["port"]?.int ?? 0) && $0.protocol == port["protocol"]?.string
                }
                if let number = same?.nodePort, number != 0 { port["nodePort"] = .int(Int64(number)) }
            }
        }
        if spec.needsHealthCheck, old.needsHealthCheck, spec.healthCheckNodePort ?? 0 == 0 {
            json["healthCheckNodePort"] = old.json["healthCheckNodePort"]
        }
    }

    /// What the new type has no use for goes, if it is only carried over from the old type.
    private func dropDependent(_ json: inout JSON, _ old: ServiceSpec) {
        let spec = ServiceSpec(viewing: json)
        if old.needsClusterIP, !spec.needsClusterIP {
            if spec.clusterIPs == old.clusterIPs {
                json["clusterIP"] = nil
                json["clusterIPs"] = nil
            }
            for name in ["ipFamilies", "ipFamilyPolicy"] where json[name] == old.json[name] { json[name] = nil }
        }
        if old.needsNodePort, !spec.needsNodePort, spec.ports.map(\.nodePort) == old.ports.map(\.nodePort) {
            json.changeEach("ports") { $0["nodePort"] = nil }
        }
        if old.needsHealthCheck, !spec.needsHealthCheck, spec.healthCheckNodePort == old.healthCheckNodePort {
            json["healthCheckNodePort"] = nil
        }
        if old.isExternallyAccessible, !spec.isExternallyAccessible,
            spec.externalTrafficPolicy == old.externalTrafficPolicy
        {
            json["externalTrafficPolicy"] = nil
        }
        guard old.type == "LoadBalancer", spec.type != "LoadBalancer" else { return }
        for name in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] where json[name] == old.json[name] {
            json[name] = nil
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkService(ServiceSpec(viewing: object["spec"] ?? [:]), FieldPath("spec"))
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let spec = ServiceSpec(viewing: object["spec"] ?? [:])
        let previous = ServiceSpec(viewing: old["spec"] ?? [:])
        let path = FieldPath("spec")
        guard spec.needsClusterIP, previous.needsClusterIP, !previous.clusterIP.isEmpty else { return }
        if spec.clusterIP != previous.clusterIP {
            let value = JSON.array(spec.clusterIPs.map(JSON.string))
            errors.invalid(path["clusterIPs"][0], value, "may not change once set")
        }
        if let family = previous.ipFamilies.first, spec.ipFamilies.first != family {
            let value = JSON.array(spec.ipFamilies.map(JSON.string))
            errors.invalid(path["ipFamilies"][0], value, "may not change once set")
        }
        if spec.needsHealthCheck, previous.needsHealthCheck,
            spec.healthCheckNodePort != previous.healthCheckNodePort
        {
            errors.forbidden(path["healthCheckNodePort"], "field is immutable")
        }
    }
}

extension ServiceSpec {
    /// `clusterIP: None`: names resolve to the pods themselves.
    package var isHeadless: Bool { clusterIP == "None" || clusterIPs.first == "None" }
    /// Whether it has, or is yet to be given, an address in the cluster.
    package var needsClusterIP: Bool { type != "ExternalName" }
    package var needsNodePort: Bool {
        type == "NodePort" || (type == "LoadBalancer" && allocateLoadBalancerNodePorts != false)
    }
    package var needsHealthCheck: Bool { type == "LoadBalancer" && externalTrafficPolicy == "Local" }
    package var isExternallyAccessible: Bool {
        type == "NodePort" || type == "LoadBalancer" || (type == "ClusterIP" && !externalIPs.isEmpty)
    }
}
