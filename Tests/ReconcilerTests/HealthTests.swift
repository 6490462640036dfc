import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("Health")
struct HealthTests {
    let now = Timestamp(seconds: 1_000_100)

    struct DeploymentCase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var edit: @Sendable (inout Deployment) -> Void
        var expected: HealthStatusCode
    }

    static let deployments: [DeploymentCase] = [
        DeploymentCase(testDescription: "complete", edit: { _ in }, expected: .healthy),
        DeploymentCase(testDescription: "paused", edit: { $0.spec.paused = true }, expected: .suspended),
        DeploymentCase(
            testDescription: "a newer spec than was observed", edit: { $0.metadata.generation = 3 },
            expected: .progressing),
        DeploymentCase(
            testDescription: "fewer updated than wanted", edit: { $0.status.updatedReplicas = 1 },
            expected: .progressing),
        DeploymentCase(
            testDescription: "old replicas left", edit: { $0.status.replicas = 4 }, expected: .progressing),
        DeploymentCase(
            testDescription: "updated but not available", edit: { $0.status.availableReplicas = 2 },
            expected: .progressing),
        DeploymentCase(
            testDescription: "past its deadline",
            edit: {
                var condition = DeploymentCondition()
                condition.type = "Progressing"
                condition.status = "False"
                condition.reason = "ProgressDeadlineExceeded"
                $0.status.conditions = [condition]
            }, expected: .degraded),
    ]

    @Test("a Deployment is as well as Argo CD says", arguments: deployments)
    func deployment(example: DeploymentCase) {
        var deployment = Deployment(named: "web", in: "default")
        deployment.metadata.generation = 2
        deployment.spec.replicas = 3
        deployment.status.observedGeneration = 2
        deployment.status.replicas = 3
        deployment.status.updatedReplicas = 3
        deployment.status.availableReplicas = 3
        example.edit(&deployment)
        #expect(Health.of(Object(viewing: deployment.json)).status == example.expected)
    }

    static let apiServices: [(condition: JSON?, expected: HealthStatusCode)] = [
        (nil, .progressing), (["type": "Available", "status": "True", "reason": "Local"], .healthy),
        (["type": "Available", "status": "False", "reason": "MissingEndpoints"], .progressing),
        // Nothing here will ever make it available.
        (["type": "Available", "status": "False", "reason": "AggregationNotSupported"], .healthy),
    ]

    @Test("an APIService is well when it is available, or never can be", arguments: apiServices)
    func apiService(condition: JSON?, expected: HealthStatusCode) {
        let service: JSON = [
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": ["name": "v1.a"],
            "status": ["conditions": .array(condition.map { [$0] } ?? [])],
        ]
        #expect(Health.of(Object(viewing: service)).status == expected)
    }

    @Test("a Deployment whose pods are refused says why it waits, and why its time is over", arguments: [false, true])
    func refused(isOver: Bool) {
        var deployment = Deployment(named: "web", in: "default")
        deployment.spec.replicas = 3
        deployment.status.replicas = 3
        deployment.status.updatedReplicas = 1
        func add(_ type: String, _ status: String, _ reason: String, _ message: String) {
            var condition = DeploymentCondition()
            condition.type = type
            condition.status = status
            condition.reason = reason
            condition.message = message
            deployment.status.conditions.append(condition)
        }
        add("ReplicaFailure", "True", "FailedCreate", "pods \"web-x\" is forbidden: exceeded quota: q")
        if isOver { add("Progressing", "False", "ProgressDeadlineExceeded", "") }
        let why = " pods \"web-x\" is forbidden: exceeded quota: q"
        #expect(
            Health.of(Object(viewing: deployment.json)).message
                == (isOver
                    ? "Deployment exceeded its progress deadline" + why
                    : "Waiting for rollout to finish: 1 out of 3 new replicas have been updated..." + why))
    }

    private func find(_ pod: Pod, slowestStart: Duration? = .seconds(2)) -> FailureEvidence.Finding {
        FailureEvidence.find(in: pod, of: "Deployment.apps default/web", at: now, slowestStart: slowestStart)
    }

    private func reason(_ finding: FailureEvidence.Finding) -> String? {
        if case .failure(let failure) = finding { failure.reason } else { nil }
    }

    private func waiting(_ reason: String, restarts: Int = 0) -> Pod {
        Fixture.pod {
            $0.restartCount = restarts
            var waiting = ContainerStateWaiting()
            waiting.reason = reason
            waiting.message = "because"
            $0.state.waiting = waiting
        }
    }

    @Test("one crash is not certain, a crash loop is")
    func crashLoop() {
        #expect(find(waiting("CrashLoopBackOff", restarts: 1)) == .none)
        #expect(reason(find(waiting("CrashLoopBackOff", restarts: 2))) == "CrashLoopBackOff")
    }

    @Test("one failed pull is not certain, a back-off is", arguments: ["ImagePullBackOff", "InvalidImageName"])
    func pull(reason: String) {
        #expect(find(waiting("ErrImagePull")) == .none)
        #expect(self.reason(find(waiting(reason))) == reason)
    }

    @Test("missing configuration gets a moment to appear")
    func configuration() {
        var pod = waiting("CreateContainerConfigError")
        pod.status.startTime = now - .seconds(3)
        let text = "container web of pod web-1 cannot start: because"
        #expect(find(pod) == .undecided(until: now + .seconds(7), because: text))
        pod.status.startTime = now - .seconds(10)
        #expect(reason(find(pod)) == "CreateContainerConfigError")
    }

    @Test(
        "a volume that cannot be prepared is given a second try", arguments: ["ContainerCreating", "PodInitializing"])
    func volume(state: String) {
        var pod = waiting(state)
        pod.status.startTime = now - .seconds(11)
        let text = "container web of pod web-1 cannot start: because"
        #expect(find(pod) == .undecided(until: now + .seconds(4), because: text))
        pod.status.startTime = now - .seconds(15)
        #expect(reason(find(pod)) == "FailedMount")
        pod.status.containerStatuses[0].state.waiting?.message = nil
        #expect(find(pod) == .none, "containers that are being created are no sign of anything")
    }

    @Test(
        "a Deployment that progresses says what its pods wait for",
        arguments: ["cannot start: because", "has no node: 0/1 nodes are available: 1 Insufficient memory."])
    func explains(text: String) {
        var deployment = Deployment(named: "web", in: "default")
        deployment.metadata.uid = "d"
        deployment.spec.template.metadata.labels = ["app": "web"]
        deployment.metadata.generation = 1
        deployment.status.observedGeneration = 1
        deployment.spec.replicas = 1
        var replicaSet = ReplicaSet(named: "web-1", in: "default")
        replicaSet.metadata.uid = "r"
        replicaSet.spec.template = deployment.spec.template
        var pod = waiting("CreateContainerConfigError")
        pod.status.startTime = now - .seconds(3)
        var expected = "container web of pod web-1 \(text)"
        if text.hasPrefix("has no node: ") {
            var condition = PodCondition()
            (condition.type, condition.status, condition.reason) = ("PodScheduled", "False", "Unschedulable")
            condition.message = String(text.dropFirst("has no node: ".count))
            (pod.status.conditions, pod.status.containerStatuses, pod.spec.nodeName) = ([condition], [], "")
            expected = "pod web-1 \(text)"
        }
        let (object, set, pods) = (Object(viewing: deployment.json), replicaSet, [pod, pod])
        let assessment = HealthAssessment(
            of: [object.key], live: { _ in object }, appliedGenerations: [:], replicaSets: { _ in [set] },
            pods: { _ in pods }, slowestStart: nil, at: now)
        #expect(assessment.failure == nil)
        #expect(assessment.message.hasSuffix("... \(expected)"))
        #expect(assessment.byResource[object.key]?.message.hasSuffix("... \(expected)") == true)
    }

    @Test("an unready pod is certain only long after every healthy one was ready")
    func unready() {
        var pod = Fixture.pod {
            var running = ContainerStateRunning()
            running.startedAt = Timestamp(seconds: 1_000_000)
            $0.state.running = running
        }
        var probe = Probe()
        probe.periodSeconds = 1
        probe.failureThreshold = 2
        pod.spec.containers[0].readinessProbe = probe
        #expect(reason(find(pod, slowestStart: .seconds(2))) == "ReadinessProbeFailed")
        #expect(
            find(pod, slowestStart: .seconds(60))
                == .undecided(until: Timestamp(seconds: 1_000_180), because: "container web of pod web-1 is not ready"))
        #expect(find(pod, slowestStart: nil) == .none, "a first deployment is given its time")
        // It was ready until a moment ago: its service was started again, or its node was lost.
        var condition = PodCondition()
        (condition.type, condition.status, condition.lastTransitionTime) = ("Ready", "False", now - .seconds(1))
        pod.status.conditions = [condition]
        #expect(
            find(pod, slowestStart: .seconds(2))
                == .undecided(until: now + .seconds(7), because: "container web of pod web-1 is not ready"))
    }

    @Test("what was last seen before a gap in which nobody looked is given its time anew")
    func gap() {
        var pod = Fixture.pod {
            var running = ContainerStateRunning()
            running.startedAt = Timestamp(seconds: 1_000_000)
            $0.state.running = running
        }
        var probe = Probe()
        (probe.periodSeconds, probe.failureThreshold) = (1, 2)
        pod.spec.containers[0].readinessProbe = probe
        let finding = FailureEvidence.find(
            in: pod, of: "web", at: now, slowestStart: .seconds(2), observedSince: now - .seconds(2))
        #expect(
            finding == .undecided(until: now + .seconds(6), because: "container web of pod web-1 is not ready"))
    }

    @Test("the whole is as bad as its worst part; missing parts are waited for")
    func worst() {
        let map = Fixture.configMap("map")
        let other = ConfigMap.key("other", in: "default")
        func assess(_ keys: [ObjectKey], _ state: FixedState) -> HealthAssessment {
            HealthAssessment(
                of: keys, live: state.object, appliedGenerations: [:], replicaSets: { _ in [] }, pods: { _ in [] },
                slowestStart: nil, at: now)
        }
        #expect(assess([map.key], FixedState([map])).status == .healthy)
        #expect(assess([map.key, other], FixedState([map])).status == .progressing)
        #expect(assess([other], FixedState()).status == .missing)
    }

    @Test(
        "a ReplicationController is judged as a ReplicaSet is",
        arguments: [
            (2, ["observedGeneration": 1], HealthStatusCode.progressing, "observed replication controller generation"),
            (1, ["observedGeneration": 1, "availableReplicas": 1], .progressing, "1 out of 2 new replicas"),
            (1, ["observedGeneration": 1, "availableReplicas": 2], .healthy, ""),
            (
                1,
                [
                    "observedGeneration": 1,
                    "conditions": [["type": "ReplicaFailure", "status": "True", "message": "quota"]],
                ], .degraded, "quota"
            ),
        ] as [(Int64, JSON, HealthStatusCode, String)])
    func replicationController(generation: Int64, status: JSON, code: HealthStatusCode, message: String) {
        let health = Health.of(
            Object(viewing: [
                "apiVersion": "v1", "kind": "ReplicationController",
                "metadata": ["name": "web", "namespace": "shop", "generation": .int(generation)],
                "spec": ["replicas": 2], "status": status,
            ]))
        #expect(health.status == code)
        #expect(message.isEmpty ? health.message.isEmpty : health.message.contains(message))
    }

    @Test("what was applied but not yet seen is still progressing")
    func stale() {
        var deployment = Deployment(named: "web", in: "default")
        deployment.metadata.generation = 1
        deployment.status.observedGeneration = 1
        deployment.spec.replicas = 0
        let object = Object(viewing: deployment.json)
        let assessment = HealthAssessment(
            of: [object.key], live: { _ in object }, appliedGenerations: [object.key: 2], replicaSets: { _ in [] },
            pods: { _ in [] }, slowestStart: nil, at: now)
        #expect(assessment.status == .progressing)
    }

    @Test(
        "what is stored though nothing acts on it fails at once where pods or a volume were hoped for, and only there",
        arguments: [
            ("apps/v1", "StatefulSet", true), ("apps/v1", "DaemonSet", true), ("batch/v1", "Job", true),
            ("batch/v1", "CronJob", true), ("v1", "PersistentVolumeClaim", true),
            ("networking.k8s.io/v1", "NetworkPolicy", false), ("rbac.authorization.k8s.io/v1", "Role", false),
        ])
    func inert(apiVersion: String, kind: String, fails: Bool) {
        let object = Object(viewing: [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "metadata": ["name": "x", "namespace": "shop"],
        ])
        func assess(inert: Set<GroupKind>) -> HealthAssessment {
            HealthAssessment(
                of: [object.key], live: { _ in object }, appliedGenerations: [:], replicaSets: { _ in [] },
                pods: { _ in [] }, slowestStart: nil, inert: inert, at: now)
        }
        let assessment = assess(inert: Catalog.builtIn.inertKinds)
        #expect(Catalog.builtIn.inertKinds.contains(object.key.kind))
        #expect((assessment.failure != nil) == fails)
        #expect(assessment.status == (fails ? .degraded : .healthy))
        #expect(assess(inert: []).failure == nil, "in a cluster that acts on it")
    }

    static let failures: [(status: JSON, message: String)] = [
        (["message": "Pod was rejected: no"], "Pod was rejected: no"), (["reason": "Evicted"], "Evicted"),
        (
            [
                "containerStatuses": [
                    ["name": "a", "state": ["terminated": ["exitCode": 0, "reason": "Completed"]]],
                    ["name": "b", "state": ["terminated": ["exitCode": 3, "reason": "Error"]]],
                ]
            ], "container \"b\" failed with exit code 3"
        ),
        (
            [
                "containerStatuses": [
                    ["name": "a", "state": ["terminated": ["exitCode": 1, "message": "no cheese\n"]]]
                ]
            ],
            "container \"a\" failed with exit code 1: no cheese"
        ),
        (
            [
                "initContainerStatuses": [
                    ["name": "i", "state": ["terminated": ["exitCode": 137, "reason": "OOMKilled"]]]
                ]
            ],
            "container \"i\" failed with exit code 137: OOMKilled"
        ),
    ]

    @Test("a failed pod says which container failed and what it said of its end", arguments: failures)
    func failedPod(status: JSON, message: String) {
        var pod = Pod(named: "job", in: "shop")
        pod.json["spec"] = ["restartPolicy": "Never"]
        pod.json["status"] = status
        pod.status.phase = "Failed"
        #expect(Health.of(pod) == Health(.degraded, message))
    }

    static let services: [(type: String, extra: [String: JSON], status: JSON, expected: Health)] = [
        ("ClusterIP", [:], [:], Health(.healthy)), ("NodePort", [:], [:], Health(.healthy)),
        ("LoadBalancer", [:], ["loadBalancer": ["ingress": [["ip": "127.0.0.1"]]]], Health(.healthy)),
        (
            "LoadBalancer", [:], ["loadBalancer": [:]],
            Health(
                .progressing, "Waiting for a load balancer address; events of the Service may say what is in the way")
        ),
        (
            "LoadBalancer", ["loadBalancerClass": "example.com/lb"], [:],
            Health(.progressing, "Waiting for an address from the load balancer of class example.com/lb")
        ),
    ]

    @Test("a load balancer is healthy once it has an address, and says what it waits for", arguments: services)
    func service(type: String, extra: [String: JSON], status: JSON, expected: Health) {
        var service = Service(named: "web", in: "shop")
        service.json["spec"] = ["type": .string(type)]
        for (key, value) in extra { service.json[path: ["spec", key]] = value }
        service.json["status"] = status
        #expect(Health.of(service) == expected)
    }
}
