import Model

extension TablePrinter {
    static let job = Layout(
        [
            name, Table.Column("Status", description: "Where the job stands."),
            Table.Column("Completions", description: "How many pods have succeeded, of how many wanted."),
            Table.Column("Duration", description: "How long the job has run, or ran."), age,
        ] + template
    ) { job, now in
        let spec = job.json["spec"] ?? [:]
        let status = job.json["status"] ?? [:]
        let duration = status["startTime"].flatMap(Timestamp.init(json:)).map { start in
            ((status["completionTime"].flatMap(Timestamp.init(json:)) ?? now) - start).humanReadable
        }
        return [
            .string(job.metadata.name), .string(statusText(of: job)), .string(completions(spec, status)),
            .string(duration ?? ""), ageCell(job.metadata, now),
        ] + jobTemplateCells(spec)
    }

    private static func statusText(of job: Object) -> String {
        let state = JobState(job.json["status"] ?? [:])
        if state.has("Complete") { return "Complete" }
        if state.has("Failed") { return "Failed" }
        if job.metadata.isBeingDeleted { return "Terminating" }
        return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].first(where: state.has) ?? "Running"
    }

    private static func completions(_ spec: JSON, _ status: JSON) -> String {
        let succeeded = status["succeeded"]?.int ?? 0
        if let wanted = spec["completions"]?.int { return "\(succeeded)/\(wanted)" }
        let parallelism = spec["parallelism"]?.int ?? 0
        return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
    }

    private static func jobTemplateCells(_ spec: JSON) -> [JSON] {
        templateCells(
            PodTemplateSpec(viewing: spec["template"] ?? [:]), LabelSelector(viewing: spec["selector"] ?? [:]))
    }

    static let cronJob = Layout(
        [
            name, Table.Column("Schedule", description: "When jobs are due."),
            Table.Column("Timezone", description: "The time zone of the schedule."),
            Table.Column("Suspend", description: "Whether no more jobs are made for now."),
            Table.Column("Active", .integer, description: "How many of its jobs run."),
            Table.Column("Last Schedule", description: "How long ago a job was made."), age,
        ] + template
    ) { cronJob, now in
        let spec = cronJob.json["spec"] ?? [:]
        let status = cronJob.json["status"] ?? [:]
        let last = status["lastScheduleTime"].flatMap(Timestamp.init(json:))
        return [
            .string(cronJob.metadata.name), .string(spec["schedule"]?.string ?? ""),
            orNone(spec["timeZone"]?.string),
            .string(spec["suspend"]?.bool.map { $0 ? "True" : "False" } ?? "<unset>"),
            .int(Int64(status["active"]?.array?.count ?? 0)),
            last.map { .string(Timestamp.age(of: $0, at: now)) } ?? "<none>", ageCell(cronJob.metadata, now),
        ] + jobTemplateCells(spec["jobTemplate"]?["spec"] ?? [:])
    }
}
