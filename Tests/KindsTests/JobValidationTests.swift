import Kinds
import Model
import Testing

@Suite("Jobs are refused with Kubernetes' messages")
struct JobValidationTests {
    static let created: [Change] = [
        Change(
            "C26", ".spec.template.spec.restartPolicy", nil,
            #"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#),
        Change(
            "C26", ".spec.template.spec.restartPolicy", #""Always""#,
            #"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#),
        Change("C26", ".spec.template.spec.containers", "[]", "spec.template.spec.containers: Required value"),
        Change(
            "C26", ".spec.parallelism", "-1", "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"
        ),
        Change(
            "C26", ".spec.completionMode", #""Sorted""#,
            #"spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed""#),
        Change(
            "C26", ".spec.backoffLimitPerIndex", "1",
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        Change(
            "C26", ".spec.maxFailedIndexes", "1",
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
            "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode"),
        Change(
            "C26", ".spec.managedBy", #""me""#,
            #"spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")"#),
        Change(
            "C26", ".spec.podReplacementPolicy", #""Never""#,
            #"spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed""#
        ),
        Change(
            "C26", ".spec.successPolicy", #"{"rules": [{"succeededCount": 1}]}"#,
            #"spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode"#),
        Change("C27", ".metadata.uid", nil, "metadata.uid: Required value"),
        Change(
            "C27", ".spec.template.metadata.labels", #"{"job-name": "other"}"#,
            #"spec.template.metadata.labels[job-name]: Invalid value: {"job-name":"other","#
                + #""batch.kubernetes.io/job-name":"report","controller-uid":"4f6c","#
                + #""batch.kubernetes.io/controller-uid":"4f6c"}: must be 'report'"#),
        Change(
            "C27", ".spec.selector.matchLabels", #"{"a": "b"}"#,
            #"spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"4f6c"}}: "#
                + "`selector` not auto-generated",
            #"spec.template.metadata.labels: Invalid value: {"job-name":"report","#
                + #""batch.kubernetes.io/job-name":"report","controller-uid":"4f6c","#
                + #""batch.kubernetes.io/controller-uid":"4f6c"}: `selector` does not match template `labels`"#),
    ]

    @Test("creation", arguments: created)
    func create(change: Change) throws {
        #expect(try Manifests.job.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test("C27: a selector by hand must be one, and select the pods")
    func manual() throws {
        let job = Manifests.job.setting(".spec.manualSelector", true)
        #expect(
            try job.createErrors == [
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`",
            ])
    }

    static let indexed: [Change] = [
        Change("C26", ".spec.completions", nil, "spec.completions: Required value: when completion mode is Indexed"),
        Change(
            "C26", ".metadata.name", #""a.b""#,
            #"metadata.name: Invalid value: "a.b": will not able to create pod with invalid DNS label: a.b-4"#),
        Change(
            "C26", ".spec.parallelism", "100001",
            "spec.parallelism: Invalid value: 100001: "
                + "must be less than or equal to 100000 when completion mode is Indexed"),
        Change(
            "C26", ".spec.successPolicy", #"{"rules": [{"succeededIndexes": "0,2-3", "succeededCount": 4}]}"#,
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 "
                + "(the number of indexes in the specified succeededIndexes field)"),
        Change(
            "C26", ".spec.successPolicy", #"{"rules": [{}]}"#,
            "spec.successPolicy.rules[0]: Required value: "
                + "at least one of succeededCount or succeededIndexes must be specified"),
        Change(
            "C26", ".spec.successPolicy", #"{"rules": [{"succeededCount": 6}]}"#,
            "spec.successPolicy.rules[0].succeededCount: Invalid value: 6: "
                + "must be less than or equal to 5 (the number of specified completions)"),
        Change("C26", ".spec.successPolicy", #"{"rules": [{"succeededIndexes": "0-4"}]}"#),
    ]

    @Test("creation of indexed jobs", arguments: indexed)
    func createIndexed(change: Change) throws {
        #expect(try Manifests.indexedJob.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test(
        "indexes are written as increasing numbers and ranges below the number of completions",
        arguments: [
            (
                "1-2-3",
                #"the fragment "1-2-3" violates the requirement that an index interval can have at most two "#
                    + "parts separated by '-'"
            ),
            ("a", #"cannot convert string to integer for index: "a""#), ("0,9", #"too large index: "9""#),
            ("3-2", "non-increasing order, previous: 3, current: 2"),
            ("0-2,2", "non-increasing order, previous: 2, current: 2"),
        ])
    func indexes(text: String, reason: String) throws {
        let policy: JSON = ["rules": [["succeededIndexes": .string(text)]]]
        #expect(
            try Manifests.indexedJob.setting(".spec.successPolicy", policy).createErrors == [
                "spec.successPolicy.rules[0].succeededIndexes: Invalid value: \(JSON.string(text).text()): "
                    + "error parsing succeededIndexes: \(reason)"
            ])
    }

    static let failureRules: [(String, [String])] = [
        (#"{"action": "Count", "onExitCodes": {"operator": "In", "values": [1, 2]}}"#, []),
        (
            #"{"action": "Stop", "onExitCodes": {"operator": "In", "values": [1]}}"#,
            [
                #".action: Unsupported value: "Stop": supported values: "Count", "FailIndex", "FailJob", "Ignore""#
            ]
        ),
        (
            #"{"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}}"#,
            [#".action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set"#]
        ),
        (
            #"{"action": "Count"}"#,
            [": Invalid value: specifying one of OnExitCodes and OnPodConditions is required"]
        ),
        (
            #"""
            {"action": "Count", "onExitCodes": {"operator": "In", "values": [1]},
             "onPodConditions": [{"type": "DisruptionTarget"}]}
            """#,
            [": Invalid value: specifying both OnExitCodes and OnPodConditions is not supported"]
        ),
        (
            #"{"action": "Count", "onExitCodes": {"operator": "In", "containerName": "x", "values": [3, 0, 3]}}"#,
            [
                #".onExitCodes.containerName: Invalid value: "x": "#
                    + "must be one of the container or initContainer names in the pod template",
                ".onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
                ".onExitCodes.values[2]: Duplicate value: 3",
                ".onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
            ]
        ),
    ]

    @Test("rules for pods that fail", arguments: failureRules)
    func failureRule(rule: String, messages: [String]) throws {
        let job = Manifests.job.setting(".spec.podFailurePolicy", ["rules": [Manifests.text(rule)]])
        #expect(try job.createErrors == messages.map { "spec.podFailurePolicy.rules[0]\($0)" })
    }

    @Test("rules for pods that fail need pods that do not restart")
    func failureRestart() throws {
        let job = Manifests.job.setting(".spec.podFailurePolicy", WorkloadDefaultingTests.failurePolicy)
            .setting(".spec.template.spec.restartPolicy", "OnFailure")
        #expect(
            try job.createErrors == [
                #"spec.template.spec.restartPolicy: Invalid value: "OnFailure": "#
                    + #"only "Never" is supported when podFailurePolicy is specified"#
            ])
    }

    // MARK: Update

    private func messages(_ old: JSON, _ path: String, _ value: JSON?) throws -> [String] {
        let strategy = try old.strategy
        let changed = strategy.prepareForUpdate(old.setting(path, value), from: old, subresource: nil)
        return strategy.validateUpdate(changed, from: old).map(\.message)
    }

    @Test(
        "C26: what of a job may change",
        arguments: [
            (Manifests.job, ".spec.parallelism", 4, []), (Manifests.job, ".spec.suspend", true, []),
            (Manifests.job, ".spec.ttlSecondsAfterFinished", 4, []), (Manifests.job, ".spec.backoffLimit", 4, []),
            (Manifests.job, ".spec.completions", 4, ["spec.completions: Invalid value: 4: field is immutable"]),
            (
                Manifests.job, ".spec.completionMode", "Indexed",
                [#"spec.completionMode: Invalid value: "Indexed": field is immutable"#]
            ),
            (
                Manifests.job, ".spec.managedBy", "a.io/b",
                [#"spec.managedBy: Invalid value: "a.io/b": field is immutable"#]
            ),
            (
                Manifests.indexedJob, ".spec.completions", 6,
                ["spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism"]
            ),
        ] as [(JSON, String, JSON, [String])])
    func update(object: JSON, path: String, value: JSON, expected: [String]) throws {
        #expect(try messages(object.stored, path, value) == expected)
    }

    @Test("C26: an indexed job is resized with its parallelism")
    func resize() throws {
        let old = try Manifests.indexedJob.stored
        #expect(try messages(old.setting(".spec.parallelism", 6), ".spec.completions", 6) == [])
    }

    @Test(
        "C26: where pods run may change while the job is suspended and has none",
        arguments: [
            (".spec.template.spec.nodeSelector", ["a": "b"]),
            (".spec.template.spec.tolerations", [["key": "a", "operator": "Exists"]]),
            (".spec.template.spec.schedulingGates", [["name": "wait"]]),
            (".spec.template.metadata.annotations", ["a": "b"]),
            (
                ".spec.template.spec.affinity",
                [
                    "nodeAffinity": [
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            "nodeSelectorTerms": [["matchExpressions": [["key": "a", "operator": "Exists"]]]]
                        ]
                    ]
                ]
            ),
        ] as [(String, JSON)])
    func directives(path: String, value: JSON) throws {
        let suspended = try Manifests.job.setting(".spec.suspend", true).stored
        #expect(try messages(suspended, path, value) == [])
        let again = suspended.setting(path, value)
        #expect(try messages(again, path, nil) == [])
        let running = try Manifests.job.stored
        let refusals = try messages(running, path, value)
        #expect(refusals.count == 1)
        #expect(refusals.allSatisfy { $0.hasPrefix("spec.template: ") && $0.hasSuffix(": field is immutable") })
        let started = suspended.setting(".status", ["startTime": "2026-01-01T00:00:00Z", "active": 1])
        #expect(try messages(started, path, value).count == 1)
    }

    @Test("C26: what pods run may not change while the job is suspended either")
    func image() throws {
        let suspended = try Manifests.job.setting(".spec.suspend", true).stored
        #expect(try messages(suspended, ".spec.template.spec.containers.0.image", "report:2").count == 1)
    }
}

@Suite("A Job's status may not contradict itself")
struct JobStatusTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var spec: String
        var old: String
        var new: String
        var messages: [String]

        init(_ name: String, spec: String = "{}", old: String = "{}", new: String, _ messages: String...) {
            testDescription = name
            self.spec = spec
            self.old = old
            self.new = new
            self.messages = messages
        }
    }

    private static let done =
        #"{"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z", "succeeded": 1, "#
        + #""conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]}"#
    private static let condition = "status.conditions: Invalid value: "

    static let rows: [Row] = [
        Row("completion", new: done),
        Row("unchanged", old: done, new: done),
        Row(
            "complete without time",
            new: #"{"conditions": [{"type": "Complete", "status": "True"}]}"#,
            condition + "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
            "status.completionTime: Required value: completionTime is required for Complete jobs",
            "status.startTime: Required value: startTime is required for finished job"),
        Row(
            "no way back", old: done, new: #"{"startTime": "2026-01-01T00:00:00Z", "succeeded": 1}"#,
            condition + "cannot disable the terminal Complete=True condition",
            condition + "cannot disable the SuccessCriteriaMet=True condition"),
        Row(
            "failure without target",
            new: #"{"startTime": "2026-01-01T00:00:00Z", "conditions": [{"type": "Failed", "status": "True"}]}"#,
            condition + "cannot set Failed=True condition without the FailureTarget=true condition"),
        Row(
            "counters", old: #"{"failed": 2, "succeeded": 2}"#, new: #"{"failed": 1, "succeeded": 1}"#,
            "status.failed: Invalid value: 1: cannot decrease the failed counter",
            "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"),
        Row(
            "ready", new: #"{"active": 1, "ready": 2}"#,
            "status.ready: Invalid value: 2: cannot set more ready pods than active"),
        Row(
            "time without completion", new: #"{"completionTime": "2026-01-01T00:01:00Z"}"#,
            #"status.completionTime: Invalid value: "2026-01-01T00:01:00Z": "#
                + "cannot set completionTime when there is no Complete=True condition"),
        Row(
            "start", old: #"{"startTime": "2026-01-01T00:00:00Z"}"#, new: "{}",
            "status.startTime: Required value: startTime cannot be removed for unsuspended job"),
        Row(
            "indexes", new: #"{"completedIndexes": "0"}"#,
            #"status.completedIndexes: Invalid value: "0": "#
                + "cannot set non-empty completedIndexes when non-indexed completion mode"),
        Row(
            "overlap", spec: #"{"completionMode": "Indexed", "completions": 5, "backoffLimitPerIndex": 1}"#,
            new: #"{"completedIndexes": "0,2-4", "failedIndexes": "1,3"}"#,
            #"status.failedIndexes: Invalid value: "1,3": failedIndexes and completedIndexes overlap at index: 3"#),
        Row(
            "uncounted", new: #"{"uncountedTerminatedPods": {"succeeded": ["a", ""], "failed": ["a"]}}"#,
            #"status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty"#,
            #"status.uncountedTerminatedPods.failed[0]: Duplicate value: "a""#),
    ]

    @Test("C26: updates of a status", arguments: rows)
    func status(row: Row) throws {
        let spec = Manifests.text(row.spec).object ?? JSONObject()
        let job = spec.reduce(Manifests.job) { $0.setting(".spec.\($1.key)", $1.value) }
        let strategy = try job.strategy
        let old = try job.stored.setting(".status", Manifests.text(row.old))
        let new = strategy.prepareForUpdate(
            old.setting(".status", Manifests.text(row.new)), from: old, subresource: "status")
        #expect(
            strategy.validateUpdate(new, from: old, subresource: "status").map(\.message) == row.messages)
    }
}
