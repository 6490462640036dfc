import Model

extension TablePrinter {
    static let apiService = Layout([
        name, Table.Column("Service", description: "The Service of the server that serves it."),
        Table.Column("Available", description: "Whether it is served."), age,
    ]) { object, now in
        let service = object.json["spec"]?["service"]
        let isLocal = service?.object == nil
        let conditions = object.json["status"]?.listMember("conditions") ?? []
        var available = "Unknown"
        if let condition = conditions.first(where: { $0.textMember("type") == "Available" }) {
            let reason = condition.textMember("reason")
            available = condition.textMember("status")
            if available != "True", !reason.isEmpty { available += " (\(reason))" }
        }
        return [
            .string(object.metadata.name),
            .string(
                isLocal
                    ? "Local" : "\(service?.textMember("namespace") ?? "")/\(service?.textMember("name") ?? "")"),
            .string(available), ageCell(object.metadata, now),
        ]
    }
}
