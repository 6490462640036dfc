import Cluster
import Engine
import Kinds
import Logging
import Model
import Reconciler
import SimulationKit
import Store
import Synchronization

/// The machine that a rehearsal is played on, and what moves it.
final class Stage: Sendable {
    let machine: SimulatedMachine
    let source: RehearsalSource
    let behaviour: Behaviour
    private let start: StartState
    private let persistence = MemoryPersistence()
    private let life: Life

    /// The engine, once it runs.
    private final class Life: Sendable {
        let present = Mutex<SimulatedMachine.Life?>(nil)
    }

    init(_ scenario: Scenario, _ start: StartState, _ clock: VirtualClock, _ seed: UInt64) {
        self.start = start
        let behaviour = Behaviour(scenario, from: start, seed: seed)
        let source = RehearsalSource(
            [scenario.base, scenario.target].compactMap(\.self), head: scenario.playedBase?.revision)
        let life = Life()
        machine = SimulatedMachine(
            clock: clock, nodes: scenario.nodes, seed: seed, persistence: persistence, running: start.pods,
            script: behaviour.script,
            companions: [
                { present in
                    life.present.withLock { $0 = present }
                    try await Reconciler(
                        cluster: present.cluster, clock: clock, source: source, logger: Self.quiet,
                        interval: .seconds(86400), inertKinds: Catalog.builtIn.inertKinds, seed: seed,
                        sharing: present.informers
                    ).run()
                }
            ])
        (self.source, self.behaviour, self.life) = (source, behaviour, life)
    }

    private static var quiet: Logger {
        var logger = Logger(label: "martlet.rehearsal")
        logger.logLevel = .critical
        return logger
    }

    /// What is stored; `nil` until the engine runs.
    var store: Store? { life.present.withLock { $0?.store } }

    /// Stores the state to begin with, before the machine runs.
    func fill() async throws(RehearsalError) {
        do throws(StoreError) {
            let store = try Store(persistence: persistence, logger: Self.quiet)
            try await store.commit(start.writes)
            await store.close()
        } catch {
            throw .unusableStart("\(error)")
        }
    }
}

extension Scenario {
    /// The revision that is played first, since there is nothing yet.
    var playedBase: DesiredState? { start.isEmpty ? base : nil }
}
