import Model

extension ReadyDelays.Origin {
    var text: String {
        switch self {
        case .given, .learned, .assumed: rawValue
        case .history: "the slowest of the last rollouts"
        }
    }
}

/// The figures in words, one sentence each: what text and Markdown both say.
extension RehearsalReport {
    var headline: String {
        let recording = recording
        let after = recording.duration.text
        switch recording.outcome {
        case .healthy: return "healthy after \(after)"
        case .rolledBack: return "rolled back; the last healthy revision is back after \(after)"
        case .degraded: return "degraded after \(after)"
        case .unfinished: return "not finished after \(after)"
        }
    }

    /// Each workload's lowest availability against its promise.
    var availability: [String] {
        workloads.map { record in
            var text = "\(record.key): "
            if let lowest = record.lowest {
                text += "never fewer than \(lowest) available (at \(record.lowestAt.text)), \(record.promise) promised"
                if let broken = record.brokenAt { text += "; BROKEN at \(broken.text)" }
            } else if record.promise == 0 {
                text += "no promise"
            } else {
                text += "never had the \(record.promise) available replicas that it promises"
            }
            if let delay = delays[record.key] { text += "; ready after \(delay.delay.text) (\(delay.origin.text))" }
            if let pull = pulls[record.key] { text += "; images pulled in \(pull.text)" }
            return text
        }
    }

    var load: String {
        let (start, peak, end) = (recording.startLoad, recording.peakLoad, recording.endLoad)
        func more(_ peak: Int64, _ start: Int64, _ end: Int64) -> Int64 { max(0, peak - max(start, end)) }
        let extra = Recording.Load(
            pods: Int(more(Int64(peak.pods), Int64(start.pods), Int64(end.pods))),
            cpu: more(peak.cpu, start.cpu, end.cpu), memory: more(peak.memory, start.memory, end.memory))
        let nodes = capacity.load
        let verdict = recording.waiting.isEmpty ? "the nodes hold that" : "the nodes do NOT hold that"
        let pods = "at most \(counted(peak.pods, "pod"))"
        let room =
            "\(verdict): \(counted(capacity.nodes, "node")) for \(nodes.pods) pods, \(nodes.cpuText) CPU, "
            + nodes.memoryText
        guard peak.cpu + peak.memory > 0 else {
            return "\(pods), which ask for no CPU or memory and are \(extra.pods) more than before and after; \(room)"
        }
        return "\(pods), \(peak.cpuText) CPU and \(peak.memoryText) memory asked for, "
            + "which is \(counted(extra.pods, "pod")), \(extra.cpuText) CPU and \(extra.memoryText) more than before "
            + "and after; \(room)"
    }

    var waiting: [String] {
        recording.waiting.map { waiting in
            var ends: [String] = []
            if waiting.placed > 0 { ends.append("\(waiting.placed) got one later") }
            if waiting.remaining > 0 { ends.append("\(waiting.remaining) still Pending at the end") }
            let gone = waiting.pods - waiting.placed - waiting.remaining
            if gone > 0 { ends.append("\(gone) removed without one") }
            return "\(waiting.workload): \(counted(waiting.pods, "pod")) without a node for up to "
                + "\(waiting.longest.text), \(ends.joined(separator: ", ")): \(waiting.reason)"
        }
    }

    var budgets: [String] {
        recording.budgets.map {
            "\($0.budget): \($0.healthy) healthy pods of \($0.desired) at \($0.at.text)"
        }
    }

    /// What the sync created, changed, pruned and recreated, and what the rollback did after it.
    var changes: [String] {
        let back = recording.steps.firstIndex { step in
            guard case .verdict("RollingBack", _, _) = step.kind else { return false }
            return true
        }
        let end = recording.steps.endIndex
        return Self.changes(recording.steps[..<(back ?? end)], by: "")
            + Self.changes(recording.steps[(back ?? end)...], by: " by the rollback")
    }

    /// How many objects of one sort are named.
    private static let namedLimit = 20

    private static func changes(_ steps: ArraySlice<Recording.Step>, by whom: String) -> [String] {
        [Recording.Change.created, .changed, .pruned, .recreated].compactMap { change in
            let keys = steps.compactMap { step -> ObjectKey? in
                guard case .synced(let key, change) = step.kind else { return nil }
                return key
            }
            if keys.isEmpty { return nil }
            let names = keys.prefix(namedLimit).map(\.description).joined(separator: ", ")
            let rest = keys.count > namedLimit ? " and \(keys.count - namedLimit) more" : ""
            return "\(keys.count) \(change.rawValue)\(whom): \(names)\(rest)"
        }
    }

    var failure: [String] {
        guard let story = FailureStory(recording) else { return [] }
        var lines: [String] = []
        if let (workload, sign) = story.sign {
            lines.append("first sign at \(sign.at.text): \(workload): \(sign.text)")
        }
        lines.append("certain at \(story.judgedAt.text): \(story.message)")
        if let rollback = story.rollback { lines.append("the last healthy revision was back \(rollback.text) later") }
        return lines
    }

    var timeline: [(at: Duration, text: String)] {
        recording.steps.map { step in
            switch step.kind {
            case .synced(let key, let change): (step.at, "\(key) \(change.rawValue)")
            case .rolledOut(let key): (step.at, "\(key) rolled out")
            case .verdict(let phase, let revision, _): (step.at, "\(phase) \(Self.short(revision))")
            }
        }
    }

    /// A commit by the beginning of its name; a folder whole.
    private static func short(_ revision: String) -> Substring {
        revision.count == 40 && revision.allSatisfy(\.isHexDigit) ? revision.prefix(12) : revision[...]
    }

    /// Where several seeds were played: how they ended and how far apart they are.
    var seeds: String? {
        guard runs.count > 1 else { return nil }
        let healthy = runs.count { $0.recording.outcome.isHealthy }
        let durations = runs.map(\.recording.duration).sorted()
        return "\(runs.count) seeds: \(healthy) healthy, \(durations[0].text) to "
            + "\(durations[durations.count - 1].text); the worst, seed \(worst.seed), is shown"
    }
}
