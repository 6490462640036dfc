import Model

/// Which requests admission is about: what policies, bindings and webhooks say of it alike.
extension FieldErrors {
    mutating func checkFailurePolicy(_ owner: JSON, _ path: FieldPath) {
        checkChoice("failurePolicy", of: owner, ["Fail", "Ignore"], path)
    }

    /// A field that must be there and be one of these.
    mutating func checkChoice(_ name: String, of owner: JSON, _ choices: [String], _ path: FieldPath) {
        guard let value = owner[name] else {
            required(path[name])
            return
        }
        if !choices.contains(value.string ?? "") { notSupported(path[name], value, choices) }
    }

    mutating func checkMatchResources(_ resources: JSON, _ path: FieldPath) {
        checkChoice("matchPolicy", of: resources, ["Equivalent", "Exact"], path)
        for name in ["namespaceSelector", "objectSelector"] {
            if let selector = resources[name] {
                checkSelector(LabelSelector(viewing: selector), path[name])
            } else {
                required(path[name])
            }
        }
        for list in ["resourceRules", "excludeResourceRules"] {
            for (index, rule) in resources.listMember(list).enumerated() {
                checkNames(rule, path[list][index]["resourceNames"])
                checkRule(rule, path[list][index])
            }
        }
    }

    private mutating func checkNames(_ rule: JSON, _ path: FieldPath) {
        var seen: Set<String> = []
        for (index, name) in rule.textMembers("resourceNames").enumerated() {
            invalid(path[index], name, NameSyntax.pathSegment(name))
            if !seen.insert(name).inserted { duplicate(path[index], .string(name)) }
        }
    }

    private static let operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]

    /// One rule of which requests are chosen.
    mutating func checkRule(_ rule: JSON, _ path: FieldPath) {
        checkList("operations", "operations", of: rule, path)
        for (index, operation) in rule.textMembers("operations").enumerated()
        where !Self.operations.contains(operation) {
            notSupported(path["operations"][index], .string(operation), Self.operations)
        }
        checkList("apiGroups", "API groups", of: rule, path)
        checkList("apiVersions", "API versions", of: rule, path)
        for (index, version) in rule.textMembers("apiVersions").enumerated() where version.isEmpty {
            required(path["apiVersions"][index])
        }
        checkResources(rule.textMembers("resources"), path["resources"])
        let scopes = ["*", "Cluster", "Namespaced"]
        if let scope = rule["scope"], !scopes.contains(scope.string ?? "") {
            notSupported(path["scope"], scope, scopes)
        }
    }

    /// A list that must not be empty, and in which a star says all.
    private mutating func checkList(_ name: String, _ noun: String, of rule: JSON, _ path: FieldPath) {
        let values = rule.textMembers(name)
        if values.isEmpty { required(path[name]) }
        if values.count > 1, values.contains("*") {
            invalid(path[name], rule[name], "if '*' is present, must not specify other \(noun)")
        }
    }

    private mutating func checkResources(_ resources: [String], _ path: FieldPath) {
        if resources.isEmpty { required(path) }
        var wholes: Set<String> = []
        var everywhere: Set<String> = []
        var namesPlainResource = false
        for (index, text) in resources.enumerated() {
            if text.isEmpty {
                required(path[index])
                continue
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                namesPlainResource = text != "*"
                continue
            }
            for (isCovered, cover) in [
                (wholes.contains(parts[0]), "\(parts[0])/*"), (everywhere.contains(parts[1]), "*/\(parts[1])"),
            ] where isCovered {
                invalid(path[index], .string(text), "if '\(cover)' is present, must not specify \(text)")
            }
            if parts[1] == "*" { wholes.insert(parts[0]) }
            if parts[0] == "*" { everywhere.insert(parts[1]) }
        }
        let list = JSON.array(resources.map(JSON.string))
        if resources.count > 1, resources.contains("*/*") {
            invalid(path, list, "if '*/*' is present, must not specify other resources")
        }
        if resources.contains("*"), namesPlainResource {
            invalid(path, list, "if '*' is present, must not specify other resources without subresources")
        }
    }

    // MARK: Parameters

    mutating func checkParamKind(_ kind: JSON, _ path: FieldPath) {
        let version = kind.textMember("apiVersion")
        let parts = version.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let place = path["apiVersion"]
        if version.isEmpty {
            required(place)
        } else if parts.count > 2 {
            invalid(place, .string(version), "unexpected GroupVersion string: \(version)")
        } else {
            let group = parts.count == 2 ? parts[0] : ""
            let faults = group.isEmpty ? [] : NameSyntax.subdomain(group)
            if !faults.isEmpty { invalid(place, .string(group), faults.joined(separator: ",")) }
            let name = parts.last ?? ""
            let misnamed = name.isEmpty ? [] : NameSyntax.label1035(name)
            if name.isEmpty { invalid(place, .string(version), "version must be specified") }
            if !misnamed.isEmpty { invalid(place, .string(name), misnamed.joined(separator: ",")) }
        }
        let name = kind.textMember("kind")
        let faults = name.isEmpty ? [] : NameSyntax.label1035(name.lowercased())
        if name.isEmpty { required(path["kind"]) }
        if !faults.isEmpty {
            let rule = "may have mixed case, but should otherwise match: " + faults.joined(separator: ",")
            invalid(path["kind"], .string(name), rule)
        }
    }

    mutating func checkParamRef(_ reference: JSON, _ path: FieldPath) {
        let name = reference.textMember("name")
        let selector = reference["selector"]
        let exclusive = "name and selector are mutually exclusive"
        if !name.isEmpty {
            invalid(path["name"], name, NameSyntax.pathSegment(name))
            if selector != nil { forbidden(path["name"], exclusive) }
        }
        if let selector {
            checkSelector(LabelSelector(viewing: selector), path["selector"])
            if !name.isEmpty { forbidden(path["selector"], exclusive) }
        }
        if name.isEmpty, selector == nil { required(path, "one of name or selector must be specified") }
        let action = reference.textMember("parameterNotFoundAction")
        let place = path["parameterNotFoundAction"]
        if action.isEmpty {
            required(place)
        } else if !["Deny", "Allow"].contains(action) {
            notSupported(place, .string(action), ["Deny", "Allow"])
        }
    }
}
