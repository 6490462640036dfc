import Model

/// The ranges that requests and limits must lie in: semantics-api C9, F.
struct LimitRangeRules: KindRules {
    var allowsCreateOnUpdate: Bool { true }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            spec.changeEach("limits") { limit in
                for list in ["min", "max", "default", "defaultRequest", "maxLimitRequestRatio"] {
                    limit.change(list) { $0.roundUpAmounts() }
                }
                guard limit["type"] == "Container" else { return }
                Self.fill(&limit, "default", from: "max")
                Self.fill(&limit, "defaultRequest", from: "default")
                Self.fill(&limit, "defaultRequest", from: "min")
            }
        }
    }

    private static func fill(_ limit: inout JSON, _ member: String, from source: String) {
        var amounts = limit[member] ?? .emptyObject
        for amount in limit.mapMember(source) where amounts[amount.key] == nil { amounts[amount.key] = amount.value }
        if amounts.object?.isEmpty == false { limit[member] = amounts }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        var types: Set<String> = []
        for (index, limit) in (object["spec"]?.listMember("limits") ?? []).enumerated() {
            let path = FieldPath("spec", "limits")[index]
            let type = limit.textMember("type")
            let faults = NameSyntax.qualifiedName(type)
            errors.invalid(path["type"], type, faults)
            if faults.isEmpty, !type.contains("/"), !["Pod", "Container", "PersistentVolumeClaim"].contains(type) {
                errors.invalid(path["type"], .string(type), "must be a standard limit type or fully qualified")
            }
            if !types.insert(type).inserted { errors.duplicate(path["type"], .string(type)) }
            errors.checkLimit(limit, type, path)
        }
    }
}

extension FieldErrors {
    fileprivate mutating func checkLimit(_ limit: JSON, _ type: String, _ path: FieldPath) {
        var lists = ["max", "min"]
        if type == "Pod" {
            for member in ["default", "defaultRequest"] where limit[member] != nil {
                forbidden(path[member], "may not be specified when `type` is 'Pod'")
            }
        } else {
            lists += ["default", "defaultRequest"]
        }
        if type == "PersistentVolumeClaim", limit["min"]?["storage"] == nil, limit["max"]?["storage"] == nil {
            let rule = "either minimum or maximum storage value is required, but neither was provided"
            required(path["limits"], rule)
        }
        lists.append("maxLimitRequestRatio")
        var names: [String] = []
        for list in lists {
            for resource in limit.mapMember(list) {
                let path = path[list].key(resource.key)
                if ["Pod", "Container"].contains(type) {
                    checkContainerResourceName(resource.key, path)
                } else {
                    checkResourceName(resource.key, path)
                }
                if !names.contains(resource.key) { names.append(resource.key) }
            }
        }
        for name in names.sorted() {
            let amounts = lists.reduce(into: [:]) { $0[$1] = limit[$1]?[name].flatMap(Quantity.init(json:)) }
            checkOrder(of: name, amounts, path)
            checkRatio(of: name, amounts, path)
        }
    }

    /// From the least to the most: `min`, `defaultRequest`, `default`, `max`.
    private mutating func checkOrder(of name: String, _ amounts: [String: Quantity], _ path: FieldPath) {
        let texts = [
            "min": "min value", "max": "max value", "default": "default value",
            "defaultRequest": "default request value",
        ]
        for (small, large, place, shown) in [
            ("min", "max", "min", "min"), ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
            ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
            ("defaultRequest", "default", "defaultRequest", "defaultRequest"), ("min", "default", "default", "min"),
            ("default", "max", "default", "max"),
        ] {
            guard let least = amounts[small], let most = amounts[large], most < least else { continue }
            let pair = (small, large) == ("defaultRequest", "default") ? "default limit value" : texts[large] ?? ""
            let rule = "\(texts[small] ?? "") \(least) is greater than \(pair) \(most)"
            invalid(path[place].key(name), (amounts[shown] ?? .zero).json, rule)
        }
        if !ResourceName.allowsOvercommitment(name), let limit = amounts["default"],
            let request = amounts["defaultRequest"], limit != request
        {
            let rule = "default value \(limit) must equal to defaultRequest value \(request) in \(name)"
            invalid(path["defaultRequest"].key(name), request.json, rule)
        }
    }

    private mutating func checkRatio(of name: String, _ amounts: [String: Quantity], _ path: FieldPath) {
        guard let ratio = amounts["maxLimitRequestRatio"] else { return }
        let path = path["maxLimitRequestRatio"].key(name)
        if ratio < Quantity(1) { invalid(path, ratio.json, "ratio \(ratio) is less than 1") }
        guard let least = amounts["min"], let most = amounts["max"] else { return }
        let limit = Double(most.milliValue) / Double(least.milliValue)
        if Double(ratio.milliValue) / 1000 > limit {
            invalid(path, ratio.json, "ratio \(ratio) is greater than max/min = \(limit.sixDecimals)")
        }
    }
}
