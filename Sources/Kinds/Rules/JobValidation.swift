import Model

extension FieldErrors {
    /// The largest number of completions of an indexed job for which failures need not be bounded.
    private static let manyCompletions: Int64 = 100_000
    private static let manyIndexes: Int64 = 10_000

    /// A job's specification, in a job or in a CronJob's template (C26).
    mutating func checkJob(_ spec: JSON, _ path: FieldPath) {
        if spec["maxFailedIndexes"] != nil, spec["backoffLimitPerIndex"] == nil {
            required(path["backoffLimitPerIndex"], "when maxFailedIndexes is specified")
        }
        if let controller = spec["managedBy"]?.string { checkManager(controller, path["managedBy"]) }
        let isIndexed = spec["completionMode"] == "Indexed"
        if isIndexed { checkIndexed(spec, path) }
        if !isIndexed {
            for name in ["backoffLimitPerIndex", "maxFailedIndexes"] where spec[name] != nil {
                invalid(path[name], spec[name], "requires indexed completion mode")
            }
        }
        let template = PodTemplateSpec(viewing: spec["template"] ?? [:])
        if let policy = spec["podFailurePolicy"] {
            checkFailurePolicy(policy, spec, template.containerNames, path["podFailurePolicy"])
        }
        if let policy = spec["successPolicy"] {
            if isIndexed {
                checkSuccessPolicy(policy, spec["completions"]?.int ?? 0, path["successPolicy"])
            } else {
                invalid(path["successPolicy"], policy, "requires indexed completion mode")
            }
        }
        if let policy = spec["podReplacementPolicy"]?.string {
            let supported = spec["podFailurePolicy"] == nil ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
            if !supported.contains(policy) { notSupported(path["podReplacementPolicy"], .string(policy), supported) }
        }
        checkPodTemplate(template, path["template"])
        checkRestarts(template.spec, spec, path["template"]["spec"]["restartPolicy"])
    }

    /// Pods of a job must be able to end.
    private mutating func checkRestarts(_ pod: PodSpec, _ spec: JSON, _ path: FieldPath) {
        switch pod.restartPolicy {
        case nil, "", "Always": required(path, "valid values: \"OnFailure\", \"Never\"")
        case "OnFailure" where spec["podFailurePolicy"] != nil:
            invalid(path, "OnFailure", "only \"Never\" is supported when podFailurePolicy is specified")
        default: break
        }
    }

    private mutating func checkManager(_ text: String, _ path: FieldPath) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if text.isEmpty {
            required(path)
        } else if parts.count != 2 || parts.contains("") {
            invalid(path, .string(text), "must be a domain-prefixed path (such as \"acme.io/foo\")")
        } else {
            invalid(path, parts[0], NameSyntax.subdomain(parts[0]))
            let pattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
            let isPath = parts[1].utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "/-._~%!$&'()*+,;=:".utf8.contains(byte)
            }
            if !isPath {
                invalid(path, .string(parts[1]), "Invalid path (regex used for validation is '\(pattern)')")
            }
        }
        if text.utf8.count > 63 { tooLong(path, limit: 63) }
    }

    private mutating func checkIndexed(_ spec: JSON, _ path: FieldPath) {
        let completions = spec["completions"]?.int
        let parallelism = spec["parallelism"]?.int ?? 0
        let failures = spec["maxFailedIndexes"]?.int
        if completions == nil { required(path["completions"], "when completion mode is Indexed") }
        if parallelism > Self.manyCompletions {
            let rule = "must be less than or equal to \(Self.manyCompletions) when completion mode is Indexed"
            invalid(path["parallelism"], .int(parallelism), rule)
        }
        if let failures {
            if let completions, failures > completions {
                invalid(path["maxFailedIndexes"], .int(failures), "must be less than or equal to completions")
            }
            if failures > Self.manyCompletions {
                let rule = "must be less than or equal to \(Self.manyCompletions)"
                invalid(path["maxFailedIndexes"], .int(failures), rule)
            }
        }
        guard let completions, completions > Self.manyCompletions, spec["backoffLimitPerIndex"] != nil else { return }
        let rule =
            "must be less than or equal to \(Self.manyIndexes) when completions are above \(Self.manyCompletions) and "
            + "used with backoff limit per index"
        if failures == nil {
            let rule = "must be specified when completions is above \(Self.manyCompletions)"
            required(path["maxFailedIndexes"], rule)
        }
        if parallelism > Self.manyIndexes { invalid(path["parallelism"], .int(parallelism), rule) }
        if let failures, failures > Self.manyIndexes { invalid(path["maxFailedIndexes"], .int(failures), rule) }
    }

    // MARK: Failure

    private static let ruleLimit = 20

    private mutating func checkFailurePolicy(
        _ policy: JSON, _ spec: JSON, _ containers: Set<String>, _ path: FieldPath
    ) {
        let rules = policy["rules"]?.array ?? []
        let path = path["rules"]
        if rules.count > Self.ruleLimit { tooMany(path, rules.count, limit: Self.ruleLimit) }
        for (index, rule) in rules.enumerated() {
            let path = path[index]
            if rule["action"] == "FailIndex", spec["backoffLimitPerIndex"] == nil {
                invalid(path["action"], "FailIndex", "requires the backoffLimitPerIndex to be set")
            }
            let conditions = rule["onPodConditions"]?.array ?? []
            if let codes = rule["onExitCodes"] { checkExitCodes(codes, containers, path["onExitCodes"]) }
            if conditions.count > Self.ruleLimit {
                tooMany(path["onPodConditions"], conditions.count, limit: Self.ruleLimit)
            }
            for (position, condition) in conditions.enumerated() {
                let path = path["onPodConditions"][position]
                if let type = condition["type"]?.string, !type.isEmpty {
                    invalid(path["type"], type, NameSyntax.qualifiedName(type))
                }
                if (condition["status"]?.string ?? "").isEmpty {
                    required(path["status"], "valid values: [\"False\" \"True\" \"Unknown\"]")
                }
            }
            switch (rule["onExitCodes"] != nil, !conditions.isEmpty) {
            case (true, true):
                invalidWithoutValue(path, "specifying both OnExitCodes and OnPodConditions is not supported")
            case (false, false):
                invalidWithoutValue(path, "specifying one of OnExitCodes and OnPodConditions is required")
            default: break
            }
        }
    }

    private mutating func checkExitCodes(_ codes: JSON, _ containers: Set<String>, _ path: FieldPath) {
        if let name = codes["containerName"]?.string, !containers.contains(name) {
            let rule = "must be one of the container or initContainer names in the pod template"
            invalid(path["containerName"], .string(name), rule)
        }
        let values = (codes["values"]?.array ?? []).compactMap(\.int)
        let path = path["values"]
        if values.count > 255 { tooMany(path, values.count, limit: 255) }
        var seen: Set<Int64> = []
        for (index, value) in values.enumerated() {
            if codes["operator"] == "In", value == 0 {
                invalid(path[index], 0, "must not be 0 for the In operator")
            }
            if !seen.insert(value).inserted { duplicate(path[index], .int(value)) }
        }
        if zip(values, values.dropFirst()).contains(where: { $0 > $1 }) {
            invalid(path, codes["values"], "must be ordered")
        }
    }

    // MARK: Success

    private mutating func checkSuccessPolicy(_ policy: JSON, _ completions: Int64, _ path: FieldPath) {
        let rules = policy["rules"]?.array ?? []
        let path = path["rules"]
        if rules.count > Self.ruleLimit { tooMany(path, rules.count, limit: Self.ruleLimit) }
        for (index, rule) in rules.enumerated() {
            let path = path[index]
            let indexes = rule["succeededIndexes"]?.string
            let count = rule["succeededCount"]?.int
            if indexes == nil, count == nil {
                required(path, "at least one of succeededCount or succeededIndexes must be specified")
            }
            var total: Int64 = 0
            if let indexes {
                let place = path["succeededIndexes"]
                if indexes.utf8.count > 65536 { tooLong(place, limit: 65536) }
                do throws(JobIndexes.Fault) {
                    total = try JobIndexes(indexes, below: completions).count
                } catch {
                    invalid(place, .string(indexes), "error parsing succeededIndexes: \(error)")
                }
            }
            guard let count else { continue }
            let place = path["succeededCount"]
            if count > completions {
                let rule = "must be less than or equal to \(completions) (the number of specified completions)"
                invalid(place, .int(count), rule)
            }
            if indexes != nil, count > total {
                let rule =
                    "must be less than or equal to \(total) (the number of indexes in the specified succeededIndexes "
                    + "field)"
                invalid(place, .int(count), rule)
            }
        }
    }
}

/// Indexes of a job's completions, as its status writes them: `1,3-5,7`.
struct JobIndexes {
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    /// In increasing order, without overlaps.
    private(set) var ranges: [ClosedRange<Int64>] = []

    var count: Int64 { ranges.reduce(0) { $0 + Int64($1.count) } }

    /// - Parameter limit: how many completions there are; every index is below it.
    init(_ text: String, below limit: Int64) throws(Fault) {
        guard !text.isEmpty else { return }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let range = try Self.range(part, below: limit)
            if let last = ranges.last, last.upperBound >= range.lowerBound {
                throw Self.notIncreasing(last.upperBound, range.lowerBound)
            }
            ranges.append(range)
        }
    }

    private static func range(_ text: Substring, below limit: Int64) throws(Fault) -> ClosedRange<Int64> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        if ends.count > 2 {
            throw Fault(
                description: "the fragment \(JSON.string(String(text)).text()) violates the requirement that an index "
                    + "interval can have at most two parts separated by '-'")
        }
        let first = try index(ends[0], below: limit)
        guard ends.count == 2 else { return first...first }
        let last = try index(ends[1], below: limit)
        if first >= last { throw notIncreasing(first, last) }
        return first...last
    }

    private static func index(_ text: Substring, below limit: Int64) throws(Fault) -> Int64 {
        let shown = JSON.string(String(text)).text()
        guard let index = Int64(text) else {
            throw Fault(description: "cannot convert string to integer for index: \(shown)")
        }
        if index >= limit { throw Fault(description: "too large index: \(shown)") }
        return index
    }

    private static func notIncreasing(_ previous: Int64, _ current: Int64) -> Fault {
        Fault(description: "non-increasing order, previous: \(previous), current: \(current)")
    }

    /// The first index that both have.
    func overlap(with other: JobIndexes) -> Int64? {
        var others = other.ranges[...]
        for range in ranges {
            while let next = others.first, next.upperBound < range.lowerBound { others.removeFirst() }
            if let next = others.first, next.overlaps(range) { return max(next.lowerBound, range.lowerBound) }
        }
        return nil
    }
}
