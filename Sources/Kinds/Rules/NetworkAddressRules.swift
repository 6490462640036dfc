import Model

/// Addresses of services, each an object whose name is the address.
struct IPAddressRules: KindRules {
    var names: NameRule { .address }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        guard let parent = object["spec"]?["parentRef"] else { return }
        let path = FieldPath("spec", "parentRef")
        let group = parent.textMember("group")
        if !group.isEmpty { errors.invalid(path["group"], group, NameSyntax.subdomain(group)) }
        for member in ["resource", "name", "namespace"] {
            let text = parent.textMember(member)
            if !text.isEmpty { errors.invalid(path[member], text, NameSyntax.pathSegment(text)) }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec", "parentRef")
        errors.immutable(path, object["spec"]?["parentRef"], old["spec"]?["parentRef"])
    }
}

/// The blocks that addresses of services are taken from: one or two, of different families.
struct ServiceCIDRRules: KindRules {
    private static let path = FieldPath("spec", "cidrs")

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let blocks = object["spec"]?.textMembers("cidrs") ?? []
        if blocks.isEmpty { errors.required(Self.path, "at least one CIDR required") }
        if blocks.count > 2 {
            errors.invalid(Self.path, object["spec"], "may only hold up to 2 values")
            return
        }
        for (index, text) in blocks.enumerated() {
            errors.invalid(Self.path[index], text, NetworkBlock.faults(of: text))
        }
        let families = blocks.compactMap { NetworkBlock($0)?.address.family }
        if families.count == 2, families[0] == families[1] {
            let rule = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            errors.invalid(Self.path, object["spec"]?["cidrs"], rule)
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let new = object["spec"]?.textMembers("cidrs") ?? []
        let previous = old["spec"]?.textMembers("cidrs") ?? []
        let rule = "field is immutable"
        // A second family may be added later.
        guard new.count == previous.count || (previous.count == 1 && new.count == 2) else {
            errors.invalid(Self.path, object["spec"]?["cidrs"], rule)
            return
        }
        for (index, pair) in zip(new, previous).enumerated() where pair.0 != pair.1 {
            errors.invalid(Self.path[index], .string(pair.0), rule)
        }
    }
}
