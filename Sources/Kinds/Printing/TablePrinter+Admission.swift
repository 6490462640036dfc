import Model

extension TablePrinter {
    static let validatingPolicy = Layout([
        name, Table.Column("Validations", .integer, description: "How many rules the policy has."),
        Table.Column("ParamKind", description: "The kind of its parameters."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        return [
            .string(object.metadata.name), .int(Int64(spec.listMember("validations").count)), paramKind(of: spec),
            ageCell(object.metadata, now),
        ]
    }

    static let mutatingPolicy = Layout([
        name, Table.Column("Mutations", .integer, description: "How many changes the policy makes."),
        Table.Column("ParamKind", description: "The kind of its parameters."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        return [
            .string(object.metadata.name), .int(Int64(spec.listMember("mutations").count)), paramKind(of: spec),
            ageCell(object.metadata, now),
        ]
    }

    static let webhooks = Layout([
        name, Table.Column("Webhooks", .integer, description: "How many services it names."), age,
    ]) { object, now in
        [
            .string(object.metadata.name), .int(Int64(object.json.listMember("webhooks").count)),
            ageCell(object.metadata, now),
        ]
    }

    static let policyBinding = Layout([
        name, Table.Column("PolicyName", description: "The policy that is put into force."),
        Table.Column("ParamRef", description: "Its parameters."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        return [
            .string(object.metadata.name), .string(spec.textMember("policyName")),
            .string(spec["paramRef"].map(text(ofParams:)) ?? "<unset>"), ageCell(object.metadata, now),
        ]
    }

    private static func paramKind(of spec: JSON) -> JSON {
        guard let kind = spec["paramKind"] else { return "<unset>" }
        return .string("\(kind.textMember("apiVersion"))/\(kind.textMember("kind"))")
    }

    private static func text(ofParams reference: JSON) -> String {
        let name = reference.textMember("name")
        let namespace = reference.textMember("namespace")
        if !name.isEmpty { return "\(namespace.isEmpty ? "*" : namespace)/\(name)" }
        guard let selector = reference["selector"] else { return "<unset>" }
        let labels = selector.mapMember("matchLabels").sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value.string ?? "")," }
        let expressions = selector.listMember("matchExpressions").map {
            "LabelSelectorRequirement{Key:\($0.textMember("key")),Operator:\($0.textMember("operator")),"
                + "Values:[\($0.textMembers("values").joined(separator: " "))],},"
        }
        return "&LabelSelector{MatchLabels:map[string]string{\(labels.joined())},"
            + "MatchExpressions:[]LabelSelectorRequirement{\(expressions.joined())},}"
    }
}
