import Cluster
import Kinds
import Model
import SimulationKit
import Store
import TestServers
import Testing

/// What `kubectl describe` tells of pods, their controllers and their scheduler: Kubernetes' words (A9, B7, H9, H10,
/// I7, I9, I18), as tools and people search for them.
@Suite("Events are worded as Kubernetes words them", .blocking)
struct EventWordingTests {
    /// One Event, its random parts replaced: `HASH` of a ReplicaSet, `POD` behind it, `UID`.
    struct Line: Hashable, Sendable, CustomTestStringConvertible {
        var object: String
        var type: String
        var reason: String
        var message: String
        /// The component, and for the node its name.
        var source: String
        var field: String = ""

        var testDescription: String { "\(object): \(reason): \(message)" }
    }

    struct Told: Sendable {
        var line: Line
        var count: Int
        var event: Event
    }

    // MARK: The story

    private static func pod(_ name: String, _ annotations: [String: String] = [:], _ spec: JSON = [:]) -> Object {
        var container: JSON = ["name": "web", "image": "web:1"]
        for member in spec["container"]?.object ?? JSONObject() { container[member.key] = member.value }
        var pod = Pod(named: name, in: "default")
        pod.metadata.annotations = annotations
        var content: JSON = ["containers": [container], "terminationGracePeriodSeconds": 5]
        content["volumes"] = spec["volumes"]
        pod.json["spec"] = content
        return Object(viewing: pod.json)
    }

    private static let probe: JSON = ["exec": ["command": ["true"]], "periodSeconds": 3, "failureThreshold": 2]

    private static let pods: [Object] = [
        pod("crashing", ["simulation.martlet.dev/crash-after": "1"]),
        pod("unpullable", ["simulation.martlet.dev/pull": "fail"]),
        pod("never", ["simulation.martlet.dev/pull": "fail"], ["container": ["imagePullPolicy": "Never"]]),
        pod("unstartable", ["simulation.martlet.dev/start": "fail"]),
        pod("unready", ["simulation.martlet.dev/probe": "fail"], ["container": ["readinessProbe": probe]]),
        pod("unlively", ["simulation.martlet.dev/probe": "fail"], ["container": ["livenessProbe": probe]]),
        pod("unstarted", ["simulation.martlet.dev/probe": "fail"], ["container": ["startupProbe": probe]]),
        pod("unmounted", [:], ["volumes": [["name": "config", "configMap": ["name": "absent"]]]]),
        pod(
            "tokened", [:],
            ["volumes": [["name": "t", "projected": ["sources": [["serviceAccountToken": ["path": "t"]]]]]]]),
        pod("unset", [:], ["container": ["envFrom": [["secretRef": ["name": "absent"]]]]]),
        pod("huge", [:], ["container": ["resources": ["requests": ["cpu": "9000"]]]]),
    ]

    /// Everything that was told, after ten minutes of it.
    private static let story: Result<[Told], any Error> = Result {
        try Simulation.run(seed: 11) { clock in
            let machine = SimulatedMachine(clock: clock, nodes: 1, seed: 11)
            return try await machine.run {
                let cluster = try await machine.cluster()
                var random = SplitMix64(seed: 1)
                var shop = Shop(seed: 1)
                (shop.replicas, shop.surge, shop.unavailable) = (2, 1, 0)
                let template = Shop.template("web:1", .good, using: &random)
                _ = try await cluster.create(shop.deployment(template), options: Shop.options)
                for pod in pods { _ = try await cluster.create(pod, options: Shop.options) }
                try await machine.wait { isUp(2, $0) }
                try await Shop.scale(to: 1, in: cluster)
                try await machine.wait { isUp(1, $0) }
                try await clock.sleep(for: .seconds(600))
                let snapshot = machine.snapshot
                return (snapshot?.all(Event.self) ?? []).map { told($0, snapshot) }
            }
        }.value
    }

    private static func isUp(_ replicas: Int, _ snapshot: Snapshot) -> Bool {
        let status = snapshot.all(Deployment.self).first?.status
        return status?.availableReplicas ?? 0 == replicas && status?.replicas ?? 0 == replicas
    }

    private static func told(_ event: Event, _ snapshot: Snapshot?) -> Told {
        let object = event.involvedObject
        var source = event.source.component ?? ""
        if let host = event.source.host, !host.isEmpty { source += ", \(host)" }
        var line = Line(
            object: "\(object.kind ?? "") \(object.name ?? "")", type: event.type ?? "", reason: event.reason ?? "",
            message: event.message ?? "", source: source, field: object.fieldPath ?? "")
        if let uid = object.uid { line.message = line.message.replacing(uid, with: "UID") }
        let sets = snapshot?.all(ReplicaSet.self).map(\.metadata.name) ?? []
        let name = /web-[a-z0-9]+-[a-z0-9]{5}\b/
        line.object = line.object.replacing(name, with: "web-HASH-POD")
        line.message = line.message.replacing(name, with: "web-HASH-POD")
        for set in sets {
            line.object = line.object.replacing(set, with: "web-HASH")
            line.message = line.message.replacing(set, with: "web-HASH")
        }
        return Told(line: line, count: event.count ?? 1, event: event)
    }

    // MARK: The words

    private static func deployment(_ reason: String, _ message: String) -> Line {
        Line(
            object: "Deployment web", type: "Normal", reason: reason, message: message, source: "deployment-controller")
    }

    private static func replicaSet(_ reason: String, _ message: String) -> Line {
        Line(
            object: "ReplicaSet web-HASH", type: "Normal", reason: reason, message: message,
            source: "replicaset-controller")
    }

    private static func node(_ pod: String, _ type: String, _ reason: String, _ message: String, _ field: Bool = true)
        -> Line
    {
        Line(
            object: "Pod \(pod)", type: type, reason: reason, message: message, source: "kubelet, node-0",
            field: field ? "spec.containers{web}" : "")
    }

    static let present = "Container image \"web:1\" already present on machine and can be accessed by the pod"

    /// Each with how often it must have been told at least.
    static let words: [(Line, Int)] = [
        (deployment("ScalingReplicaSet", "Scaled up replica set web-HASH from 0 to 2"), 1),
        (deployment("ScalingReplicaSet", "Scaled down replica set web-HASH from 2 to 1"), 1),
        (replicaSet("SuccessfulCreate", "Created pod: web-HASH-POD"), 1),
        (replicaSet("SuccessfulDelete", "Deleted pod: web-HASH-POD"), 1),
        (
            Line(
                object: "Pod web-HASH-POD", type: "Normal", reason: "Scheduled",
                message: "Successfully assigned default/web-HASH-POD to node-0", source: "default-scheduler"), 1
        ),
        (
            Line(
                object: "Pod huge", type: "Warning", reason: "FailedScheduling",
                message: "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
                    + "1 Preemption is not helpful for scheduling.", source: "default-scheduler"), 1
        ),
        (node("web-HASH-POD", "Normal", "Pulled", present), 1),
        (node("web-HASH-POD", "Normal", "Created", "Container created"), 1),
        (node("web-HASH-POD", "Normal", "Started", "Container started"), 1),
        (node("web-HASH-POD", "Normal", "Killing", "Stopping container web"), 1),
        (node("crashing", "Normal", "Pulled", present), 3),
        (node("crashing", "Normal", "Created", "Container created"), 3),
        (node("crashing", "Normal", "Started", "Container started"), 3),
        (
            node(
                "crashing", "Warning", "BackOff",
                "Back-off restarting failed container web in pod crashing_default(UID)"), 3
        ),
        (node("unpullable", "Normal", "Pulling", "Pulling image \"web:1\""), 3),
        (
            node(
                "unpullable", "Warning", "Failed",
                "Failed to pull image \"web:1\": image \"web:1\" cannot be pulled in this simulation"), 3
        ),
        (node("unpullable", "Warning", "Failed", "Error: ErrImagePull"), 3),
        (node("unpullable", "Normal", "BackOff", "Back-off pulling image \"web:1\""), 3),
        (node("unpullable", "Warning", "Failed", "Error: ImagePullBackOff"), 3),
        (node("never", "Warning", "Failed", "Error: ErrImageNeverPull"), 3),
        (node("unstartable", "Warning", "Failed", "Error: this simulation starts no container of the pod"), 3),
        (node("unready", "Warning", "Unhealthy", "Readiness probe failed: fails as its annotation says"), 20),
        (node("unlively", "Warning", "Unhealthy", "Liveness probe failed: fails as its annotation says"), 3),
        (node("unlively", "Normal", "Killing", "Container web failed liveness probe, will be restarted"), 3),
        (node("unstarted", "Warning", "Unhealthy", "Startup probe failed: fails as its annotation says"), 3),
        (node("unstarted", "Normal", "Killing", "Container web failed startup probe, will be restarted"), 3),
        (
            node(
                "unmounted", "Warning", "FailedMount",
                "MountVolume.SetUp failed for volume \"config\" : configmap \"absent\" not found", false), 3
        ),
        (node("tokened", "Normal", "Started", "Container started"), 1),
        (node("unset", "Warning", "Failed", "Error: secret \"absent\" not found"), 1),
    ]

    @Test(
        "every report has Kubernetes' type, reason, words, source and field, and repeats are counted", arguments: words)
    func isTold(_ line: Line, _ count: Int) throws {
        let told = try Self.story.get()
        let found = told.filter { $0.line == line }
        let about = told.filter { $0.line.object == line.object }.map { "\($0.count)× \($0.line)" }
        #expect(!found.isEmpty, "only: \(about.joined(separator: "\n"))")
        #expect((found.map(\.count).max() ?? 0) >= count, "\(about.joined(separator: "\n"))")
    }

    @Test("a series is one Event, whose count grows and whose times span it (L3)")
    func series() throws {
        let told = try Self.story.get().filter { $0.line.object == "Pod crashing" }
        #expect(Set(told.map(\.line)).count == told.count, "no report became two Events")
        for item in told where item.count > 1 {
            let first = try #require(item.event.firstTimestamp)
            let last = try #require(item.event.lastTimestamp)
            #expect(first < last)
        }
        #expect(told.contains { $0.count > 2 })
    }

    @Test("nothing else is told: no report has words of its own that no table knows")
    func isComplete() throws {
        let known = Set(Self.words.map(\.0.reason))
        let others = try Self.story.get().filter { !known.contains($0.line.reason) && $0.line.object.hasPrefix("Pod") }
        #expect(others.map(\.line.testDescription) == [])
    }
}
