import Model

extension TablePrinter {
    static let ingress = Layout([
        name, Table.Column("Class", description: "Who serves the ingress."),
        Table.Column("Hosts", description: "The names under which it is reached."),
        Table.Column("Address", description: "Where it is reached."),
        Table.Column("Ports", description: "The ports on which it is reached."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let points = object.json["status"]?["loadBalancer"]?.listMember("ingress") ?? []
        let addresses = points.map { point in
            let address = point.textMember("ip")
            return address.isEmpty ? point.textMember("hostname") : address
        }
        return [
            .string(object.metadata.name), orNone(spec["ingressClassName"]?.string), hosts(of: spec),
            .string(Set(addresses).filter { !$0.isEmpty }.sorted().joined(separator: ",")),
            spec.listMember("tls").isEmpty ? "80" : "80, 443", ageCell(object.metadata, now),
        ]
    }

    /// The first three, and how many rules there are beside.
    private static func hosts(of spec: JSON) -> JSON {
        let rules = spec.listMember("rules")
        var hosts: [String] = []
        var hasMore = false
        for rule in rules {
            if hosts.count == 3 { hasMore = true }
            let host = rule.textMember("host")
            if !hasMore, !host.isEmpty { hosts.append(host) }
        }
        if hosts.isEmpty { return "*" }
        let shown = hosts.joined(separator: ",")
        return .string(hasMore ? "\(shown) + \(rules.count - 3) more..." : shown)
    }

    static let ingressClass = Layout([
        name, Table.Column("Controller", description: "What serves ingresses of the class."),
        Table.Column("Parameters", description: "The object that configures it."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let parameters = spec["parameters"].map { reference in
            let group = reference["apiGroup"]?.string.map { ".\($0)" } ?? ""
            return "\(reference.textMember("kind"))\(group)/\(reference.textMember("name"))"
        }
        return [
            markedName(object, defaultMarks: ["ingressclass.kubernetes.io/is-default-class"]),
            .string(spec.textMember("controller")), orNone(parameters), ageCell(object.metadata, now),
        ]
    }

    static let networkPolicy = Layout([
        name, Table.Column("Pod-Selector", description: "The pods that the policy is for."), age,
    ]) { object, now in
        let selector = object.json["spec"]?["podSelector"].flatMap(LabelSelector.init(json:))
        return [
            .string(object.metadata.name), orNone(selector.map { text(of: $0) }), ageCell(object.metadata, now),
        ]
    }

    static let ipAddress = Layout([
        name, Table.Column("ParentRef", description: "What the address belongs to."), age,
    ]) { object, now in
        let parent = object.json["spec"]?["parentRef"].map { reference in
            let group = reference.textMember("group")
            let resource = reference.textMember("resource") + (group.isEmpty ? "" : ".\(group)")
            let place = [reference.textMember("namespace"), reference.textMember("name")].filter { !$0.isEmpty }
            return ([resource.lowercased()] + place).joined(separator: "/")
        }
        return [.string(object.metadata.name), orNone(parent), ageCell(object.metadata, now)]
    }

    static let serviceCIDR = Layout([
        name, Table.Column("CIDRs", description: "The blocks that addresses of services are taken from."), age,
    ]) { object, now in
        let blocks = object.json["spec"]?.textMembers("cidrs") ?? []
        return [
            .string(object.metadata.name), .string(blocks.joined(separator: ",")), ageCell(object.metadata, now),
        ]
    }
}
