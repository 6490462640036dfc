import Model

extension TablePrinter {
    static let namespace = Layout(
        Namespace.self, [name, Table.Column("Status", description: "Active, or Terminating."), age]
    ) { namespace, now in
        [
            .string(namespace.metadata.name), .string(namespace.status.phase ?? ""),
            ageCell(namespace.metadata, now),
        ]
    }

    static let node = Layout(
        Node.self,
        [
            name, Table.Column("Status", description: "Whether the node is ready, and takes new pods."),
            Table.Column("Roles", description: "What the node is for."), age,
            Table.Column("Version", description: "The version of the node's agent."),
            Table.Column("Internal-IP", description: "The node's address inside.", priority: 1),
            Table.Column("External-IP", description: "The node's address outside.", priority: 1),
            Table.Column("OS-Image", description: "The node's operating system.", priority: 1),
            Table.Column("Kernel-Version", description: "The node's kernel.", priority: 1),
            Table.Column("Container-Runtime", description: "What runs the node's containers.", priority: 1),
        ]
    ) { node, now in
        let info = node.status.nodeInfo
        let address = { (type: String) in orNone(node.status.addresses.first { $0.type == type }?.address) }
        let orUnknown = { (text: String) in JSON.string(text.isEmpty ? "<unknown>" : text) }
        return [
            .string(node.metadata.name), .string(status(of: node)), orNone(roles(of: node).joined(separator: ",")),
            ageCell(node.metadata, now), .string(info.kubeletVersion), address("InternalIP"), address("ExternalIP"),
            orUnknown(info.osImage), orUnknown(info.kernelVersion), orUnknown(info.containerRuntimeVersion),
        ]
    }

    private static func status(of node: Node) -> String {
        let ready = node.status.conditions.first { $0.type == "Ready" }
        let status = ready.map { $0.status == "True" ? "Ready" : "NotReady" } ?? "Unknown"
        return node.spec.unschedulable == true ? status + ",SchedulingDisabled" : status
    }

    private static func roles(of node: Node) -> [String] {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for (key, value) in node.metadata.labels {
            if key.hasPrefix(prefix), key.count > prefix.count { roles.insert(String(key.dropFirst(prefix.count))) }
            if key == "kubernetes.io/role", !value.isEmpty { roles.insert(value) }
        }
        return roles.sorted()
    }

    static let service = Layout(
        Service.self,
        [
            name, Table.Column("Type", description: "How the service can be reached."),
            Table.Column("Cluster-IP", description: "The service's address inside."),
            Table.Column("External-IP", description: "The service's addresses outside."),
            Table.Column("Port(s)", description: "The service's ports, and the nodes' ports that lead to them."), age,
            Table.Column("Selector", description: "The labels of the pods behind it.", priority: 1),
        ]
    ) { service, now in
        let ports = service.spec.ports.map { port in
            let node = (port.nodePort ?? 0) > 0 ? ":\(port.nodePort ?? 0)" : ""
            return "\(port.port)\(node)/\(port.protocol ?? "TCP")"
        }
        return [
            .string(service.metadata.name), .string(service.spec.type ?? "ClusterIP"),
            orNone(service.spec.clusterIPs.first ?? service.spec.clusterIP), externalAddress(of: service),
            orNone(ports.joined(separator: ",")), ageCell(service.metadata, now), labels(service.spec.selector),
        ]
    }

    private static func externalAddress(of service: Service) -> JSON {
        let given = service.spec.externalIPs
        switch service.spec.type {
        case "ExternalName": return orNone(service.spec.externalName)
        case "LoadBalancer":
            let balanced = Set(service.status.loadBalancer.ingress.compactMap { $0.ip ?? $0.hostname }).sorted()
            let all = balanced + given
            return all.isEmpty ? "<pending>" : .string(all.joined(separator: ","))
        default: return orNone(given.joined(separator: ","))
        }
    }

    static let endpoints = Layout(
        Endpoints.self, [name, Table.Column("Endpoints", description: "Addresses and ports of the ready pods."), age]
    ) { endpoints, now in
        let addresses = endpoints.subsets.flatMap { subset in
            let hosts = subset.addresses.map { subset.ports.isEmpty || !$0.ip.contains(":") ? $0.ip : "[\($0.ip)]" }
            if subset.ports.isEmpty { return hosts }
            return subset.ports.flatMap { port in hosts.map { "\($0):\(port.port)" } }
        }
        return [
            .string(endpoints.metadata.name), firstThree(addresses, none: "<none>"),
            ageCell(endpoints.metadata, now),
        ]
    }

    static let endpointSlice = Layout(
        EndpointSlice.self,
        [
            name, Table.Column("AddressType", description: "IPv4, IPv6 or FQDN."),
            Table.Column("Ports", description: "The ports of each endpoint."),
            Table.Column("Endpoints", description: "The endpoints' addresses."), age,
        ]
    ) { slice, now in
        [
            .string(slice.metadata.name), .string(slice.addressType),
            firstThree(slice.ports.map { $0.port.map(String.init) ?? $0.name ?? "*" }, none: "<unset>"),
            firstThree(slice.endpoints.flatMap(\.addresses), none: "<unset>"), ageCell(slice.metadata, now),
        ]
    }

    static let configMap = Layout(
        ConfigMap.self, [name, Table.Column("Data", .integer, description: "How many entries it has."), age]
    ) { map, now in
        [
            .string(map.metadata.name), .int(Int64(map.data.count + map.binaryData.count)),
            ageCell(map.metadata, now),
        ]
    }

    static let secret = Layout(
        Secret.self,
        [
            name, Table.Column("Type", description: "What the secret is for."),
            Table.Column("Data", .integer, description: "How many entries it has."), age,
        ]
    ) { secret, now in
        [
            .string(secret.metadata.name), .string(secret.type ?? ""), .int(Int64(secret.data.count)),
            ageCell(secret.metadata, now),
        ]
    }

    static let event = Layout(
        Event.self,
        [
            Table.Column("Last Seen", description: "How long ago it happened last."),
            Table.Column("Type", description: "Normal or Warning."),
            Table.Column("Reason", description: "Why, in one word."),
            Table.Column("Object", description: "What it is about."),
            Table.Column("Subobject", description: "The part of it that it is about.", priority: 1),
            Table.Column("Source", description: "Who reports it.", priority: 1),
            Table.Column("Message", description: "What happened."),
            Table.Column("First Seen", description: "How long ago it happened first.", priority: 1),
            Table.Column("Count", description: "How often it happened.", priority: 1),
            Table.Column("Name", format: "name", description: name.description, priority: 1),
        ]
    ) { shown, now in
        let isReported = shown.json["apiVersion"]?.string == EventConversion.kind.apiVersion
        let event = isReported ? Event(viewing: EventConversion().stored(shown.json)) : shown
        let first = event.firstTimestamp ?? event.eventTime?.time
        var last = event.lastTimestamp ?? first
        var count = max(event.count ?? 0, 1)
        if let series = event.series {
            last = series.lastObservedTime?.time
            count = series.count ?? 0
        }
        let object = event.involvedObject
        let kind = object.kind?.lowercased() ?? ""
        let subject = object.name.map { $0.isEmpty ? kind : "\(kind)/\($0)" } ?? kind
        let source = event.source.component ?? event.reportingComponent ?? ""
        let instance = event.source.host ?? event.reportingInstance ?? ""
        return [
            .string(Timestamp.age(of: last, at: now)), .string(event.type ?? ""), .string(event.reason ?? ""),
            .string(subject), .string(object.fieldPath ?? ""),
            .string(instance.isEmpty ? source : "\(source), \(instance)"), .string(trimmed(event.message ?? "")),
            .string(Timestamp.age(of: first, at: now)), .int(Int64(count)), .string(event.metadata.name),
        ]
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
