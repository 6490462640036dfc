import Cluster
import Engine
import Kinds
import Model
import SimulationKit
import Store
import TestServers
import Testing

/// A Deployment's promise at every instant (A10): as many available pods as it must keep, no more pods than it may
/// have.
struct RolloutBounds {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    let store: Store
    let minAvailable: Int
    let maxPods: Int
    var last = Revision.zero
    var hasBeenUp = false
    /// How often the cluster changed.
    var looks = 0

    init(store: Store, minAvailable: Int, maxPods: Int) {
        self.store = store
        self.minAvailable = minAvailable
        self.maxPods = maxPods
    }

    mutating func check() throws {
        let snapshot = store.snapshot
        if snapshot.revision == last { return }
        last = snapshot.revision
        looks += 1
        let pods = snapshot.all(Pod.self).filter(\.isReplica)
        let available = pods.count(where: \.isUp)
        if available >= minAvailable { hasBeenUp = true }
        if hasBeenUp, available < minAvailable {
            throw Broken(description: "\(available) available pods of at least \(minAvailable) at \(last)")
        }
        if pods.count > maxPods {
            throw Broken(description: "\(pods.count) pods of at most \(maxPods) at \(last)")
        }
    }
}

extension Pod {
    var isReplica: Bool {
        metadata.deletionTimestamp == nil && status.phase != "Failed" && status.phase != "Succeeded"
    }

    var isUp: Bool { status.conditions.contains { $0.type == "Ready" && $0.status == "True" } }
}

/// A Deployment and what may be done to it.
struct Rollout: Sendable {
    static let key = Deployment.key("web", in: "default")
    static let options = WriteOptions(fieldManager: "test")

    var replicas: Int
    var surge: Int
    var unavailable: Int
    var strategy = "RollingUpdate"

    /// Sizes drawn from the seed.
    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        replicas = Int.random(in: 1...8, using: &random)
        surge = Int.random(in: 0...3, using: &random)
        unavailable = Int.random(in: surge == 0 ? 1...3 : 0...3, using: &random)
    }

    var minAvailable: Int { max(0, replicas - unavailable) }

    var deployment: Object {
        var strategy: JSON = ["type": .string(strategy)]
        if self.strategy == "RollingUpdate" {
            strategy["rollingUpdate"] = ["maxSurge": .int(Int64(surge)), "maxUnavailable": .int(Int64(unavailable))]
        }
        return Object(viewing: [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "default"],
            "spec": [
                "replicas": .int(Int64(replicas)), "selector": ["matchLabels": ["app": "web"]], "strategy": strategy,
                "template": [
                    "metadata": ["labels": ["app": "web"]],
                    "spec": ["containers": [["name": "web", "image": "web:1"]]],
                ],
            ],
        ])
    }

    static func setImage(_ image: String, in cluster: any Cluster) async throws {
        let patch: JSON = [
            ["op": "replace", "path": "/spec/template/spec/containers/0/image", "value": .string(image)]
        ]
        _ = try await cluster.patch(key, .json(patch), subresource: nil, options: options)
    }

    static func scale(to replicas: Int, in cluster: any Cluster) async throws {
        let patch: JSON = ["spec": ["replicas": .int(Int64(replicas))]]
        _ = try await cluster.patch(key, .merge(patch), subresource: nil, options: options)
    }

    /// Whether all pods are of the present template and up (A20), and no others are left.
    static func isComplete(_ snapshot: Snapshot) -> Bool {
        guard let deployment = snapshot.all(Deployment.self).first else { return false }
        let wanted = deployment.spec.replicas ?? 1
        let image = deployment.spec.template.spec.containers.first?.image
        let pods = snapshot.all(Pod.self).filter(\.isReplica)
        let status = deployment.status
        return status.observedGeneration == deployment.metadata.generation && status.updatedReplicas ?? 0 == wanted
            && status.availableReplicas ?? 0 == wanted && status.replicas ?? 0 == wanted && pods.count == wanted
            && pods.allSatisfy { $0.isUp && $0.spec.containers.first?.image == image }
    }
}

/// Rollouts on nodes that are only imitated (`PodSimulator`), which is cheaper than real node agents.
@Suite("Rollouts in simulation", .blocking)
struct RolloutTests {
    @Test(
        "commit after commit, good and bad, availability and surge hold at every instant, and the last one arrives",
        arguments: Seeds.first(2, soak: 400))
    func bounds(seed: UInt64) throws {
        let rollout = Rollout(seed: seed)
        let store = try Store(persistence: .memory)
        var bounds = RolloutBounds(
            store: store, minAvailable: rollout.minAvailable, maxPods: rollout.replicas + rollout.surge)
        _ = try Simulation.run(seed: seed, observe: { try bounds.check() }) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 2, seed: seed)
            try await world.run {
                var random = SplitMix64(seed: seed)
                _ = try await world.registry.create(rollout.deployment, options: Rollout.options)
                try await world.wait { Rollout.isComplete(store.snapshot) }
                for version in 2...9 {
                    let isBad = Int.random(in: 0..<3, using: &random) == 0
                    try await Rollout.setImage(isBad ? "web-\(version):bad" : "web:\(version)", in: world.registry)
                    // Often the next commit comes before this one is through.
                    try await clock.sleep(for: .milliseconds(Int.random(in: 1...20_000, using: &random)))
                }
                try await Rollout.setImage("web:last", in: world.registry)
                try await world.wait { Rollout.isComplete(store.snapshot) }
            }
        }
        #expect(bounds.looks > 100)
    }

    @Test(
        "whatever happens to sizes, pods and nodes, the cluster ends as it should",
        arguments: Seeds.first(2, soak: 300))
    func converges(seed: UInt64) throws {
        let rollout = Rollout(seed: seed)
        let store = try Store(persistence: .memory)
        _ = try Simulation.run(seed: seed) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 3, seed: seed)
            try await world.run {
                var random = SplitMix64(seed: seed &* 31)
                _ = try await world.registry.create(rollout.deployment, options: Rollout.options)
                for step in 1...12 {
                    let pods = store.snapshot.all(Pod.self)
                    switch Int.random(in: 0..<7, using: &random) {
                    case 0, 1: try await Rollout.setImage("web:\(step)", in: world.registry)
                    case 2: try await Rollout.setImage("web-\(step):bad", in: world.registry)
                    case 3: try await Rollout.scale(to: Int.random(in: 0...9, using: &random), in: world.registry)
                    case 4: if let pod = pods.randomElement(using: &random) { world.pods.crash(pod) }
                    case 5:
                        if let pod = pods.randomElement(using: &random) {
                            // It may be gone by now, which is fine.
                            _ = try? await world.registry.delete(pod.key, options: DeleteOptions())
                        }
                    default:
                        let node = "node-\(Int.random(in: 0..<3, using: &random))"
                        world.pods.lose(node)
                        try await clock.sleep(for: .seconds(Int.random(in: 1...500, using: &random)))
                        world.pods.restore(node)
                    }
                    try await clock.sleep(for: .milliseconds(Int.random(in: 1...15_000, using: &random)))
                }
                try await Rollout.setImage("web:last", in: world.registry)
                try await world.wait { Rollout.isComplete(store.snapshot) }
            }
        }
    }

    @Test("a node that is lost for good loses its pods to the others", arguments: Seeds.first(1, soak: 40))
    func nodeLoss(seed: UInt64) throws {
        let store = try Store(persistence: .memory)
        let outcome = try Simulation.run(seed: seed) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 3, seed: seed)
            return try await world.run {
                var rollout = Rollout(seed: seed)
                rollout.replicas = 6
                _ = try await world.registry.create(rollout.deployment, options: Rollout.options)
                try await world.wait { Rollout.isComplete(store.snapshot) }
                world.pods.lose("node-1")
                let lost = clock.now
                try await world.wait {
                    let pods = store.snapshot.all(Pod.self).filter(\.isReplica)
                    return pods.count == 6 && pods.allSatisfy { $0.spec.nodeName != "node-1" && $0.isUp }
                }
                return clock.now - lost
            }
        }
        // G3, G6: 50 s of silence (counted from the last renewal), 300 s of toleration, and the time to start anew.
        #expect(outcome.value > .seconds(330))
        #expect(outcome.value < .seconds(420))
    }

    @Test(
        "what is beyond the history's limit is gone when a rollout is complete (A16)",
        arguments: ["Recreate", "RollingUpdate"])
    func history(strategy: String) throws {
        let store = try Store(persistence: .memory)
        var rollout = Rollout(seed: 1)
        (rollout.strategy, rollout.replicas, rollout.unavailable) = (strategy, 2, 1)
        var deployment = rollout.deployment
        deployment.json[path: ["spec", "revisionHistoryLimit"]] = 0
        let first = deployment
        _ = try Simulation.run(seed: 1) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 2, seed: 1)
            try await world.run {
                _ = try await world.registry.create(first, options: Rollout.options)
                for version in 2...4 {
                    try await world.wait { Rollout.isComplete(store.snapshot) }
                    try await Rollout.setImage("web:\(version)", in: world.registry)
                    try await world.wait {
                        Rollout.isComplete(store.snapshot) && store.snapshot.all(ReplicaSet.self).count == 1
                    }
                }
            }
        }
    }

    @Test("Recreate never runs two versions at once", arguments: Seeds.first(2, soak: 60))
    func recreate(seed: UInt64) throws {
        let store = try Store(persistence: .memory)
        var rollout = Rollout(seed: seed)
        rollout.strategy = "Recreate"
        let deployment = rollout.deployment
        var last = Revision.zero
        let observe = {
            let snapshot = store.snapshot
            if snapshot.revision == last { return }
            last = snapshot.revision
            let images = Set(snapshot.all(Pod.self).compactMap { $0.spec.containers.first?.image })
            if images.count > 1 { throw RolloutBounds.Broken(description: "at once: \(images.sorted())") }
        }
        _ = try Simulation.run(seed: seed, observe: observe) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 2, seed: seed)
            try await world.run {
                _ = try await world.registry.create(deployment, options: Rollout.options)
                for version in 2...4 {
                    try await world.wait { Rollout.isComplete(store.snapshot) }
                    try await Rollout.setImage("web:\(version)", in: world.registry)
                }
                try await world.wait { Rollout.isComplete(store.snapshot) }
            }
        }
    }

    @Test("a commit that never becomes ready is reported at its progress deadline (A20)")
    func deadline() throws {
        let store = try Store(persistence: .memory)
        let outcome = try Simulation.run(seed: 5) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 1, seed: 5)
            return try await world.run {
                _ = try await world.registry.create(Rollout(seed: 5).deployment, options: Rollout.options)
                try await world.wait { Rollout.isComplete(store.snapshot) }
                try await Rollout.setImage("web:bad", in: world.registry)
                let began = clock.now
                try await world.wait {
                    store.snapshot.all(Deployment.self).first?.status.conditions.contains {
                        $0.type == "Progressing" && $0.reason == "ProgressDeadlineExceeded"
                    } == true
                }
                return clock.now - began
            }
        }
        #expect(outcome.value >= .seconds(600))
        #expect(outcome.value < .seconds(615))
    }

    @Test("the same seed gives the same run, another one another")
    func determinism() throws {
        func digest(_ seed: UInt64) throws -> [UInt64] {
            let store = try Store(persistence: .memory)
            let outcome = try Simulation.run(seed: seed) { clock in
                let world = SimulatedCluster(store: store, clock: clock, nodes: 2, seed: seed)
                try await world.run {
                    _ = try await world.registry.create(Rollout(seed: 3).deployment, options: Rollout.options)
                    try await world.wait { Rollout.isComplete(store.snapshot) }
                    try await Rollout.setImage("web:2", in: world.registry)
                    try await world.wait { Rollout.isComplete(store.snapshot) }
                }
            }
            return [outcome.digest, UInt64(outcome.steps), store.snapshot.revision.rawValue]
        }
        #expect(try digest(11) == digest(11))
        #expect(try digest(11) != digest(12))
    }
}
