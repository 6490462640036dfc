import Cluster
import Kinds
import Model
import Reconciler
import SimulationKit
import Store
import Synchronization

/// What the verdict promises over a whole history, read off the Application's status at every change.
final class VerdictObserver: Sendable {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    private struct State {
        var last = Revision.zero
        var phase = ""
        var revision: String?
        var from: String?
        var held: Set<String> = []
        var rolledBack: Set<String> = []
        var healthy: Set<String> = []
        var trials = 0
    }

    private let repository: ScriptedRepository
    private let state = Mutex(State())

    init(_ repository: ScriptedRepository) {
        self.repository = repository
    }

    /// Trials begun, rollbacks among them.
    var trials: Int { state.withLock { $0.trials } }
    var rollbacks: Int { state.withLock { $0.rolledBack.count } }
    var phase: String { state.withLock { $0.phase } }

    func check(_ snapshot: Snapshot) throws {
        try state.withLock { state in
            if snapshot.revision == state.last { return }
            state.last = snapshot.revision
            guard let rollout = snapshot.all(Application.self).first?.status.rollout else { return }
            let phase = rollout.phase ?? ""
            let isNew =
                phase != state.phase || rollout.revision != state.revision || rollout.rolledBackFrom != state.from
            if isNew { try Self.enter(phase, rollout, repository, &state) }
            state.phase = phase
            state.revision = rollout.revision
            state.from = rollout.rolledBackFrom
            state.held = Set(rollout.held.map(\.revision))
        }
    }

    private static func enter(
        _ phase: String, _ rollout: RolloutStatus, _ repository: ScriptedRepository, _ state: inout State
    ) throws {
        let revision = rollout.revision ?? ""
        switch phase {
        case "Judging":
            state.trials += 1
            if state.held.contains(revision) { throw Broken(description: "\(revision) is held and was taken again") }
        case "RollingBack":
            state.trials += 1
            let from = rollout.rolledBackFrom ?? ""
            guard state.rolledBack.insert(from).inserted else {
                throw Broken(description: "a second rollback from \(from)")
            }
            if repository.commit(from)?.isGood == true {
                let why = rollout.held.first { $0.revision == from }?.message ?? ""
                throw Broken(description: "rolled back from good \(from): \(why)")
            }
            guard state.healthy.contains(revision) else {
                throw Broken(description: "rolled back to \(revision), which never was healthy")
            }
            if rollout.held.contains(where: { $0.revision == revision }) {
                throw Broken(description: "rolled back to \(revision), which failed")
            }
        case "Healthy":
            if repository.commit(revision)?.isGood != true { throw Broken(description: "\(revision) is not healthy") }
            state.healthy.insert(revision)
        default: break
        }
    }
}
