import Model

/// Attachments of volumes to nodes: semantics-api C10.
struct VolumeAttachmentRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }
    private static let exactlyOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        checkSource(spec["source"] ?? [:], path["source"], &errors)
        let node = spec.textMember("nodeName")
        errors.invalid(path["nodeName"], node, NameSyntax.subdomain(node))
    }

    private func checkSource(_ source: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        switch (source["inlineVolumeSpec"], source["persistentVolumeName"]) {
        case (nil, nil): errors.required(path, Self.exactlyOne)
        case (.some, .some): errors.forbidden(path, Self.exactlyOne)
        case (nil, let name?):
            if name == "" {
                errors.required(path["persistentVolumeName"], "must specify non empty persistentVolumeName")
            }
        case (let spec?, nil): errors.checkVolume(spec, isInline: true, path["inlineVolumeSpec"])
        }
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        errors.checkDriverName(spec.textMember("attacher"), FieldPath("spec", "attacher"))
        if let name = spec["source"]?["persistentVolumeName"]?.string {
            let path = FieldPath("spec", "source", "persistentVolumeName")
            errors.invalid(path, name, NameSyntax.subdomain(name))
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("spec"), object["spec"], old["spec"])
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("status")
        let status = object["status"] ?? [:]
        let limit = 262_144
        let size = status.mapMember("attachmentMetadata").reduce(0) {
            $0 + $1.key.utf8.count + ($1.value.string?.utf8.count ?? 0)
        }
        if size > limit { errors.tooLong(path["attachmentMetadata"], limit: limit) }
        for member in ["attachError", "detachError"] {
            guard let fault = status[member] else { continue }
            if fault.textMember("message").utf8.count > 1024 {
                // The limit is 1 KiB; Kubernetes names the other one.
                errors.tooLong(path[member]["message"], limit: limit)
            }
            if let code = fault["errorCode"]?.int, code < 0 {
                let rule = "must be between 0 and \(Int32.max), inclusive"
                errors.invalid(path[member]["errorCode"], .int(code), rule)
            }
        }
    }
}

/// Drivers of volumes: semantics-api C10, F.
struct CSIDriverRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }
    private static let modes = ["Persistent", "Ephemeral"]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        checkTokens(spec.listMember("tokenRequests"), path["tokenRequests"], &errors)
        for mode in spec.textMembers("volumeLifecycleModes") where !Self.modes.contains(mode) {
            errors.notSupported(path["volumeLifecycleModes"], .string(mode), Self.modes)
        }
        if let place = spec["serviceAccountTokenInSecrets"], spec.listMember("tokenRequests").isEmpty {
            let rule = "may only be set when `tokenRequests` is specified"
            errors.invalid(path["serviceAccountTokenInSecrets"], place, rule)
        }
        if let period = spec["nodeAllocatableUpdatePeriodSeconds"]?.int, period < 10 {
            let rule = "must be greater than or equal to 10 seconds"
            errors.invalid(path["nodeAllocatableUpdatePeriodSeconds"], .int(period), rule)
        }
    }

    private func checkTokens(_ requests: [JSON], _ path: FieldPath, _ errors: inout FieldErrors) {
        var audiences: Set<String> = []
        for (index, request) in requests.enumerated() {
            let audience = request.textMember("audience")
            if !audiences.insert(audience).inserted {
                errors.duplicate(path[index]["audience"], .string(audience))
                continue
            }
            guard let seconds = request["expirationSeconds"]?.int else { continue }
            let place = path[index]["expirationSeconds"]
            if seconds < 600 {
                errors.invalid(place, .int(seconds), "may not specify a duration less than 10 minutes")
            }
            if seconds > 1 << 32 {
                errors.invalid(place, .int(seconds), "may not specify a duration larger than 2^32 seconds")
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let before = old["spec"] ?? [:]
        // The first path is Kubernetes' own spelling.
        errors.immutable(path["attachedRequired"], object["spec"]?["attachRequired"], before["attachRequired"])
        let modes = "volumeLifecycleModes"
        errors.immutable(path[modes], object["spec"]?[modes], before[modes])
    }
}

/// The drivers of a node: semantics-api C10.
struct CSINodeRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var names: Set<String> = []
        for (index, driver) in (object["spec"]?.listMember("drivers") ?? []).enumerated() {
            let path = FieldPath("spec", "drivers")[index]
            let name = driver.textMember("name")
            errors.checkDriverName(name, path["name"])
            let identifier = driver.textMember("nodeID")
            if identifier.utf8.count > 192 {
                errors.invalid(path["nodeID"], .string(identifier), "must be 192 characters or less")
            }
            if !names.insert(name).inserted { errors.duplicate(path["name"], .string(name)) }
            var keys: Set<String> = []
            for key in driver.textMembers("topologyKeys") {
                if key.isEmpty { errors.required(path) }
                if !keys.insert(key).inserted { errors.duplicate(path, .string(key)) }
                errors.invalid(path, key, NameSyntax.qualifiedName(key))
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec", "drivers")
        for previous in old["spec"]?.listMember("drivers") ?? [] {
            for driver in object["spec"]?.listMember("drivers") ?? [] where driver["name"] == previous["name"] {
                // How many volumes fit may change.
                var (new, old) = (driver, previous)
                new["allocatable"] = nil
                old["allocatable"] = nil
                errors.immutable(path, new, old)
            }
        }
    }
}

/// How much a driver has left: semantics-api C10.
struct CSIStorageCapacityRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkSelector(object["nodeTopology"].flatMap(LabelSelector.init(json:)), FieldPath("nodeTopology"))
        let name = object.textMember("storageClassName")
        errors.invalid(FieldPath("storageClassName"), name, NameSyntax.subdomain(name))
        if let amount = object["capacity"].flatMap(Quantity.init(json:)) {
            errors.checkNotNegative(amount, FieldPath("capacity"))
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in ["nodeTopology", "storageClassName"] {
            errors.immutable(FieldPath(member), object[member], old[member])
        }
    }
}
