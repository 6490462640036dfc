import Model

/// CertificateSigningRequests. Whose request it is, the registry writes; here is what of it may be asked and decided
/// (Kubernetes' `certificates` validation and strategies). Signatures of requests are not verified: nothing signs.
struct CertificateRequestRules: KindRules {
    var names: NameRule { .pathSegment }

    private static let approvals = ["Approved", "Denied"]
    /// Conditions that are either there or not, and stay.
    private static let decisions = approvals + ["Failed"]

    func resetFields(of subresource: String?) -> FieldSet? {
        switch subresource {
        case "status": FieldSet(fields: ["spec"], ["status", "conditions"])
        case "approval": FieldSet(fields: ["spec"], ["status", "certificate"])
        default: FieldSet(fields: ["spec"], ["status"])
        }
    }

    // MARK: Changes

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        switch subresource {
        case "status":
            for type in Self.approvals { keepConditions(of: type, in: &object, from: old) }
        case "approval":
            let conditions = object["status"]?["conditions"]
            object["status"] = old["status"]
            object[path: ["status", "conditions"]] = conditions
        default: object["spec"] = old["spec"]
        }
    }

    /// Who signs does not decide: what was decided stays as it was. More of it, or less, is an error.
    private func keepConditions(of type: String, in object: inout JSON, from old: JSON) {
        var conditions = Self.conditions(object)
        let places = conditions.indices.filter { conditions[$0].textMember("type") == type }
        let kept = Self.conditions(old, of: type)
        guard !kept.isEmpty, places.count == kept.count else { return }
        for (place, condition) in zip(places, kept) { conditions[place] = condition }
        object[path: ["status", "conditions"]] = .array(conditions)
    }

    func stamp(_ object: inout JSON, from old: JSON, subresource: String?, at now: Timestamp) {
        guard subresource != nil, !Self.conditions(object).isEmpty else { return }
        let known = Self.conditions(old)
        object.change("status") { status in
            status.changeEach("conditions") { condition in
                condition.setDefault("lastUpdateTime", now.json)
                let same = known.first {
                    $0["type"] == condition["type"] && $0["status"] == condition["status"]
                        && $0["lastTransitionTime"]?.string != nil
                }
                condition.setDefault("lastTransitionTime", same?["lastTransitionTime"] ?? now.json)
            }
        }
    }

    private static func conditions(_ object: JSON) -> [JSON] { object["status"]?.listMember("conditions") ?? [] }

    private static func conditions(_ object: JSON, of type: String) -> [JSON] {
        conditions(object).filter { $0.textMember("type") == type }
    }

    // MARK: Validation

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        checkRequest(spec["request"], path["request"], &errors)
        checkUsages(spec.textMembers("usages"), path["usages"], &errors)
        let signer = spec.textMember("signerName")
        if signer == "kubernetes.io/legacy-unknown" {
            let rule = "the legacy signerName is not allowed via this API version"
            errors.invalid(path["signerName"], .string(signer), rule)
        } else {
            errors.checkSignerName(signer, path["signerName"])
        }
        if let seconds = spec["expirationSeconds"]?.int, seconds < 600 {
            let rule = "may not specify a duration less than 600 seconds (10 minutes)"
            errors.invalid(path["expirationSeconds"], .int(seconds), rule)
        }
    }

    private func checkRequest(_ request: JSON?, _ path: FieldPath, _ errors: inout FieldErrors) {
        let bytes = request?.string.flatMap(Base64.decode) ?? []
        guard let block = PEMBlock.first(in: bytes[...])?.block, block.type == "CERTIFICATE REQUEST" else {
            errors.invalid(path, request, "PEM block type must be CERTIFICATE REQUEST")
            return
        }
        if SignedDocument.count(in: block.content) != 1 {
            errors.invalid(path, request, "asn1: structure error: not a certificate signing request (PKCS#10)")
        }
    }

    private static let usages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
        "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
        "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ]

    private func checkUsages(_ usages: [String], _ path: FieldPath, _ errors: inout FieldErrors) {
        if usages.isEmpty { errors.required(path) }
        for (index, usage) in usages.enumerated() where !Self.usages.contains(usage) {
            errors.notSupported(path[index], .string(usage), Self.usages)
        }
        var seen: Set<String> = []
        for (index, usage) in usages.enumerated() where !seen.insert(usage).inserted {
            errors.duplicate(path[index], .string(usage))
        }
    }

    /// Through `approval`; an update of the object itself changes neither spec nor status.
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        checkConditions(Self.conditions(object), &errors)
        checkNothingIsRevoked(object, from: old, &errors)
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        checkConditions(Self.conditions(object), &errors)
        let path = FieldPath("status", "certificate")
        let certificate = object["status"]?.textMember("certificate") ?? ""
        let present = old["status"]?.textMember("certificate") ?? ""
        if certificate != present, let fault = CertificateText.fault(in: Base64.decode(certificate) ?? []) {
            errors.invalid(path, "<certificate data>", fault)
        }
        checkNothingIsRevoked(object, from: old, &errors)
        for type in Self.approvals
        where Self.conditions(object, of: type).count > Self.conditions(old, of: type).count {
            errors.forbidden(
                FieldPath("status", "conditions"), "updates may not add a condition of type \"\(type)\"")
        }
        if certificate != present, !present.isEmpty {
            errors.forbidden(path, "updates may not modify existing certificate content")
        }
    }

    private func checkNothingIsRevoked(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for type in Self.decisions
        where Self.conditions(object, of: type).count < Self.conditions(old, of: type).count {
            errors.forbidden(
                FieldPath("status", "conditions"), "updates may not remove a condition of type \"\(type)\"")
        }
    }

    private func checkConditions(_ conditions: [JSON], _ errors: inout FieldErrors) {
        let path = FieldPath("status", "conditions")
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let type = condition.textMember("type")
            if type.isEmpty { errors.required(path[index]["type"]) }
            let status = condition.textMember("status")
            let statuses = Self.decisions.contains(type) ? ["True"] : ["False", "True", "Unknown"]
            if status.isEmpty {
                errors.required(path[index]["status"])
            } else if !statuses.contains(status) {
                errors.notSupported(path[index]["status"], .string(status), statuses)
            }
            if Self.approvals.contains(type), Self.approvals.contains(where: { $0 != type && seen.contains($0) }) {
                errors.invalid(path, .string(type), "Approved and Denied conditions are mutually exclusive")
            }
            if !seen.insert(type).inserted { errors.duplicate(path[index]["type"], .string(type)) }
        }
    }
}

extension FieldErrors {
    /// `example.com/name`: a domain and who signs there.
    fileprivate mutating func checkSignerName(_ name: String, _ path: FieldPath) {
        if name.isEmpty { return required(path) }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            let rule = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
            return invalid(path, .string(name), rule)
        }
        if parts[0].utf8.count > 253 { tooLong(path, limit: 253) }
        let labels = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        checkFirstFault(labels, NameSyntax.label, of: parts[0], path)
        if labels.count < 2 {
            let rule = "should be a domain with at least two segments separated by dots"
            invalid(path, .string(parts[0]), rule)
        }
        let segments = parts[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        checkFirstFault(segments, NameSyntax.subdomain, of: parts[1], path)
        // A domain, a slash, and a subdomain with a label before it.
        if name.utf8.count > 253 + 1 + 253 + 63 + 1 { tooLong(path, limit: 253 + 1 + 253 + 63 + 1) }
    }

    /// Only the first label with faults is told of.
    private mutating func checkFirstFault(
        _ labels: [String], _ faults: (String) -> [String], of text: String, _ path: FieldPath
    ) {
        for label in labels {
            let found = faults(label)
            for fault in found { invalid(path, .string(text), "validating label \"\(label)\": \(fault)") }
            if !found.isEmpty { return }
        }
    }
}
