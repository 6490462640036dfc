import Model

/// Storage classes: semantics-api F.
struct StorageClassRules: KindRules {
    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkProvisioner(object.textMember("provisioner"), FieldPath("provisioner"))
        errors.checkParameters(object.mapMember("parameters"), FieldPath("parameters"))
        checkTopologies(object.listMember("allowedTopologies"), &errors)
    }

    private func checkTopologies(_ terms: [JSON], _ errors: inout FieldErrors) {
        var seen: Set<[String: Set<String>]> = []
        for (index, term) in terms.enumerated() {
            let path = FieldPath("allowedTopologies")[index]["matchLabelExpressions"]
            var labels: [String: Set<String>] = [:]
            for (index, requirement) in term.listMember("matchLabelExpressions").enumerated() {
                let path = path[index]
                let key = requirement.textMember("key")
                let values = requirement.textMembers("values")
                for (index, value) in values.enumerated() where values[..<index].contains(value) {
                    errors.duplicate(path["values"][index], .string(value))
                }
                if !key.isEmpty { errors.invalid(path["key"], key, NameSyntax.qualifiedName(key)) }
                if labels.updateValue(Set(values), forKey: key) != nil {
                    errors.duplicate(path["key"], .string(key))
                }
            }
            if !seen.insert(labels).inserted { errors.duplicate(path, "") }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in ["parameters", "provisioner", "reclaimPolicy"] where object[member] != old[member] {
            errors.forbidden(FieldPath(member), "updates to \(member) are forbidden.")
        }
        errors.immutable(FieldPath("volumeBindingMode"), object["volumeBindingMode"], old["volumeBindingMode"])
    }
}

/// Classes of what can be changed of a volume.
struct VolumeAttributesClassRules: KindRules {
    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkProvisioner(object.textMember("driverName"), FieldPath("driverName"))
        let parameters = object.mapMember("parameters")
        errors.checkParameters(parameters, FieldPath("parameters"))
        if parameters.isEmpty {
            errors.required(FieldPath("parameters"), "must contain at least one key/value pair")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        for member in ["driverName", "parameters"] where object[member] != old[member] {
            errors.forbidden(FieldPath(member), "updates to \(member) are forbidden.")
        }
    }
}

extension FieldErrors {
    /// Who makes the volumes. That there is one is the schema's to check.
    fileprivate mutating func checkProvisioner(_ name: String, _ path: FieldPath) {
        if name.isEmpty { return }
        let folded = name.lowercased()
        invalid(path, folded, NameSyntax.qualifiedName(folded))
    }

    fileprivate mutating func checkParameters(_ parameters: JSONObject, _ path: FieldPath) {
        let countLimit = 512
        if parameters.count > countLimit {
            tooLong(path, limit: countLimit)
            return
        }
        var size = 0
        for parameter in parameters {
            if parameter.key.isEmpty { invalid(path, "", "field can not be empty.") }
            size += parameter.key.utf8.count + (parameter.value.string?.utf8.count ?? 0)
        }
        if size > 262_144 { tooLong(path, limit: 262_144) }
    }
}
