import Cluster
package import Engine
package import Kinds
import Logging
import Model
package import Store

/// A whole cluster in a simulation: the real registry on a store in memory, the real controllers and scheduler, and
/// simulated nodes.
package final class SimulatedCluster: Sendable {
    package let store: Store
    package let registry: Registry
    package let clock: VirtualClock
    package let loops: ControlLoops
    package let pods: PodSimulator
    private let collector: GarbageCollector
    private let namespaces: NamespaceController

    /// - Parameters:
    ///   - store: kept outside, so that it can be observed between two jobs.
    ///   - nodes: how many there are: `node-0`, `node-1` …
    package init(
        store: Store, clock: VirtualClock, nodes: Int, pace: PodSimulator.Pace = PodSimulator.Pace(), seed: UInt64
    ) {
        guard let addresses = AddressRange("127.96.0.0/16") else { preconditionFailure("the range is one") }
        self.store = store
        self.clock = clock
        registry = Registry(
            store: store, clock: clock, random: SplitMix64(seed: seed),
            configuration: Registry.Configuration(serviceAddresses: addresses))
        var logger = Logger(label: "martlet.simulation")
        logger.logLevel = .error
        loops = ControlLoops(cluster: registry, clock: clock, logger: logger, seed: seed)
        pods = PodSimulator(
            cluster: registry, clock: clock, nodes: (0..<nodes).map { "node-\($0)" }, pace: pace, seed: seed)
        collector = GarbageCollector(cluster: registry, clock: clock, seed: seed, sharing: loops.informers)
        namespaces = NamespaceController(cluster: registry, clock: clock, seed: seed)
    }

    /// Runs the cluster for as long as `body` runs.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await namespaces.ensureSystemNamespaces()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await self.loops.run()
                return nil
            }
            group.addTask {
                try await self.pods.run()
                return nil
            }
            group.addTask {
                try await self.collector.run()
                return nil
            }
            group.addTask {
                try await self.namespaces.run()
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
            }
            throw CancellationError()
        }
    }

    /// Waits, in virtual time, until a look at the cluster is satisfying.
    package func wait(
        atMost limit: Duration = .seconds(3600), until isSatisfied: @escaping @Sendable () async throws -> Bool
    ) async throws {
        let end = clock.now + limit
        while try await !isSatisfied() {
            if clock.now > end { throw Overdue(limit: limit) }
            try await clock.sleep(for: .milliseconds(500))
        }
    }

    /// What was waited for did not come.
    package struct Overdue: Error, CustomStringConvertible {
        package var limit: Duration
        package var description: String { "not satisfied after \(limit) of virtual time" }
    }
}

extension Snapshot {
    /// All objects of a kind, as they are at this moment.
    package func all<Kind: KubernetesObject>(_: Kind.Type = Kind.self) -> [Kind] {
        list(kind: "\(Kind.kind.group)/\(Kind.kind.kind)").map { Kind(viewing: $0.json) }
    }
}
