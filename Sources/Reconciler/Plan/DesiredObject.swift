package import Kinds
package import Model

/// One object that a revision wants to exist. Shared by the revisions in which it is the same.
package final class DesiredObject: Sendable {
    package let key: ObjectKey
    package let object: Object
    /// Where it stands in the repository: `web/deployment.yaml:12`.
    package let origin: String
    /// Changes exactly when the rendered object does; comparing it is cheaper than comparing trees.
    package let fingerprint: String
    /// Where one of its fields stands: `spec.replicas` → `web/deployment.yaml:14:3`. Reads the file anew: for errors.
    package let locate: @Sendable (_ field: String) -> String

    /// - Parameter locate: answers the origin when it is not given.
    package init(
        object: Object, origin: String, fingerprint: String, locate: (@Sendable (String) -> String)? = nil
    ) {
        key = object.key
        self.object = object
        self.origin = origin
        self.fingerprint = fingerprint
        self.locate = locate ?? { _ in origin }
    }

    /// The same, changed in what does not make it another object.
    package func with(_ object: Object, fingerprint: String? = nil) -> DesiredObject {
        DesiredObject(
            object: object, origin: origin, fingerprint: fingerprint ?? self.fingerprint, locate: locate)
    }
}

/// A revision, rendered: what it wants to exist, in sync order, or why that cannot be said.
package struct DesiredState: Sendable {
    package var revision: String
    package var objects: [DesiredObject]
    /// Which commits of other repositories it was built on.
    package var bases: [BaseRevision] = []
    /// Faults in the repository, each with its place: `file:line:column: message`. With any, nothing is synced.
    package var faults: [String]

    package init(revision: String, objects: [DesiredObject], faults: [String] = []) {
        self.revision = revision
        self.objects = SyncOrder.sorted(objects, by: \.key)
        self.faults = faults
    }

    /// The state of a later commit in which few objects differ.
    ///
    /// - Parameters:
    ///   - keys: what was added, changed or removed.
    ///   - replacements: what there is of these now.
    /// - Complexity: a copy of the array for each key; nothing is compared or sorted.
    package init(
        _ earlier: DesiredState, revision: String, replacing keys: Set<ObjectKey>, with replacements: [DesiredObject],
        faults: [String]
    ) {
        self = earlier
        self.revision = revision
        self.faults = faults
        for key in keys {
            let position = position(of: key)
            if position < objects.count, objects[position].key == key { objects.remove(at: position) }
        }
        for object in replacements { objects.insert(object, at: position(of: object.key)) }
    }

    /// Where the object with that key stands, or would stand.
    private func position(of key: ObjectKey) -> Int {
        var (low, high) = (0, objects.count)
        while low < high {
            let middle = (low + high) / 2
            if SyncOrder.precedes(objects[middle].key, key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Where an Application's revisions come from: Git, in production.
package protocol RevisionSource: Sendable {
    /// The revision that the source's `targetRevision` stands for now: a commit, with those of the bases in other
    /// repositories that it is built on, where these can move (`PinnedRevision`).
    func resolve(_ source: ApplicationSource) async throws -> String

    /// What a commit wants to exist in `namespace`. Works without the network for a commit that was synced before.
    func render(_ source: ApplicationSource, revision: String, namespace: String) async throws -> DesiredState

    /// Yields whenever the repository may have changed, for sources that can tell (a local one); ends with the task.
    func changes(of source: ApplicationSource) -> AsyncStream<Void>
}
