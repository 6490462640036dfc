import Model

extension FieldErrors {
    /// A pod's specification, in a pod or in a template.
    mutating func checkPodSpec(_ spec: PodSpec, _ path: FieldPath) {
        let volumes = checkVolumes(spec.elements("volumes"), path["volumes"])
        checkContainers(spec, volumes: volumes, path)
        checkHostPorts(spec, path)
        checkNaming(spec, path)
        checkLabels(spec.json["nodeSelector"], path["nodeSelector"])
        checkTolerations(spec.elements("tolerations"), path["tolerations"])
        if let affinity = spec.affinity { checkAffinity(affinity, path["affinity"]) }
        checkSpreading(spec.elements("topologySpreadConstraints"), path["topologySpreadConstraints"])
        for (index, json) in spec.elements("hostAliases").enumerated() {
            let alias = HostAlias(viewing: json)
            if alias.ip.isEmpty { continue }
            let path = path["hostAliases"][index]
            checkAddress(alias.ip, path["ip"])
            for (position, name) in alias.hostnames.enumerated() {
                invalid(path["hostnames"][position], name, NameSyntax.subdomain(name))
            }
        }
        for (list, member) in [("readinessGates", "conditionType"), ("schedulingGates", "name")] {
            for (index, gate) in spec.elements(list).enumerated() {
                guard let name = gate[member]?.string, !name.isEmpty else { continue }
                invalid(path[list][index][member], name, NameSyntax.qualifiedName(name))
            }
        }
        checkDNS(spec, path)
        checkPodSecurity(spec, path["securityContext"])
        if let overhead = spec.json["overhead"] {
            checkResources(ResourceRequirements(viewing: ["limits": overhead]), path["overhead"])
        }
    }

    private mutating func checkNaming(_ spec: PodSpec, _ path: FieldPath) {
        if let hostname = spec.hostname, !hostname.isEmpty {
            invalid(path["hostname"], hostname, NameSyntax.label(hostname))
        }
        if let subdomain = spec.subdomain, !subdomain.isEmpty {
            invalid(path["subdomain"], subdomain, NameSyntax.label(subdomain))
        }
        for name in ["nodeName", "serviceAccountName", "priorityClassName", "runtimeClassName"] {
            guard let value = spec.json[name]?.string, !value.isEmpty else { continue }
            invalid(path[name], value, NameSyntax.subdomain(value))
        }
        if spec.hostPID == true, spec.shareProcessNamespace == true {
            let rule = "ShareProcessNamespace and HostPID cannot both be enabled"
            invalid(path["securityContext"]["shareProcessNamespace"], true, rule)
        }
    }

    private mutating func checkDNS(_ spec: PodSpec, _ path: FieldPath) {
        guard spec.json["dnsConfig"] != nil || spec.dnsPolicy == "None" else { return }
        let servers = spec.dnsConfig?.nameservers ?? []
        if spec.dnsPolicy == "None", servers.isEmpty {
            let rule = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            required(path["dnsConfig"]["nameservers"], rule)
        }
        if servers.count > 3 {
            let value = JSON.array(servers.map(JSON.string))
            invalid(path["dnsConfig"]["nameservers"], value, "must not have more than 3 nameservers")
        }
        for (index, server) in servers.enumerated() { checkAddress(server, path["dnsConfig"]["nameservers"][index]) }
    }

    mutating func checkAddress(_ text: String, _ path: FieldPath) {
        if AddressSyntax.family(of: text) == nil {
            invalid(path, .string(text), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        }
    }

    /// Ports of the host: each is used once, and is the container's own when the pod shares the host's network.
    private mutating func checkHostPorts(_ spec: PodSpec, _ path: FieldPath) {
        var used: Set<String> = []
        for (index, container) in spec.elements("containers").enumerated() {
            for (position, json) in (container["ports"]?.array ?? []).enumerated() {
                let port = ContainerPort(viewing: json)
                guard let hostPort = port.hostPort, hostPort != 0 else { continue }
                let path = path["containers"][index]["ports"][position]
                if spec.hostNetwork == true, port.containerPort != hostPort {
                    let rule = "must match `hostPort` when `hostNetwork` is true"
                    invalid(path["containerPort"], .int(Int64(port.containerPort)), rule)
                }
                let text = "\(port.protocol ?? "TCP")/\(port.hostIP ?? "")/\(hostPort)"
                if !used.insert(text).inserted { duplicate(path["hostPort"], .string(text)) }
            }
        }
    }

    // MARK: Placement

    mutating func checkTolerations(_ tolerations: [JSON], _ path: FieldPath) {
        for (index, json) in tolerations.enumerated() {
            let toleration = Toleration(viewing: json)
            let path = path[index]
            let key = toleration.key ?? ""
            let operation = toleration.operator ?? ""
            if !key.isEmpty {
                invalid(path["key"], key, NameSyntax.qualifiedName(key))
            } else if operation != "Exists" {
                let rule =
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\""
                invalid(path["operator"], .string(operation), rule)
            }
            if toleration.tolerationSeconds != nil, toleration.effect != "NoExecute" {
                let rule = "effect must be 'NoExecute' when `tolerationSeconds` is set"
                invalid(path["effect"], .string(toleration.effect ?? ""), rule)
            }
            let value = toleration.value ?? ""
            switch operation {
            case "", "Equal":
                for fault in NameSyntax.labelValue(value).prefix(1) { invalid(path["operator"], .string(value), fault) }
            case "Exists":
                if !value.isEmpty {
                    invalid(path["operator"], toleration.json, "value must be empty when `operator` is 'Exists'")
                }
            default: break
            }
        }
    }

    private mutating func checkAffinity(_ affinity: Affinity, _ path: FieldPath) {
        let demanded = "requiredDuringSchedulingIgnoredDuringExecution"
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution"
        if let node = affinity.nodeAffinity {
            let path = path["nodeAffinity"]
            if let selector = node.requiredDuringSchedulingIgnoredDuringExecution {
                for (index, term) in selector.nodeSelectorTerms.enumerated() {
                    checkNodeTerm(term, path[demanded]["nodeSelectorTerms"][index])
                }
            }
            for (index, term) in node.preferredDuringSchedulingIgnoredDuringExecution.enumerated() {
                checkNodeTerm(term.preference, path[preferred][index]["preference"])
            }
        }
        for (name, json) in [
            ("podAffinity", affinity.podAffinity?.json), ("podAntiAffinity", affinity.podAntiAffinity?.json),
        ] {
            guard let json else { continue }
            let terms = PodAffinity(viewing: json)
            for (index, term) in terms.requiredDuringSchedulingIgnoredDuringExecution.enumerated() {
                checkPodTerm(term, path[name][demanded][index])
            }
            for (index, term) in terms.preferredDuringSchedulingIgnoredDuringExecution.enumerated() {
                checkPodTerm(term.podAffinityTerm, path[name][preferred][index]["podAffinityTerm"])
            }
        }
    }

    mutating func checkNodeTerm(_ term: NodeSelectorTerm, _ path: FieldPath) {
        for (index, requirement) in term.matchExpressions.enumerated() where !requirement.key.isEmpty {
            let path = path["matchExpressions"][index]
            let values = requirement.values
            switch requirement.operator {
            case "In", "NotIn":
                if values.isEmpty { required(path["values"], "must be specified when `operator` is 'In' or 'NotIn'") }
            case "Exists", "DoesNotExist":
                if !values.isEmpty {
                    let rule = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                    forbidden(path["values"], rule)
                }
            case "Gt", "Lt":
                if values.count != 1 {
                    required(path["values"], "must be specified single value when `operator` is 'Lt' or 'Gt'")
                }
            default: break
            }
            invalid(path["key"], requirement.key, NameSyntax.qualifiedName(requirement.key))
        }
    }

    private mutating func checkPodTerm(_ term: PodAffinityTerm, _ path: FieldPath) {
        checkSelector(term.labelSelector, path["labelSelector"])
        checkSelector(term.namespaceSelector, path["namespaceSelector"])
        if !term.topologyKey.isEmpty {
            invalid(path["topologyKey"], term.topologyKey, NameSyntax.qualifiedName(term.topologyKey))
        }
    }

    private mutating func checkSpreading(_ constraints: [JSON], _ path: FieldPath) {
        var seen: Set<[String]> = []
        for (index, json) in constraints.enumerated() {
            let constraint = TopologySpreadConstraint(viewing: json)
            let path = path[index]
            if constraint.maxSkew <= 0 {
                invalid(path["maxSkew"], .int(Int64(constraint.maxSkew)), "must be greater than zero")
            }
            if let domains = constraint.minDomains {
                if domains <= 0 { invalid(path["minDomains"], .int(Int64(domains)), "must be greater than zero") }
                if constraint.whenUnsatisfiable != "DoNotSchedule" {
                    let rule = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"
                    invalid(path["minDomains"], .int(Int64(domains)), rule)
                }
            }
            let pair = [constraint.topologyKey, constraint.whenUnsatisfiable]
            if !seen.insert(pair).inserted {
                let value = "{\(pair[0]), \(pair[1])}"
                duplicate(path["{topologyKey, whenUnsatisfiable}"], .string(value))
            }
            checkSelector(constraint.labelSelector, path["labelSelector"])
        }
    }
}
