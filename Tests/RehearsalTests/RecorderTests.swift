import Kinds
import Model
import Rehearsal
import Testing

/// The recorder by itself, fed by hand.
@Suite("Recording what changes")
struct RecorderTests {
    private static let key = Deployment.key("web", in: "default")
    private static let begin = Timestamp(seconds: 1000)

    private static func deployment(replicas: Int = 2, minReadySeconds: Int = 0) -> Object {
        var json = Shop.deployment(image: "web:1", replicas: replicas)
        json[path: ["spec", "minReadySeconds"]] = .int(Int64(minReadySeconds))
        return Object(viewing: json)
    }

    private static func pod(
        _ name: String, hash: String = "old", readySince: Int64? = 900, isLeaving: Bool = false,
        homeless: String? = nil, waiting: String? = nil
    ) -> Object {
        var metadata: JSON = [
            "name": .string(name), "namespace": "default", "labels": ["pod-template-hash": .string(hash)],
            "ownerReferences": [
                [
                    "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": .string("web-\(hash)"), "uid": "1",
                    "controller": true,
                ]
            ],
        ]
        if isLeaving { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        var conditions: [JSON] = []
        if let readySince {
            let time = JSON.string(Timestamp(seconds: readySince).description)
            conditions.append(["type": "Ready", "status": "True", "lastTransitionTime": time])
        }
        if let homeless {
            conditions.append([
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": .string(homeless),
            ])
        }
        var status: JSON = ["phase": "Running", "conditions": .array(conditions)]
        if let waiting {
            status["containerStatuses"] = [["name": "web", "state": ["waiting": ["reason": .string(waiting)]]]]
        }
        let spec: JSON = homeless == nil ? ["nodeName": "node", "containers": []] : ["containers": []]
        return Object(viewing: [
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status,
        ])
    }

    private static func recorder(_ objects: [Object]) -> Recorder {
        Recorder(
            scope: RecordedScope(application: Application.key("shop", in: "martlet"), keys: [key]), objects: objects,
            at: begin)
    }

    private static func play(_ objects: [Object], _ changes: [(Int64, Object)]) -> Recording {
        var recorder = recorder(objects)
        for (second, object) in changes { recorder.take(object.key, object, at: begin + .seconds(second)) }
        return recorder.finish(.healthy, at: begin + .seconds(60))
    }

    @Test("a pod that is no longer ready, or leaves, breaks a promise of two; when, and how few are left")
    func broken() throws {
        for change in [Self.pod("b", readySince: nil), Self.pod("b", isLeaving: true)] {
            let recording = Self.play([Self.deployment(), Self.pod("a"), Self.pod("b")], [(5, change)])
            let web = try #require(recording.workloads.first)
            #expect(web.promise == 2 && web.lowest == 1)
            #expect(web.brokenAt == .seconds(5) && web.lowestAt == .seconds(5))
        }
    }

    @Test("a workload that grows has not broken anything before it has once had the new size")
    func grows() throws {
        let recording = Self.play(
            [Self.deployment(), Self.pod("a"), Self.pod("b")],
            [(1, Self.deployment(replicas: 3)), (2, Self.pod("c", readySince: nil)), (3, Self.pod("c"))])
        let web = try #require(recording.workloads.first)
        #expect(web.brokenAt == nil && web.lowest == 2 && web.promise == 2)
        #expect(recording.peakLoad.pods == 3)
    }

    @Test("a ready pod is available only after minReadySeconds, by time alone")
    func minReady() throws {
        let recording = Self.play(
            [Self.deployment(replicas: 1, minReadySeconds: 10)],
            [(1, Self.pod("a", hash: "new", readySince: 1001)), (30, Self.pod("z", hash: "new", readySince: nil))])
        let web = try #require(recording.workloads.first)
        let counts = web.samples.map { [$0.counts.ready, $0.counts.available] }
        #expect(counts == [[0, 0], [1, 0], [1, 1], [1, 1]])
        #expect(web.samples.last?.counts.new == 2)
    }

    @Test("pods without a node: how many, how long, why, and what became of them")
    func homeless() throws {
        let why = "0/1 nodes are available: 1 Insufficient cpu."
        let recording = Self.play(
            [Self.deployment()],
            [
                (1, Self.pod("a", readySince: nil, homeless: why)), (2, Self.pod("b", readySince: nil, homeless: why)),
                (11, Self.pod("a")),
            ])
        let waiting = try #require(recording.waiting.first)
        #expect(waiting.pods == 2 && waiting.placed == 1 && waiting.remaining == 1)
        #expect(waiting.longest == .seconds(58) && waiting.reason == why)
    }

    @Test("the first sign of failure is a new pod's; what failed before does not count")
    func signs() throws {
        let recording = Self.play(
            [Self.deployment(), Self.pod("a"), Self.pod("b", readySince: nil, waiting: "CrashLoopBackOff")],
            [
                (1, Self.pod("b", readySince: nil, waiting: "ImagePullBackOff")),
                (4, Self.pod("c", hash: "new", readySince: nil, waiting: "ErrImagePull")),
            ])
        let sign = try #require(recording.workloads.first?.sign)
        #expect(sign.at == .seconds(4) && sign.text == "container web: ErrImagePull")
    }

    @Test("a disruption budget is violated when it has less than it had, not while it never had enough")
    func budgets() {
        func budget(_ healthy: Int, _ desired: Int) -> Object {
            var json = Shop.budget(minAvailable: desired)
            json["status"] = [
                "currentHealthy": .int(Int64(healthy)), "desiredHealthy": .int(Int64(desired)), "expectedPods": 3,
                "disruptionsAllowed": 0,
            ]
            return Object(viewing: json)
        }
        let steps = [(1, budget(1, 2)), (2, budget(2, 2)), (3, budget(1, 2)), (4, budget(0, 2)), (5, budget(2, 3))]
        let recording = Self.play([budget(0, 2)], steps.map { (Int64($0.0), $0.1) })
        #expect(recording.budgets.map(\.at) == [.seconds(3)])
        #expect(recording.budgets.map(\.healthy) == [0])
    }
}
