import Model

/// FlowSchemas (Kubernetes' `flowcontrol` validation and strategies).
struct FlowSchemaRules: KindRules {
    var generation: GenerationRule { .spec }
    var keepsMetadataOnStatusUpdate: Bool { true }

    func resetFields(of subresource: String?) -> FieldSet? {
        subresource == "status" ? FieldSet(fields: ["metadata"], ["spec"]) : nil
    }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { if $0["matchingPrecedence"] == 0 { $0["matchingPrecedence"] = 1000 } }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let name = object["metadata"]?.textMember("name") ?? ""
        checkPrecedence(spec["matchingPrecedence"]?.int ?? 0, path["matchingPrecedence"], name, &errors)
        let methods = ["ByNamespace", "ByUser"]
        if let method = spec["distinguisherMethod"], !methods.contains(method.textMember("type")) {
            errors.notSupported(path["distinguisherMethod"]["type"], method, methods)
        }
        let level = spec["priorityLevelConfiguration"]?.textMember("name") ?? ""
        let place = path["priorityLevelConfiguration"]["name"]
        if level.isEmpty {
            errors.required(place, "must reference a priority level")
        } else {
            errors.invalid(place, level, NameSyntax.subdomain(level))
        }
        for (index, rule) in spec.listMember("rules").enumerated() { check(rule, path["rules"][index], &errors) }
        if let fixed = MandatoryFlowControl.spec(ofSchema: name), fixed != spec {
            errors.invalid(path, spec, "spec of '\(name)' must equal the fixed value")
        }
    }

    private func checkPrecedence(
        _ precedence: Int64, _ path: FieldPath, _ name: String, _ errors: inout FieldErrors
    ) {
        if precedence <= 0 { errors.invalid(path, .int(precedence), "must be a positive value") }
        if precedence > 10000 { errors.invalid(path, .int(precedence), "must not be greater than 10000") }
        if precedence == 1, name != "exempt" {
            errors.invalid(
                path, .int(precedence), "only the schema named 'exempt' may have matchingPrecedence 1")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkFlowControlConditions(object)
    }

    // MARK: Rules of a schema

    private func check(_ rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let subjects = rule.listMember("subjects")
        if subjects.isEmpty {
            errors.required(path["subjects"], "subjects must contain at least one value")
        }
        for (index, subject) in subjects.enumerated() { check(subject: subject, path["subjects"][index], &errors) }
        let resources = rule.listMember("resourceRules")
        let others = rule.listMember("nonResourceRules")
        if resources.isEmpty, others.isEmpty {
            errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
        }
        for (index, rule) in resources.enumerated() {
            check(resourceRule: rule, path["resourceRules"][index], &errors)
        }
        for (index, rule) in others.enumerated() {
            check(otherRule: rule, path["nonResourceRules"][index], &errors)
        }
    }

    /// Each kind of subject with the field that names it.
    private static let subjects = [("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")]

    private func check(subject: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let kind = subject.textMember("kind")
        guard let (_, field) = Self.subjects.first(where: { $0.0 == kind }) else {
            errors.notSupported(path["kind"], .string(kind), ["Group", "ServiceAccount", "User"])
            return
        }
        if let named = subject[field] {
            let name = named.textMember("name")
            if name.isEmpty { errors.required(path[field]["name"]) }
            if kind == "ServiceAccount" { check(account: named, path[field], &errors) }
        } else {
            errors.required(path[field], "\(field) is required when subject kind is '\(kind)'")
        }
        for (other, field) in Self.subjects where other != kind && subject[field] != nil {
            errors.forbidden(path[field], "\(field) is forbidden when subject kind is not '\(other)'")
        }
    }

    private func check(account: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let name = account.textMember("name")
        if !name.isEmpty, name != "*" { errors.invalid(path["name"], name, NameSyntax.subdomain(name)) }
        let namespace = account.textMember("namespace")
        if namespace.isEmpty {
            errors.required(path["namespace"], "must specify namespace for service account")
        } else {
            errors.invalid(path["namespace"], namespace, NameSyntax.label(namespace))
        }
    }

    private static let verbs = [
        "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch",
    ]

    private func checkVerbs(_ rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let verbs = rule.textMembers("verbs")
        let path = path["verbs"]
        if verbs.isEmpty {
            errors.required(path, "verbs must contain at least one value")
        } else if verbs.contains("*") {
            checkStandsAlone("verbs", "verbs", in: rule, path, &errors)
        } else if !verbs.allSatisfy(Self.verbs.contains) {
            errors.notSupported(path, rule["verbs"], Self.verbs)
        }
    }

    /// All together is said by one star.
    private func checkStandsAlone(
        _ list: String, _ noun: String, in rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors
    ) {
        let values = rule.textMembers(list)
        if values.count > 1, values.contains("*") {
            errors.invalid(path, rule[list], "if '*' is present, must not specify other \(noun)")
        }
    }

    private func check(resourceRule rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        checkVerbs(rule, path, &errors)
        for (list, noun, one) in [("apiGroups", "api groups", "api group"), ("resources", "resources", "resource")] {
            if rule.listMember(list).isEmpty {
                errors.required(path[list], "resource rules must supply at least one \(one)")
            }
            checkStandsAlone(list, noun, in: rule, path[list], &errors)
        }
        let namespaces = rule.textMembers("namespaces")
        let path = path["namespaces"]
        if namespaces.isEmpty, rule["clusterScope"]?.bool != true {
            let rule = "resource rules that are not cluster scoped must supply at least one namespace"
            errors.required(path, rule)
        } else if namespaces.contains("*") {
            checkStandsAlone("namespaces", "namespaces", in: rule, path, &errors)
        } else {
            for (index, namespace) in namespaces.enumerated() {
                for fault in NameSyntax.label(namespace) {
                    let rule = "each member of this list must be '*' or a DNS-1123 label; \(fault)"
                    errors.invalid(path[index], .string(namespace), rule)
                }
            }
        }
    }

    private func check(otherRule rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        checkVerbs(rule, path, &errors)
        let list = "nonResourceURLs"
        let urls = rule.textMembers(list)
        if urls.isEmpty {
            errors.required(path[list], "nonResourceURLs must contain at least one value")
        } else if urls.contains("*") {
            checkStandsAlone(list, "non-resource URLs", in: rule, path[list], &errors)
        } else {
            for (index, url) in urls.enumerated() {
                if let fault = Self.fault(ofURL: url) { errors.invalid(path[list][index], .string(url), fault) }
            }
        }
    }

    private static func fault(ofURL url: String) -> String? {
        let bytes = Array(url.utf8)
        let slash = UInt8(ascii: "/")
        guard let first = bytes.first else { return "must not be empty" }
        if first != slash { return "must start with slash" }
        if bytes.contains(UInt8(ascii: " ")) { return "must not contain white-space" }
        if zip(bytes, bytes.dropFirst()).contains(where: { $0 == slash && $1 == slash }) {
            return "must not contain double slash"
        }
        let stars = bytes.count { $0 == UInt8(ascii: "*") }
        return stars > 1 || (stars == 1 && !url.hasSuffix("/*")) ? "wildcard can only do suffix matching" : nil
    }
}

extension FieldErrors {
    /// The conditions of FlowSchemas and PriorityLevelConfigurations.
    mutating func checkFlowControlConditions(_ object: JSON) {
        let path = FieldPath("status", "conditions")
        var seen: Set<String> = []
        for (index, condition) in (object["status"]?.listMember("conditions") ?? []).enumerated() {
            let type = condition.textMember("type")
            if !seen.insert(type).inserted { duplicate(path[index]["type"], .string(type)) }
            if type.isEmpty { required(path[index]["type"], "must not be empty") }
        }
    }
}
