package import Cluster
import Kinds
package import Model
import Synchronization

/// Carries out `ReplicaSetPlan` for every ReplicaSet, or every ReplicationController, that something happened to.
package final class ReplicaSetController<Owner: ReplicaOwner>: Sendable {
    static var workers: Int { 4 }

    private let cluster: any Cluster
    private let clock: any WallClock
    private let owners: Informer
    private let pods: Informer
    private let events: EventRecorder
    private let queue: WorkQueue<ObjectKey>
    private let expectations = Mutex<[ObjectKey: Expectations<Pod>]>([:])
    private let statuses = Mutex(OwnStatuses())
    /// Those whose status was left to the next look.
    private let postponed = Mutex<Set<ObjectKey>>([])
    private let options = WriteOptions(fieldManager: Owner.component)

    /// - Parameters:
    ///   - owners: with `ControllerIndex.owned`.
    ///   - pods: with `ControllerIndex.pods`.
    package init(
        cluster: any Cluster, clock: any WallClock, owners: Informer, pods: Informer, events: EventRecorder
    ) {
        self.cluster = cluster
        self.clock = clock
        self.owners = owners
        self.pods = pods
        self.events = events
        queue = WorkQueue(clock: clock)
        owners.onChange { [weak self] change in
            guard let self, !statuses.withLock({ $0.isOwn(change) }) else { return }
            queue.add(change.key)
        }
        pods.onChange { [weak self] in self?.podChanged($0) }
    }

    /// Works until the task is cancelled. The informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void = { _, _ in }) async throws {
        for informer in [owners, pods] { try await informer.waitForSync() }
        await queue.run(workers: Self.workers, failed: { key, error, _ in failed(key, error) }) { key in
            try await self.sync(key)
        }
    }

    private func podChanged(_ change: ObjectChange) {
        let pod = change.object
        let isLeaving = change.new.map(\.metadata.isBeingDeleted) ?? true
        let matters =
            if let old = change.old, let new = change.new { !old.view(as: Pod.self).counts(like: new.view()) } else {
                true
            }
        for key in change.controllers(Owner.kind) {
            expectations.withLock { $0[key]?.observe(pod.metadata.uid, isLeaving: isLeaving) }
            if matters { queue.add(key) }
        }
        guard let orphan = change.new, orphan.metadata.controller == nil, !isLeaving else { return }
        let labels = orphan.metadata.labels
        if labels.isEmpty { return }
        let all: [Owner] = owners.objects(in: ControllerIndex.namespace, under: orphan.metadata.namespace)
        for owner in all where owner.podSelector.matches(labels) { queue.add(owner.key) }
    }

    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        guard let shown = owners[key] else {
            expectations.withLock { $0[key] = nil }
            statuses.withLock { $0.forget(key) }
            postponed.withLock { _ = $0.remove(key) }
            return .done
        }
        let owner: Owner = statuses.withLock { $0.latest(shown) }.view()
        let now = clock.now
        let expected = expectations.withLock { $0[key] ?? Expectations() }
        let candidates = expected.completing(
            pods.candidates(of: owner.metadata.uid, in: key.namespace, as: Pod.self))
        // Only the choice of whom to delete looks at the siblings' pods.
        let siblings = candidates.count > owner.desired ? siblings(of: owner) : []
        let plan = ReplicaSetPlan(
            .init(
                owner: owner, pods: candidates, siblings: siblings,
                isCurrent: expected.areMet(at: now)), now: now)
        var failure: ReplicaSetPlan<Owner>.Failure?
        for action in plan.actions where failure == nil { failure = try await carryOut(action, for: owner) }
        let isPostponed = failure == nil && !plan.actions.isEmpty && postpone(key)
        if !isPostponed, let updated = plan.updated(after: failure) {
            let answer = try await cluster.update(
                Object(viewing: updated.json), subresource: .status, options: options)
            // Planned on this status, there would be nothing to do.
            statuses.withLock { $0.note(answer, isFinal: plan.actions.isEmpty) }
        }
        if !isPostponed { postponed.withLock { _ = $0.remove(key) } }
        if let failure { throw Unfinished(description: "\(failure)") }
        let expiry = expectations.withLock { $0[key]?.expiry }
        return [plan.checkAgainAt, expiry].compactMap { $0 }.min().map { .again(at: $0) } ?? .done
    }

    /// Whether the status may be left to the look that what was just done brings about: it would be outdated at once.
    /// Not twice in a row, so that one with whose pods something always is has a status, too.
    private func postpone(_ key: ObjectKey) -> Bool { postponed.withLock { $0.insert(key).inserted } }

    /// Pods of those that have the same controller.
    private func siblings(of owner: Owner) -> [Pod] {
        guard let above = owner.metadata.controller else { return [] }
        let siblings: [Owner] = owners.objects(in: ControllerIndex.controller, under: above.uid)
        return siblings.filter { $0.metadata.uid != owner.metadata.uid }.flatMap { sibling -> [Pod] in
            pods.objects(in: ControllerIndex.controller, under: sibling.metadata.uid)
        }
    }

    private func carryOut(
        _ action: ReplicaSetPlan<Owner>.Action, for owner: Owner
    ) async throws -> ReplicaSetPlan<Owner>.Failure? {
        let ownership = Ownership(owner: owner, selector: owner.podSelector)
        switch action {
        case .adopt(let pod):
            try await cluster.confirm(owner)
            _ = try await cluster.patch(
                pod.key, .merge(ownership.adoptionPatch(pod.metadata)), subresource: nil, options: options)
        case .release(let pod):
            _ = try await cluster.patch(
                pod.key, .merge(ownership.releasePatch(pod.metadata)), subresource: nil, options: options)
        case .create(let pod, let count):
            return await create(pod, count, for: owner).map { .create(message: $0) }
        case .delete(let victims):
            return await delete(victims, for: owner).map { .delete(message: $0) }
        }
        return nil
    }

    /// B4: in batches that grow; answers why it stopped before the end.
    private func create(_ pod: Pod, _ count: Int, for owner: Owner) async -> String? {
        for batch in SlowStart.batches(count) {
            let failures = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<batch { group.addTask { await self.create(pod, for: owner) } }
                return await group.reduce(into: [String]()) { failures, failure in
                    if let failure { failures.append(failure) }
                }
            }
            if let failure = failures.first { return failure }
        }
        return nil
    }

    private func create(_ pod: Pod, for owner: Owner) async -> String? {
        let key = owner.key
        expectations.withLock { $0[key, default: Expectations()].willCreate() }
        do throws(APIError) {
            let created = try await cluster.create(Object(viewing: pod.json), options: options).view(as: Pod.self)
            expectations.withLock { $0[key]?.created(created, at: clock.now) }
            events.record(
                .normal, reason: "SuccessfulCreate", message: "Created pod: \(created.metadata.name)", about: owner
            )
            return nil
        } catch {
            expectations.withLock { $0[key]?.creationFailed() }
            if !error.isNamespaceTerminating {
                events.record(.warning, reason: "FailedCreate", message: "Error creating: \(error)", about: owner)
            }
            return "\(error)"
        }
    }

    private func delete(_ victims: [Pod], for owner: Owner) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            for victim in victims { group.addTask { await self.delete(victim, for: owner) } }
            return await group.reduce(into: String?.none) { first, failure in first = first ?? failure }
        }
    }

    private func delete(_ pod: Pod, for owner: Owner) async -> String? {
        let key = owner.key
        let uid = pod.metadata.uid
        expectations.withLock { $0[key, default: Expectations()].willDelete(uid, at: clock.now) }
        do throws(APIError) {
            _ = try await cluster.delete(pod.key, options: DeleteOptions(uid: uid))
            events.record(
                .normal, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.metadata.name)", about: owner)
            return nil
        } catch {
            expectations.withLock { $0[key]?.deletionFailed(uid) }
            if error.reason == .notFound { return nil }
            events.record(.warning, reason: "FailedDelete", message: "Error deleting: \(error)", about: owner)
            return "\(error)"
        }
    }
}

extension Pod {
    /// Whether it is the same to a ReplicaSet as another state of it: whose it is, and what is counted of it (B1, B6).
    fileprivate func counts(like other: Pod) -> Bool {
        let (mine, others) = (metadata, other.metadata)
        for name in ["uid", "labels", "ownerReferences", "deletionTimestamp"] where mine.json[name] != others.json[name]
        {
            return false
        }
        return isTerminal == other.isTerminal && readySince == other.readySince
    }
}
