import Model

/// HorizontalPodAutoscalers: semantics-api C14, F.
struct HorizontalPodAutoscalerRules: KindRules {
    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            if spec["metrics"] == nil { spec["metrics"] = [Self.defaultMetric] }
            spec.change("behavior") { behavior in
                for (name, rules) in Self.defaultBehavior {
                    if behavior[name] == nil { behavior[name] = .emptyObject }
                    behavior.change(name) { given in
                        for rule in rules.object ?? JSONObject() { given.setDefault(rule.key, rule.value) }
                    }
                }
            }
        }
    }

    static let defaultMetric: JSON = [
        "type": "Resource",
        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
    ]

    /// Filled in only where a behavior is given. How long to wait before going down is the controller's setting.
    private static let defaultBehavior: [(String, JSON)] = [
        (
            "scaleUp",
            [
                "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
                "policies": [
                    ["type": "Pods", "value": 4, "periodSeconds": 15],
                    ["type": "Percent", "value": 100, "periodSeconds": 15],
                ],
            ]
        ),
        (
            "scaleDown",
            ["selectPolicy": "Max", "policies": [["type": "Percent", "value": 100, "periodSeconds": 15]]]
        ),
    ]

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        if let least = spec["minReplicas"]?.int {
            if least < 1 {
                errors.invalid(path["minReplicas"], .int(least), "must be greater than or equal to 1")
            }
            if let most = spec["maxReplicas"]?.int, most < least {
                let rule = "must be greater than or equal to `minReplicas`"
                errors.invalid(path["maxReplicas"], .int(most), rule)
            }
        }
        errors.checkReference(spec["scaleTargetRef"], path["scaleTargetRef"])
        for (index, metric) in (spec["metrics"]?.array ?? []).enumerated() {
            errors.checkMetric(metric, path["metrics"][index])
        }
        for name in ["scaleUp", "scaleDown"] {
            guard let rules = spec["behavior"]?[name] else { continue }
            errors.checkScaling(rules, path["behavior"][name])
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkNotNegative(
            object["status"] ?? [:], ["currentReplicas", "desiredReplicas"], FieldPath("status"))
    }
}

extension FieldErrors {
    // MARK: Behavior

    fileprivate mutating func checkScaling(_ rules: JSON, _ path: FieldPath) {
        let window = path["stabilizationWindowSeconds"]
        if let seconds = rules["stabilizationWindowSeconds"]?.int {
            if seconds < 0 { invalid(window, .int(seconds), "must be greater than or equal to zero") }
            if seconds > 3600 { invalid(window, .int(seconds), "must be less than or equal to 3600") }
        }
        if let tolerance = rules["tolerance"].flatMap(Quantity.init(json:)), tolerance < .zero {
            invalid(path["tolerance"], tolerance.json, "must be greater than or equal to 0")
        }
        for (index, policy) in (rules["policies"]?.array ?? []).enumerated() {
            let path = path["policies"][index]
            for name in ["value", "periodSeconds"] {
                if let value = policy[name]?.int, value <= 0 {
                    invalid(path[name], .int(value), "must be greater than zero")
                }
            }
            if let period = policy["periodSeconds"]?.int, period > 1800 {
                invalid(path["periodSeconds"], .int(period), "must be less than or equal to 1800")
            }
        }
    }

    // MARK: Metrics

    /// What a metric of each type says where it comes from.
    private static let sources = [
        ("Object", "object"), ("External", "external"), ("Pods", "pods"), ("Resource", "resource"),
        ("ContainerResource", "containerResource"),
    ]

    fileprivate mutating func checkMetric(_ metric: JSON, _ path: FieldPath) {
        let present = Self.sources.map(\.1).filter { metric[$0] != nil }
        if let name = present.first, let source = metric[name] { checkSource(source, name, path[name]) }
        let expected = Self.sources.first { $0.0 == metric["type"]?.string }?.1
        if let expected, !present.contains(expected) {
            required(path[expected], "must populate information for the given metric source")
        }
        guard present.count > 1 else { return }
        for name in present where name != expected {
            forbidden(path[name], "must populate the given metric source only")
        }
    }

    private mutating func checkSource(_ source: JSON, _ name: String, _ path: FieldPath) {
        let target = source["target"] ?? [:]
        let place = path["target"]
        if name == "object" { checkReference(source["describedObject"], path["describedObject"]) }
        if let metric = source["metric"]?["name"]?.string {
            invalid(path["metric"]["name"], metric, Self.pathSegmentFaults(metric))
        }
        if name == "containerResource", let container = source["container"]?.string, !container.isEmpty {
            invalid(path["container"], container, NameSyntax.label(container))
        }
        checkTarget(target, place)
        let hasAverage = target["averageValue"] != nil
        switch name {
        case "object":
            if target["value"] == nil, !hasAverage {
                required(place["averageValue"], "must set either a target value or averageValue")
            }
        case "external":
            if target["value"] == nil, !hasAverage {
                required(place["averageValue"], "must set either a target value for metric or a per-pod target")
            } else if target["value"] != nil, hasAverage {
                forbidden(place["value"], "may not set both a target value for metric and a per-pod target")
            }
        case "pods":
            if !hasAverage { required(place["averageValue"], "must specify a positive target averageValue") }
        default:
            let hasUtilization = target["averageUtilization"] != nil
            if !hasUtilization, !hasAverage {
                let rule = "must set either a target raw value or a target utilization"
                required(place["averageUtilization"], rule)
            } else if hasUtilization, hasAverage {
                forbidden(place["averageValue"], "may not set both a target raw value and a target utilization")
            }
        }
    }

    private mutating func checkTarget(_ target: JSON, _ path: FieldPath) {
        if let type = target["type"]?.string, !["Utilization", "Value", "AverageValue"].contains(type) {
            invalid(path["type"], .string(type), "must be either Utilization, Value, or AverageValue")
        }
        for name in ["value", "averageValue"] {
            guard let amount = target[name].flatMap(Quantity.init(json:)), amount <= .zero else { continue }
            invalid(path[name], amount.json, "must be positive")
        }
    }

    /// What an object of another kind is named by; absent names are the schema's to find.
    fileprivate mutating func checkReference(_ reference: JSON?, _ path: FieldPath) {
        for name in ["kind", "name"] {
            guard let value = reference?[name]?.string else { continue }
            invalid(path[name], value, Self.pathSegmentFaults(value))
        }
    }

    /// Why a text cannot be a part of a path.
    private static func pathSegmentFaults(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter { text.contains($0) }.map { "may not contain '\($0)'" }
    }
}
