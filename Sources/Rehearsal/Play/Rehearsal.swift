import Cluster
import Engine
import Kinds
import Model
import Reconciler
import SimulationKit
package import Store
import Synchronization

/// Plays one scenario under virtual time, with the controllers, the scheduler, the node agent and the reconciler that
/// run for real; only containers are simulated.
package struct Rehearsal: Sendable {
    private let scenario: Scenario
    private let seed: UInt64

    /// - Parameter seed: of everything that varies: the order of what is concurrent, and how long pods take.
    package init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
    }

    /// What the machine gets to register its nodes and look around before anything is asked of it.
    private static let warmUp = Duration.seconds(2)
    /// What a state to begin with gets to become healthy.
    private static let baseLimit = Duration.seconds(3600)
    /// Jobs of one instant: hundreds of workloads are begun in the first.
    private static let longestInstant = 50_000_000

    /// Plays to the end on the calling thread: until the revision is healthy, rolled back or given up.
    ///
    /// - Parameter observe: is shown what is stored, between any two jobs.
    /// - Returns: everything that was seen, which is the same for the same scenario and seed.
    /// - Throws: `RehearsalError`, what `observe` throws, or `CancellationError` soon after the task was cancelled.
    package func run(observe: ((Snapshot) throws -> Void)? = nil) throws -> Recording {
        try scenario.check()
        let start = StartState(scenario)
        let clock = VirtualClock(now: start.now)
        let stage = Stage(scenario, start, clock, seed)
        return try Simulation.run(
            seed: seed, clock: clock, until: scenario.limit + Self.baseLimit + .seconds(60),
            longestInstant: Self.longestInstant,
            observe: {
                // The thread never gives its task's turn away, so nobody else would notice.
                try Task.checkCancellation()
                // Most plays are not looked at, and there are a million jobs.
                guard let observe, let snapshot = stage.machine.snapshot else { return }
                try observe(snapshot)
            }
        ) { clock in
            try await play(stage, clock)
        }.value
    }

    private func play(_ stage: Stage, _ clock: VirtualClock) async throws -> Recording {
        try await stage.fill()
        return try await stage.machine.run {
            try await clock.sleep(for: Self.warmUp)
            guard let store = stage.store else { throw RehearsalError.unusableStart("the engine did not start") }
            if let base = scenario.playedBase { try await bringAbout(base, store, clock) }
            return try await record(store, clock, stage.behaviour, stage.source)
        }
    }

    /// Plays the state to begin with, until it is healthy.
    private func bringAbout(_ base: DesiredState, _ store: Store, _ clock: VirtualClock) async throws {
        let end = clock.now + Self.baseLimit
        while true {
            let outcome = Outcome(of: store.snapshot, in: scenario, wants: base.revision)
            switch outcome {
            case .healthy: return
            case .degraded(let why), .rolledBack(let why): throw RehearsalError.unhealthyStart(why)
            case .unfinished(let why) where clock.now > end: throw RehearsalError.unhealthyStart(why)
            case .unfinished: try await clock.sleep(for: .milliseconds(500))
            }
        }
    }

    private func record(
        _ store: Store, _ clock: VirtualClock, _ behaviour: Behaviour, _ source: RehearsalSource
    ) async throws -> Recording {
        let begin = clock.now
        let snapshot = store.snapshot
        let watch = try store.watch(from: snapshot.revision)
        let recorder = SharedRecorder(Recorder(scope: RecordedScope(scenario), snapshot, at: begin))
        let pods = snapshot.all(Pod.self).map { Workload.revision(of: $0) }
        behaviour.begin(with: recorder.state.withLock(\.oldReplicaSets).union(pods))
        source.push(scenario.target.revision)
        let changed = Signal()
        let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                while let batch = try await watch.next() {
                    recorder.take(batch, at: clock.now)
                    if batch.changes.contains(where: Outcome.mayDepend(on:)) { changed.raise() }
                }
                return nil
            }
            group.addTask { try await waitForEnd(store, clock, changed, until: begin + scenario.limit) }
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                if let outcome { return outcome }
            }
            throw CancellationError()
        }
        return recorder.state.withLock { $0.finish(outcome, at: clock.now) }
    }

    private func waitForEnd(
        _ store: Store, _ clock: VirtualClock, _ changed: Signal, until end: Timestamp
    ) async throws -> Outcome {
        while true {
            // Virtual time: it passes only when all that happens at this instant has happened, and is recorded.
            try await clock.sleep(for: .milliseconds(1))
            let outcome = Outcome(of: store.snapshot, in: scenario, wants: scenario.target.revision)
            guard case .unfinished = outcome, clock.now < end else { return outcome }
            await changed.wait(until: end, on: clock)
        }
    }
}

/// A recorder that one task feeds and another reads when that is over.
private final class SharedRecorder: Sendable {
    let state: Mutex<Recorder>

    init(_ recorder: Recorder) { state = Mutex(recorder) }

    func take(_ batch: StoreWatch.Batch, at now: Timestamp) {
        state.withLock { recorder in
            for change in batch.changes {
                let object = Object(viewing: change.object.json)
                recorder.take(object.key, change.kind == .deleted ? nil : object, at: now)
            }
        }
    }
}
