import Model

/// Ingresses: semantics-api C14.
struct IngressRules: KindRules {
    var generation: GenerationRule { .spec }
    private static let classAnnotation = "kubernetes.io/ingress.class"

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let rules = spec.listMember("rules")
        if rules.isEmpty, spec["defaultBackend"] == nil {
            errors.invalid(path, [], "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { errors.checkBackend(backend, path["defaultBackend"]) }
        for (index, rule) in rules.enumerated() { errors.checkIngressRule(rule, path["rules"][index]) }
        for (index, entry) in spec.listMember("tls").enumerated() {
            let path = path["tls"][index]
            for (index, host) in entry.textMembers("hosts").enumerated() {
                errors.checkHost(host, path["hosts"][index])
            }
            let secret = entry.textMember("secretName")
            if !secret.isEmpty { errors.invalid(path["secretName"], secret, NameSyntax.subdomain(secret)) }
        }
        if let name = spec["ingressClassName"]?.string {
            errors.invalid(path["ingressClassName"], name, NameSyntax.subdomain(name))
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let named = object["metadata"]?["annotations"]?[Self.classAnnotation]?.string,
            let given = object["spec"]?["ingressClassName"]?.string, named != given
        else { return }
        let rule = "must match `ingressClassName` when both are specified"
        errors.invalid(FieldPath("annotations", Self.classAnnotation), .string(named), rule)
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let points = object["status"]?["loadBalancer"]?.listMember("ingress") ?? []
        for (index, point) in points.enumerated() {
            let path = FieldPath("status", "loadBalancer", "ingress")[index]
            let address = point.textMember("ip")
            if !address.isEmpty { errors.checkAddress(address, path["ip"]) }
            let host = point.textMember("hostname")
            if host.isEmpty { continue }
            errors.invalid(path["hostname"], host, NameSyntax.subdomain(host))
            errors.checkIsNoAddress(host, path["hostname"])
        }
    }
}

extension FieldErrors {
    fileprivate mutating func checkIsNoAddress(_ host: String, _ path: FieldPath) {
        if AddressSyntax.family(of: host) != nil {
            invalid(path, .string(host), "must be a DNS name, not an IP address")
        }
    }

    fileprivate mutating func checkHost(_ host: String, _ path: FieldPath) {
        invalid(path, host, host.contains("*") ? NameSyntax.wildcardSubdomain(host) : NameSyntax.subdomain(host))
    }

    fileprivate mutating func checkIngressRule(_ rule: JSON, _ path: FieldPath) {
        let host = rule.textMember("host")
        if !host.isEmpty {
            checkIsNoAddress(host, path["host"])
            checkHost(host, path["host"])
        }
        // That there are paths is the schema's to check.
        for (index, entry) in (rule["http"]?.listMember("paths") ?? []).enumerated() {
            checkIngressPath(entry, path["http"]["paths"][index])
        }
    }

    private mutating func checkIngressPath(_ entry: JSON, _ path: FieldPath) {
        let text = entry.textMember("path")
        switch entry.textMember("pathType") {
        case "":
            required(path["pathType"], "pathType must be specified")
            return
        case "Exact", "Prefix":
            if !text.hasPrefix("/") { invalid(path["path"], .string(text), "must be an absolute path") }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                invalid(path["path"], .string(text), "must not contain '\(part)'")
            }
            for end in ["/..", "/."] where text.hasSuffix(end) {
                invalid(path["path"], .string(text), "cannot end with '\(end)'")
            }
        case "ImplementationSpecific":
            if !text.isEmpty, !text.hasPrefix("/") {
                invalid(path["path"], .string(text), "must be an absolute path")
            }
        default: break
        }
        checkBackend(entry["backend"] ?? [:], path["backend"])
    }

    fileprivate mutating func checkBackend(_ backend: JSON, _ path: FieldPath) {
        switch (backend["resource"], backend["service"]) {
        case (.some, .some): invalid(path, "", "cannot set both resource and service backends")
        case (let resource?, nil): checkTypedReference(resource, path["resource"])
        case (nil, let service?): checkServiceBackend(service, path)
        case (nil, nil): invalid(path, "", "resource or service backend is required")
        }
    }

    private mutating func checkServiceBackend(_ service: JSON, _ path: FieldPath) {
        let name = service.textMember("name")
        let place = path["service"]
        if !name.isEmpty { invalid(place["name"], name, NameSyntax.label(name)) }
        let portName = service["port"]?.textMember("name") ?? ""
        let number = service["port"]?["number"]?.int ?? 0
        switch (portName.isEmpty, number == 0) {
        case (false, false): invalid(path, "", "cannot set both port name & port number")
        case (false, true): invalid(place["port"]["name"], portName, NameSyntax.portName(portName))
        case (true, false): checkPortNumber(Int(number), place["port"]["number"])
        case (true, true): required(path, "port name or number is required")
        }
    }

    /// A reference to an object of some kind in the same namespace. That kind and name are there is the schema's.
    mutating func checkTypedReference(_ reference: JSON, _ path: FieldPath) {
        if let group = reference["apiGroup"]?.string {
            invalid(path["apiGroup"], group, NameSyntax.subdomain(group))
        }
        for member in ["kind", "name"] {
            let text = reference.textMember(member)
            if !text.isEmpty { invalid(path[member], text, NameSyntax.pathSegment(text)) }
        }
    }
}

/// Ingress classes: semantics-api C14.
struct IngressClassRules: KindRules {
    var generation: GenerationRule { .spec }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let controller = object["spec"]?.textMember("controller") ?? ""
        if !controller.isEmpty {
            if controller.utf8.count > 250 { errors.tooLong(path["controller"], limit: 250) }
            errors.checkDomainPrefixedPath(controller, path["controller"])
        }
        guard let parameters = object["spec"]?["parameters"] else { return }
        let place = path["parameters"]
        errors.checkTypedReference(parameters, place)
        let namespace = parameters["namespace"]?.string
        switch parameters.textMember("scope") {
        case "Namespace":
            if let namespace {
                errors.invalid(place["namespace"], namespace, NameSyntax.label(namespace))
            } else {
                errors.required(place["namespace"], "`parameters.scope` is set to 'Namespace'")
            }
        case "Cluster":
            if namespace != nil { errors.forbidden(place["namespace"], "`parameters.scope` is set to 'Cluster'") }
        default: break
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec", "controller")
        errors.immutable(path, object["spec"]?["controller"], old["spec"]?["controller"])
    }
}
