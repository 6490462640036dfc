import Cluster
import Engine
import Kinds
import Model
import SimulationKit
import Store

extension Measurement {
    /// How fast the whole control plane runs under virtual time: what simulations and rehearsals rest on.
    static var simulation: [Measurement] {
        [
            Measurement(name: "simulation/rollouts", unit: "per second", limit: .atLeast(100)) {
                let (runs, commits) = (4, 50)
                let elapsed = try ContinuousClock().measure {
                    for seed in 0..<UInt64(runs) { try rollOut(commits, seed: seed) }
                }
                return Double(runs * commits) / (elapsed / .seconds(1))
            }
        ]
    }

    /// A Deployment of four replicas on two nodes that is rolled over again and again, each time to its end.
    private static func rollOut(_ commits: Int, seed: UInt64) throws {
        let store = try Store(persistence: .memory)
        _ = try Simulation.run(seed: seed) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 2, seed: seed)
            let writer = WriteOptions(fieldManager: "bench")
            try await world.run {
                for commit in 0..<commits {
                    let patch: JSON = .object(
                        JSONObject([
                            .init(key: "apiVersion", value: "apps/v1"), .init(key: "kind", value: "Deployment"),
                            .init(key: "metadata", value: ["name": "web", "namespace": "default"]),
                            .init(key: "spec", value: specification(commit)),
                        ]))
                    _ = try await world.registry.patch(
                        Deployment.key("web", in: "default"), .apply(patch, force: true), subresource: nil,
                        options: writer)
                    try await world.wait {
                        guard let deployment = store.snapshot.all(Deployment.self).first else { return false }
                        let status = deployment.status
                        return status.observedGeneration == deployment.metadata.generation
                            && status.updatedReplicas == 4 && status.availableReplicas == 4 && status.replicas == 4
                    }
                }
            }
        }
    }

    private static func specification(_ commit: Int) -> JSON {
        [
            "replicas": 4, "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "web", "image": .string("web:\(commit)")]]],
            ],
        ]
    }
}
