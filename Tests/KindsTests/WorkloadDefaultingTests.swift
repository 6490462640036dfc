import Kinds
import Model
import Testing

@Suite("Workloads are filled in as Kubernetes does")
struct WorkloadDefaultingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var object: JSON
        var path: String
        var expected: JSON?

        init(_ object: JSON, _ path: String, _ expected: JSON?) {
            self.object = object
            self.path = path
            self.expected = expected
        }

        var testDescription: String { "\(object["kind"]?.string ?? "")\(path)" }
    }

    static let failurePolicy: JSON = [
        "rules": [["action": "Ignore", "onPodConditions": [["type": "DisruptionTarget"]]]]
    ]
    static let rows: [Row] = [
        Row(Manifests.statefulSet, ".spec.replicas", 1),
        Row(Manifests.statefulSet, ".spec.podManagementPolicy", "OrderedReady"),
        Row(Manifests.statefulSet, ".spec.revisionHistoryLimit", 10),
        Row(
            Manifests.statefulSet, ".spec.updateStrategy",
            ["type": "RollingUpdate", "rollingUpdate": ["partition": 0]]),
        Row(
            Manifests.statefulSet.setting(".spec.updateStrategy.type", "OnDelete"), ".spec.updateStrategy",
            ["type": "OnDelete"]),
        Row(
            Manifests.statefulSet, ".spec.persistentVolumeClaimRetentionPolicy",
            ["whenDeleted": "Retain", "whenScaled": "Retain"]),
        Row(Manifests.statefulSet, ".spec.volumeClaimTemplates.0.kind", "PersistentVolumeClaim"),
        Row(Manifests.statefulSet, ".spec.volumeClaimTemplates.0.spec.volumeMode", "Filesystem"),
        Row(Manifests.statefulSet, ".spec.volumeClaimTemplates.0.status.phase", "Pending"),
        Row(
            Manifests.daemonSet, ".spec.updateStrategy",
            ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 0, "maxUnavailable": 1]]),
        Row(Manifests.daemonSet, ".spec.revisionHistoryLimit", 10),
        Row(Manifests.daemonSet, ".spec.template.spec.dnsPolicy", "ClusterFirst"),
        Row(Manifests.replicationController, ".spec.replicas", 1),
        Row(Manifests.replicationController, ".spec.selector", ["app": "web"]),
        Row(Manifests.replicationController, ".metadata.labels", ["app": "web"]),
        Row(
            Manifests.replicationController.setting(".spec.selector", ["a": "b"]), ".spec.selector", ["a": "b"]),
        Row(Manifests.podTemplate, ".template.spec.containers.0.imagePullPolicy", "IfNotPresent"),
        Row(Manifests.job, ".spec.completions", 1),
        Row(Manifests.job, ".spec.parallelism", 1),
        Row(Manifests.job.setting(".spec.parallelism", 3), ".spec.completions", nil),
        Row(Manifests.job.setting(".spec.completions", 3), ".spec.parallelism", 1),
        Row(Manifests.job, ".spec.backoffLimit", 6),
        Row(Manifests.indexedJob.setting(".spec.backoffLimitPerIndex", 1), ".spec.backoffLimit", 2_147_483_647),
        Row(Manifests.job, ".spec.completionMode", "NonIndexed"),
        Row(Manifests.job, ".spec.suspend", false),
        Row(Manifests.job, ".spec.manualSelector", false),
        Row(Manifests.job, ".spec.podReplacementPolicy", "TerminatingOrFailed"),
        Row(Manifests.job.setting(".spec.podFailurePolicy", failurePolicy), ".spec.podReplacementPolicy", "Failed"),
        Row(
            Manifests.job.setting(".spec.podFailurePolicy", failurePolicy),
            ".spec.podFailurePolicy.rules.0.onPodConditions.0.status", "True"),
        Row(
            Manifests.job.setting(".spec.template.metadata.labels", ["a": "b"]), ".metadata.labels", ["a": "b"]),
        Row(Manifests.cronJob, ".spec.concurrencyPolicy", "Allow"),
        Row(Manifests.cronJob, ".spec.suspend", false),
        Row(Manifests.cronJob, ".spec.successfulJobsHistoryLimit", 3),
        Row(Manifests.cronJob, ".spec.failedJobsHistoryLimit", 1),
        Row(Manifests.cronJob, ".spec.jobTemplate.spec.backoffLimit", nil),
        Row(Manifests.cronJob, ".spec.jobTemplate.spec.template.spec.schedulerName", "default-scheduler"),
        Row(Manifests.horizontalPodAutoscaler, ".spec.minReplicas", 1),
        Row(
            Manifests.horizontalPodAutoscaler, ".spec.metrics",
            [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
                ]
            ]),
        Row(Manifests.horizontalPodAutoscaler, ".spec.behavior", nil),
        Row(
            Manifests.horizontalPodAutoscaler.setting(".spec.behavior.scaleUp.selectPolicy", "Min"), ".spec.behavior",
            [
                "scaleUp": [
                    "selectPolicy": "Min", "stabilizationWindowSeconds": 0,
                    "policies": [
                        ["type": "Pods", "value": 4, "periodSeconds": 15],
                        ["type": "Percent", "value": 100, "periodSeconds": 15],
                    ],
                ],
                "scaleDown": [
                    "selectPolicy": "Max", "policies": [["type": "Percent", "value": 100, "periodSeconds": 15]],
                ],
            ]),
        Row(Manifests.podDisruptionBudget.setting(".spec.selector", [:]), ".spec.selector", [:]),
    ]

    @Test("F: defaults", arguments: rows)
    func defaults(row: Row) throws {
        #expect(try row.object.strategy.defaulted(row.object).value(at: row.path) == row.expected)
    }

    static let initial: [(JSON, JSON)] = [
        (Manifests.statefulSet, ["replicas": 0, "availableReplicas": 0]),
        (
            Manifests.daemonSet,
            ["currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0]
        ),
        (Manifests.replicationController, ["replicas": 0]), (Manifests.job, [:]), (Manifests.cronJob, [:]),
        (Manifests.horizontalPodAutoscaler, ["desiredReplicas": 0]),
        (
            Manifests.podDisruptionBudget,
            ["currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0]
        ),
    ]

    @Test("C7: a new object has the status that nothing has touched", arguments: initial)
    func status(object: JSON, expected: JSON) throws {
        #expect(try object.setting(".status", ["replicas": 7]).stored["status"] == expected)
    }

    @Test("C27: a job selects its pods by its uid, and shows their labels as its own")
    func selector() throws {
        let labels: JSON = [
            "controller-uid": "4f6c", "job-name": "report", "batch.kubernetes.io/controller-uid": "4f6c",
            "batch.kubernetes.io/job-name": "report",
        ]
        let job = try Manifests.job.stored
        #expect(job.value(at: ".spec.template.metadata.labels") == labels)
        #expect(job.value(at: ".metadata.labels") == labels)
        #expect(
            job.value(at: ".spec.selector")
                == ["matchLabels": ["batch.kubernetes.io/controller-uid": "4f6c"]])
        let manual = Manifests.job.setting(".spec.manualSelector", true)
            .setting(".spec.selector.matchLabels", ["a": "b"]).setting(".spec.template.metadata.labels", ["a": "b"])
        #expect(try manual.stored.value(at: ".spec.template.metadata.labels") == ["a": "b"])
        #expect(try manual.createErrors == [])
    }

    static let generations: [(JSON, String, JSON, Int64?)] = [
        (Manifests.statefulSet, ".spec.replicas", 2, 2), (Manifests.daemonSet, ".spec.minReadySeconds", 2, 2),
        (Manifests.daemonSet, ".metadata.labels", ["a": "b"], 1),
        (Manifests.replicationController, ".spec.replicas", 2, 2),
        (Manifests.podTemplate, ".template.spec.hostNetwork", true, 2),
        (Manifests.podTemplate, ".metadata.labels", ["a": "b"], 1), (Manifests.job, ".spec.parallelism", 2, 2),
        (Manifests.cronJob, ".spec.suspend", true, 2), (Manifests.podDisruptionBudget, ".spec.minAvailable", 2, 2),
        (Manifests.horizontalPodAutoscaler, ".spec.maxReplicas", 6, nil),
        (Manifests.controllerRevision, ".revision", 2, nil),
    ]

    @Test("C14: the generation counts changes of the specification", arguments: generations)
    func generation(object: JSON, path: String, value: JSON, expected: Int64?) throws {
        let old = try object.stored
        let strategy = try object.strategy
        let new = strategy.prepareForUpdate(old.setting(path, value), from: old, subresource: nil)
        #expect(new.value(at: ".metadata.generation")?.int == expected)
    }

    @Test("a DaemonSet counts changes of its template, whatever an update says")
    func templateGeneration() throws {
        let name = "deprecated.daemonset.template.generation"
        let old = try Manifests.daemonSet.stored
        #expect(old["metadata"]?["annotations"] == [name: "1"])
        let strategy = try old.strategy
        let template = old.setting(".spec.template.spec.hostNetwork", true).setting(".metadata.annotations", nil)
        let changed = strategy.prepareForUpdate(template, from: old, subresource: nil)
        #expect(changed["metadata"]?["annotations"] == [name: "2"])
        let other = strategy.prepareForUpdate(
            changed.setting(".spec.minReadySeconds", 5), from: changed, subresource: nil)
        #expect(other["metadata"]?["annotations"] == [name: "2"])
    }

    @Test("C10: a disruption budget is only updated by who has seen it")
    func unconditional() throws {
        #expect(try !Manifests.podDisruptionBudget.strategy.allowsUnconditionalUpdate)
        for object in Manifests.workloads where object["kind"] != "PodDisruptionBudget" {
            #expect(try object.strategy.allowsUnconditionalUpdate)
        }
    }
}
