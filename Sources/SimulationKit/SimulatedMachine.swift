package import Cluster
package import Engine
import Kinds
import Logging
import Model
package import Store
import Synchronization

/// A machine that serves a cluster: the real registry, controllers, scheduler and node agents, over storage and
/// simulated containers that outlive them. The engine can be killed at any moment and starts anew on what was stored.
package final class SimulatedMachine: Sendable {
    /// The engine between a start and the next kill.
    package struct Life: Sendable {
        package let store: Store
        package let registry: Registry
        /// 1 is the first.
        package let number: Int
    }

    /// One node: its containers run on while its agent is down.
    private struct SimulatedNode: Sendable {
        let name: String
        let agent = Part()
        let runtime: SimulatedRuntime
        let addresses: PodAddresses
    }

    private struct State {
        var life: Life?
        /// Open before there is a cluster that could be used.
        var store: Store?
        var lives = 0
    }

    package let clock: VirtualClock
    package let engine = Part()
    private let nodes: [SimulatedNode]
    private let seed: UInt64
    private let persistence = MemoryPersistence()
    private let companions: [@Sendable (Life) async throws -> Void]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - nodes: how many there are: `node-0`, `node-1` …
    ///   - companions: what else lives and dies with the engine, such as the reconciler.
    package init(
        clock: VirtualClock, nodes: Int, seed: UInt64, companions: [@Sendable (Life) async throws -> Void] = []
    ) {
        self.clock = clock
        self.seed = seed
        self.companions = companions
        self.nodes = (0..<nodes).map { index in
            guard let addresses = PodAddresses(range: "127.\(64 + index).0.0/16") else {
                preconditionFailure("the range is one")
            }
            return SimulatedNode(
                name: "node-\(index)", runtime: SimulatedRuntime(clock: clock), addresses: addresses)
        }
    }

    /// The agent of a node; a node whose agent is stopped falls silent.
    package func agent(of node: Int) -> Part { nodes[node].agent }

    /// What is stored now; `nil` while the engine is down.
    package var snapshot: Snapshot? { state.withLock { $0.life }?.store.snapshot }

    /// The cluster, as soon as there is one.
    package func cluster() async throws -> any Cluster {
        while true {
            if let life = state.withLock({ $0.life }) { return life.registry }
            try await clock.sleep(for: .milliseconds(10))
        }
    }

    /// Kills the engine, waits, and starts it anew.
    package func crash(downtime: Duration) async throws {
        engine.stop()
        try await clock.sleep(for: downtime)
        engine.start()
    }

    /// Runs the machine for as long as `body` runs.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            for node in nodes {
                group.addTask {
                    try await node.runtime.run()
                    return nil
                }
            }
            group.addTask {
                try await self.engine.run(kill: { await self.kill() }) { try await self.live() }
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

    /// From here on nothing is written any more, as when the process is gone.
    private func kill() async {
        let store = state.withLock { state in
            state.life = nil
            return state.store.take()
        }
        await store?.close()
    }

    private func live() async throws {
        guard let addresses = AddressRange("127.96.0.0/16") else { preconditionFailure("the range is one") }
        var logger = Logger(label: "martlet.simulation")
        logger.logLevel = .critical
        let number = state.withLock { state in
            state.lives += 1
            return state.lives
        }
        let seed = seed &+ UInt64(number) &* 0x9E37_79B9
        let store = try Store(persistence: persistence, logger: logger)
        state.withLock { $0.store = store }
        let registry = Registry(
            store: store, clock: clock, random: SplitMix64(seed: seed),
            configuration: Registry.Configuration(serviceAddresses: addresses))
        let loops = ControlLoops(cluster: registry, clock: clock, logger: logger, seed: seed)
        let collector = GarbageCollector(cluster: registry, clock: clock, seed: seed)
        let namespaces = NamespaceController(cluster: registry, clock: clock, seed: seed)
        let life = Life(store: store, registry: registry, number: number)
        try await namespaces.ensureSystemNamespaces()
        state.withLock { state in
            // It may have been killed meanwhile.
            if state.store === store { state.life = life }
        }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await loops.run() }
            group.addTask { try await collector.run() }
            group.addTask { try await namespaces.run() }
            for node in nodes { group.addTask { try await self.serve(node, registry, seed) } }
            for companion in companions { group.addTask { try await companion(life) } }
        }
    }

    private func serve(_ node: SimulatedNode, _ registry: Registry, _ seed: UInt64) async throws {
        let capacity: [String: Quantity] = [
            "cpu": Quantity(64), "memory": Quantity(256 << 30, format: .binarySI), "pods": Quantity(1000),
        ]
        try await node.agent.run {
            // Anew each time: an agent remembers nothing of its life before.
            let agent = NodeAgent(
                cluster: registry, runtime: node.runtime, clock: self.clock,
                nodes: [LogicalNode(name: node.name, capacity: capacity)], addresses: node.addresses, seed: seed)
            try await agent.run()
        }
    }

    /// Waits, in virtual time, until a look at what is stored is satisfying.
    package func wait(
        atMost limit: Duration = .seconds(3600), until isSatisfied: @escaping @Sendable (Snapshot) -> Bool
    ) async throws {
        let end = clock.now + limit
        while true {
            if let snapshot, isSatisfied(snapshot) { return }
            if clock.now > end { throw SimulatedCluster.Overdue(limit: limit) }
            try await clock.sleep(for: .seconds(1))
        }
    }
}
