import Model

/// Quotas of namespaces: semantics-api C14, C26.
struct ResourceQuotaRules: KindRules {
    private static let plainScopes: Set<String> = [
        "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity",
    ]
    private static let scopes = plainScopes.union(["PriorityClass", "VolumeAttributesClass"])
    private static let opposites = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]]

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { $0.change("hard") { $0.roundUpAmounts() } }
        object.change("status") { status in
            for list in ["hard", "used"] { status.change(list) { $0.roundUpAmounts() } }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        errors.checkQuota(spec.mapMember("hard"), path["hard"])
        checkScopes(spec, path["scopes"], &errors)
        checkSelector(spec, path["scopeSelector"]["matchExpressions"], &errors)
    }

    private static func areOutOfScope(_ spec: JSON, _ scope: String) -> Int {
        spec.mapMember("hard").keys.filter {
            ResourceName.isStandardForQuota($0) && !ResourceName.isValid($0, inScope: scope)
        }.count
    }

    private func checkScopes(_ spec: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let scopes = spec.textMembers("scopes")
        for scope in scopes {
            if !Self.scopes.contains(scope) { errors.invalid(path, spec["scopes"], "unsupported scope") }
            for _ in 0..<Self.areOutOfScope(spec, scope) {
                errors.invalid(path, spec["scopes"], "unsupported scope applied to resource")
            }
        }
        for pair in Self.opposites where Set(pair).isSubset(of: scopes) {
            errors.invalid(path, spec["scopes"], "conflicting scopes")
        }
    }

    private func checkSelector(_ spec: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let requirements = spec["scopeSelector"]?.listMember("matchExpressions") ?? []
        for requirement in requirements {
            let scope = requirement.textMember("scopeName")
            if !Self.scopes.contains(scope) {
                errors.invalid(path["scopeName"], .string(scope), "unsupported scope")
            }
            for _ in 0..<Self.areOutOfScope(spec, scope) {
                errors.invalid(path, spec["scopeSelector"], "unsupported scope applied to resource")
            }
            check(requirement, scope, path, &errors)
        }
        let scopes = requirements.map { $0.textMember("scopeName") }
        for pair in Self.opposites where Set(pair).isSubset(of: scopes) {
            errors.invalid(path, spec["scopes"], "conflicting scopes")
        }
    }

    private func check(_ requirement: JSON, _ scope: String, _ path: FieldPath, _ errors: inout FieldErrors) {
        let operation = requirement.textMember("operator")
        let place = path["operator"]
        if Self.plainScopes.contains(scope), operation != "Exists" {
            let rule =
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                + "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                + "ResourceQuotaScopeCrossNamespacePodAffinity"
            errors.invalid(place, .string(operation), rule)
        }
        let values = requirement.listMember("values")
        switch operation {
        case "In", "NotIn":
            if values.isEmpty {
                let rule = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                errors.required(path["values"], rule)
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                let rule = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                errors.invalid(path["values"], requirement["values"], rule)
            }
        default: errors.invalid(place, .string(operation), "not a valid selector operator")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let new = object["spec"]?.textMembers("scopes") ?? []
        if Set(new) != Set(old["spec"]?.textMembers("scopes") ?? []) {
            errors.invalid(FieldPath("spec", "scopes"), .array(new.map(JSON.string)), "field is immutable")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for list in ["hard", "used"] {
            errors.checkQuota(object["status"]?.mapMember(list) ?? JSONObject(), FieldPath("status", list))
        }
    }
}

extension FieldErrors {
    fileprivate mutating func checkQuota(_ amounts: JSONObject, _ path: FieldPath) {
        for resource in amounts {
            let path = path.key(resource.key)
            checkResourceName(resource.key, path)
            if !resource.key.contains("/"), !ResourceName.isStandardForQuota(resource.key) {
                invalid(path, .string(resource.key), "must be a standard resource for quotas")
            }
            if let amount = Quantity(json: resource.value) { checkAmount(amount, of: resource.key, path) }
        }
    }
}
