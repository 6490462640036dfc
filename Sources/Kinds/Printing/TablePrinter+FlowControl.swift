import Model

extension TablePrinter {
    static let flowSchema = Layout([
        name, Table.Column("PriorityLevel", description: "The level at which its requests are served."),
        Table.Column("MatchingPrecedence", .integer, description: "The lowest wins."),
        Table.Column("DistinguisherMethod", description: "What tells its flows apart."), age,
        Table.Column("MissingPL", description: "Whether the level is not there."),
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let conditions = object.json["status"]?.listMember("conditions") ?? []
        let dangling = conditions.first { $0.textMember("type") == "Dangling" }
        return [
            .string(object.metadata.name), .string(spec["priorityLevelConfiguration"]?.textMember("name") ?? ""),
            spec["matchingPrecedence"] ?? 0,
            .string(spec["distinguisherMethod"]?.textMember("type") ?? "<none>"), ageCell(object.metadata, now),
            .string(dangling?.textMember("status") ?? "?"),
        ]
    }

    static let priorityLevel = Layout([
        name, Table.Column("Type", description: "Whether the level is limited."),
        Table.Column("NominalConcurrencyShares", description: "Its share of what is served at a time."),
        Table.Column("Queues", description: "How many queues it has."),
        Table.Column("HandSize", description: "Among how many queues each flow is spread."),
        Table.Column("QueueLengthLimit", description: "How many requests wait in a queue."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let limited = spec["limited"]
        let queuing = limited?["limitResponse"]?["queuing"]
        return [
            .string(object.metadata.name), .string(spec.textMember("type")),
            limited?["nominalConcurrencyShares"] ?? "<none>", queuing?["queues"] ?? "<none>",
            queuing?["handSize"] ?? "<none>", queuing?["queueLengthLimit"] ?? "<none>",
            ageCell(object.metadata, now),
        ]
    }
}
