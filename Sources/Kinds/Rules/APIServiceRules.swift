import Model

/// APIServices (Kubernetes' `apiregistration` validation and strategy). What this server serves itself is available at
/// once; what another one is to serve never is, since requests are not passed on.
struct APIServiceRules: KindRules {
    var names: NameRule { .pathSegment }
    var allowsUnconditionalUpdate: Bool { false }

    func warnings(_ object: JSON) -> [String] {
        guard let service = Self.service(object) else { return [] }
        let spec = object["spec"] ?? [:]
        return [
            "apiregistration.k8s.io/v1 APIService is stored, but requests for \(spec.textMember("group"))/"
                + "\(spec.textMember("version")) are not passed on to \(service): Martlet does not aggregate APIs"
        ]
    }

    // MARK: Changes

    func prepareForCreate(_ object: inout JSON) {
        // The time was given before this.
        let now = object[path: ["metadata", "creationTimestamp"]] ?? .null
        object["status"] = ["conditions": [Self.availability(object, since: now)]]
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        guard subresource == nil, (Self.service(object) == nil) != (Self.service(old) == nil) else { return }
        object["status"] = ["conditions": [Self.availability(object, since: .null)]]
    }

    func stamp(_ object: inout JSON, from old: JSON, subresource: String?, at now: Timestamp) {
        guard subresource == nil else { return }
        object.change("status") { status in
            status.changeEach("conditions") { condition in condition.setDefault("lastTransitionTime", now.json) }
        }
    }

    /// `namespace/name` of the other server's Service; `nil` where this server is meant.
    private static func service(_ object: JSON) -> String? {
        guard let service = object["spec"]?["service"], service.object != nil else { return nil }
        return "\(service.textMember("namespace"))/\(service.textMember("name"))"
    }

    private static func availability(_ object: JSON, since time: JSON) -> JSON {
        let service = service(object)
        return [
            "type": "Available", "status": service == nil ? "True" : "False", "lastTransitionTime": time,
            "reason": .string(service == nil ? "Local" : APIServiceAvailability.notAggregated),
            "message": .string(
                service.map { "Martlet does not aggregate APIs: nothing is passed on to \($0)" }
                    ?? "Local APIServices are always available"),
        ]
    }

    // MARK: Validation

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let (group, version) = (spec.textMember("group"), spec.textMember("version"))
        let required = "\(version).\(group)"
        let name = object["metadata"]?.textMember("name") ?? ""
        if name != required {
            let rule = "must be `spec.version+\".\"+spec.group`: \(JSON.string(required).text())"
            errors.invalid(FieldPath("metadata", "name"), .string(name), rule)
        }
        if group.isEmpty, version != "v1" {
            errors.required(path["group"], "only v1 may have an empty group and it better be legacy kube")
        }
        if !group.isEmpty { errors.invalid(path["group"], group, NameSyntax.subdomain(group)) }
        errors.invalid(path["version"], version, NameSyntax.label1035(version))
        for (field, limit) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
            let value = spec[field]?.int ?? 0
            if value <= 0 || value > limit {
                errors.invalid(path[field], .int(value), "must be positive and less than \(limit)")
            }
        }
        checkService(spec, path, &errors)
    }

    private func checkService(_ spec: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let bundle = spec["caBundle"]?.string ?? ""
        let isInsecure = spec["insecureSkipTLSVerify"]?.bool ?? false
        guard let service = spec["service"], service.object != nil else {
            if !bundle.isEmpty {
                let size = "\(Base64.decode(bundle)?.count ?? 0) bytes"
                errors.invalid(path["caBundle"], .string(size), "local APIServices may not have a caBundle")
            }
            if isInsecure {
                let rule = "local APIServices may not have insecureSkipTLSVerify"
                errors.invalid(path["insecureSkipTLSVerify"], true, rule)
            }
            return
        }
        for name in ["namespace", "name"] where service.textMember(name).isEmpty {
            errors.required(path["service"][name])
        }
        if let port = service["port"]?.int, !(1...65535).contains(port) {
            errors.invalid(path["service"]["port"], .int(port), "must be between 1 and 65535, inclusive")
        }
        if isInsecure, !bundle.isEmpty {
            errors.invalid(path["insecureSkipTLSVerify"], true, "may not be true if caBundle is present")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for (index, condition) in (object["status"]?.listMember("conditions") ?? []).enumerated() {
            let status = condition.textMember("status")
            guard !["True", "False", "Unknown"].contains(status) else { continue }
            let path = FieldPath("status", "conditions")[index]["status"]
            errors.notSupported(path, .string(status), ["False", "True", "Unknown"])
        }
    }
}

/// What the condition `Available` of an APIService says.
package enum APIServiceAvailability {
    /// The reason of those that another server is to serve.
    package static let notAggregated = "AggregationNotSupported"
}
