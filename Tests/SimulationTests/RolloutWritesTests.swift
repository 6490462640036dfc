import Cluster
import Engine
import Kinds
import Model
import SimulationKit
import Store
import Synchronization
import TestServers
import Testing

/// What a rollout costs in writes: each wakes everybody who follows the object.
@Suite("A rollout writes what somebody may want to know, once", .blocking)
struct RolloutWritesTests {
    private static let replicas = 5

    /// How often something of each kind is written while pod after pod is replaced.
    private static func writes(seed: UInt64) throws -> [String: Int] {
        let counts = Counts()
        return try Simulation.run(seed: seed) { clock in
            let machine = SimulatedMachine(
                clock: clock, nodes: 2, seed: seed,
                companions: [
                    { life in
                        let watch = try life.store.watch(from: life.store.revision)
                        while let batch = try await watch.next() { counts.add(batch.changes) }
                    }
                ])
            return try await machine.run {
                let cluster = try await machine.cluster()
                var rollout = Rollout(seed: seed)
                (rollout.replicas, rollout.surge, rollout.unavailable) = (replicas, 1, 0)
                _ = try await cluster.create(rollout.deployment, options: Rollout.options)
                try await machine.wait { Rollout.isComplete($0) }
                counts.reset()
                try await Rollout.setImage("web:2", in: cluster)
                try await machine.wait { Rollout.isComplete($0) && $0.all(Pod.self).count == replicas }
                // Whatever is still to be told of it.
                try await clock.sleep(for: .seconds(60))
                return counts.all
            }
        }.value
    }

    private final class Counts: Sendable {
        private let state = Mutex<[String: Int]>([:])

        var all: [String: Int] { state.withLock { $0 } }

        func add(_ changes: [Change]) {
            state.withLock { state in
                for change in changes { state[change.key.kind, default: 0] += 1 }
            }
        }

        func reset() { state.withLock { $0 = [:] } }
    }

    @Test("for each pod that is replaced a few", arguments: [1, 2, 3] as [UInt64])
    func writes(seed: UInt64) throws {
        let writes = try Self.writes(seed: seed)
        // Created, bound, has its address, runs; is to end, knows that, has ended, is gone.
        #expect(writes["/Pod"] ?? 0 <= 8 * Self.replicas)
        // Of the new one the size, that the pod is there, and that it is ready; of the old one the size, that a pod is
        // leaving, and that it is gone.
        #expect(writes["apps/ReplicaSet"] ?? 0 <= 6 * Self.replicas + 1)
        // One for each status of a ReplicaSet, and what was asked for.
        #expect(writes["apps/Deployment"] ?? 0 <= 5 * Self.replicas + 2)
    }
}
