import Model

/// Claims of volumes: semantics-api C26, F.
struct PersistentVolumeClaimRules: KindRules {
    func fillDefaults(_ object: inout JSON) { Self.roundUp(&object) }

    /// The amounts of a claim, or of what one is made of.
    static func roundUp(_ claim: inout JSON) {
        claim.change("spec") { $0.change("resources") { $0.roundUpRequirements() } }
        claim.change("status") { status in
            for list in ["capacity", "allocatedResources"] { status.change(list) { $0.roundUpAmounts() } }
        }
    }

    func prepareForCreate(_ object: inout JSON) { object.change("spec", Self.mirrorSource) }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        if subresource == nil { object.change("spec", Self.mirrorSource) }
    }

    /// What a volume is filled from has an older name and a newer one; each stands for the other.
    private static func mirrorSource(_ spec: inout JSON) {
        switch (spec["dataSource"], spec["dataSourceRef"]) {
        case (let source?, nil): spec["dataSourceRef"] = source
        case (nil, let reference?):
            if reference.textMember("namespace").isEmpty { spec["dataSource"] = reference }
        default: break
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkClaim(object["spec"] ?? [:], FieldPath("spec"))
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        if Self.frozen(spec, object, before: before) != Self.frozen(before, object, before: before) {
            let rule =
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            errors.forbidden(path, rule)
        }
        let size = { (json: JSON?) in json.flatMap(Quantity.init(json:)) ?? .zero }
        let wanted = size(spec["resources"]?["requests"]?["storage"])
        let status = size(old["status"]?["capacity"]?["storage"])
        if wanted < size(before["resources"]?["requests"]?["storage"]), !(status < wanted) {
            let place = path["resources"]["requests"]["storage"]
            errors.forbidden(place, "field can not be less than status.capacity")
        }
        errors.immutable(FieldPath("volumeMode"), spec["volumeMode"], before["volumeMode"])
        let name = "volumeAttributesClassName"
        guard before[name] != nil else { return }
        if spec[name] == nil {
            errors.forbidden(path[name], "update from non-nil value to nil is forbidden")
        } else if spec[name] == "" {
            errors.forbidden(path[name], "update from non-nil value to an empty string is forbidden")
        }
    }

    /// What of a specification may not change: all but what is set once, and the size and class of a bound claim.
    private static func frozen(_ spec: JSON, _ object: JSON, before: JSON) -> JSON {
        var spec = spec
        if before.textMember("volumeName").isEmpty { spec["volumeName"] = nil }
        if before["storageClassName"] == nil { spec["storageClassName"] = nil }
        guard object["status"]?["phase"] == "Bound" else { return spec }
        spec.change("resources") { $0.change("requests") { $0["storage"] = nil } }
        spec["volumeAttributesClassName"] = nil
        return spec
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for resource in object["status"]?.mapMember("capacity") ?? JSONObject() {
            guard let amount = Quantity(json: resource.value), amount < .zero else { continue }
            let path = FieldPath("status", "capacity").key(resource.key)
            errors.invalid(path, .int(amount.value), "must be a valid resource quantity")
        }
        let states = [
            "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress",
            "NodeResizeInfeasible",
        ].sorted()
        let path = FieldPath("status", "allocatedResourceStatus")
        for entry in object["status"]?.mapMember("allocatedResourceStatuses") ?? JSONObject()
        where !states.contains(entry.value.string ?? "") {
            errors.notSupported(path, .string(entry.key), states)
        }
    }
}

extension FieldErrors {
    /// The specification of a claim, or of one that a pod makes for itself.
    mutating func checkClaim(_ spec: JSON, _ path: FieldPath) {
        let modes = spec.textMembers("accessModes")
        if modes.isEmpty { required(path["accessModes"], "at least 1 access mode is required") }
        checkSelector(spec["selector"].flatMap(LabelSelector.init(json:)), path["selector"])
        checkAccessModes(modes, path["accessModes"])
        let place = path["resources"].key("storage")
        if let amount = spec["resources"]?["requests"]?["storage"].flatMap(Quantity.init(json:)) {
            checkPositive(amount, place)
        } else {
            required(place)
        }
        for member in ["storageClassName", "volumeAttributesClassName"] {
            let name = spec.textMember(member)
            if !name.isEmpty { invalid(path[member], name, NameSyntax.subdomain(name)) }
        }
        checkDataSources(spec, path)
    }

    private mutating func checkDataSources(_ spec: JSON, _ path: FieldPath) {
        for member in ["dataSource", "dataSourceRef"] {
            guard let source = spec[member] else { continue }
            let group = source.textMember("apiGroup")
            let kind = source.textMember("kind")
            if group.isEmpty, kind != "PersistentVolumeClaim" {
                let rule = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
                invalid(path[member], .string(kind), rule)
            }
            if !group.isEmpty { invalid(path[member]["apiGroup"], group, NameSyntax.subdomain(group)) }
            let namespace = source.textMember("namespace")
            if !namespace.isEmpty { invalid(path[member]["namespace"], namespace, NameSyntax.label(namespace)) }
        }
        guard let source = spec["dataSource"], let reference = spec["dataSourceRef"] else { return }
        let given = JSON.string(path["dataSource"].description)
        if !reference.textMember("namespace").isEmpty {
            invalid(path, given, "may not be specified when dataSourceRef.namespace is specified")
        } else if ["apiGroup", "kind", "name"].contains(where: { source[$0] != reference[$0] }) {
            invalid(path, given, "must match dataSourceRef")
        }
    }
}
