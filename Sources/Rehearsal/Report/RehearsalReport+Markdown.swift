import Model

/// The report as a comment on a change.
extension RehearsalReport {
    package var markdown: String {
        var text = "### Rehearsal: \(Self.escaped(headline))\n\nRevision \(Self.escaped(revision)) "
        text += "from \(Self.escaped(origin)).\n"
        if let seeds { text += "\n\(Self.escaped(seeds)).\n" }
        let message = recording.outcome.message
        if !message.isEmpty, failure.isEmpty { text += "\n\(Self.escaped(message))\n" }
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
        let delay = delays[record.key].map { "\($0.delay.text) (\($0.origin.rawValue))" } ?? ""
        let kept = record.brokenAt.map { "**no**, at \($0.text)" } ?? "yes"
        return "| \(Self.escaped(record.key.description)) | \(lowest) | \(record.promise) | \(kept) | \(delay) |\n"
    }

    private func list(_ title: String, _ sentences: [String]) -> String {
        if sentences.isEmpty { return "" }
        return "\n**\(title)**\n\n" + sentences.map { "- \(Self.escaped($0))\n" }.joined()
    }

    /// Text as text, whatever it is made of.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\n", "\r", "\r\n": escaped += " "
            case "<": escaped += "&lt;"
            case "&": escaped += "&amp;"
            case _ where "\\`*_[]|~#".contains(character): escaped += "\\\(character)"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
