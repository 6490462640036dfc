import Model

/// Volumes: semantics-api F.
struct PersistentVolumeRules: KindRules {
    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.setDefault("persistentVolumeReclaimPolicy", "Retain")
            spec.setDefault("volumeMode", "Filesystem")
            spec.change("capacity") { $0.roundUpAmounts() }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkVolume(object["spec"] ?? [:], isInline: false, FieldPath("spec"))
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        var spec = object["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        let secret = "controllerExpandSecretRef"
        if before["csi"] != nil, before["csi"]?[secret] == nil, spec["csi"]?[secret] != nil {
            // May be set once.
            spec["csi"]?[secret] = nil
        }
        if VolumeSourceName.persistent.contains(where: { spec[$0] != before[$0] }) {
            let rule = "spec.persistentvolumesource is immutable after creation"
            errors.forbidden(path["persistentvolumesource"], rule)
        }
        errors.immutable(FieldPath("volumeMode"), spec["volumeMode"], before["volumeMode"])
        if let affinity = before["nodeAffinity"], spec["nodeAffinity"] != affinity {
            let rule = "field is immutable, except for updating from beta label to GA"
            errors.invalid(FieldPath("nodeAffinity"), spec["nodeAffinity"], rule)
        }
        if before["volumeAttributesClassName"] != nil, spec["volumeAttributesClassName"] == nil {
            errors.forbidden(path["volumeAttributesClassName"], "update from non-nil value to nil is forbidden")
        }
    }
}

enum VolumeSourceName {
    /// What a PersistentVolume can be made of, in the order in which Kubernetes looks.
    static let persistent = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte",
        "cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk",
        "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
    ]
}

extension FieldErrors {
    private static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
    private static let onlyCSI = "has to be specified in the context of inline volumes"
    private static let notInline = "may not be specified in the context of inline volumes"

    /// How a volume may be mounted; shared by volumes and claims.
    mutating func checkAccessModes(_ modes: [String], _ path: FieldPath) {
        for mode in modes where !Self.accessModes.contains(mode) {
            notSupported(path, .string(mode), Self.accessModes)
        }
        let known = Set(modes).intersection(Self.accessModes)
        if known.contains("ReadWriteOncePod"), known.count > 1 {
            forbidden(path, "may not use ReadWriteOncePod with other access modes")
        }
    }

    /// - Parameter isInline: whether it stands in a VolumeAttachment and not in a volume of its own.
    mutating func checkVolume(_ spec: JSON, isInline: Bool, _ path: FieldPath) {
        if isInline {
            for member in ["claimRef", "capacity"] where spec[member] != nil { forbidden(path[member], Self.notInline) }
            if spec["csi"] == nil { required(path["csi"], Self.onlyCSI) }
        }
        let modes = spec.textMembers("accessModes")
        if modes.isEmpty { required(path["accessModes"]) }
        checkAccessModes(modes, path["accessModes"])
        if isInline {
            for member in ["nodeAffinity", "storageClassName"] where spec[member] != nil {
                forbidden(path[member], Self.notInline)
            }
            if !["", "Retain"].contains(spec.textMember("persistentVolumeReclaimPolicy")) {
                let rule = "may only be Retain in the context of inline volumes"
                forbidden(path["persistentVolumeReclaimPolicy"], rule)
            }
            if !["", "Filesystem"].contains(spec.textMember("volumeMode")) {
                let rule = "may not specify volumeMode other than Filesystem in the context of inline volumes"
                forbidden(path["volumeMode"], rule)
            }
        } else {
            checkStandalone(spec, path)
        }
        checkSource(of: spec, path)
        checkAttributesClass(spec, path)
    }

    private mutating func checkStandalone(_ spec: JSON, _ path: FieldPath) {
        let capacity = spec.mapMember("capacity")
        if capacity.isEmpty { required(path["capacity"]) }
        if capacity["storage"] == nil || capacity.count > 1 {
            notSupported(path["capacity"], .object(capacity), ["storage"])
        }
        for resource in capacity {
            guard let amount = Quantity(json: resource.value) else { continue }
            checkPositive(amount, path["capacity"].key(resource.key))
        }
        let policies = ["Delete", "Recycle", "Retain"]
        let policy = spec.textMember("persistentVolumeReclaimPolicy")
        if !policies.contains(policy) {
            notSupported(path["persistentVolumeReclaimPolicy"], .string(policy), policies)
        }
        if let affinity = spec["nodeAffinity"] { checkVolumeAffinity(affinity, path["nodeAffinity"]) }
        if policy == "Recycle", let place = spec["hostPath"]?.textMember("path"),
            place.split(separator: "/").allSatisfy({ $0 == "." }), place.hasPrefix("/")
        {
            let rule = "may not be 'recycle' for a hostPath mount of '/'"
            forbidden(path["persistentVolumeReclaimPolicy"], rule)
        }
        let name = spec.textMember("storageClassName")
        if !name.isEmpty { invalid(path["storageClassName"], name, NameSyntax.subdomain(name)) }
        let mode = spec.textMember("volumeMode")
        if !["Block", "Filesystem"].contains(mode) {
            notSupported(path["volumeMode"], .string(mode), ["Block", "Filesystem"])
        }
    }

    private mutating func checkVolumeAffinity(_ affinity: JSON, _ path: FieldPath) {
        guard let selector = affinity["required"] else {
            required(path["required"], "must specify required node constraints")
            return
        }
        let path = path["required"]["nodeSelectorTerms"]
        let terms = selector.listMember("nodeSelectorTerms")
        if terms.isEmpty { required(path, "must have at least one node selector term") }
        for (index, term) in terms.enumerated() { checkNodeTerm(NodeSelectorTerm(viewing: term), path[index]) }
    }

    private mutating func checkSource(of spec: JSON, _ path: FieldPath) {
        let sources = VolumeSourceName.persistent.filter { spec[$0] != nil }
        guard let name = sources.first, let source = spec[name] else {
            required(path, "must specify a volume type")
            return
        }
        for other in sources.dropFirst() { forbidden(path[other], "may not specify more than 1 volume type") }
        let place = path[name]
        switch name {
        case "hostPath": checkNoBacksteps(source.textMember("path"), place["path"])
        case "nfs":
            let text = source.textMember("path")
            if !text.isEmpty, !text.hasPrefix("/") {
                invalid(place["path"], .string(text), "must be an absolute path")
            }
        case "local":
            checkNoBacksteps(source.textMember("path"), place["path"])
            if spec["nodeAffinity"]?["required"] == nil {
                required(path["nodeAffinity"], "Local volume requires node affinity")
            }
        case "csi":
            let driver = source.textMember("driver")
            if !driver.isEmpty { checkDriverName(driver, place["driver"]) }
            for reference in (source.object ?? JSONObject()).keys where reference.hasSuffix("SecretRef") {
                for member in ["name", "namespace"] where source[reference]?.textMember(member).isEmpty != false {
                    required(place[reference][member])
                }
            }
        default: break
        }
    }

    private mutating func checkAttributesClass(_ spec: JSON, _ path: FieldPath) {
        guard let name = spec["volumeAttributesClassName"]?.string else { return }
        let place = path["volumeAttributesClassName"]
        if name.isEmpty {
            required(place, "an empty string is disallowed")
        } else {
            invalid(place, name, NameSyntax.subdomain(name))
        }
        if spec["csi"] == nil { required(path["csi"], "has to be specified when using volumeAttributesClassName") }
    }
}
