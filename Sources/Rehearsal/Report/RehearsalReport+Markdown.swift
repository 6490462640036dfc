import Model

/// The report as a comment on a change.
extension RehearsalReport {
    package var markdown: String {
        var text = "### Rehearsal: \(MarkdownText.escaped(headline))\n\nRevision \(MarkdownText.escaped(revision)) "
        text += "from \(MarkdownText.escaped(origin)).\n"
        if let seeds { text += "\n\(MarkdownText.escaped(seeds)).\n" }
        let message = recording.outcome.message
        if !message.isEmpty, failure.isEmpty { text += "\n\(MarkdownText.escaped(message))\n" }
        if !workloads.isEmpty {
            text += "\n| workload | lowest available | promised | kept | ready after |\n|---|---|---|---|---|\n"
            for record in workloads { text += row(record) }
        }
        text += list("Failure", failure) + list("Load", [load]) + list("Without a node", waiting)
        text += list("Disruption budgets violated", budgets)
        text += list("Objects", changes)
        text += list("Timeline", timeline.map { "\($0.at.text) \($0.text)" })
        return text + list("Remarks", remarks)
    }

    private func row(_ record: Recording.WorkloadRecord) -> String {
        let lowest = record.lowest.map { "\($0)" } ?? "never reached"
        let delay = delays[record.key].map { "\($0.delay.text) (\($0.origin.text))" } ?? ""
        let kept = record.brokenAt.map { "**no**, at \($0.text)" } ?? "yes"
        return
            "| \(MarkdownText.escaped(record.key.description)) | \(lowest) | \(record.promise) | \(kept) | \(delay) |\n"
    }

    private func list(_ title: String, _ sentences: [String]) -> String {
        if sentences.isEmpty { return "" }
        return "\n**\(title)**\n\n" + sentences.map { "- \(MarkdownText.escaped($0))\n" }.joined()
    }
}
