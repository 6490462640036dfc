package import Model
import Synchronization

/// One object as it was stored: its tree beside its text (DESIGN: *Encode once*).
///
/// A class, so that snapshots and watchers share it and copying the hot state's nodes costs one reference.
package final class StoredObject: EncodedJSON {
    package let key: StoreKey
    /// Also in the tree, as `metadata.resourceVersion`.
    package let revision: Revision
    package let json: JSON
    private let encoding: Mutex<Encoding?>
    /// Identifies the row from the object's creation to its deletion; it is the revision that created it.
    let row: Revision

    init(key: StoreKey, revision: Revision, json: JSON, bytes: [UInt8]?, row: Revision) {
        self.key = key
        self.revision = revision
        self.json = json
        encoding = Mutex(bytes.map { Encoding($0) })
        self.row = row
    }

    private struct Encoding {
        let bytes: [UInt8]
        /// Beside the array, whose own count lies with its elements: a list needs those of all its objects at once.
        let count: Int

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            count = bytes.count
        }
    }

    /// Writes the revision into the tree.
    convenience init(key: StoreKey, revision: Revision, json: JSON, row: Revision) {
        var json = json
        json[path: ["metadata", "resourceVersion"]] = .string(revision.description)
        self.init(key: key, revision: revision, json: json, bytes: nil, row: row)
    }

    /// The compact JSON text of `json`: made when it is first asked for, which is not under the store's lock, and not
    /// at all where everything stays in memory.
    package var bytes: [UInt8] { encoding.withLock { made(&$0).bytes } }

    package var byteCount: Int { encoding.withLock { made(&$0).count } }

    private func made(_ encoding: inout Encoding?) -> Encoding {
        if let encoding { return encoding }
        let made = Encoding(json.encoded())
        encoding = made
        return made
    }
}

/// What must hold for a write to happen.
package enum Precondition: Hashable, Sendable {
    case absent
    case revision(Revision)
    case exists
    case any
}

/// One change of one object.
package struct Write: Sendable {
    package enum Operation: Sendable {
        /// The store puts the new revision into `metadata.resourceVersion` itself.
        case put(JSON)
        case delete
        /// Changes nothing, but the commit happens only if the precondition holds.
        case require
    }

    package var key: StoreKey
    package var operation: Operation
    package var precondition: Precondition

    package init(_ key: StoreKey, _ operation: Operation, if precondition: Precondition = .any) {
        self.key = key
        self.operation = operation
        self.precondition = precondition
    }
}

/// One change that happened.
package struct Change: Sendable {
    package enum Kind: Hashable, Sendable {
        case created
        case updated
        case deleted
    }

    package var kind: Kind
    /// As it is now; for a deletion as it last was, under the revision of the deletion (D6).
    package var object: StoredObject
    /// As it was before; `nil` for a creation.
    package var previous: StoredObject?

    package var key: StoreKey { object.key }
    package var revision: Revision { object.revision }
}
