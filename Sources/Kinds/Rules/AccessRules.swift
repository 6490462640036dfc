import Model

/// Roles and cluster roles: semantics-api C9, C24.
struct RoleRules: KindRules {
    var names: NameRule { .pathSegment }
    var allowsCreateOnUpdate: Bool { true }
    let isNamespaced: Bool

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for (index, rule) in object.listMember("rules").enumerated() {
            check(rule, FieldPath("rules")[index], &errors)
        }
        guard !isNamespaced, let aggregation = object["aggregationRule"] else { return }
        let path = FieldPath("aggregationRule", "clusterRoleSelectors")
        let selectors = aggregation.listMember("clusterRoleSelectors")
        if selectors.isEmpty {
            errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        }
        for (index, json) in selectors.enumerated() { errors.checkSelector(LabelSelector(json: json), path[index]) }
    }

    private func check(_ rule: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        if rule.listMember("verbs").isEmpty {
            errors.required(path["verbs"], "verbs must contain at least one value")
        }
        let resources = rule.listMember("resources")
        let names = rule.listMember("resourceNames")
        if !rule.listMember("nonResourceURLs").isEmpty {
            let path = path["nonResourceURLs"]
            if isNamespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs"
                errors.invalid(path, rule["nonResourceURLs"], detail)
            }
            if !rule.listMember("apiGroups").isEmpty || !resources.isEmpty || !names.isEmpty {
                let detail = "rules cannot apply to both regular resources and non-resource URLs"
                errors.invalid(path, rule["nonResourceURLs"], detail)
            }
            return
        }
        if rule.listMember("apiGroups").isEmpty {
            errors.required(path["apiGroups"], "resource rules must supply at least one api group")
        }
        if resources.isEmpty {
            errors.required(path["resources"], "resource rules must supply at least one resource")
        }
        if !names.isEmpty, resources.count > 1 {
            errors.required(path["resourceNames"], "resource names cannot apply to multiple resources")
        }
    }
}

/// Bindings of roles to users, groups and service accounts: semantics-api C9, C24, C26, F.
struct RoleBindingRules: KindRules {
    var names: NameRule { .pathSegment }
    var allowsCreateOnUpdate: Bool { true }
    let isNamespaced: Bool
    private static let group = "rbac.authorization.k8s.io"

    func fillDefaults(_ object: inout JSON) {
        object.changeEach("subjects") { subject in
            if ["User", "Group"].contains(subject.textMember("kind")) {
                subject.setDefault("apiGroup", .string(Self.group))
            }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("roleRef")
        let role = object["roleRef"] ?? [:]
        let kinds = isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]
        if !kinds.contains(role.textMember("kind")) {
            errors.notSupported(path["kind"], .string(role.textMember("kind")), kinds)
        }
        let name = role.textMember("name")
        if name.isEmpty {
            errors.required(path["name"])
        } else {
            errors.invalid(path["name"], name, NameSyntax.pathSegment(name))
        }
        for (index, subject) in object.listMember("subjects").enumerated() {
            check(subject, FieldPath("subjects")[index], &errors)
        }
    }

    private func check(_ subject: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let name = subject.textMember("name")
        let group = subject.textMember("apiGroup")
        if name.isEmpty { errors.required(path["name"]) }
        switch subject.textMember("kind") {
        case "ServiceAccount":
            if !name.isEmpty { errors.invalid(path["name"], name, NameSyntax.subdomain(name)) }
            if !group.isEmpty { errors.notSupported(path["apiGroup"], .string(group), [""]) }
            if !isNamespaced, subject.textMember("namespace").isEmpty { errors.required(path["namespace"]) }
        case "User", "Group":
            if name.isEmpty {
                let kind = subject.textMember("kind").lowercased()
                errors.invalid(path["name"], "", "\(kind) name cannot be empty")
            }
            if group != Self.group { errors.notSupported(path["apiGroup"], .string(group), [Self.group]) }
        case let kind: errors.notSupported(path["kind"], .string(kind), ["ServiceAccount", "User", "Group"])
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["roleRef"] != old["roleRef"] {
            errors.invalid(FieldPath("roleRef"), object["roleRef"], "cannot change roleRef")
        }
    }
}

/// Service accounts: Kubernetes judges their metadata only.
struct ServiceAccountRules: KindRules {}
