import CEL
import Model

/// MutatingWebhookConfigurations and ValidatingWebhookConfigurations, which are kept: nothing calls a webhook.
struct WebhookRules: KindRules {
    let isMutating: Bool

    var generation: GenerationRule { .content }
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var seen: Set<String> = []
        for (index, hook) in object.listMember("webhooks").enumerated() {
            let path = FieldPath("webhooks")[index]
            check(hook, path, &errors)
            let name = hook.textMember("name")
            if !name.isEmpty, !seen.insert(name).inserted { errors.duplicate(path["name"], .string(name)) }
        }
    }

    private func check(_ hook: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        checkName(hook.textMember("name"), path["name"], &errors)
        for (index, rule) in hook.listMember("rules").enumerated() {
            errors.checkRule(rule, path["rules"][index])
        }
        if hook["failurePolicy"] != nil { errors.checkFailurePolicy(hook, path) }
        if hook["matchPolicy"] != nil { errors.checkChoice("matchPolicy", of: hook, ["Equivalent", "Exact"], path) }
        let effects = ["None", "NoneOnDryRun"]
        if hook.textMember("sideEffects").isEmpty {
            errors.required(path["sideEffects"], "must specify one of \(effects.joined(separator: ", "))")
        } else {
            errors.checkChoice("sideEffects", of: hook, effects, path)
        }
        if let seconds = hook["timeoutSeconds"], !(1...30).contains(seconds.int ?? 10) {
            errors.invalid(path["timeoutSeconds"], seconds, "the timeout value must be between 1 and 30 seconds")
        }
        for name in ["namespaceSelector", "objectSelector"] {
            errors.checkSelector(hook[name].map { LabelSelector(viewing: $0) }, path[name])
        }
        if isMutating, hook["reinvocationPolicy"] != nil {
            errors.checkChoice("reinvocationPolicy", of: hook, ["IfNeeded", "Never"], path)
        }
        checkClient(hook["clientConfig"] ?? [:], path["clientConfig"], &errors)
        errors.checkMatchConditions(hook.listMember("matchConditions"), hasParams: false, path["matchConditions"])
        checkVersions(hook, path["admissionReviewVersions"], &errors)
    }

    private func checkName(_ name: String, _ path: FieldPath, _ errors: inout FieldErrors) {
        if name.isEmpty { return errors.required(path) }
        let faults = NameSyntax.subdomain(name)
        if !faults.isEmpty { return errors.invalid(path, .string(name), faults.joined(separator: ",")) }
        if name.split(separator: ".").count < 3 {
            errors.invalid(
                path, .string(name), "should be a domain with at least three segments separated by dots")
        }
    }

    private static let versions = ["v1", "v1beta1"]

    private func checkVersions(_ hook: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let versions = hook.textMembers("admissionReviewVersions")
        let known = Self.versions.joined(separator: ", ")
        if versions.isEmpty { return errors.required(path, "must specify one of \(known)") }
        var seen: Set<String> = []
        for (index, version) in versions.enumerated() {
            guard seen.insert(version).inserted else {
                errors.invalid(path[index], .string(version), "duplicate version")
                continue
            }
            errors.invalid(path[index], version, NameSyntax.label1035(version))
        }
        if seen.isDisjoint(with: Self.versions) {
            errors.invalid(path, hook["admissionReviewVersions"], "must include at least one of \(known)")
        }
    }

    // MARK: Where it is called

    private func checkClient(_ client: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        switch (client["url"]?.string, client["service"]) {
        case (let url?, nil): checkURL(url, path["url"], &errors)
        case (nil, let service?): checkService(service, path["service"], &errors)
        default: errors.required(path, "exactly one of url or service is required")
        }
    }

    private func checkURL(_ text: String, _ path: FieldPath, _ errors: inout FieldErrors) {
        let form = "; desired format: https://host[/path]"
        let (scheme, rest) = Self.split(text, at: "://")
        if scheme != "https" || rest == nil {
            let found = rest == nil ? "" : scheme
            errors.invalid(path, .string(found), "'https' is the only allowed URL scheme" + form)
        }
        let (address, fragment) = Self.split(rest ?? "", at: "#")
        let (location, query) = Self.split(address, at: "?")
        let authority = location.prefix { $0 != "/" }
        let (before, after) = Self.split(String(authority), at: "@")
        if (after ?? before).isEmpty { errors.invalid(path, "", "host must be specified" + form) }
        if after != nil {
            errors.invalid(path, .string(before), "user information is not permitted in the URL")
        }
        if let fragment, !fragment.isEmpty {
            errors.invalid(path, .string(fragment), "fragments are not permitted in the URL")
        }
        if let query, !query.isEmpty {
            errors.invalid(path, .string(query), "query parameters are not permitted in the URL")
        }
    }

    /// What comes before a mark and behind it, where it is there.
    private static func split(_ text: String, at mark: String) -> (String, String?) {
        guard let range = text.firstRange(of: mark) else { return (text, nil) }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    private func checkService(_ service: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        for field in ["name", "namespace"] where service.textMember(field).isEmpty {
            errors.required(path[field], "service \(field) is required")
        }
        if let port = service["port"], !(1...65535).contains(port.int ?? 443) {
            errors.invalid(path["port"], port, "port is not valid: must be between 1 and 65535, inclusive")
        }
        let text = service.textMember("path")
        if text.isEmpty || text == "/" { return }
        let place = path["path"]
        guard text.hasPrefix("/") else { return errors.invalid(place, .string(text), "must start with a '/'") }
        var inner = text.dropFirst()
        if inner.hasSuffix("/"), inner.count > 1 { inner = inner.dropLast() }
        for (index, segment) in inner.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if segment.isEmpty {
                errors.invalid(place, .string(text), "segment[\(index)] may not be empty")
                continue
            }
            for fault in NameSyntax.subdomain(String(segment)) {
                errors.invalid(place, .string(text), "segment[\(index)]: \(fault)")
            }
        }
    }
}
