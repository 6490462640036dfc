import Model

extension TablePrinter {
    static let horizontalPodAutoscaler = Layout([
        name, Table.Column("Reference", description: "What is scaled."),
        Table.Column("Targets", description: "What is measured, and what it should be."),
        Table.Column("MinPods", description: "How many pods there are at least."),
        Table.Column("MaxPods", description: "How many pods there are at most."),
        Table.Column("Replicas", description: "How many pods there are."), age,
    ]) { shown, now in
        let isOld = shown.kind == HorizontalPodAutoscalerConversion.kind
        let autoscaler = isOld ? Object(viewing: HorizontalPodAutoscalerConversion().stored(shown.json)) : shown
        let spec = autoscaler.json["spec"] ?? [:]
        let target = spec["scaleTargetRef"]
        return [
            .string(autoscaler.metadata.name),
            .string("\(target?["kind"]?.string ?? "")/\(target?["name"]?.string ?? "")"),
            .string(
                targets(
                    spec["metrics"]?.array ?? [], autoscaler.json["status"]?["currentMetrics"]?.array ?? [])),
            .string(spec["minReplicas"]?.int.map(String.init) ?? "<unset>"), .int(spec["maxReplicas"]?.int ?? 0),
            .int(autoscaler.json["status"]?["currentReplicas"]?.int ?? 0), ageCell(autoscaler.metadata, now),
        ]
    }

    static let scale = Layout([
        name, Table.Column("Desired", .integer, description: "How many pods there are to be."),
        Table.Column("Available", .integer, description: "How many pods there are."), age,
    ]) { scale, now in
        [
            .string(scale.metadata.name), scale.json[path: ["spec", "replicas"]] ?? 0,
            scale.json[path: ["status", "replicas"]] ?? 0, ageCell(scale.metadata, now),
        ]
    }

    private static let shownTargets = 2

    /// `cpu: 50%/80%, 3/10 (avg) + 1 more...`
    private static func targets(_ metrics: [JSON], _ current: [JSON]) -> String {
        if metrics.isEmpty { return "<none>" }
        let texts = metrics.indices.map { index in
            target(metrics[index], index < current.count ? current[index] : [:])
        }
        let shown = texts.prefix(shownTargets).joined(separator: ", ")
        return texts.count > shownTargets ? "\(shown) + \(texts.count - shownTargets) more..." : shown
    }

    private static func target(_ metric: JSON, _ current: JSON) -> String {
        let sources = [
            "External": "external", "Pods": "pods", "Object": "object", "Resource": "resource",
            "ContainerResource": "containerResource",
        ]
        guard let name = sources[metric["type"]?.string ?? ""] else { return "<unknown type>" }
        let wanted = metric[name]?["target"] ?? [:]
        let measured = current[name]?["current"] ?? [:]
        let text = { (member: String) in amount(measured[member]) + "/" + amount(wanted[member]) }
        let hasAverage = wanted["averageValue"] != nil
        switch name {
        case "pods": return text("averageValue")
        case "external", "object": return hasAverage ? text("averageValue") + " (avg)" : text("value")
        default:
            let resource = metric[name]?["name"]?.string ?? ""
            if hasAverage { return "\(resource): " + text("averageValue") }
            let percent = { (value: JSON?, absent: String) in value?.int.map { "\($0)%" } ?? absent }
            let use = percent(measured["averageUtilization"], "<unknown>")
            return "\(resource): \(use)/" + percent(wanted["averageUtilization"], "<auto>")
        }
    }

    private static func amount(_ value: JSON?) -> String {
        value.flatMap(Quantity.init(json:))?.description ?? "<unknown>"
    }
}
