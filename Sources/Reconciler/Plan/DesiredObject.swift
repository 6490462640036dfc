package import Kinds
package import Model

/// One object that a revision wants to exist.
package struct DesiredObject: Sendable {
    package var object: Object
    /// Where it stands in the repository: `web/deployment.yaml:12`.
    package var origin: String
    /// Changes exactly when the rendered object does; comparing it is cheaper than comparing trees.
    package var fingerprint: String
    /// Where one of its fields stands: `spec.replicas` → `web/deployment.yaml:14:3`. Reads the file anew: for errors.
    package var locate: @Sendable (_ field: String) -> String

    /// - Parameter locate: answers the origin when it is not given.
    package init(
        object: Object, origin: String, fingerprint: String, locate: (@Sendable (String) -> String)? = nil
    ) {
        self.object = object
        self.origin = origin
        self.fingerprint = fingerprint
        self.locate = locate ?? { _ in origin }
    }

    package var key: ObjectKey { object.key }
}

/// A revision, rendered: what it wants to exist, in sync order, or why that cannot be said.
package struct DesiredState: Sendable {
    package var revision: String
    package var objects: [DesiredObject]
    /// Faults in the repository, each with its place: `file:line:column: message`. With any, nothing is synced.
    package var faults: [String]

    package init(revision: String, objects: [DesiredObject], faults: [String] = []) {
        self.revision = revision
        self.objects = objects.sorted { SyncOrder.precedes($0.key, $1.key) }
        self.faults = faults
    }
}

/// Where an Application's revisions come from: Git, in production.
package protocol RevisionSource: Sendable {
    /// The commit that the source's `targetRevision` stands for now.
    func resolve(_ source: ApplicationSource) async throws -> String

    /// What a commit wants to exist in `namespace`. Works without the network for a commit that was synced before.
    func render(_ source: ApplicationSource, revision: String, namespace: String) async throws -> DesiredState

    /// Yields whenever the repository may have changed, for sources that can tell (a local one); ends with the task.
    func changes(of source: ApplicationSource) -> AsyncStream<Void>
}
