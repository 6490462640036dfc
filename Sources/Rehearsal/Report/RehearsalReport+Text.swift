import Model

/// The report for a person at a terminal.
extension RehearsalReport {
    /// - Parameter width: columns that the drawn timeline may take.
    package func text(width: Int) -> String {
        var lines = ["Rehearsal of \(revision) from \(origin): \(headline)"]
        if let seeds { lines.append(seeds) }
        let message = recording.outcome.message
        if !message.isEmpty, failure.isEmpty { lines.append(Self.plain(message)) }
        section("Availability", availability, &lines)
        section("Failure", failure, &lines)
        section("Load", [load], &lines)
        section("Without a node", waiting, &lines)
        section("Disruption budgets violated", budgets, &lines)
        section("Objects", changes, &lines)
        section("Timeline", timeline.map { "\(Self.padded($0.at.text, 7))  \($0.text)" }, &lines)
        for record in drawn { lines += [""] + chart(record, width: width) }
        let rest = workloads.count - drawn.count
        if rest > 0 { lines += ["", "\(counted(rest, "more workload")) not drawn"] }
        section("Remarks", remarks, &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    /// The charts that a person still looks at: first of what broke a promise or failed.
    private var drawn: ArraySlice<Recording.WorkloadRecord> {
        let bad = workloads.filter { $0.brokenAt != nil || $0.sign != nil }
        return (bad + workloads.filter { !bad.contains($0) }).prefix(12)
    }

    private func section(_ title: String, _ sentences: [String], _ lines: inout [String]) {
        if sentences.isEmpty { return }
        lines += ["", title] + sentences.map { "  \(Self.plain($0))" }
    }

    /// What pods say may hold anything, and a terminal would obey it.
    private static func plain(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 } ? $0 : " " })
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static let blocks = Array("·▁▂▃▄▅▆▇█")

    /// Replicas over time: a row for the new ones, the old ones and the ready ones, as high as they are many.
    private func chart(_ record: Recording.WorkloadRecord, width: Int) -> [String] {
        let columns = max(20, min(width, 400) - 9)
        let series = ReplicaSeries(record.samples, until: recording.duration, columns: columns)
        let most = record.samples.map { max($0.counts.total, $0.counts.ready) }.max() ?? 0
        func row(_ name: String, _ values: [Int]) -> String {
            let cells = values.map { value -> Character in
                value == 0 || most == 0 ? Self.blocks[0] : Self.blocks[max(1, (value * 8 + most - 1) / most)]
            }
            return "  \(name)\(String(repeating: " ", count: max(0, 6 - name.count))) \(String(cells))"
        }
        let end = recording.duration.text
        let axis = "0s" + Self.padded(end, columns - 2)
        return [
            "\(record.key), \(most) replicas at most", row("new", series.new), row("old", series.old),
            row("ready", series.ready), "         \(axis)",
        ]
    }
}

/// Samples as so many columns of equal time. What is ready is the least of its column, so that no dip is hidden.
struct ReplicaSeries {
    private(set) var new: [Int] = []
    private(set) var old: [Int] = []
    private(set) var ready: [Int] = []

    init(_ samples: [Recording.Sample], until end: Duration, columns: Int) {
        var position = 0
        var counts = samples.first?.counts ?? Recording.Counts()
        for column in 1...columns {
            let until = end * column / columns
            var least = counts.ready
            while position < samples.count, samples[position].at <= until {
                counts = samples[position].counts
                least = column == 1 && position == 0 ? counts.ready : min(least, counts.ready)
                position += 1
            }
            new.append(counts.new)
            old.append(counts.old)
            ready.append(least)
        }
    }
}
