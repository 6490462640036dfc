package import Model

/// The report for programs.
extension RehearsalReport {
    package var json: JSON {
        var json: JSON = [
            "revision": .string(revision), "from": .string(origin), "seed": .string(String(worst.seed)),
            "outcome": .string(recording.outcome.word), "durationSeconds": .number(recording.duration.secondsText),
        ]
        if !recording.outcome.message.isEmpty { json["message"] = .string(recording.outcome.message) }
        json["workloads"] = .array(workloads.map { tree(of: $0) })
        json["failure"] = FailureStory(recording).map(Self.tree)
        json["load"] = [
            "start": Self.tree(recording.startLoad), "peak": Self.tree(recording.peakLoad),
            "end": Self.tree(recording.endLoad), "capacity": Self.tree(capacity.load),
            "nodes": .int(Int64(capacity.nodes)),
        ]
        json["unschedulable"] = .array(
            recording.waiting.map {
                [
                    "workload": Self.tree($0.workload), "pods": .int(Int64($0.pods)),
                    "placed": .int(Int64($0.placed)), "remaining": .int(Int64($0.remaining)),
                    "longestSeconds": .number($0.longest.secondsText),
                    "reason": .string($0.reason),
                ]
            })
        json["budgetViolations"] = .array(
            recording.budgets.map {
                [
                    "budget": Self.tree($0.budget), "atSeconds": .number($0.at.secondsText),
                    "healthy": .int(Int64($0.healthy)), "desired": .int(Int64($0.desired)),
                ]
            })
        json["steps"] = .array(recording.steps.map(Self.tree))
        json["remarks"] = .array(remarks.map { .string($0) })
        json["runs"] = .array(
            runs.map {
                [
                    "seed": .string(String($0.seed)), "outcome": .string($0.recording.outcome.word),
                    "durationSeconds": .number($0.recording.duration.secondsText),
                ]
            })
        return json
    }

    private static func tree(_ key: ObjectKey) -> JSON {
        [
            "group": .string(key.kind.group), "kind": .string(key.kind.kind), "namespace": .string(key.namespace),
            "name": .string(key.name),
        ]
    }

    private static func tree(_ load: Recording.Load) -> JSON {
        [
            "pods": .int(Int64(load.pods)), "cpu": .string(load.cpuText),
            "memory": .string(Quantity(load.memory, format: .binarySI).description),
        ]
    }

    private func tree(of record: Recording.WorkloadRecord) -> JSON {
        var json = Self.tree(record.key)
        json["promisedAvailable"] = .int(Int64(record.promise))
        json["lowestAvailable"] = record.lowest.map { .int(Int64($0)) } ?? .null
        json["lowestAtSeconds"] = .number(record.lowestAt.secondsText)
        json["isPromiseKept"] = .bool(record.brokenAt == nil)
        if let delay = delays[record.key] {
            json["readyDelaySeconds"] = .number(delay.delay.secondsText)
            json["readyDelayOrigin"] = .string(delay.origin.rawValue)
        }
        if let pull = pulls[record.key] { json["pullDelaySeconds"] = .number(pull.secondsText) }
        json["replicas"] = .array(
            record.samples.map {
                [
                    "atSeconds": .number($0.at.secondsText), "old": .int(Int64($0.counts.old)),
                    "new": .int(Int64($0.counts.new)), "ready": .int(Int64($0.counts.ready)),
                    "available": .int(Int64($0.counts.available)), "pending": .int(Int64($0.counts.pending)),
                    "terminating": .int(Int64($0.counts.leaving)),
                ]
            })
        return json
    }

    private static func tree(_ story: FailureStory) -> JSON {
        var json: JSON = [
            "certainAtSeconds": .number(story.judgedAt.secondsText), "message": .string(story.message),
        ]
        if let (workload, sign) = story.sign {
            json["firstSign"] = [
                "workload": Self.tree(workload), "atSeconds": .number(sign.at.secondsText), "text": .string(sign.text),
            ]
        }
        json["rollbackSeconds"] = story.rollback.map { .number($0.secondsText) } ?? .null
        return json
    }

    private static func tree(_ step: Recording.Step) -> JSON {
        var json: JSON = ["atSeconds": .number(step.at.secondsText)]
        switch step.kind {
        case .synced(let key, let change):
            json["step"] = .string(change.rawValue)
            json["object"] = Self.tree(key)
        case .rolledOut(let key):
            json["step"] = "rolledOut"
            json["object"] = Self.tree(key)
        case .verdict(let phase, let revision, let message):
            json["step"] = .string(phase)
            json["revision"] = .string(revision)
            if !message.isEmpty { json["message"] = .string(message) }
        }
        return json
    }
}
