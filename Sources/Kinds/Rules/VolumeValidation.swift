import Model

extension FieldErrors {
    /// Checks a pod's volumes; answers the names that containers may mount.
    mutating func checkVolumes(_ volumes: [JSON], _ path: FieldPath) -> Set<String> {
        var names: Set<String> = []
        for (index, json) in volumes.enumerated() {
            let volume = Volume(viewing: json)
            let path = path[index]
            if !volume.name.isEmpty {
                invalid(path["name"], volume.name, NameSyntax.label(volume.name))
                if !names.insert(volume.name).inserted { duplicate(path["name"], .string(volume.name)) }
            }
            checkSource(of: volume, path)
        }
        return names
    }

    private mutating func checkSource(of volume: Volume, _ path: FieldPath) {
        var count = 0
        for member in volume.json.object ?? JSONObject() where member.key != "name" && member.value.object != nil {
            count += 1
            if count > 1 {
                forbidden(path[member.key], "may not specify more than 1 volume type")
                continue
            }
            checkVolumeSource(member.key, member.value, path[member.key])
        }
        if count == 0 { required(path, "must specify a volume type") }
    }

    private mutating func checkVolumeSource(_ name: String, _ source: JSON, _ path: FieldPath) {
        checkMode(source["defaultMode"], path["defaultMode"])
        switch name {
        case "configMap":
            if source["name"]?.string ?? "" == "" { required(path["name"]) }
            checkItems(source, path)
        case "secret":
            if source["secretName"]?.string ?? "" == "" { required(path["secretName"]) }
            checkItems(source, path)
        case "downwardAPI": checkItems(source, path)
        case "projected": checkProjection(source, path)
        case "hostPath":
            if let text = source["path"]?.string { checkNoBacksteps(text, path["path"]) }
        case "emptyDir":
            if let limit = source["sizeLimit"].flatMap(Quantity.init(json:)), limit < .zero {
                forbidden(path["sizeLimit"], "SizeLimit field must be a valid resource quantity")
            }
        case "nfs":
            if let text = source["path"]?.string, !text.isEmpty, !text.hasPrefix("/") {
                invalid(path["path"], .string(text), "must be an absolute path")
            }
        case "ephemeral":
            if let spec = source["volumeClaimTemplate"]?["spec"] {
                checkClaim(spec, path["volumeClaimTemplate"]["spec"])
            }
        case "persistentVolumeClaim":
            if let claim = source["claimName"]?.string, !claim.isEmpty {
                invalid(path["claimName"], claim, NameSyntax.subdomain(claim))
            }
        default: break
        }
    }

    private mutating func checkProjection(_ source: JSON, _ path: FieldPath) {
        let kinds = [
            "configMap", "secret", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate",
        ]
        for (index, projection) in (source["sources"]?.array ?? []).enumerated() {
            let path = path["sources"][index]
            let given = kinds.filter { projection[$0] != nil }
            if given.count > 1 { forbidden(path[given[1]], "may not specify more than 1 volume type") }
            for kind in ["configMap", "secret", "downwardAPI"] {
                guard let part = projection[kind] else { continue }
                if kind != "downwardAPI", part["name"]?.string ?? "" == "" { required(path[kind]["name"]) }
                checkItems(part, path[kind])
            }
            if let token = projection["serviceAccountToken"] { checkToken(token, path["serviceAccountToken"]) }
        }
    }

    private mutating func checkToken(_ token: JSON, _ path: FieldPath) {
        let file = token["path"]?.string ?? ""
        if file.isEmpty { required(path["path"]) } else { checkRelativePath(file, path["path"]) }
        guard let seconds = token["expirationSeconds"]?.int else { return }
        if seconds < 600 {
            invalid(path["expirationSeconds"], .int(seconds), "may not specify a duration less than 10 minutes")
        } else if seconds > 1 << 32 {
            invalid(path["expirationSeconds"], .int(seconds), "may not specify a duration larger than 2^32 seconds")
        }
    }

    /// The files made of keys or fields: relative paths, without steps back.
    private mutating func checkItems(_ source: JSON, _ path: FieldPath) {
        for (index, item) in (source["items"]?.array ?? []).enumerated() {
            let path = path["items"][index]
            if let text = item["path"]?.string, !text.isEmpty { checkRelativePath(text, path["path"]) }
            checkMode(item["mode"], path["mode"])
        }
    }

    private mutating func checkMode(_ mode: JSON?, _ path: FieldPath) {
        guard let bits = mode?.int, !(0...0o777).contains(bits) else { return }
        invalid(path, .int(bits), "must be a number between 0 and 0777 (octal), both inclusive")
    }
}
