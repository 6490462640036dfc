package import Cluster
import Kinds
package import Model
import Synchronization

/// Carries out `DeploymentPlan` for every Deployment that something happened to.
package final class DeploymentController: Sendable {
    package static let component = "deployment-controller"
    static let workers = 4
    /// A3
    static let retries = 15

    private let cluster: any Cluster
    private let clock: any WallClock
    private let deployments: Informer
    private let replicaSets: Informer
    private let pods: Informer
    private let writes = Mutex(OwnWrites())
    private let statuses = Mutex(OwnStatuses())
    /// Those whose status was left to the next look.
    private let postponed = Mutex<Set<ObjectKey>>([])
    /// How long at most until what was written is looked for again; mostly its arrival wakes the work.
    private static let catchUp = Duration.seconds(1)
    private let events: EventRecorder
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: component)

    /// - Parameters:
    ///   - deployments: with `ControllerIndex.namespaced`.
    ///   - replicaSets: with `ControllerIndex.owned`.
    ///   - pods: with `ControllerIndex.pods`.
    package init(
        cluster: any Cluster, clock: any WallClock, deployments: Informer, replicaSets: Informer, pods: Informer,
        events: EventRecorder
    ) {
        self.cluster = cluster
        self.clock = clock
        self.deployments = deployments
        self.replicaSets = replicaSets
        self.pods = pods
        self.events = events
        queue = WorkQueue(clock: clock, retryLimit: Self.retries)
        deployments.onChange { [weak self] in self?.deploymentChanged($0) }
        replicaSets.onChange { [weak self] in self?.replicaSetChanged($0) }
        pods.onChange { [weak self] in self?.podChanged($0) }
    }

    /// Works until the task is cancelled. The informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void = { _, _ in }) async throws {
        for informer in [deployments, replicaSets, pods] { try await informer.waitForSync() }
        await queue.run(workers: Self.workers, failed: { key, error, _ in failed(key, error) }) { key in
            try await self.sync(key)
        }
    }

    private func deploymentChanged(_ change: ObjectChange) {
        if statuses.withLock({ $0.isOwn(change) }) { return }
        queue.add(change.key)
    }

    private func replicaSetChanged(_ change: ObjectChange) {
        if Self.isUnanswered(change) { return }
        for key in change.controllers(Deployment.kind) { queue.add(key) }
        guard let orphan = change.new, orphan.metadata.controller == nil else { return }
        let all = deployments.objects(
            in: ControllerIndex.namespace, under: orphan.metadata.namespace, as: Deployment.self)
        for deployment in all
        where Selector(matching: deployment.spec.selector).matches(orphan.metadata.labels) { queue.add(deployment.key) }
    }

    /// Whether only a ReplicaSet's spec has changed, which its controller has not seen yet: nothing is planned on that
    /// (A11), and the controller answers with a status.
    private static func isUnanswered(_ change: ObjectChange) -> Bool {
        guard let old = change.old, let new = change.new, old.json["status"] == new.json["status"],
            !new.view(as: ReplicaSet.self).isObserved
        else { return false }
        let (before, after) = (old.metadata, new.metadata)
        return before.uid == after.uid && before.json["ownerReferences"] == after.json["ownerReferences"]
    }

    /// A15: the end of a pod matters only to the strategy `Recreate`.
    private func podChanged(_ change: ObjectChange) {
        guard change.new == nil else { return }
        for key in change.controllers(ReplicaSet.kind) {
            guard let owner = replicaSets[key]?.metadata.controller else { continue }
            let deployment = Deployment.key(owner.name, in: key.namespace)
            if deployments.get(deployment, as: Deployment.self)?.spec.strategy.type == "Recreate" {
                queue.add(deployment)
            }
        }
    }

    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        guard let shown = deployments[key] else {
            writes.withLock { $0.forget(key) }
            statuses.withLock { $0.forget(key) }
            postponed.withLock { _ = $0.remove(key) }
            return .done
        }
        let deployment: Deployment = statuses.withLock { $0.latest(shown) }.view()
        if try await isBehind(key) { return .again(at: clock.now + Self.catchUp) }
        let candidates = replicaSets.candidates(
            of: deployment.metadata.uid, in: key.namespace, as: ReplicaSet.self)
        var owned: [Pod] = []
        if deployment.spec.strategy.type == "Recreate" {
            for replicaSet in candidates where replicaSet.metadata.controller?.uid == deployment.metadata.uid {
                owned += pods.objects(in: ControllerIndex.controller, under: replicaSet.metadata.uid)
            }
        }
        let plan = DeploymentPlan(
            .init(deployment: deployment, replicaSets: candidates, pods: owned), now: clock.now)
        let isPostponed = plan.isAnswered && postponed.withLock { $0.insert(key).inserted }
        if !isPostponed { postponed.withLock { _ = $0.remove(key) } }
        for action in plan.actions {
            // A ReplicaSet's answer brings about the next look, and the status would be outdated at once. Not twice in
            // a row, so that it is told how a long rollout goes.
            if isPostponed, case .updateStatus = action { continue }
            try await carryOut(action, of: plan, for: deployment)
        }
        return plan.checkAgainAt.map { .again(at: $0) } ?? .done
    }

    /// Whether what this controller did to the ReplicaSets is not all shown yet. Planned on less, two new ReplicaSets
    /// could each take the room that there is for one (A10).
    private func isBehind(_ key: ObjectKey) async throws -> Bool {
        let shown = replicaSets.snapshot
        let unseen = writes.withLock { $0.unseen(of: key, in: shown) }
        var isBehind = false
        for replicaSet in unseen {
            if try await exists(replicaSet) {
                isBehind = true
            } else {
                // It is gone before it was seen.
                writes.withLock { $0.forget(replicaSet, of: key) }
            }
        }
        return isBehind
    }

    private func exists(_ key: ObjectKey) async throws(APIError) -> Bool {
        do {
            _ = try await cluster.get(key)
            return true
        } catch {
            guard error.reason == .notFound else { throw error }
            return false
        }
    }

    private func carryOut(_ action: DeploymentPlan.Action, of plan: DeploymentPlan, for deployment: Deployment)
        async throws
    {
        let ownership = Ownership(owner: deployment, selector: Selector(matching: deployment.spec.selector))
        switch action {
        case .adopt(let replicaSet):
            try await cluster.confirm(deployment)
            _ = try await cluster.patch(
                replicaSet.key, .merge(ownership.adoptionPatch(replicaSet.metadata)), subresource: nil, options: options
            )
        case .release(let replicaSet):
            _ = try await cluster.patch(
                replicaSet.key, .merge(ownership.releasePatch(replicaSet.metadata)), subresource: nil, options: options)
        case .create(let replicaSet):
            try await create(replicaSet, of: plan, for: deployment)
        case .update(let replicaSet):
            try await update(replicaSet, of: deployment)
        case .delete(let replicaSet): try await delete(replicaSet)
        case .updateStatus(let changed):
            let answer = try await cluster.update(
                Object(viewing: changed.json), subresource: .status, options: options)
            statuses.withLock { $0.note(answer, isFinal: !plan.goesOnAfterStatus) }
        case .updateSpec(let changed):
            _ = try await cluster.update(Object(viewing: changed.json), subresource: nil, options: options)
        case .report(let report):
            events.record(report, about: deployment)
        }
    }

    private func update(_ replicaSet: ReplicaSet, of deployment: Deployment) async throws(APIError) {
        let answer = try await cluster.update(Object(viewing: replicaSet.json), subresource: nil, options: options)
        writes.withLock { $0.note(answer, of: deployment.key) }
    }

    private func delete(_ replicaSet: ReplicaSet) async throws(APIError) {
        do {
            _ = try await cluster.delete(replicaSet.key, options: DeleteOptions(uid: replicaSet.metadata.uid))
        } catch {
            // Somebody else was faster.
            guard error.reason == .notFound else { throw error }
        }
    }

    /// A8
    private func create(_ replicaSet: ReplicaSet, of plan: DeploymentPlan, for deployment: Deployment) async throws {
        let outcome: DeploymentPlan.Creation
        do throws(APIError) {
            outcome = .created(
                try await cluster.create(Object(viewing: replicaSet.json), options: options).view(as: ReplicaSet.self))
        } catch  where error.reason == .alreadyExists {
            outcome = .nameTaken(by: try await cluster.get(replicaSet.key).view(as: ReplicaSet.self))
        } catch  where error.isNamespaceTerminating {
            return
        } catch {
            outcome = .failed(message: "\(error)")
        }
        if case .created(let answer) = outcome {
            writes.withLock { $0.note(Object(viewing: answer.json), of: deployment.key) }
        }
        let (actions, retry) = plan.afterCreating(replicaSet, outcome)
        for action in actions { try await carryOut(action, of: plan, for: deployment) }
        if retry {
            throw Unfinished(description: "the new ReplicaSet \(replicaSet.metadata.name) could not be created yet")
        }
    }
}

extension Cluster {
    /// Reads the owner once more before it adopts anything: it must still be the same and not be leaving (B1).
    func confirm(_ owner: some KubernetesObject) async throws {
        let live = try await get(owner.key)
        if live.metadata.uid != owner.metadata.uid || live.metadata.isBeingDeleted {
            throw Unfinished(description: "\(owner.key) is not what it was: nothing is adopted")
        }
    }
}
