import Model

/// `autoscaling/v1` knows one metric, the use of CPU; what else `autoscaling/v2` says travels in annotations, metrics
/// in the form that v1 once gave them.
struct HorizontalPodAutoscalerConversion: VersionConversion {
    static let kind = GroupVersionKind(group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler")
    let storage = GroupVersionKind(group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler")

    private enum Annotation: String, CaseIterable {
        case metrics = "autoscaling.alpha.kubernetes.io/metrics"
        case currentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics"
        case conditions = "autoscaling.alpha.kubernetes.io/conditions"
        case behavior = "autoscaling.alpha.kubernetes.io/behavior"
    }

    // MARK: To v2

    func stored(_ object: JSON) -> JSON {
        var object = object
        object["apiVersion"] = .string(storage.apiVersion)
        let carried = Self.takeAnnotations(&object)
        if object["spec"]?.object == nil { object["spec"] = .emptyObject }
        object.change("spec") { spec in
            var metrics: [JSON] = []
            if let percent = spec["targetCPUUtilizationPercentage"] {
                let target: JSON = ["type": "Utilization", "averageUtilization": percent]
                metrics = [["type": "Resource", "resource": ["name": "cpu", "target": target]]]
            }
            spec["targetCPUUtilizationPercentage"] = nil
            metrics += (carried[.metrics]?.array ?? []).map(HorizontalPodAutoscalerMetric.metric)
            if metrics.isEmpty { metrics = [HorizontalPodAutoscalerRules.defaultMetric] }
            spec["metrics"] = .array(metrics)
            spec["behavior"] = carried[.behavior]
        }
        object.change("status") { status in
            var current: [JSON] = []
            if let percent = status["currentCPUUtilizationPercentage"] {
                current = [
                    ["type": "Resource", "resource": ["name": "cpu", "current": ["averageUtilization": percent]]]
                ]
            }
            status["currentCPUUtilizationPercentage"] = nil
            // What the annotation says has the raw values, too.
            if let list = carried[.currentMetrics]?.array {
                current = list.map(HorizontalPodAutoscalerMetric.currentMetric)
            }
            status["currentMetrics"] = current.isEmpty ? nil : .array(current)
            // v2 leaves out what v1 always says.
            if status["currentReplicas"] == 0 { status["currentReplicas"] = nil }
            status["conditions"] = carried[.conditions]
        }
        return object
    }

    /// Annotations that cannot be read say nothing.
    private static func takeAnnotations(_ object: inout JSON) -> [Annotation: JSON] {
        guard var annotations = object["metadata"]?["annotations"] else { return [:] }
        var carried: [Annotation: JSON] = [:]
        for annotation in Annotation.allCases {
            guard let text = annotations[annotation.rawValue]?.string else { continue }
            // Kubernetes refuses such an object; its validation here speaks of the metrics that are missing.
            carried[annotation] = try? JSON(decoding: Array(text.utf8))
            annotations[annotation.rawValue] = nil
        }
        object[path: ["metadata", "annotations"]] = annotations == .emptyObject ? nil : annotations
        return carried
    }

    // MARK: To v1

    func served(_ object: JSON) -> JSON {
        var object = object
        object["apiVersion"] = .string(Self.kind.apiVersion)
        var carried: [(Annotation, JSON)] = []
        object.change("spec") { spec in
            let metrics = spec["metrics"]?.array ?? []
            spec["metrics"] = nil
            let cpu = metrics.first { Self.isCPU($0) }
            spec["targetCPUUtilizationPercentage"] = cpu?["resource"]?["target"]?["averageUtilization"]
            let others = metrics.filter { !Self.isCPU($0) || $0["resource"]?["target"]?["averageUtilization"] == nil }
            if !others.isEmpty {
                carried.append((.metrics, .array(others.map(HorizontalPodAutoscalerMetric.legacyMetric))))
            }
            if let behavior = spec["behavior"] { carried.append((.behavior, behavior)) }
            spec["behavior"] = nil
        }
        if object["status"]?.object == nil { object["status"] = .emptyObject }
        object.change("status") { status in
            for count in ["currentReplicas", "desiredReplicas"] { status.setDefault(count, 0) }
            let metrics = status["currentMetrics"]?.array ?? []
            status["currentMetrics"] = nil
            let cpu = metrics.last { Self.isCPU($0) }
            status["currentCPUUtilizationPercentage"] = cpu?["resource"]?["current"]?["averageUtilization"]
            if !metrics.isEmpty {
                carried.append(
                    (.currentMetrics, .array(metrics.map(HorizontalPodAutoscalerMetric.legacyCurrentMetric))))
            }
            if let conditions = status["conditions"] { carried.append((.conditions, conditions)) }
            status["conditions"] = nil
        }
        for (annotation, value) in carried {
            object[path: ["metadata", "annotations", annotation.rawValue]] = .string(value.text())
        }
        return object
    }

    private static func isCPU(_ metric: JSON) -> Bool {
        metric["type"] == "Resource" && metric["resource"]?["name"] == "cpu"
    }
}

/// Metrics as `autoscaling/v2` writes them, and in the older form of the annotations of `autoscaling/v1`.
enum HorizontalPodAutoscalerMetric {
    private static let sources = ["object", "pods", "resource", "containerResource", "external"]

    static func metric(_ legacy: JSON) -> JSON {
        changed(legacy) { name, source in
            var target: JSON = [:]
            target["type"] = .string(targetType(name, source))
            target["value"] = source["targetValue"]
            target["averageValue"] = source["targetAverageValue"] ?? source["averageValue"]
            target["averageUtilization"] = source["targetAverageUtilization"]
            if target["type"] == "AverageValue" { target["value"] = nil }
            return identified(name, source, "target", target)
        }
    }

    static func currentMetric(_ legacy: JSON) -> JSON {
        changed(legacy) { name, source in
            var current: JSON = [:]
            current["value"] = source["currentValue"]
            current["averageValue"] = source["currentAverageValue"] ?? source["averageValue"]
            current["averageUtilization"] = source["currentAverageUtilization"]
            return identified(name, source, "current", current)
        }
    }

    static func legacyMetric(_ metric: JSON) -> JSON { legacy(metric, "target") }
    static func legacyCurrentMetric(_ metric: JSON) -> JSON { legacy(metric, "current") }

    private static func changed(_ metric: JSON, _ change: (String, JSON) -> JSON) -> JSON {
        var metric = metric
        for name in sources { if let source = metric[name] { metric[name] = change(name, source) } }
        return metric
    }

    private static func targetType(_ name: String, _ source: JSON) -> String {
        switch name {
        case "resource", "containerResource":
            source["targetAverageUtilization"] == nil ? "AverageValue" : "Utilization"
        case "pods": "AverageValue"
        case "object": source["averageValue"] == nil ? "Value" : "AverageValue"
        default: source["targetValue"] == nil ? "AverageValue" : "Value"
        }
    }

    /// The source by what names it, and what it should be or is.
    private static func identified(_ name: String, _ source: JSON, _ member: String, _ value: JSON) -> JSON {
        var result: JSON = [:]
        switch name {
        case "resource", "containerResource":
            result["name"] = source["name"]
            result["container"] = source["container"]
        default:
            if name == "object" { result["describedObject"] = source["target"] }
            var metric: JSON = [:]
            metric["name"] = source["metricName"]
            metric["selector"] = source[name == "external" ? "metricSelector" : "selector"]
            result["metric"] = metric
        }
        result[member] = value
        return result
    }

    private static func legacy(_ metric: JSON, _ member: String) -> JSON {
        changed(metric) { name, source in
            let value = source[member] ?? [:]
            var result: JSON = [:]
            if name == "object" { result["target"] = source["describedObject"] }
            result["name"] = source["name"]
            result["container"] = source["container"]
            result["metricName"] = source["metric"]?["name"]
            result[name == "external" ? "metricSelector" : "selector"] = source["metric"]?["selector"]
            result["\(member)Value"] = value["value"] ?? (name == "object" ? "0" : nil)
            let average = name == "object" ? "averageValue" : "\(member)AverageValue"
            result[average] = value["averageValue"]
            result["\(member)AverageUtilization"] = value["averageUtilization"]
            return result
        }
    }
}

/// HorizontalPodAutoscalers of `autoscaling/v1`: judged as what they stand for.
struct HorizontalPodAutoscalerV1Rules: KindRules {
    private let rules = HorizontalPodAutoscalerRules()
    private let conversion = HorizontalPodAutoscalerConversion()

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let stored = conversion.stored(object)
        if let most = stored["spec"]?["maxReplicas"]?.int, most < 1 {
            errors.invalid(FieldPath("spec", "maxReplicas"), .int(most), "must be greater than 0")
        }
        rules.validate(stored, &errors)
    }
}
