import Model

extension FieldErrors {
    /// A job's status, written by whichever controller manages the job: it may not contradict itself, nor go back on
    /// how the job ended. What was wrong before and has not changed is not held against the update.
    mutating func checkJobStatus(_ job: JSON, from old: JSON) {
        let new = JobState(job["status"] ?? [:])
        let previous = JobState(old["status"] ?? [:])
        let path = FieldPath("status")
        checkNotNegative(new.json, ["active", "succeeded", "failed", "ready", "terminating"], path)
        checkUncounted(new.json["uncountedTerminatedPods"], path["uncountedTerminatedPods"])
        checkJobConditions(new, from: previous, job["spec"] ?? [:], path["conditions"])
        checkJobTimes(new, from: previous, job["spec"] ?? [:], path)
        checkFinishedJob(new, from: previous, path)
        checkJobIndexes(new, from: previous, job["spec"] ?? [:], path)
        let isResizable =
            job["spec"]?["completionMode"] == "Indexed" && job["spec"]?["completions"] == job["spec"]?["parallelism"]
        for (name, mayFall) in [("failed", false), ("succeeded", isResizable)] where !mayFall {
            let count = new.json[name]?.int ?? 0
            if count < previous.json[name]?.int ?? 0 {
                invalid(path[name], .int(count), "cannot decrease the \(name) counter")
            }
        }
    }

    private mutating func checkUncounted(_ pods: JSON?, _ path: FieldPath) {
        var seen: Set<String> = []
        for name in ["succeeded", "failed"] {
            for (index, uid) in (pods?[name]?.array ?? []).compactMap(\.string).enumerated() {
                if uid.isEmpty {
                    invalid(path[name][index], "", "must not be empty")
                } else if !seen.insert(uid).inserted {
                    duplicate(path[name][index], .string(uid))
                }
            }
        }
    }

    private mutating func checkJobConditions(
        _ new: JobState, from old: JobState, _ spec: JSON, _ path: FieldPath
    ) {
        let changes = { (condition: String) in new.has(condition) != old.has(condition) }
        if changes("Complete") || changes("Failed"), new.has("Complete"), new.has("Failed") {
            invalidWithoutValue(path, "cannot set Complete=True and Failed=true conditions")
        }
        if changes("Complete") || changes("FailureTarget"), new.has("Complete"), new.has("FailureTarget") {
            invalidWithoutValue(path, "cannot set Complete=True and FailureTarget=true conditions")
        }
        if changes("Failed"), new.has("Failed"), !new.has("FailureTarget") {
            invalidWithoutValue(path, "cannot set Failed=True condition without the FailureTarget=true condition")
        }
        if changes("Complete"), new.has("Complete"), !new.has("SuccessCriteriaMet") {
            let rule = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
            invalidWithoutValue(path, rule)
        }
        if new.has("SuccessCriteriaMet") {
            for condition in ["Failed", "FailureTarget"] where new.has(condition) {
                invalidWithoutValue(path, "cannot set SuccessCriteriaMet=True and \(condition)=true conditions")
            }
        } else if new.has("Complete"), spec["successPolicy"] != nil {
            let rule = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
            invalidWithoutValue(path, rule)
        }
        for condition in ["Failed", "Complete", "FailureTarget"] where old.has(condition) && !new.has(condition) {
            invalidWithoutValue(path, "cannot disable the terminal \(condition)=True condition")
        }
        if old.has("SuccessCriteriaMet"), !new.has("SuccessCriteriaMet") {
            invalidWithoutValue(path, "cannot disable the SuccessCriteriaMet=True condition")
        }
        if old.has("Complete"), !old.has("SuccessCriteriaMet"), new.has("SuccessCriteriaMet") {
            let rule = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
            invalidWithoutValue(path, rule)
        }
    }

    private mutating func checkJobTimes(_ new: JobState, from old: JobState, _ spec: JSON, _ path: FieldPath) {
        let start = new.json["startTime"]
        let end = new.json["completionTime"]
        let previousStart = old.json["startTime"]
        let previousEnd = old.json["completionTime"]
        let completes = new.has("Complete") != old.has("Complete")
        if completes || end != previousEnd {
            if end != nil, !new.has("Complete") {
                let rule = "cannot set completionTime when there is no Complete=True condition"
                invalid(path["completionTime"], end, rule)
            } else if end == nil, new.has("Complete") {
                required(path["completionTime"], "completionTime is required for Complete jobs")
            }
        }
        if start != previousStart || end != previousEnd, let from = start.flatMap(Timestamp.init(json:)),
            let to = end.flatMap(Timestamp.init(json:)), to < from
        {
            invalid(path["completionTime"], end, "completionTime cannot be set before startTime")
        }
        if let end, let previousEnd, end != previousEnd {
            invalid(path["completionTime"], end, "completionTime cannot be mutated")
        }
        if previousStart != nil, start != previousStart, spec["suspend"]?.bool != true {
            required(path["startTime"], "startTime cannot be removed for unsuspended job")
        }
    }

    private mutating func checkFinishedJob(_ new: JobState, from old: JobState, _ path: FieldPath) {
        let status = new.json
        let changes = { (name: String) in new.isFinished != old.isFinished || status[name] != old.json[name] }
        if new.isFinished {
            for name in ["active", "terminating"] {
                guard changes(name), let count = status[name]?.int, count > 0 else { continue }
                invalid(path[name], .int(count), "\(name)>0 is invalid for finished job")
            }
            if changes("startTime"), status["startTime"] == nil {
                required(path["startTime"], "startTime is required for finished job")
            }
            let uncounted = status["uncountedTerminatedPods"]
            let isEmpty = ["failed", "succeeded"].allSatisfy { (uncounted?[$0]?.array ?? []).isEmpty }
            if changes("uncountedTerminatedPods"), !isEmpty {
                let rule = "uncountedTerminatedPods needs to be empty for finished job"
                invalid(path["uncountedTerminatedPods"], uncounted, rule)
            }
        }
        let ready = status["ready"]?.int ?? 0
        if status["ready"] != old.json["ready"], ready > status["active"]?.int ?? 0 {
            invalid(path["ready"], .int(ready), "cannot set more ready pods than active")
        }
    }

    private mutating func checkJobIndexes(_ new: JobState, from old: JobState, _ spec: JSON, _ path: FieldPath) {
        let isIndexed = spec["completionMode"] == "Indexed"
        var parsed: [JobIndexes] = []
        for name in ["completedIndexes", "failedIndexes"] {
            guard let text = new.json[name]?.string else { continue }
            let isChanged = new.json[name] != old.json[name]
            if let completions = spec["completions"]?.int {
                do throws(JobIndexes.Fault) {
                    parsed.append(try JobIndexes(text, below: completions))
                } catch {
                    if isChanged { invalid(path[name], .string(text), "error parsing \(name): \(error)") }
                }
            }
            guard isChanged else { continue }
            if name == "completedIndexes", !text.isEmpty, !isIndexed {
                let rule = "cannot set non-empty completedIndexes when non-indexed completion mode"
                invalid(path[name], .string(text), rule)
            }
            if name == "failedIndexes", spec["backoffLimitPerIndex"] == nil {
                let rule = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
                invalid(path[name], .string(text), rule)
            }
        }
        if parsed.count == 2, let index = parsed[0].overlap(with: parsed[1]) {
            let rule = "failedIndexes and completedIndexes overlap at index: \(index)"
            invalid(path["failedIndexes"], new.json["failedIndexes"], rule)
        }
    }
}
