package import Cluster
package import Engine
package import Kinds
import Logging
package import Model
package import Store
import Synchronization

/// A machine that serves a cluster: the real registry, controllers, scheduler and node agents, over storage and
/// simulated containers that outlive them. The engine can be killed at any moment and starts anew on what was stored.
package final class SimulatedMachine: Sendable {
    /// The engine between a start and the next kill.
    package struct Life: Sendable {
        package let store: Store
        package let registry: Registry
        /// The registry as everything in the machine sees it.
        package let cluster: any Cluster
        /// Those of the engine, for others to share.
        package let informers: [GroupKind: Informer]
        /// 1 is the first.
        package let number: Int
    }

    /// The agent of some nodes: their containers run on while it is down.
    private struct SimulatedAgent: Sendable {
        let nodes: [LogicalNode]
        let part = Part()
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
    private let agents: [SimulatedAgent]
    private let seed: UInt64
    private let persistence: MemoryPersistence
    private let keepsEvents: Bool
    private let companions: [@Sendable (Life) async throws -> Void]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - nodes: how many there are: `node-0`, `node-1` …, each with an agent of its own.
    ///   - companions: what else lives and dies with the engine, such as the reconciler.
    package convenience init(
        clock: VirtualClock, nodes: Int, seed: UInt64, companions: [@Sendable (Life) async throws -> Void] = []
    ) {
        let capacity: [String: Quantity] = [
            "cpu": Quantity(64), "memory": Quantity(256 << 30, format: .binarySI), "pods": Quantity(1000),
        ]
        let agents = (0..<nodes).map { index in
            let range = "127.\(64 + index).0.0/16"
            return Self.agent(
                [LogicalNode(name: "node-\(index)", capacity: capacity)], range, SimulatedRuntime(clock: clock))
        }
        self.init(
            clock: clock, agents: agents, seed: seed, persistence: MemoryPersistence(), keepsEvents: true,
            companions: companions)
    }

    /// A machine that goes on from what is stored, and keeps no Events.
    ///
    /// - Parameters:
    ///   - nodes: all with one agent.
    ///   - persistence: holds the objects that there are at the start.
    ///   - pods: those of them that run on the nodes.
    ///   - script: how a pod behaves.
    package convenience init(
        clock: VirtualClock, nodes: [LogicalNode], seed: UInt64, persistence: MemoryPersistence, running pods: [Pod],
        script: @escaping @Sendable (Pod) -> SimulatedRuntime.Script,
        companions: [@Sendable (Life) async throws -> Void] = []
    ) {
        let runtime = SimulatedRuntime(clock: clock, script: script)
        for pod in pods { runtime.adopt(pod) }
        self.init(
            clock: clock, agents: [Self.agent(nodes, "127.128.0.0/9", runtime)], seed: seed, persistence: persistence,
            keepsEvents: false, companions: companions)
    }

    private init(
        clock: VirtualClock, agents: [SimulatedAgent], seed: UInt64, persistence: MemoryPersistence,
        keepsEvents: Bool, companions: [@Sendable (Life) async throws -> Void]
    ) {
        self.clock = clock
        self.agents = agents
        self.seed = seed
        self.persistence = persistence
        self.keepsEvents = keepsEvents
        self.companions = companions
    }

    private static func agent(_ nodes: [LogicalNode], _ range: String, _ runtime: SimulatedRuntime) -> SimulatedAgent {
        guard let addresses = PodAddresses(range: range) else { preconditionFailure("the range is one") }
        return SimulatedAgent(nodes: nodes, runtime: runtime, addresses: addresses)
    }

    /// The agent of a node; a node whose agent is stopped falls silent.
    package func agent(of node: Int) -> Part { agents[node].part }

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
            for agent in agents {
                group.addTask {
                    try await agent.runtime.run()
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

    /// Nobody falls far behind in virtual time, and what history does not hold is memory that is used again.
    private static var limits: Store.Limits {
        var limits = Store.Limits()
        limits.history = 1000
        return limits
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
        let store = try Store(persistence: persistence, limits: Self.limits, logger: logger)
        state.withLock { $0.store = store }
        let registry = Registry(
            store: store, clock: clock, random: SplitMix64(seed: seed),
            configuration: Registry.Configuration(serviceAddresses: addresses))
        let cluster: any Cluster = keepsEvents ? registry : EventlessCluster(registry)
        let loops = ControlLoops(cluster: cluster, clock: clock, logger: logger, seed: seed)
        let collector = GarbageCollector(cluster: cluster, clock: clock, seed: seed, sharing: loops.informers)
        let namespaces = NamespaceController(cluster: cluster, clock: clock, seed: seed)
        let life = Life(store: store, registry: registry, cluster: cluster, informers: loops.informers, number: number)
        try await namespaces.ensureSystemNamespaces()
        state.withLock { state in
            // It may have been killed meanwhile.
            if state.store === store { state.life = life }
        }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await loops.run() }
            group.addTask { try await collector.run() }
            group.addTask { try await namespaces.run() }
            for agent in agents { group.addTask { try await self.serve(agent, cluster, seed) } }
            for companion in companions { group.addTask { try await companion(life) } }
        }
    }

    private func serve(_ simulated: SimulatedAgent, _ cluster: any Cluster, _ seed: UInt64) async throws {
        try await simulated.part.run {
            // Anew each time: an agent remembers nothing of its life before.
            let agent = NodeAgent(
                cluster: cluster, runtime: simulated.runtime, clock: self.clock, nodes: simulated.nodes,
                addresses: simulated.addresses, seed: seed)
            agent.attach(tokens: SimulatedTokens(clock: self.clock))
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
