import HashTreeCollections
package import Logging
import Synchronization

/// A versioned, durable, watchable map of objects. It knows nothing of kinds.
///
/// Every change gets the next `Revision`. A write is answered after it is durable; readers and watchers never see one
/// that is not, while a second writer is checked against the first even before that. Writes that arrive while the disk
/// is busy become durable together (group commit).
package final class Store: Sendable {
    /// Bounds, each with an overflow that is seen.
    package struct Limits: Sendable {
        /// Changes that a watch can go back; beyond it: `.tooOld`.
        package var history = 10_000
        /// Changes that a watcher may leave untaken; beyond it its watch ends with `.watcherTooSlow`.
        package var watchBuffer = 4096
        /// Writes that may wait for the disk; beyond it: `.overloaded`.
        package var pendingWrites = 100_000
        /// Writes that share one commit.
        package var batch = 1024

        package init() {}
    }

    let persistence: any Persistence
    let limits: Limits
    let logger: Logger
    let state: Mutex<StoreState>
    let hub: WatchHub
    /// Held by whoever commits, so that batches are kept and published in the order of their revisions.
    let committing = Mutex(())
    /// How many commits in a row had one writer; negative after one that was slow.
    let solitude = Atomic(0)
    private let thread = Mutex<CommitThread?>(nil)

    /// Opens what `persistence` kept.
    ///
    /// A row that cannot be read is set aside and logged; the rest is served.
    ///
    /// - Throws: what `persistence` throws.
    package init(
        persistence: any Persistence, limits: Limits = Limits(), logger: Logger = Logger(label: "martlet.store")
    ) throws(StoreError) {
        self.persistence = persistence
        self.limits = limits
        self.logger = logger
        let kept = try persistence.load()
        var state = StoreState(metadata: kept.metadata)
        let unreadable = state.restore(kept)
        if !unreadable.isEmpty {
            for row in unreadable {
                logger.error(
                    "set an unreadable object aside",
                    metadata: ["object": "\(row.row.key)", "row": "\(row.row.id)", "reason": "\(row.reason)"])
            }
            try persistence.quarantine(unreadable)
        }
        hub = WatchHub(at: state.revision, limits: limits)
        self.state = Mutex(state)
        guard !persistence.commitsInline else { return }
        let started = try CommitThread { [weak self] in self?.commitPending() }
        thread.withLock { $0 = started }
    }

    /// Opens the store in a directory, which is made if need be.
    ///
    /// - Throws: `.locked`, `.newerFormat`, `.damaged`, `.readOnly`, `.diskFull` or `.io`.
    package convenience init(
        directory: String, limits: Limits = Limits(), logger: Logger = Logger(label: "martlet.store")
    ) throws(StoreError) {
        try self.init(persistence: SQLitePersistence(directory: directory), limits: limits, logger: logger)
    }

    deinit {
        // Nobody waits for a write: whoever does holds the store.
        thread.withLock { $0?.stop() }
        hub.close()
        persistence.close()
    }

    /// Everything that is durable now.
    ///
    /// - Complexity: O(1).
    package var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// One object, as it durably is now. Cheaper than by way of a snapshot: while one is held, every commit copies the
    /// way to what it changes.
    ///
    /// - Complexity: O(1).
    package func get(_ key: StoreKey) -> StoredObject? { state.withLock { $0.objects[key] } }

    /// One object as the writes that were accepted leave it, which need not become durable: only to decide upon a write
    /// that is made under the condition that it is still so.
    ///
    /// - Complexity: O(1).
    package func latest(_ key: StoreKey) -> StoredObject? { state.withLock { $0.latest(key) } }

    /// When an object of a kind last changed, came or went; `.zero` where none has been since the store was opened.
    ///
    /// - Complexity: O(1).
    package func lastChange(ofKind kind: String) -> Revision { state.withLock { $0.lastChanges[kind] ?? .zero } }

    /// The last durable revision.
    package var revision: Revision { state.withLock { $0.revision } }

    /// Why the last write was not kept; `nil` where it was, or none has been.
    package var failure: StoreError? { state.withLock(\.failure) }

    /// A small value beside the objects, such as the format of something or a range once chosen.
    package func metadata(_ key: String) -> [UInt8]? { state.withLock { $0.metadata[key] } }

    /// Sets such a value; durable when it returns.
    package func setMetadata(_ key: String, _ value: [UInt8]) async throws(StoreError) {
        _ = try await commit([], metadata: [key: value])
    }

    /// Does all of `writes`, or none and throws.
    ///
    /// Each gets its own revision, in order, and its precondition sees the writes before it. Not cancelled with the
    /// task: what was accepted is answered.
    ///
    /// - Returns: the changed objects as stored; a deleted one as it last was, under the revision of its deletion.
    /// - Throws: `.conflict`, `.alreadyExists`, `.notFound`; `.overloaded`; and when the disk fails `.diskFull`,
    ///   `.readOnly` or `.io`, in which case nothing was changed.
    @discardableResult
    package func commit(_ writes: [Write]) async throws(StoreError) -> [StoredObject] {
        try await commit(writes, metadata: [:])
    }

    /// Waits until every write that was accepted before is durable or refused.
    package func settle() async throws(StoreError) {
        _ = try await commit([], metadata: [:])
    }

    private func commit(_ writes: [Write], metadata: [String: [UInt8]]) async throws(StoreError) -> [StoredObject] {
        let result = await withCheckedContinuation { (continuation: CommitContinuation) in
            let refusal: StoreError? = state.withLock { state in
                do throws(StoreError) {
                    try state.accept(writes, metadata: metadata, limit: limits.pendingWrites, continuation)
                    return nil
                } catch {
                    return error
                }
            }
            if let refusal {
                continuation.resume(returning: .failure(refusal))
            } else if persistence.commitsInline {
                commitPending()
            } else if !commitAlone() {
                thread.withLock { $0?.wake() }
            }
        }
        return try result.get()
    }

    /// Changes after `revision`, in order, none left out and none twice.
    ///
    /// - Parameters:
    ///   - kind: `nil` means all.
    ///   - namespace: `nil` means all.
    ///   - name: `nil` means all. Who watches one object is not woken for others.
    /// - Throws: `.tooOld` when history does not reach back so far, `.tooNew` when the store was never there.
    package func watch(
        from revision: Revision, kind: String? = nil, namespace: String? = nil, name: String? = nil
    ) throws(StoreError) -> StoreWatch {
        let current = self.revision
        guard revision <= current else { throw .tooNew(requested: revision, current: current) }
        return try hub.watch(from: revision, kind: kind, namespace: namespace, name: name)
    }

    /// Tells watchers for whom nothing happened how far the store is, so that each can go on from there.
    package func tellProgress() { hub.tellProgress() }

    /// Everything as it was at a revision of the past, made by undoing what history holds since then.
    ///
    /// - Complexity: linear in the number of changes since.
    /// - Throws: `.tooOld` when history does not reach back so far, `.tooNew` when the store was never there.
    package func snapshot(at revision: Revision) async throws(StoreError) -> Snapshot {
        while true {
            let present = snapshot
            guard revision <= present.revision else {
                throw .tooNew(requested: revision, current: present.revision)
            }
            let changes = try hub.changes(after: revision, upTo: present.revision)
            if let changes { return present.undoing(changes, backTo: revision) }
            // What became visible just now is told to history next.
            try await settle()
        }
    }

    /// Finishes what was accepted, ends all watches and lets go of the data directory. Later writes throw `.closed`.
    package func close() async {
        state.withLock { $0.isClosed = true }
        // Whoever holds this lock commits all that is pending; afterwards nothing can be.
        commitPending()
        thread.withLock {
            $0?.stop()
            $0 = nil
        }
        hub.close()
        committing.withLock { _ in persistence.close() }
    }
}
