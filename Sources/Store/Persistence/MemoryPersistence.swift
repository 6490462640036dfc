import Synchronization

/// Keeps everything in memory: for simulation and tests.
///
/// It outlives a store, so that a simulated crash is a new store over the same `MemoryPersistence`.
package final class MemoryPersistence: Persistence {
    private struct Kept {
        var revision = Revision.zero
        var rows: [Revision: PersistedRow] = [:]
        var metadata: [String: [UInt8]] = [:]
        var quarantined: [UnreadableRow] = []
    }

    private let kept = Mutex(Kept())

    package init() {}

    package var commitsInline: Bool { true }

    /// What was set aside, for tests.
    package var quarantined: [UnreadableRow] { kept.withLock { $0.quarantined } }

    package func load() throws(StoreError) -> PersistedState {
        kept.withLock {
            PersistedState(
                revision: $0.revision, rows: $0.rows.values.sorted { $0.id < $1.id }, metadata: $0.metadata)
        }
    }

    package func commit(_ batch: PersistedBatch) throws(StoreError) {
        kept.withLock { kept in
            for operation in batch.operations {
                switch operation {
                case .insert(let row), .update(let row): kept.rows[row.id] = row
                case .delete(let id): kept.rows[id] = nil
                case .setMetadata(let key, let value): kept.metadata[key] = value
                }
            }
            kept.revision = batch.revision
        }
    }

    package func quarantine(_ rows: [UnreadableRow]) throws(StoreError) {
        kept.withLock { kept in
            for unreadable in rows { kept.rows[unreadable.row.id] = nil }
            kept.quarantined += rows
        }
    }

    package func close() {}
}

extension Persistence where Self == MemoryPersistence {
    /// A new, empty one.
    package static var memory: MemoryPersistence { MemoryPersistence() }
}
