import Kinds
import Model
import Rehearsal
import TestServers
import Testing

@Suite("What can be rehearsed", .blocking)
struct ScenarioTests {
    @Test("a workload that the revision does not have is named, with those that it has")
    func unknownWorkload() {
        let scenario = Shop.scenario(failing: [InjectedFailure(workload: "wbe", mode: .crash)])
        #expect(throws: RehearsalError.unknownWorkload("wbe", known: ["web"])) {
            try Rehearsal(scenario, seed: 1).run()
        }
        var delayed = Shop.scenario()
        delayed.delays.named = ["api": .seconds(1)]
        #expect(throws: RehearsalError.unknownWorkload("api", known: ["web"])) {
            try Rehearsal(delayed, seed: 1).run()
        }
    }

    @Test("accounts and classes that only the pods name are taken for granted, and said so")
    func assumed() throws {
        func deployment(_ image: String) -> JSON {
            var deployment = Shop.deployment(image: image)
            deployment[path: ["spec", "template", "spec", "serviceAccountName"]] = "robot"
            deployment[path: ["spec", "template", "spec", "priorityClassName"]] = "gold"
            return deployment
        }
        let scenario = Shop.scenario(from: [deployment("web:1")], to: [deployment("web:2")])
        let recording = try Rehearsal(scenario, seed: 1).run()
        #expect(recording.outcome == .healthy)
        let report = RehearsalReport(scenario, origin: "nothing", runs: [.init(seed: 1, recording: recording)])
        let why = ": taken for granted, as pods name it and the manifests do not hold it"
        #expect(report.remarks == ["ServiceAccount default/robot\(why)", "PriorityClass.scheduling.k8s.io gold\(why)"])
    }

    @Test("a runtime class that only the pods name is taken for granted, so that they fail for what Martlet cannot do")
    func assumedRuntimeClass() throws {
        var deployment = Shop.deployment(image: "web:1")
        deployment[path: ["spec", "template", "spec", "runtimeClassName"]] = "gvisor"
        deployment[path: ["spec", "template", "spec", "overhead"]] = ["cpu": "10m"]
        let recording = try Rehearsal(Shop.scenario(from: nil, to: [deployment]), seed: 1).run()
        guard case .degraded(let why) = recording.outcome else {
            Issue.record("\(recording.outcome)")
            return
        }
        #expect(why.contains("runtimeClassName is not supported"))
    }

    @Test("without a node nothing is played")
    func noNodes() {
        #expect(throws: RehearsalError.noNodes) { try Rehearsal(Shop.scenario(nodes: []), seed: 1).run() }
    }

    @Test("a state to begin with that does not become healthy is an error that says why")
    func unhealthyStart() throws {
        let base = [Shop.deployment(image: "web:1", cpu: "64")]
        let error = #expect(throws: RehearsalError.self) {
            try Rehearsal(Shop.scenario(from: base), seed: 1).run()
        }
        guard case .unhealthyStart(let why)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(why.contains("Insufficient cpu"))
    }

    @Test(
        "a delay that is named wins over one of pods that run, that over one of past rollouts, that over the assumed one"
    )
    func delays() {
        func pod(_ name: String, ready: Int64, restarts: Int64 = 0) -> Pod {
            Pod(viewing: [
                "apiVersion": "v1", "kind": "Pod",
                "metadata": [
                    "name": .string(name), "namespace": "default", "labels": ["pod-template-hash": "abc"],
                    "ownerReferences": [
                        ["apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "controller": true]
                    ],
                ],
                "status": [
                    "conditions": [
                        [
                            "type": "Ready", "status": "True",
                            "lastTransitionTime": .string(Timestamp(seconds: 1000 + ready).description),
                        ]
                    ],
                    "containerStatuses": [
                        [
                            "name": "web", "restartCount": .int(restarts),
                            "state": ["running": ["startedAt": .string(Timestamp(seconds: 1000).description)]],
                        ]
                    ],
                ],
            ])
        }
        let web = Deployment.key("web", in: "default")
        var delays = ReadyDelays(assumed: .seconds(7))
        #expect(delays.delay(of: web).delay == .seconds(7) && delays.delay(of: web).origin == .assumed)
        delays.history = .seconds(11)
        #expect(delays.delay(of: web).delay == .seconds(11) && delays.delay(of: web).origin == .history)
        delays.learn(from: [
            pod("a", ready: 3), pod("b", ready: 4), pod("c", ready: 90), pod("d", ready: 800, restarts: 2),
        ])
        #expect(delays.delay(of: web).delay == .seconds(4) && delays.delay(of: web).origin == .learned)
        delays.named["web"] = .seconds(1)
        #expect(delays.delay(of: web).delay == .seconds(1) && delays.delay(of: web).origin == .given)
    }

    @Test("a longer delay makes a longer rollout")
    func longer() throws {
        var slow = Shop.scenario()
        slow.delays.named["web"] = .seconds(40)
        let (quick, long) = (try Rehearsal(Shop.scenario(), seed: 1).run(), try Rehearsal(slow, seed: 1).run())
        #expect(long.outcome == .healthy)
        // Three pods one after the other, each at least three quarters of its delay.
        #expect(long.duration >= .seconds(90) && quick.duration < .seconds(60))
    }

    @Test("an image is pulled once for each node, and what cannot be pulled is noticed as late as it would be")
    func pulls() async throws {
        var slow = Shop.scenario()
        slow.pullDelays = PullDelays(named: ["web": .seconds(20)])
        let (quick, long) = (try Rehearsal(Shop.scenario(), seed: 1).run(), try Rehearsal(slow, seed: 1).run())
        #expect(long.outcome == .healthy)
        // Three quarters to one and a half times as long, once: the other pods find the image there.
        #expect((Duration.seconds(14)...Duration.seconds(32)).contains(long.duration - quick.duration))
        slow.failures = [InjectedFailure(workload: "web", mode: .pull)]
        let failed = try Rehearsal(slow, seed: 1).run()
        let sign = try #require(failed.workloads.first?.sign)
        #expect(sign.text == "container web: ErrImagePull" && sign.at >= .seconds(15))
        let report = try await RehearsalReport(playing: slow, origin: "the tests", seeds: 1...1)
        #expect(report.text(width: 80).contains("images pulled in 20.0s"))
        slow.pullDelays.named = ["api": .seconds(1)]
        #expect(throws: RehearsalError.unknownWorkload("api", known: ["web"])) { try Rehearsal(slow, seed: 1).run() }
    }

    private static func statefulSet(_ name: String) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "serviceName": .string(name), "selector": ["matchLabels": ["app": .string(name)]],
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": ["containers": [["name": "db", "image": "db:1"]]],
                ],
            ],
        ]
    }

    @Test("pods of kinds on which nothing acts are not played: a remark says so, and they cannot be made to fail")
    func unplayed() async throws {
        let state = [Shop.deployment(image: "web:2"), Self.statefulSet("db")]
        let report = try await RehearsalReport(
            playing: Shop.scenario(from: nil, to: state), origin: "the tests", seeds: 1...1)
        #expect(report.remarks.contains { $0.contains("StatefulSet.apps default/db: its pods are not played") })
        let failing = Shop.scenario(to: state, failing: [InjectedFailure(workload: "db", mode: .crash)])
        #expect(throws: RehearsalError.unplayedWorkload("StatefulSet.apps default/db")) {
            try Rehearsal(failing, seed: 1).run()
        }
    }

    @Test(
        "pods on their own and those of ReplicaSets and ReplicationControllers are played, and fail when told to",
        arguments: [true, false])
    func otherPods(fails: Bool) throws {
        let pod: JSON = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "alone", "namespace": "default"],
            "spec": ["containers": [["name": "web", "image": "web:1"]]],
        ]
        var replicaSet = Shop.deployment("set", image: "web:1", replicas: 2)
        replicaSet["kind"] = "ReplicaSet"
        replicaSet["spec"]?["strategy"] = nil
        var controller = Shop.deployment("old", image: "web:1", replicas: 1)
        controller["kind"] = "ReplicationController"
        controller["apiVersion"] = "v1"
        controller["spec"]?["strategy"] = nil
        let labels = controller[path: ["spec", "selector", "matchLabels"]]
        controller["spec"]?["selector"] = labels
        let failures = fails ? [InjectedFailure(workload: "alone", mode: .crash)] : []
        var scenario = Shop.scenario(from: nil, to: [pod, replicaSet, controller], failing: failures)
        scenario.delays.named = ["set": .seconds(9)]
        let recording = try Rehearsal(scenario, seed: 1).run()
        #expect(recording.outcome.isHealthy == !fails, "\(recording.outcome)")
        let known = recording.workloads.map(\.key)
        #expect(known.contains(Pod.key("alone", in: "default")) && known.contains(ReplicaSet.key("set", in: "default")))
        #expect(known.contains(ReplicationController.key("old", in: "default")))
        if fails { return }
        let ready = recording.workloads.first { $0.key.name == "set" }?.samples.first { $0.counts.ready == 2 }
        #expect(try #require(ready).at >= .seconds(6))
    }

    @Test("objects in another namespace than the Application's own destination are seen like all others")
    func otherNamespace() throws {
        let namespace: JSON = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "staging"]]
        let objects = [Shop.deployment(image: "web:1"), Shop.configMap("settings", "one")].map { object in
            var object = object
            object["metadata"]?["namespace"] = "staging"
            return object
        }
        let recording = try Rehearsal(Shop.scenario(from: nil, to: [namespace] + objects), seed: 1).run()
        #expect(recording.outcome == .healthy)
    }

    @Test("an empty cluster: everything is created, and a failure leaves nothing to return to")
    func empty() throws {
        let fresh = Shop.scenario(from: nil)
        let recording = try Rehearsal(fresh, seed: 2).run()
        #expect(recording.outcome == .healthy)
        #expect(recording.startLoad.pods == 0 && recording.endLoad.pods == 3)
        let failing = Shop.scenario(from: nil, failing: [InjectedFailure(workload: "web", mode: .pull)])
        guard case .degraded(let why) = try Rehearsal(failing, seed: 2).run().outcome else {
            Issue.record("it did not end degraded")
            return
        }
        #expect(why.contains("no earlier revision was healthy"))
    }

    @Test("a failing probe that nobody asks, and a failure of what does not change, are remarked")
    func remarks() async throws {
        let probe = [InjectedFailure(workload: "web", mode: .probe)]
        let blind = [Shop.deployment(image: "web:2", hasProbe: false)]
        let report = try await RehearsalReport(
            playing: Shop.scenario(to: blind, failing: probe), origin: "the tests", seeds: 1...1)
        #expect(report.recording.outcome == .healthy)
        #expect(report.remarks.contains { $0.contains("it has no readiness probe") })
        let same = try await RehearsalReport(
            playing: Shop.scenario(to: [Shop.deployment(image: "web:1")], failing: probe), origin: "the tests",
            seeds: 1...1)
        #expect(same.remarks.contains { $0.contains("starts no new pods of it") })
    }

    @Test("init containers end, one after the other, before the others start", arguments: [true, false])
    func initContainers(fails: Bool) throws {
        var web = Shop.deployment(image: "web:2")
        web[path: ["spec", "template", "spec", "initContainers"]] = [
            ["name": "one", "image": "one"], ["name": "two", "image": "two"],
        ]
        let failures = fails ? [InjectedFailure(workload: "web", mode: .crash)] : []
        let recording = try Rehearsal(Shop.scenario(to: [web], failing: failures), seed: 1).run()
        #expect(recording.outcome.isHealthy == !fails)
        #expect(recording.workloads.first?.sign?.text == (fails ? "container web ended with exit code 1" : nil))
    }

    @Test("a limit of time ends what does not end by itself")
    func limit() throws {
        var scenario = Shop.scenario(nodes: [Shop.node(cpu: "350m")])
        scenario.limit = .seconds(30)
        let recording = try Rehearsal(scenario, seed: 1).run()
        guard case .unfinished(let why) = recording.outcome else {
            Issue.record("it ended")
            return
        }
        #expect((Duration.seconds(30)...Duration.seconds(31)).contains(recording.duration))
        #expect(why.contains("Insufficient cpu") || why.contains("Waiting for rollout"))
    }
}
