import HashTreeCollections
import Model

typealias CommitContinuation = CheckedContinuation<Result<[StoredObject], StoreError>, Never>

/// One accepted commit on its way to the disk.
struct PendingCommit {
    var changes: [Change]
    var metadata: [String: [UInt8]]
    var continuation: CommitContinuation
}

/// What the store's lock protects: the durable state, and the writes that are not durable yet.
struct StoreState {
    private(set) var objects: TreeDictionary<StoreKey, StoredObject> = [:]
    private(set) var index = KeyIndex()
    private(set) var metadata: [String: [UInt8]]
    /// The last durable revision.
    private(set) var revision = Revision.zero
    /// By kind, that of its last change since the store was opened.
    private(set) var lastChanges: [String: Revision] = [:]
    var isClosed = false
    /// Why the last commit failed; `nil` where it did not.
    var failure: StoreError?

    /// The last revision handed out.
    private var issued = Revision.zero
    /// Keys with writes that are not durable yet, as the last of them leaves the key; `object` is `nil` for a deletion.
    private var head: [StoreKey: (revision: Revision, object: StoredObject?)] = [:]
    private var queue: [PendingCommit] = []
    private var queuedWrites = 0

    init(metadata: [String: [UInt8]]) {
        self.metadata = metadata
    }

    var snapshot: Snapshot { Snapshot(revision: revision, objects: objects, index: index) }

    /// Takes over what was kept; answers the rows that cannot be.
    mutating func restore(_ kept: PersistedState) -> [UnreadableRow] {
        var unreadable: [UnreadableRow] = []
        revision = kept.revision
        for row in kept.rows {
            revision = max(revision, row.revision)
            do throws(JSONError) {
                let (json, bytes) = try row.tree()
                if json.object == nil {
                    unreadable.append(UnreadableRow(row: row, reason: "it is no JSON object"))
                } else if objects[row.key] != nil {
                    unreadable.append(UnreadableRow(row: row, reason: "another row has the same key"))
                } else {
                    let object = StoredObject(
                        key: row.key, revision: row.revision, json: json, bytes: bytes, row: row.id)
                    objects[row.key] = object
                    index.put(object)
                }
            } catch {
                unreadable.append(UnreadableRow(row: row, reason: error.description))
            }
        }
        issued = revision
        return unreadable
    }

    /// Checks all of `writes` and queues them, or changes nothing and throws.
    mutating func accept(
        _ writes: [Write], metadata: [String: [UInt8]], limit: Int, _ continuation: CommitContinuation
    ) throws(StoreError) {
        guard !isClosed else { throw .closed }
        guard queuedWrites + writes.count <= limit else { throw .overloaded(limit: limit) }
        var staged: [StoreKey: StoredObject?] = [:]
        var changes: [Change] = []
        changes.reserveCapacity(writes.count)
        var revision = issued
        for write in writes {
            let current = if let found = staged[write.key] { found } else { latest(write.key) }
            try Self.check(write, current)
            guard let change = Self.change(write, current, revision.next) else { continue }
            revision = revision.next
            staged[write.key] = .some(change.kind == .deleted ? nil : change.object)
            changes.append(change)
        }
        issued = revision
        for change in changes {
            head[change.key] = (change.revision, change.kind == .deleted ? nil : change.object)
        }
        queuedWrites += changes.count
        queue.append(PendingCommit(changes: changes, metadata: metadata, continuation: continuation))
    }

    /// One object as the writes that were accepted leave it.
    func latest(_ key: StoreKey) -> StoredObject? {
        if let pending = head[key] { pending.object } else { objects[key] }
    }

    private static func check(_ write: Write, _ current: StoredObject?) throws(StoreError) {
        switch (write.precondition, current) {
        case (.absent, let current?): throw .alreadyExists(key: write.key, found: current.revision)
        case (.revision, nil), (.exists, nil): throw .notFound(key: write.key)
        case (.revision(let expected), let current?) where expected != current.revision:
            throw .conflict(key: write.key, found: current.revision)
        case (.absent, nil), (.revision, _), (.exists, _), (.any, _): break
        }
    }

    /// `nil` when nothing changes: an absent object is deleted, or a precondition merely required.
    private static func change(_ write: Write, _ current: StoredObject?, _ revision: Revision) -> Change? {
        switch write.operation {
        case .put(let json):
            let object = StoredObject(
                key: write.key, revision: revision, json: json, row: current?.row ?? revision)
            return Change(kind: current == nil ? .created : .updated, object: object, previous: current)
        case .delete:
            guard let current else { return nil }
            let object = StoredObject(key: write.key, revision: revision, json: current.json, row: current.row)
            return Change(kind: .deleted, object: object, previous: current)
        case .require:
            return nil
        }
    }

    /// Whether a commit waits that `takeBatch` has not handed out.
    var hasPending: Bool { !queue.isEmpty }

    /// The next commits to make durable together; empty when none waits.
    mutating func takeBatch(limit: Int) -> [PendingCommit] {
        var count = 0
        var taken = 0
        while taken < queue.count, taken == 0 || count + queue[taken].changes.count <= limit {
            count += queue[taken].changes.count
            taken += 1
        }
        let batch = Array(queue[..<taken])
        queue.removeSubrange(..<taken)
        queuedWrites -= count
        return batch
    }

    /// Makes durable changes visible.
    mutating func apply(_ batch: [PendingCommit]) {
        failure = nil
        for commit in batch {
            for change in commit.changes {
                switch change.kind {
                case .created, .updated:
                    objects[change.key] = change.object
                    index.put(change.object)
                case .deleted:
                    objects[change.key] = nil
                    index.remove(change.key)
                }
                revision = change.revision
                lastChanges[change.key.kind] = change.revision
                if head[change.key]?.revision == change.revision { head[change.key] = nil }
            }
            metadata.merge(commit.metadata) { $1 }
        }
    }

    /// Forgets all writes that are not durable; answers who waits for them.
    ///
    /// All of them, not only the failed batch: the later ones were checked against it.
    mutating func dropPending() -> [PendingCommit] {
        defer {
            queue = []
            queuedWrites = 0
            head = [:]
        }
        return queue
    }
}
