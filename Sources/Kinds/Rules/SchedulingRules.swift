import Model

/// The priority classes that every cluster has, and what a pod of each is worth.
package enum SystemPriorityClass {
    package static let values: [String: Int64] = [
        "system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000,
    ]
}

/// Priority classes: semantics-api F.
struct PriorityClassRules: KindRules {
    /// The highest that is not Kubernetes' own.
    private static let highest: Int64 = 1_000_000_000
    private static let systemPrefix = "system-"

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let name = object["metadata"]?.textMember("name") ?? ""
        let value = object["value"]?.int ?? 0
        if name.hasPrefix(Self.systemPrefix) {
            guard let fault = Self.systemFault(name, value, object["globalDefault"]?.bool ?? false) else { return }
            let rule =
                "priority class names with '\(Self.systemPrefix)' prefix are reserved for system use only. error: "
            errors.forbidden(FieldPath("metadata", "name"), rule + fault)
        } else if value > Self.highest {
            let rule = "maximum allowed value of a user defined priority is \(Self.highest)"
            errors.forbidden(FieldPath("value"), rule)
        }
    }

    private static func systemFault(_ name: String, _ value: Int64, _ isDefault: Bool) -> String? {
        guard let expected = SystemPriorityClass.values[name] else {
            return "\(name) is not a known system priority class"
        }
        if value != expected { return "value of \(name) PriorityClass must be \(expected)" }
        return isDefault ? "globalDefault of \(name) PriorityClass must be false" : nil
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        if object["value"] != old["value"] {
            errors.forbidden(FieldPath("value"), "may not be changed in an update.")
        }
        errors.immutable(FieldPath("preemptionPolicy"), object["preemptionPolicy"], old["preemptionPolicy"])
    }
}

/// Runtime classes: semantics-api C9, C10.
struct RuntimeClassRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }
    var allowsCreateOnUpdate: Bool { true }

    func fillDefaults(_ object: inout JSON) {
        object.change("overhead") { $0.change("podFixed") { $0.roundUpAmounts() } }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let handler = object.textMember("handler")
        errors.invalid(FieldPath("handler"), handler, NameSyntax.label(handler))
        if let fixed = object["overhead"]?["podFixed"] {
            errors.checkResources(ResourceRequirements(viewing: ["limits": fixed]), FieldPath("overhead"))
        }
        guard let scheduling = object["scheduling"] else { return }
        let path = FieldPath("scheduling")
        errors.checkLabels(scheduling["nodeSelector"], path["nodeSelector"])
        errors.checkTolerations(scheduling.listMember("tolerations"), path["tolerations"])
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.immutable(FieldPath("handler"), object["handler"], old["handler"])
    }
}
