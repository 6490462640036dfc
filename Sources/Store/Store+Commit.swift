import Logging
import Synchronization

extension Store {
    /// Makes everything that waits durable, then visible, then answers the writers and tells the watchers.
    func commitPending() {
        committing.withLock { _ in
            while true {
                tidy()
                let batch = state.withLock { $0.takeBatch(limit: limits.batch) }
                if batch.isEmpty { return }
                commit(batch)
            }
        }
    }

    /// Does the same for what waits now, on the caller's thread, if writers come one at a time and the disk is quick.
    ///
    /// Two changes of thread take as long as such a disk: a single client's writes are a fifth quicker without them.
    /// Who comes meanwhile finds the lock taken and wakes the thread.
    ///
    /// - Returns: `false` where the thread has to do it.
    func commitAlone() -> Bool {
        guard solitude.load(ordering: .relaxed) >= Self.solitaryCommits else { return false }
        return committing.withLockIfAvailable { _ in
            let start = ContinuousClock.now
            let batch = state.withLock { $0.takeBatch(limit: limits.batch) }
            if !batch.isEmpty { commit(batch) }
            // Others wait for the caller's thread, too.
            if ContinuousClock.now - start > Self.quickCommit {
                solitude.store(-Self.commitsAfterSlowOne, ordering: .relaxed)
            }
            // What takes long is the thread's.
            return !persistence.isUntidy && !state.withLock(\.hasPending)
        } ?? false
    }

    /// Commits of a single writer in a row after which the next one is taken for such a one, too.
    private static let solitaryCommits = 16
    /// What a commit on a writer's own thread may take, and how many are left to the thread after one that took longer.
    private static let quickCommit = Duration.milliseconds(2)
    private static let commitsAfterSlowOne = 200

    /// Only by who holds `committing`.
    private func noteWriters(_ count: Int) {
        let known = solitude.load(ordering: .relaxed)
        if known < 0 || count == 1 {
            solitude.store(min(known + 1, Self.solitaryCommits), ordering: .relaxed)
        } else {
            solitude.store(0, ordering: .relaxed)
        }
    }

    private func commit(_ batch: [PendingCommit]) {
        noteWriters(batch.count)
        do throws(StoreError) {
            let kept = Self.persisted(batch, after: revision)
            // A commit without content only waits for those before it.
            if !kept.operations.isEmpty { try persistence.commit(kept) }
        } catch {
            let dropped = state.withLock { state in
                state.failure = error
                return state.dropPending()
            }
            logger.error(
                "a commit failed",
                metadata: ["error": "\(error)", "writers": "\(batch.count + dropped.count)"])
            for pending in batch + dropped { pending.continuation.resume(returning: .failure(error)) }
            return
        }
        state.withLock { $0.apply(batch) }
        // Writers first: they wait, while watchers learn of a change a moment later anyway.
        for pending in batch { pending.continuation.resume(returning: .success(pending.changes.map(\.object))) }
        hub.publish(batch.flatMap(\.changes))
    }

    private func tidy() {
        do throws(StoreError) {
            try persistence.tidy()
        } catch {
            logger.warning("what is written could not be tidied up", metadata: ["error": "\(error)"])
        }
    }

    private static func persisted(_ batch: [PendingCommit], after revision: Revision) -> PersistedBatch {
        var kept = PersistedBatch(operations: [], revision: revision)
        for commit in batch {
            for change in commit.changes {
                let object = change.object
                switch change.kind {
                case .created: kept.operations.append(.insert(PersistedRow(object)))
                case .updated: kept.operations.append(.update(PersistedRow(object)))
                case .deleted: kept.operations.append(.delete(id: object.row))
                }
                kept.revision = change.revision
            }
            for (key, value) in commit.metadata.sorted(by: { $0.key < $1.key }) {
                kept.operations.append(.setMetadata(key: key, value: value))
            }
        }
        return kept
    }
}
