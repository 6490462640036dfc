import Kinds
import Model
import Testing

@Suite("Tables of workloads")
struct PrintingWorkloadTests {
    private static func ago(_ seconds: Int64) -> JSON { PrintingTests.ago(seconds) }

    private static func cells(_ group: String, _ kind: String, _ json: JSON) -> [JSON] {
        TablePrinter.table(
            for: GroupKind(group: group, kind: kind), objects: [Object(viewing: json)], now: PrintingTests.now
        ).rows[0].cells
    }

    private static let metadata: JSON = ["name": "w", "creationTimestamp": ago(60)]
    private static let template: JSON = [
        "metadata": ["labels": ["b": "2", "a": "1"]],
        "spec": [
            "containers": [["name": "a", "image": "a:1"], ["name": "b", "image": "b:2"]],
            "nodeSelector": ["disk": "ssd"],
        ],
    ]
    private static let selector: JSON = ["matchLabels": ["app": "w"]]

    @Test(
        "E2: the columns, wide ones marked",
        arguments: [
            ("apps", "StatefulSet", "Name Ready Age (Containers) (Images)"),
            (
                "apps", "DaemonSet",
                "Name Desired Current Ready Up-to-date Available Node-Selector Age (Containers) (Images) (Selector)"
            ),
            ("apps", "ControllerRevision", "Name Controller Revision Age"),
            ("", "ReplicationController", "Name Desired Current Ready Age (Containers) (Images) (Selector)"),
            ("", "PodTemplate", "Name Containers Images Pod-Labels"),
            ("batch", "Job", "Name Status Completions Duration Age (Containers) (Images) (Selector)"),
            (
                "batch", "CronJob",
                "Name Schedule Timezone Suspend Active Last-Schedule Age (Containers) (Images) (Selector)"
            ),
            ("autoscaling", "HorizontalPodAutoscaler", "Name Reference Targets MinPods MaxPods Replicas Age"),
            ("policy", "PodDisruptionBudget", "Name Min-Available Max-Unavailable Allowed-Disruptions Age"),
        ])
    func columns(group: String, kind: String, expected: String) {
        let names = TablePrinter.columns(for: GroupKind(group: group, kind: kind)).map { column in
            let name = column.name.split(separator: " ").joined(separator: "-")
            return column.priority > 0 ? "(\(name))" : name
        }
        #expect(names.joined(separator: " ") == expected)
    }

    @Test("E2: sets show their counts, containers, images and selectors")
    func sets() {
        var json: JSON = [
            "metadata": Self.metadata,
            "spec": ["replicas": 3, "template": Self.template, "selector": Self.selector],
            "status": [
                "replicas": 3, "readyReplicas": 2, "desiredNumberScheduled": 4, "currentNumberScheduled": 3,
                "numberReady": 2, "updatedNumberScheduled": 1, "numberAvailable": 2,
            ],
        ]
        #expect(Self.cells("apps", "StatefulSet", json) == ["w", "2/3", "60s", "a,b", "a:1,b:2"])
        #expect(
            Self.cells("apps", "DaemonSet", json)
                == ["w", 4, 3, 2, 1, 2, "disk=ssd", "60s", "a,b", "a:1,b:2", "app=w"])
        json["spec"]?["selector"] = ["app": "w"]
        #expect(
            Self.cells("", "ReplicationController", json) == ["w", 3, 3, 2, "60s", "a,b", "a:1,b:2", "app=w"])
        #expect(
            Self.cells("", "PodTemplate", ["metadata": Self.metadata, "template": Self.template])
                == ["w", "a,b", "a:1,b:2", "a=1,b=2"])
    }

    @Test("E2: a revision shows what it is one of")
    func revision() {
        var json: JSON = ["metadata": Self.metadata, "revision": 3]
        #expect(Self.cells("apps", "ControllerRevision", json) == ["w", "<none>", 3, "60s"])
        json["metadata"]?["ownerReferences"] = [
            ["apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "1", "controller": true]
        ]
        #expect(Self.cells("apps", "ControllerRevision", json)[1] == "statefulset.apps/db")
    }

    @Test(
        "E2: where a job stands",
        arguments: [
            ([], "Running"), (["Suspended"], "Suspended"), (["SuccessCriteriaMet"], "SuccessCriteriaMet"),
            (["FailureTarget", "SuccessCriteriaMet"], "FailureTarget"), (["FailureTarget", "Failed"], "Failed"),
            (["SuccessCriteriaMet", "Complete"], "Complete"),
        ] as [([String], String)])
    func jobStatus(conditions: [String], expected: String) {
        var json: JSON = [
            "metadata": Self.metadata,
            "status": [
                "conditions": .array(conditions.map { ["type": .string($0), "status": "True"] })
            ],
        ]
        #expect(Self.cells("batch", "Job", json)[1] == .string(expected))
        json["metadata"]?["deletionTimestamp"] = Self.ago(1)
        let isOver = conditions.contains("Complete") || conditions.contains("Failed")
        #expect(Self.cells("batch", "Job", json)[1] == (isOver ? .string(expected) : "Terminating"))
        json["status"]?["conditions"] = [["type": "Suspended", "status": "False"]]
        json["metadata"]?["deletionTimestamp"] = nil
        #expect(Self.cells("batch", "Job", json)[1] == "Running")
    }

    @Test(
        "E2: how much of a job is done, and how long it has run",
        arguments: [
            (["completions": 5], ["succeeded": 2], "2/5", ""),
            (["parallelism": 3], ["succeeded": 2], "2/1 of 3", ""), (["parallelism": 1], [:], "0/1", ""),
            (["completions": 1], ["startTime": ago(90)], "0/1", "90s"),
            (["completions": 1], ["startTime": ago(900), "completionTime": ago(300)], "0/1", "10m"),
        ] as [(JSON, JSON, String, String)])
    func jobProgress(spec: JSON, status: JSON, completions: String, duration: String) {
        var spec = spec
        spec["template"] = Self.template
        let cells = Self.cells("batch", "Job", ["metadata": Self.metadata, "spec": spec, "status": status])
        #expect(
            Array(cells[2...])
                == [.string(completions), .string(duration), "60s", "a,b", "a:1,b:2", "<none>"])
    }

    @Test("E2: a CronJob shows its schedule, and when it was due last")
    func cronJob() {
        var json: JSON = [
            "metadata": Self.metadata,
            "spec": ["schedule": "0 4 * * *", "suspend": false, "jobTemplate": ["spec": ["template": Self.template]]],
        ]
        #expect(
            Self.cells("batch", "CronJob", json)
                == ["w", "0 4 * * *", "<none>", "False", 0, "<none>", "60s", "a,b", "a:1,b:2", "<none>"])
        json["spec"]?["timeZone"] = "Etc/UTC"
        json["spec"]?["suspend"] = true
        json["status"] = ["active": [["name": "a"]], "lastScheduleTime": Self.ago(300)]
        #expect(Array(Self.cells("batch", "CronJob", json)[2...5]) == ["Etc/UTC", "True", 1, "5m"])
    }

    private static func resource(_ name: JSON, _ target: JSON) -> JSON {
        ["type": "Resource", "resource": ["name": name, "target": target]]
    }

    @Test(
        "E2: what an autoscaler measures, and what it should be",
        arguments: [
            ([], [], "<none>"), ([resource("cpu", ["averageUtilization": 80])], [], "cpu: <unknown>/80%"),
            (
                [resource("cpu", ["averageUtilization": 80])],
                [["type": "Resource", "resource": ["name": "cpu", "current": ["averageUtilization": 50]]]],
                "cpu: 50%/80%"
            ),
            (
                [resource("memory", ["averageValue": "1Gi"])],
                [["type": "Resource", "resource": ["current": ["averageValue": "512Mi"]]]], "memory: 512Mi/1Gi"
            ),
            (
                [
                    ["type": "Pods", "pods": ["target": ["averageValue": "10"]]],
                    ["type": "External", "external": ["target": ["averageValue": "3"]]],
                    ["type": "Object", "object": ["target": ["value": "2k"]]],
                ], [["type": "Pods", "pods": ["current": ["averageValue": "5"]]]],
                "5/10, <unknown>/3 (avg) + 1 more..."
            ),
            ([["type": "Object", "object": ["target": ["value": "2k"]]]], [], "<unknown>/2k"),
        ] as [([JSON], [JSON], String)])
    func autoscaler(metrics: [JSON], current: [JSON], expected: String) {
        let json: JSON = [
            "metadata": Self.metadata,
            "spec": [
                "scaleTargetRef": ["kind": "Deployment", "name": "web"], "minReplicas": 1, "maxReplicas": 5,
                "metrics": .array(metrics),
            ],
            "status": ["currentReplicas": 2, "currentMetrics": .array(current)],
        ]
        #expect(
            Self.cells("autoscaling", "HorizontalPodAutoscaler", json)
                == ["w", "Deployment/web", .string(expected), "1", 5, 2, "60s"])
    }

    @Test("E2: a Scale shows how many pods there are to be, and are")
    func scale() {
        let json: JSON = ["metadata": Self.metadata, "spec": ["replicas": 3], "status": ["replicas": 2]]
        #expect(Self.cells("autoscaling", "Scale", json) == ["w", 3, 2, "60s"])
    }

    @Test("E2: a disruption budget shows its bound, and what it allows now")
    func budget() {
        let json: JSON = [
            "metadata": Self.metadata, "spec": ["minAvailable": "50%"], "status": ["disruptionsAllowed": 2],
        ]
        #expect(Self.cells("policy", "PodDisruptionBudget", json) == ["w", "50%", "N/A", 2, "60s"])
    }
}
