import Logging
import Synchronization

extension Store {
    /// Makes everything that waits durable, then visible, then answers the writers and tells the watchers.
    func commitPending() {
        committing.withLock { _ in
            while true {
                let batch = state.withLock { $0.takeBatch(limit: limits.batch) }
                if batch.isEmpty { return }
                commit(batch)
            }
        }
    }

    private func commit(_ batch: [PendingCommit]) {
        do throws(StoreError) {
            let kept = Self.persisted(batch, after: revision)
            // A commit without content only waits for those before it.
            if !kept.operations.isEmpty { try persistence.commit(kept) }
        } catch {
            let dropped = state.withLock { $0.dropPending() }
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
        tidy()
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
