import Model

/// Definitions of custom resources: semantics-api C10, C14, F, I1, I2.
struct CustomResourceDefinitionRules: KindRules {
    var takesAnyFinalizer: Bool { true }
    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }
    private static let spec = FieldPath("spec")
    private static let approval = "api-approved.kubernetes.io"

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.change("names") { names in
                let kind = names.textMember("kind")
                if kind.isEmpty { return }
                names.setDefault("singular", .string(kind.lowercased()))
                names.setDefault("listKind", .string(kind + "List"))
            }
        }
    }

    func warnings(_ object: JSON) -> [String] {
        guard CustomResourceDefinition(viewing: object).needsWebhook else { return [] }
        return [CustomResourceDefinition.webhookRefusal + "; until then nothing is served"]
    }

    func prepareForCreate(_ object: inout JSON) { Self.recordStorage(&object) }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        if subresource == nil { Self.recordStorage(&object) }
    }

    /// Remembers in which versions objects may have been stored.
    private static func recordStorage(_ object: inout JSON) {
        let versions = object["spec"]?.listMember("versions") ?? []
        guard let name = versions.first(where: { $0["storage"]?.bool == true })?.textMember("name") else { return }
        if object["status"] == nil { object["status"] = .emptyObject }
        object.change("status") { status in
            let stored = status.textMembers("storedVersions")
            if !stored.contains(name) { status["storedVersions"] = .array((stored + [name]).map(JSON.string)) }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        checkGroup(spec.textMember("group"), &errors)
        errors.checkVersions(spec, Self.spec)
        let names = spec["names"] ?? [:]
        for member in ["singular", "listKind"] where names.textMember(member).isEmpty {
            errors.required(Self.spec["names"][member])
        }
        errors.checkResourceNames(names, Self.spec["names"])
        errors.checkConversion(spec["conversion"] ?? [:], Self.spec["conversion"])
        checkStoredVersions(object, &errors)
        if spec["preserveUnknownFields"]?.bool == true {
            let rule =
                "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
            errors.invalid(Self.spec["preserveUnknownFields"], true, rule)
        }
    }

    private func checkGroup(_ group: String, _ errors: inout FieldErrors) {
        if group.isEmpty { return }
        let faults = NameSyntax.subdomain(group)
        if !faults.isEmpty {
            errors.invalid(Self.spec["group"], .string(group), faults.joined(separator: ","))
        } else if !group.contains(".") {
            errors.invalid(Self.spec["group"], .string(group), "should be a domain with at least one dot")
        }
    }

    private func checkStoredVersions(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("status", "storedVersions")
        let stored = object["status"]?.textMembers("storedVersions") ?? []
        if stored.isEmpty {
            // Without a version to store there is none; that is said above.
            let versions = object["spec"]?.listMember("versions") ?? []
            guard versions.contains(where: { $0["storage"]?.bool == true }) else { return }
            errors.invalid(path, [], "must have at least one stored version")
            return
        }
        let known = (object["spec"]?.listMember("versions") ?? []).map { $0.textMember("name") }
        for (index, name) in stored.enumerated() where !known.contains(name) {
            let rule =
                "missing from spec.versions; \(name) was previously a storage version, and must remain in spec.versions "
                + "until a storage migration ensures no data remains persisted in \(name) and removes \(name) from "
                + "status.storedVersions"
            errors.invalid(path[index], .string(name), rule)
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let name = object["metadata"]?.textMember("name") ?? ""
        let plural = object["spec"]?["names"]?.textMember("plural") ?? ""
        let group = object["spec"]?.textMember("group") ?? ""
        if name != "\(plural).\(group)" {
            let rule = "must be spec.names.plural+\".\"+spec.group"
            errors.invalid(FieldPath("metadata", "name"), .string(name), rule)
        }
        checkApproval(object, &errors)
    }

    /// Kubernetes' own groups are for what its community has reviewed.
    private func checkApproval(_ object: JSON, _ errors: inout FieldErrors) {
        let group = ".\(object["spec"]?.textMember("group") ?? "")"
        guard group.hasSuffix(".k8s.io") || group.hasSuffix(".kubernetes.io") else { return }
        let value = Self.approvalText(of: object)
        let path = FieldPath("metadata", "annotations").key(Self.approval)
        let rule = "protected groups must have approval annotation \"\(Self.approval)\""
        let place = "see https://github.com/kubernetes/enhancements/pull/1111"
        if value.isEmpty {
            errors.required(path, "\(rule), \(place)")
        } else if !value.hasPrefix("unapproved"), !Self.isURL(value) {
            let choice = "with either a URL or a reason starting with \"unapproved\""
            errors.invalid(path, .string(value), "\(rule) \(choice), \(place)")
        }
    }

    private static func approvalText(of object: JSON) -> String {
        object["metadata"]?["annotations"]?.textMember(approval) ?? ""
    }

    private static func isURL(_ text: String) -> Bool {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && parts[1].first.map { $0 != "/" } == true
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        let isEstablished = (old["status"]?.listMember("conditions") ?? []).contains {
            $0["type"] == "Established" && $0["status"] == "True"
        }
        if isEstablished {
            errors.immutable(Self.spec["scope"], spec["scope"], before["scope"])
            errors.immutable(Self.spec["names"]["kind"], spec["names"]?["kind"], before["names"]?["kind"])
        }
        errors.immutable(Self.spec["group"], spec["group"], before["group"])
        errors.immutable(Self.spec["names"]["plural"], spec["names"]?["plural"], before["names"]?["plural"])
        if Self.approvalText(of: object) != Self.approvalText(of: old) { checkApproval(object, &errors) }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkResourceNames(object["status"]?["acceptedNames"] ?? [:], FieldPath("status", "acceptedNames"))
    }
}

extension FieldErrors {
    /// The names under which a resource is served.
    fileprivate mutating func checkResourceNames(_ names: JSON, _ path: FieldPath) {
        func check(_ text: String, _ place: FieldPath, isMixed: Bool = false) {
            let faults = NameSyntax.label1035(isMixed ? text.lowercased() : text)
            if text.isEmpty || faults.isEmpty { return }
            let prefix = isMixed ? "may have mixed case, but should otherwise match: " : ""
            invalid(place, .string(text), prefix + faults.joined(separator: ","))
        }
        for member in ["plural", "singular"] { check(names.textMember(member), path[member]) }
        for member in ["kind", "listKind"] { check(names.textMember(member), path[member], isMixed: true) }
        for (index, name) in names.textMembers("shortNames").enumerated() { check(name, path["shortNames"][index]) }
        let kind = names.textMember("kind")
        if !kind.isEmpty, names["listKind"] == names["kind"] {
            invalid(path["listKind"], .string(kind), "kind and listKind may not be the same")
        }
        for (index, name) in names.textMembers("categories").enumerated() { check(name, path["categories"][index]) }
    }

    fileprivate mutating func checkConversion(_ conversion: JSON, _ path: FieldPath) {
        let webhook = conversion["webhook"]
        let place = path["webhookClientConfig"]
        guard conversion["strategy"] == "Webhook" else {
            let rule = "should not be set when strategy is not set to Webhook"
            if webhook?["clientConfig"] != nil { forbidden(place, rule) }
            if webhook?.listMember("conversionReviewVersions").isEmpty == false {
                forbidden(path["conversionReviewVersions"], rule)
            }
            return
        }
        if let client = webhook?["clientConfig"] {
            if (client["url"] == nil) == (client["service"] == nil) {
                required(place, "exactly one of url or service is required")
            }
        } else {
            required(place, "required when strategy is set to Webhook")
        }
        checkReviewVersions(webhook?.textMembers("conversionReviewVersions") ?? [], path["conversionReviewVersions"])
    }

    private mutating func checkReviewVersions(_ versions: [String], _ path: FieldPath) {
        if versions.isEmpty {
            required(path)
            return
        }
        for (index, version) in versions.enumerated() {
            if versions[..<index].contains(version) {
                invalid(path[index], .string(version), "duplicate version")
            } else {
                invalid(path[index], version, NameSyntax.label1035(version))
            }
        }
        if !versions.contains("v1"), !versions.contains("v1beta1") {
            invalid(path, .array(versions.map(JSON.string)), "must include at least one of v1, v1beta1")
        }
    }
}
