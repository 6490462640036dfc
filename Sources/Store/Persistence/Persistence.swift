import Model

/// Where a store keeps what must outlive it.
///
/// A store calls one method at a time, never two at once, so an implementation needs no lock of its own.
package protocol Persistence: AnyObject, Sendable {
    /// Whether a commit is so quick that the caller does it itself, without a thread: then a run is deterministic.
    var commitsInline: Bool { get }

    /// Everything that was kept; called once, before any commit.
    func load() throws(StoreError) -> PersistedState

    /// Keeps all of `batch`, or nothing and throws. It is durable when this returns.
    func commit(_ batch: PersistedBatch) throws(StoreError)

    /// Whether there is something for `tidy` to do.
    var isUntidy: Bool { get }

    /// What is best done between commits, when no writer waits for an answer.
    ///
    /// Nothing depends on it: where it throws, what was kept is kept.
    func tidy() throws(StoreError)

    /// Sets rows aside that `load` answered but that make no sense; they are never deleted.
    func quarantine(_ rows: [UnreadableRow]) throws(StoreError)

    /// Lets go of files and locks. Nothing is called afterwards.
    func close()
}

extension Persistence {
    package var isUntidy: Bool { false }
    package func tidy() throws(StoreError) {}
}

/// What was kept when the store was last open.
package struct PersistedState: Sendable {
    package var revision: Revision
    package var rows: [PersistedRow]
    package var metadata: [String: [UInt8]]

    package init(revision: Revision = .zero, rows: [PersistedRow] = [], metadata: [String: [UInt8]] = [:]) {
        self.revision = revision
        self.rows = rows
        self.metadata = metadata
    }
}

/// One kept object.
package struct PersistedRow: Hashable, Sendable {
    /// The same from the object's creation to its deletion.
    package var id: Revision
    package var key: StoreKey
    package var revision: Revision
    private let content: Content

    private enum Content: Sendable {
        case text([UInt8])
        case object(StoredObject)
    }

    package init(id: Revision, key: StoreKey, revision: Revision, bytes: [UInt8]) {
        self.id = id
        self.key = key
        self.revision = revision
        content = .text(bytes)
    }

    /// The text is made only if it is asked for.
    init(_ object: StoredObject) {
        id = object.row
        key = object.key
        revision = object.revision
        content = .object(object)
    }

    /// The object again, without its text where it need not be read.
    ///
    /// - Throws: for a text that is no JSON.
    func tree() throws(JSONError) -> (json: JSON, bytes: [UInt8]?) {
        switch content {
        case .text(let bytes): (try JSON(decoding: bytes), bytes)
        case .object(let object): (object.json, nil)
        }
    }

    package var bytes: [UInt8] {
        switch content {
        case .text(let bytes): bytes
        case .object(let object): object.bytes
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.key == right.key && left.revision == right.revision && left.bytes == right.bytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(id)
        hasher.combine(revision)
    }
}

package struct UnreadableRow: Hashable, Sendable {
    package var row: PersistedRow
    package var reason: String
}

/// Changes that become durable together.
package struct PersistedBatch: Sendable {
    package enum Operation: Sendable {
        case insert(PersistedRow)
        case update(PersistedRow)
        case delete(id: Revision)
        case setMetadata(key: String, value: [UInt8])
    }

    package var operations: [Operation]
    /// The store's revision once the batch is kept.
    package var revision: Revision

    /// Whether a row that the batch keeps has that revision, so that it is known from the rows alone.
    var keepsItsRevision: Bool {
        operations.contains { operation in
            switch operation {
            case .insert(let row), .update(let row): row.revision == revision
            case .delete, .setMetadata: false
            }
        }
    }
}
