package import Kinds
package import Model
import Reconciler
import Store

/// Which objects belong to what is synced.
package struct RecordedScope: Sendable {
    package var application: ObjectKey
    package var keys: Set<ObjectKey>

    package init(application: ObjectKey, keys: Set<ObjectKey>) {
        self.application = application
        self.keys = keys
    }

    /// Everything that the revisions hold, and what the Application created before.
    init(_ scenario: Scenario) {
        let states = [scenario.base, scenario.target].compactMap(\.self)
        self.init(
            application: scenario.application.key,
            keys: Set(states.flatMap(\.objects).map(\.key)).union(scenario.application.status.inventory))
    }
}

/// Turns changes of objects, as they come, into a recording. Pure: who feeds it, and from which cluster, is all the
/// same.
package struct Recorder: Sendable {
    /// The ReplicaSets that had pods at the beginning.
    package private(set) var oldReplicaSets: Set<ObjectKey> = []
    private let scope: RecordedScope
    private let begin: Timestamp
    private var recording = Recording(outcome: .unfinished(""))
    private var workloads: [ObjectKey: WorkloadRecorder] = [:]
    private var pods: [ObjectKey: PodFacts] = [:]
    private var load = Recording.Load()
    private var homes = HomelessPods()
    private var budgets: [ObjectKey: BudgetWatch] = [:]
    /// Of the objects in scope, what a sync decides.
    private var contents: [ObjectKey: JSON] = [:]
    private var pruned: Set<ObjectKey> = []
    private var phase = ""
    /// Before that, not all of the beginning is known yet and nothing is judged.
    private var isBegun = false

    /// - Parameter objects: everything that there is at the beginning.
    package init(scope: RecordedScope, objects: [Object], at begin: Timestamp) {
        self.scope = scope
        self.begin = begin
        for object in objects { noteOld(object) }
        for object in objects { take(object.key, object, at: begin) }
        isBegun = true
        for key in workloads.keys { workloads[key]?.look(oldReplicaSets, at: begin, since: begin) }
        recording.startLoad = load
        recording.peakLoad = load
        recording.steps = []
        recording.duration = .zero
    }

    init(scope: RecordedScope, _ snapshot: Snapshot, at begin: Timestamp) {
        let objects = snapshot.kinds.flatMap { kind in snapshot.list(kind: kind).map { Object(viewing: $0.json) } }
        self.init(scope: scope, objects: objects, at: begin)
    }

    private mutating func noteOld(_ object: Object) {
        if object.key.kind == ReplicaSet.kind.groupKind {
            if object.view(as: ReplicaSet.self).spec.replicas ?? 1 > 0 { oldReplicaSets.insert(object.key) }
        } else if object.key.kind == Pod.kind.groupKind, let owner = Workload.replicaSet(of: object.view()) {
            oldReplicaSets.insert(owner)
        }
    }

    /// Takes in an object as it is now; `nil` when it is gone.
    package mutating func take(_ key: ObjectKey, _ object: Object?, at now: Timestamp) {
        switch key.kind {
        case Pod.kind.groupKind: take(pod: key, object.map { PodFacts($0.view(), over: pods[key]) }, at: now)
        case Application.kind.groupKind where key == scope.application:
            if let object { take(object.view(as: Application.self), at: now) }
        case PodDisruptionBudget.kind.groupKind: take(budget: key, object?.view(), at: now)
        case Deployment.kind.groupKind:
            let isDone = workloads[key, default: WorkloadRecorder(key)].take(object?.view())
            if isBegun { workloads[key]?.look(oldReplicaSets, at: now, since: begin) }
            noteContent(of: key, object, at: now)
            if isDone { note(.rolledOut(key), at: now) }
            return
        default: break
        }
        noteContent(of: key, object, at: now)
    }

    private mutating func note(_ kind: Recording.StepKind, at now: Timestamp) {
        recording.steps.append(Recording.Step(at: now - begin, kind: kind))
        recording.duration = now - begin
    }

    private mutating func take(pod key: ObjectKey, _ facts: PodFacts?, at now: Timestamp) {
        let before = pods.updateValueOrRemove(facts, forKey: key)
        if before == facts { return }
        load = load + (facts?.load ?? Recording.Load()) - (before?.load ?? Recording.Load())
        recording.peakLoad = .larger(recording.peakLoad, load)
        recording.duration = now - begin
        guard let workload = (facts ?? before)?.workload else { return }
        homes.take(key, of: workload, facts, at: now)
        if !isBegun {
            if let facts { workloads[workload, default: WorkloadRecorder(workload)].begin(with: key.name, facts) }
            return
        }
        workloads[workload, default: WorkloadRecorder(workload)].take(
            key.name, facts, old: oldReplicaSets, at: now, since: begin)
    }

    private mutating func take(_ application: Application, at now: Timestamp) {
        guard let rollout = application.status.rollout, let name = rollout.phase else { return }
        let revision = rollout.revision ?? ""
        let present = "\(name) \(revision)"
        guard present != phase else { return }
        phase = present
        let held = rollout.held.last { $0.revision == rollout.rolledBackFrom }
        let message = name == "RollingBack" ? held?.message : rollout.message
        note(.verdict(phase: name, revision: revision, message: message ?? ""), at: now)
    }

    private mutating func take(budget key: ObjectKey, _ budget: PodDisruptionBudget?, at now: Timestamp) {
        guard let budget else {
            budgets[key] = nil
            return
        }
        let violation = budgets[key, default: BudgetWatch()].take(budget.status)
        guard let violation else { return }
        if violation.isNew {
            recording.budgets.append(
                Recording.BudgetViolation(
                    budget: key, at: now - begin, healthy: violation.healthy, desired: violation.desired))
        } else if let index = recording.budgets.lastIndex(where: { $0.budget == key }) {
            recording.budgets[index].healthy = min(recording.budgets[index].healthy, violation.healthy)
        }
    }

    /// Notes when something that the revisions hold is created, changed or pruned.
    private mutating func noteContent(of key: ObjectKey, _ object: Object?, at now: Timestamp) {
        guard scope.keys.contains(key) else { return }
        guard let object, !object.metadata.isBeingDeleted else {
            guard contents.removeValue(forKey: key) != nil else { return }
            pruned.insert(key)
            return note(.synced(key, .pruned), at: now)
        }
        let content = Self.content(of: object)
        let before = contents.updateValue(content, forKey: key)
        if before == content { return }
        if before != nil { return note(.synced(key, .changed), at: now) }
        note(.synced(key, pruned.remove(key) == nil ? .created : .recreated), at: now)
    }

    /// An object without what the cluster itself writes into it.
    private static func content(of object: Object) -> JSON {
        var json = object.json
        json["status"] = nil
        for name in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"] {
            json[path: ["metadata", name]] = nil
        }
        json[path: ["metadata", "annotations", "deployment.kubernetes.io/revision"]] = nil
        if json[path: ["metadata", "annotations"]] == .emptyObject { json[path: ["metadata", "annotations"]] = nil }
        return json
    }

    /// The whole recording, of the workloads in the order of their names.
    package mutating func finish(_ outcome: Outcome, at now: Timestamp) -> Recording {
        for key in workloads.keys { workloads[key]?.look(oldReplicaSets, at: now, since: begin) }
        recording.outcome = outcome
        if case .unfinished = outcome { recording.duration = now - begin }
        recording.endLoad = load
        recording.workloads = workloads.values.map(\.record).sorted { $0.key < $1.key }
        recording.waiting = homes.all(at: now)
        return recording
    }
}

extension Dictionary {
    /// Sets a value, or removes it when there is none; answers what there was.
    fileprivate mutating func updateValueOrRemove(_ value: Value?, forKey key: Key) -> Value? {
        if let value { updateValue(value, forKey: key) } else { removeValue(forKey: key) }
    }
}
