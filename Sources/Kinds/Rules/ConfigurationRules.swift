import Model

/// ConfigMaps: semantics-api C25, C26.
struct ConfigMapRules: KindRules {
    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let binary = object["binaryData"]?.object ?? JSONObject()
        var size = 0
        for entry in object["data"]?.object ?? JSONObject() {
            let path = FieldPath("data").key(entry.key)
            errors.invalid(path, entry.key, NameSyntax.configKey(entry.key))
            if binary[entry.key] != nil {
                errors.invalid(path, .string(entry.key), "duplicate of key present in binaryData")
            }
            size += entry.value.string?.utf8.count ?? 0
        }
        for entry in binary {
            errors.invalid(FieldPath("binaryData").key(entry.key), entry.key, NameSyntax.configKey(entry.key))
            size += (entry.value.string?.utf8.count ?? 0) / 4 * 3
        }
        // Kubernetes' name for a field without one.
        if size > SizeLimit.configuration { errors.tooLong(FieldPath.root.key(""), limit: SizeLimit.configuration) }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkFrozen(object, from: old, fields: ["data", "binaryData"])
    }
}

/// Secrets: semantics-api C25, C26, F. No message shows a value.
struct SecretRules: KindRules {
    func fillDefaults(_ object: inout JSON) {
        // What is written as text is stored as data, and wins over it; it is never shown again.
        guard let texts = object["stringData"]?.object else { return }
        var data = object["data"] ?? .emptyObject
        for text in texts {
            if let value = text.value.string { data[text.key] = .string(Base64.encode(value.utf8)) }
        }
        object["stringData"] = nil
        if data.object?.isEmpty == false { object["data"] = data }
    }

    /// The keys that the types known to Kubernetes must have.
    private static let requiredKeys = [
        "kubernetes.io/dockercfg": [".dockercfg"], "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
        "kubernetes.io/ssh-auth": ["ssh-privatekey"], "kubernetes.io/tls": ["tls.crt", "tls.key"],
    ]

    /// Those whose values are JSON.
    private static let documentKeys = [
        "kubernetes.io/dockercfg": [".dockercfg"], "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
    ]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let data = object["data"]?.object ?? JSONObject()
        let path = FieldPath("data")
        var size = 0
        for entry in data {
            errors.invalid(path.key(entry.key), entry.key, NameSyntax.configKey(entry.key))
            size += (entry.value.string?.utf8.count ?? 0) / 4 * 3
        }
        if size > SizeLimit.configuration { errors.tooLong(path, limit: SizeLimit.configuration) }
        let type = object["type"]?.string ?? "Opaque"
        for key in Self.requiredKeys[type] ?? [] where data[key] == nil { errors.required(path.key(key)) }
        for key in Self.documentKeys[type] ?? [] {
            guard let text = data[key]?.string, let bytes = Base64.decode(text),
                let fault = GoJSONFault.text(ofObject: bytes)
            else { continue }
            errors.invalid(path.key(key), "<secret contents redacted>", fault)
        }
        if type == "kubernetes.io/basic-auth", data["username"] == nil, data["password"] == nil {
            errors.required(path.key("username"))
            errors.required(path.key("password"))
        }
        let account = "kubernetes.io/service-account.name"
        if type == "kubernetes.io/service-account-token",
            object["metadata"]?["annotations"]?[account]?.string ?? "" == ""
        {
            errors.required(FieldPath("metadata", "annotations").key(account))
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("type"), object["type"], old["type"])
        errors.checkFrozen(object, from: old, fields: ["data"])
    }
}

enum SizeLimit {
    /// Bytes of all values of a ConfigMap or Secret.
    static let configuration = 1_048_576
}

extension FieldErrors {
    /// C26: once `immutable` is set, neither it nor the data may change.
    fileprivate mutating func checkFrozen(_ object: JSON, from old: JSON, fields: [String]) {
        guard old["immutable"]?.bool == true else { return }
        let rule = "field is immutable when `immutable` is set"
        if object["immutable"]?.bool != true { forbidden(FieldPath("immutable"), rule) }
        for name in fields where object[name] != old[name] { forbidden(FieldPath(name), rule) }
    }
}
