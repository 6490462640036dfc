import Cluster
import Engine
import Kinds
import Model
import SimulationKit
import Store
import Testing

@Suite("Preemption in a cluster") struct ClusterPreemptionTests {
    private static let options = WriteOptions(fieldManager: "test")

    /// Four replicas that fill the node's 64 cores.
    private static let filler = Object(viewing: [
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "filler", "namespace": "default"],
        "spec": [
            "replicas": 4, "selector": ["matchLabels": ["app": "filler"]],
            "template": [
                "metadata": ["labels": ["app": "filler"]],
                "spec": [
                    "containers": [["name": "c", "image": "c:1", "resources": ["requests": ["cpu": "16"]]]]
                ],
            ],
        ],
    ])

    private static let polite = Object(viewing: [
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": "polite"], "value": 7,
        "preemptionPolicy": "Never",
    ])

    private static func pod(_ name: String, cpu: String, extra: [String: JSON]) -> Object {
        var spec: JSON = [
            "containers": [["name": "c", "image": "c:1", "resources": ["requests": ["cpu": .string(cpu)]]]]
        ]
        for (key, value) in extra { spec[key] = value }
        return Object(viewing: [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": spec,
        ])
    }

    private static func running(_ snapshot: Snapshot) -> [String] {
        snapshot.all(Pod.self).filter { $0.isReplica && $0.isUp }.map { String($0.metadata.name.prefix(6)) }.sorted()
    }

    /// What was seen of the pods, between any two steps of the cluster.
    private struct Sightings {
        struct Overbooked: Error {}

        var last = Revision.zero
        var nominations: Set<String> = []
        var targets: Set<String> = []
        var victims: Set<String> = []

        mutating func look(at snapshot: Snapshot) throws {
            if snapshot.revision == last { return }
            last = snapshot.revision
            var cores: Int64 = 0
            for pod in snapshot.all(Pod.self) {
                if !pod.spec.nodeName.isEmpty {
                    cores += pod.spec.containers[0].resources.requests["cpu"]?.value ?? 0
                } else if let node = pod.status.nominatedNodeName {
                    nominations.insert("\(pod.metadata.name) \(node)")
                }
                for condition in pod.status.conditions where condition.type == "DisruptionTarget" {
                    victims.insert(pod.metadata.name)
                    targets.insert("\(condition.status) \(condition.reason ?? ""): \(condition.message ?? "")")
                }
            }
            if cores > 64 { throw Overbooked() }
        }
    }

    @Test(
        "H11: an important pod gets the room of as few others as it takes, and nobody else gets that room meanwhile",
        arguments: Seeds.first(2, soak: 60))
    func makesRoom(seed: UInt64) throws {
        let store = try Store(persistence: .memory)
        var seen = Sightings()
        _ = try Simulation.run(seed: seed, observe: { try seen.look(at: store.snapshot) }) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 1, seed: seed)
            try await world.run {
                _ = try await world.registry.create(Self.filler, options: Self.options)
                try await world.wait { Self.running(store.snapshot) == Array(repeating: "filler", count: 4) }
                _ = try await world.registry.create(Self.polite, options: Self.options)
                // It asks first, but would rather wait than end others.
                _ = try await world.registry.create(
                    Self.pod("polite", cpu: "20", extra: ["priorityClassName": "polite"]),
                    options: Self.options)
                _ = try await world.registry.create(
                    Self.pod("urgent", cpu: "20", extra: ["priorityClassName": "system-cluster-critical"]),
                    options: Self.options)
                // The replicas that come anew find no room: 44 cores are left, and they are less important.
                try await world.wait { Self.running(store.snapshot) == ["filler", "filler", "urgent"] }
                try await clock.sleep(for: .seconds(400))
                #expect(Self.running(store.snapshot) == ["filler", "filler", "urgent"])
            }
        }
        #expect(seen.nominations == ["urgent node-0"])
        #expect(seen.victims.count == 2)
        #expect(
            seen.targets == [
                "True PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod"
            ])
        let urgent = try #require(store.snapshot.all(Pod.self).first { $0.metadata.name == "urgent" })
        #expect(urgent.status.nominatedNodeName == nil)
        let events = store.snapshot.all(Event.self).filter { $0.reason == "Preempted" }
        let words = "Normal Preempted by pod \(urgent.metadata.uid) on node node-0"
        #expect(events.map { "\($0.type ?? "") \($0.message ?? "")" } == [words, words])
        #expect(Set(events.map(\.involvedObject.name)) == seen.victims)
        let polite = try #require(store.snapshot.all(Pod.self).first { $0.metadata.name == "polite" })
        let message = polite.status.conditions.first { $0.type == "PodScheduled" }?.message
        #expect(message?.hasSuffix("preemption: not eligible due to preemptionPolicy=Never.") == true)
    }
}
