import Model

/// Namespaces: semantics-api C19, C26, F.
struct NamespaceRules: KindRules {
    var names: NameRule { .label }

    func fillDefaults(_ object: inout JSON) {
        guard let name = object["metadata"]?["name"], name != "" else { return }
        object.change("metadata") { metadata in
            if metadata["labels"] == nil { metadata["labels"] = .emptyObject }
            metadata.change("labels") { labels in
                if labels["kubernetes.io/metadata.name"] != name { labels["kubernetes.io/metadata.name"] = name }
            }
        }
    }

    func prepareForCreate(_ object: inout JSON) {
        // A generated name was not there when defaults were filled in.
        fillDefaults(&object)
        object["status"] = ["phase": "Active"]
        var finalizers = object["spec"]?["finalizers"]?.array ?? []
        if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
        if object["spec"] == nil { object["spec"] = .emptyObject }
        object["spec"]?["finalizers"] = .array(finalizers)
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        // Only /finalize changes the finalizers.
        if subresource != "finalize" { object["spec"] = old["spec"] }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        for (index, finalizer) in (object["spec"]?["finalizers"]?.array ?? []).compactMap(\.string).enumerated() {
            let path = FieldPath("spec", "finalizers")[index]
            errors.invalid(path, finalizer, NameSyntax.qualifiedName(finalizer))
        }
    }
}

/// Nodes: semantics-api F. They come with a status of their own, which whoever registers them reports.
struct NodeRules: KindRules {
    var keepsStatusOnCreate: Bool { true }

    func fillDefaults(_ object: inout JSON) {
        object.change("status") { status in
            for list in ["capacity", "allocatable"] { status.change(list) { $0.roundUpAmounts() } }
            if status["allocatable"] == nil, let capacity = status["capacity"] { status["allocatable"] = capacity }
        }
        object.change("spec") { spec in
            if let first = spec["podCIDR"], spec["podCIDRs"] == nil { spec["podCIDRs"] = [first] }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("metadata", "taints")
        var seen: Set<[String]> = []
        for (index, taint) in NodeSpec(viewing: object["spec"] ?? [:]).taints.enumerated() {
            let path = path[index]
            if !taint.key.isEmpty { errors.invalid(path["key"], taint.key, NameSyntax.qualifiedName(taint.key)) }
            if let value = taint.value { errors.invalid(path["value"], value, NameSyntax.labelValue(value)) }
            if !seen.insert([taint.key, taint.effect]).inserted {
                let rule = "taints must be unique by key and effect pair"
                errors.add(FieldError(.duplicate, at: path, value: taint.json, detail: rule))
            }
        }
        for (index, block) in (object["spec"]?["podCIDRs"]?.array ?? []).compactMap(\.string).enumerated()
        where !AddressSyntax.isBlock(block) {
            let rule = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            errors.invalid(FieldPath("spec", "podCIDRs")[index], .string(block), rule)
        }
        checkAmounts(object, &errors)
    }

    private func checkAmounts(_ object: JSON, _ errors: inout FieldErrors) {
        for list in ["capacity", "allocatable"] {
            for resource in object["status"]?[list]?.object ?? JSONObject() {
                guard let amount = Quantity(json: resource.value), amount < .zero else { continue }
                let rule = "must be greater than or equal to 0"
                errors.invalid(FieldPath("status", list, resource.key), .string(amount.description), rule)
            }
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        if let blocks = old["spec"]?["podCIDRs"], object["spec"]?["podCIDRs"] != blocks {
            errors.forbidden(path["podCIDRs"], "node updates may not change podCIDR except from \"\" to valid")
        }
        if let provider = old["spec"]?["providerID"], provider != "", object["spec"]?["providerID"] != provider {
            errors.forbidden(path["providerID"], "node updates may not change providerID except from \"\" to valid")
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        checkAmounts(object, &errors)
    }
}

/// Leases: semantics-api L4, C9, C10.
struct LeaseRules: KindRules {
    var allowsUnconditionalUpdate: Bool { false }
    var allowsCreateOnUpdate: Bool { true }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        if spec["holderIdentity"] == "" {
            errors.invalid(FieldPath("spec", "holderIdentity"), "", "must not be empty")
        }
        if spec["preferredHolder"]?.string ?? "" != "", spec["strategy"]?.string ?? "" == "" {
            let rule = "may only be specified when `strategy` is defined"
            errors.forbidden(FieldPath("spec", "preferredHolder"), rule)
        }
    }
}
