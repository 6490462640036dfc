import Kinds
import Model
import Testing

@Suite("Pod status in a few words")
struct PrintingPodTests {
    private static func pod(
        _ status: JSON, metadata: JSON = [:], spec: JSON = ["containers": [["name": "a"], ["name": "b"]]]
    ) -> Pod {
        Pod(viewing: ["metadata": metadata, "spec": spec, "status": status])
    }

    private static let running: JSON = ["name": "a", "ready": true, "state": ["running": [:]]]

    private static func ended(_ code: JSON, _ reason: String = "", signal: JSON = 0) -> JSON {
        [
            "name": "b",
            "state": ["terminated": ["exitCode": code, "reason": .string(reason), "signal": signal]],
        ]
    }

    private static func waiting(_ reason: String, restarts: JSON = 0) -> JSON {
        ["name": "b", "restartCount": restarts, "state": ["waiting": ["reason": .string(reason)]]]
    }

    @Test(
        "E3: status is the phase, or what the containers say",
        arguments: [
            (["phase": "Pending"], "Pending", "0/2"),
            (["phase": "Failed", "reason": "Evicted"], "Evicted", "0/2"),
            (
                [
                    "phase": "Pending",
                    "conditions": [["type": "PodScheduled", "status": "False", "reason": "SchedulingGated"]],
                ], "SchedulingGated", "0/2"
            ),
            (["phase": "Running", "containerStatuses": [running, running]], "Running", "2/2"),
            (
                ["phase": "Running", "containerStatuses": [running, waiting("CrashLoopBackOff")]], "CrashLoopBackOff",
                "1/2"
            ),
            (
                ["phase": "Running", "containerStatuses": [waiting("ErrImagePull"), ended(1, "Error")]],
                "ErrImagePull", "0/2"
            ),
            (["phase": "Failed", "containerStatuses": [ended(1, "OOMKilled")]], "OOMKilled", "0/2"),
            (["phase": "Failed", "containerStatuses": [ended(137, signal: 9)]], "Signal:9", "0/2"),
            (["phase": "Failed", "containerStatuses": [ended(3)]], "ExitCode:3", "0/2"),
            (["phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]], "Completed", "0/2"),
            (
                [
                    "phase": "Running", "conditions": [["type": "Ready", "status": "True"]],
                    "containerStatuses": [ended(0, "Completed"), running],
                ], "Running", "1/2"
            ),
            (
                [
                    "phase": "Running", "conditions": [["type": "Ready", "status": "False"]],
                    "containerStatuses": [ended(0, "Completed"), running],
                ], "NotReady", "1/2"
            ),
            (
                ["phase": "Failed", "containerStatuses": [ended(0, "Completed"), ended(1, "Error")]], "Error", "0/2"
            ),
        ] as [(JSON, String, String)])
    func status(status: JSON, text: String, ready: String) {
        let summary = PodSummary(Self.pod(status))
        #expect(summary.status == text)
        #expect("\(summary.ready)/\(summary.total)" == ready)
    }

    @Test(
        "E3: the first init container that is not done speaks for the pod",
        arguments: [
            ([], [:], "Init:0/2"),
            ([], ["terminated": ["exitCode": 1]], "Init:ExitCode:1"),
            ([], ["terminated": ["exitCode": 137, "signal": 9]], "Init:Signal:9"),
            ([], ["terminated": ["exitCode": 1, "reason": "Error"]], "Init:Error"),
            ([], ["waiting": ["reason": "CrashLoopBackOff"]], "Init:CrashLoopBackOff"),
            ([], ["waiting": ["reason": "PodInitializing"]], "Init:0/2"),
            ([["name": "x", "state": ["terminated": ["exitCode": 0]]]], ["running": [:]], "Init:1/2"),
        ] as [([JSON], JSON, String)])
    func initContainers(done: [JSON], state: JSON, text: String) {
        let spec: JSON = ["containers": [["name": "a"]], "initContainers": [["name": "x"], ["name": "y"]]]
        let current: JSON = ["name": "y", "state": state]
        let status: JSON = [
            "phase": "Pending", "initContainerStatuses": .array(done + [current]),
            "containerStatuses": [["name": "a", "state": ["waiting": ["reason": "PodInitializing"]]]],
        ]
        #expect(PodSummary(Self.pod(status, spec: spec)).status == text)
    }

    @Test("E4: a started sidecar counts among the containers, and its restarts count after initialization")
    func sidecars() {
        let spec: JSON = [
            "containers": [["name": "a"]],
            "initContainers": [["name": "once"], ["name": "side", "restartPolicy": "Always"]],
        ]
        let status: JSON = [
            "phase": "Running",
            "initContainerStatuses": [
                ["name": "once", "restartCount": 5, "state": ["terminated": ["exitCode": 0]]],
                ["name": "side", "restartCount": 2, "started": true, "ready": true, "state": ["running": [:]]],
            ],
            "containerStatuses": [Self.running],
        ]
        let summary = PodSummary(Self.pod(status, spec: spec))
        #expect((summary.status, summary.ready, summary.total, summary.restarts) == ("Running", 2, 2, 2))
    }

    @Test(
        "E3: a pod that is being deleted is terminating, unless it is done or its node is lost",
        arguments: [
            (["phase": "Running"], "Terminating"), (["phase": "Succeeded"], "Succeeded"),
            (["phase": "Running", "reason": "NodeLost"], "Unknown"),
        ] as [(JSON, String)])
    func deletion(status: JSON, text: String) {
        let pod = Self.pod(status, metadata: ["deletionTimestamp": "2023-01-01T00:00:00Z"])
        #expect(PodSummary(pod).status == text)
    }

    @Test("E4: restarts name the last one's age; completed pods carry the condition")
    func row() {
        let now = PrintingTests.now
        var container = Self.waiting("CrashLoopBackOff", restarts: 3)
        container["lastState"] = ["terminated": ["exitCode": 1, "finishedAt": PrintingTests.ago(300)]]
        var pod = Self.pod(
            ["phase": "Running", "podIP": "10.0.0.9", "containerStatuses": [Self.running, container]],
            metadata: ["name": "web", "creationTimestamp": PrintingTests.ago(3600)])
        pod.spec.nodeName = "node"
        let rows = { (pod: Pod) in
            TablePrinter.table(for: Pod.kind.groupKind, objects: [Object(viewing: pod.json)], now: now).rows
        }
        #expect(
            rows(pod)[0].cells == [
                "web", "1/2", "CrashLoopBackOff", "3 (5m ago)", "60m", "10.0.0.9", "node", "<none>", "<none>",
            ])
        #expect(rows(pod)[0].conditions.isEmpty)
        pod.status.phase = "Succeeded"
        #expect(rows(pod)[0].conditions.map(\.type) == ["Completed"])
        pod.json["spec"]?["readinessGates"] = [["conditionType": "lb"], ["conditionType": "dns"]]
        pod.json["status"]?["conditions"] = [["type": "lb", "status": "True"]]
        #expect(rows(pod)[0].cells.last == "1/2")
    }
}
