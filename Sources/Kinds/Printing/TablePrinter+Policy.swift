import Model

extension TablePrinter {
    /// Of what has nothing to show but its name.
    static let creation = Layout([
        name, Table.Column("Created At", .date, description: "When the object was created."),
    ]) { object, _ in
        [.string(object.metadata.name), object.metadata.creationTimestamp.map(\.json) ?? .null]
    }

    static let serviceAccount = Layout([name, age]) { object, now in
        [.string(object.metadata.name), ageCell(object.metadata, now)]
    }

    static let roleBinding = Layout([
        name, Table.Column("Role", description: "The role that is given."), age,
        Table.Column("Users", description: "The users that have it.", priority: 1),
        Table.Column("Groups", description: "The groups that have it.", priority: 1),
        Table.Column("ServiceAccounts", description: "The service accounts that have it.", priority: 1),
    ]) { object, now in
        let role = object.json["roleRef"] ?? [:]
        let subjects = object.json.listMember("subjects")
        let names = { (kind: String) in
            let named = subjects.filter { $0.textMember("kind") == kind }.map { subject in
                let name = subject.textMember("name")
                return kind == "ServiceAccount" ? "\(subject.textMember("namespace"))/\(name)" : name
            }
            return JSON.string(named.joined(separator: ", "))
        }
        return [
            .string(object.metadata.name), .string("\(role.textMember("kind"))/\(role.textMember("name"))"),
            ageCell(object.metadata, now), names("User"), names("Group"), names("ServiceAccount"),
        ]
    }

    static let resourceQuota = Layout(
        ResourceQuota.self,
        [
            name, Table.Column("Request", description: "What is used of what may be requested."),
            Table.Column("Limit", description: "What is used of what may be the limit."), age,
        ]
    ) { quota, now in
        let status = quota.json["status"] ?? [:]
        let hard = status.mapMember("hard").sorted { $0.key < $1.key }
        let texts = hard.map { resource in
            let used = status["used"]?[resource.key]?.string ?? "0"
            let most = resource.value.string ?? resource.value.text()
            return (isLimit: resource.key.hasPrefix("limits."), text: "\(resource.key): \(used)/\(most)")
        }
        let list = { (isLimit: Bool) in
            JSON.string(texts.filter { $0.isLimit == isLimit }.map(\.text).joined(separator: ", "))
        }
        return [.string(quota.metadata.name), list(false), list(true), ageCell(quota.metadata, now)]
    }

    static let priorityClass = Layout([
        name, Table.Column("Value", .integer, description: "The priority of pods of the class."),
        Table.Column("Global-Default", .boolean, description: "Whether pods that name no class are of it."), age,
        Table.Column("PreemptionPolicy", description: "Whether its pods may displace others."),
    ]) { object, now in
        [
            .string(object.metadata.name), .int(object.json["value"]?.int ?? 0),
            .bool(object.json["globalDefault"]?.bool ?? false), ageCell(object.metadata, now),
            .string(object.json.textMember("preemptionPolicy")),
        ]
    }

    static let certificateRequest = Layout([
        name, age, Table.Column("SignerName", description: "Who is to sign."),
        Table.Column("Requestor", description: "Who made the request."),
        Table.Column("RequestedDuration", description: "How long the certificate should be good for."),
        Table.Column("Condition", description: "What became of the request."),
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let duration = spec["expirationSeconds"]?.int.map { Duration.seconds($0).humanReadable }
        return [
            .string(object.metadata.name), ageCell(object.metadata, now), orNone(spec.textMember("signerName")),
            .string(spec.textMember("username")), orNone(duration), outcome(object.json["status"] ?? [:]),
        ]
    }

    /// A denial outweighs an approval.
    private static func outcome(_ status: JSON) -> JSON {
        let types = Set(status.listMember("conditions").map { $0.textMember("type") })
        var words = [types.contains("Denied") ? "Denied" : types.contains("Approved") ? "Approved" : "Pending"]
        if types.contains("Failed") { words.append("Failed") }
        if !status.textMember("certificate").isEmpty { words.append("Issued") }
        return .string(words.joined(separator: ","))
    }

    static let runtimeClass = Layout([
        name, Table.Column("Handler", description: "What runs the containers of pods of the class."), age,
    ]) { object, now in
        [.string(object.metadata.name), .string(object.json.textMember("handler")), ageCell(object.metadata, now)]
    }
}
