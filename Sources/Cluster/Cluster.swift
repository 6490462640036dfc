package import Kinds
package import Model

/// The Kubernetes API, spelled as Swift verbs: where the reconciler and the engine meet.
///
/// `Engine` implements it in process, `KubernetesClient` over HTTPS; whoever holds a `Cluster` cannot tell which.
/// Objects go in and come out as whole trees with `apiVersion` and `kind`. Every write is durable when it returns.
/// An object that is served in several versions is one object: which version a request speaks is its own choice, and
/// what it is answered is in that version.
package protocol Cluster: Sendable {
    /// What the cluster serves: one entry for each version of a kind, the preferred one first. `preferred` has each
    /// kind once.
    func resourceTypes() async throws(APIError) -> [ResourceType]

    /// - Parameter version: in which the object is to be read, as everywhere here; `nil` means the preferred one.
    func get(_ key: ObjectKey, version: String?) async throws(APIError) -> Object

    func list(_ query: ListQuery) async throws(APIError) -> ObjectList

    /// Changes after `resourceVersion` (`nil`: first the present objects as `.added`, then changes).
    ///
    /// - Throws: `.expired` (410) when that version is no longer in history. The stream may end at any time: a caller
    ///   lists again and watches from there, as `Informer` does.
    func watch(_ query: ListQuery, from resourceVersion: String?) async throws(APIError) -> WatchStream

    func create(_ object: Object, options: WriteOptions) async throws(APIError) -> Object

    /// Replaces an object, or one of its subresources. A non-empty `metadata.resourceVersion` must be the current one.
    func update(_ object: Object, subresource: Subresource?, options: WriteOptions) async throws(APIError) -> Object

    func patch(
        _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object

    /// Answers the object as it is left: marked for deletion, or as it last was when it is gone.
    func delete(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) -> Object

    /// Deletes a pod if its disruption budget bears that.
    ///
    /// - Throws: `.tooManyRequests` while the budget forbids it.
    func evict(_ pod: ObjectKey, options: DeleteOptions) async throws(APIError)

    /// What the containers of a pod wrote.
    func logs(_ query: LogQuery) async throws(APIError) -> LogStream
}

extension Cluster {
    package func get(_ key: ObjectKey) async throws(APIError) -> Object { try await get(key, version: nil) }
}

/// Which state of a collection a list is to show (semantics-api D1).
package enum ListMoment: Hashable, Sendable {
    case latest
    /// Any that is not older than this version.
    case notOlder(than: String)
    /// The one of just this version.
    case exactly(at: String)
}

/// Which objects a list or watch is about.
package struct ListQuery: Hashable, Sendable {
    package var kind: GroupKind
    /// `nil` means the preferred one.
    package var version: String?
    /// `nil` means all namespaces, or a cluster-scoped kind.
    package var namespace: String?
    package var labels: Selector
    package var fields: FieldSelector
    /// At most so many objects in one answer; the rest follows with `continueToken`.
    package var limit: Int?
    package var continueToken: String?
    /// Of which time; a continued list is of the time of its first page. Watches do not look at it.
    package var moment: ListMoment

    package init(
        _ kind: GroupKind, version: String? = nil, namespace: String? = nil, labels: Selector = Selector(),
        fields: FieldSelector = FieldSelector(), limit: Int? = nil, continueToken: String? = nil,
        moment: ListMoment = .latest
    ) {
        self.moment = moment
        self.kind = kind
        self.version = version
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self.limit = limit
        self.continueToken = continueToken
    }
}

/// A consistent state of a collection.
package struct ObjectList: Sendable {
    package var items: [Object]
    /// The version of the whole collection: watch from here to miss nothing.
    package var resourceVersion: String
    package var continueToken: String?
    package var remainingItemCount: Int?

    package init(
        items: [Object], resourceVersion: String, continueToken: String? = nil, remainingItemCount: Int? = nil
    ) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
        self.remainingItemCount = remainingItemCount
    }
}

package enum WatchEvent: Sendable {
    case added(Object)
    case modified(Object)
    case deleted(Object)
    /// Nothing changed up to this version.
    case bookmark(resourceVersion: String)
}

package typealias WatchStream = AsyncThrowingStream<WatchEvent, any Error>

package enum Subresource: String, Hashable, Sendable {
    case status
    case scale
    case binding
    case finalize
    case approval
}

package enum Patch: Hashable, Sendable {
    /// RFC 6902.
    case json(JSON)
    /// RFC 7386.
    case merge(JSON)
    case strategicMerge(JSON)
    /// Server-side apply; `force` takes over fields that other managers own.
    case apply(JSON, force: Bool)

    /// The version in which an applied configuration is written; that of a Scale says nothing of what it scales.
    package func version(of subresource: Subresource?) -> String? {
        guard subresource != .scale, case .apply(let config, _) = self, let apiVersion = config["apiVersion"]?.string,
            !apiVersion.isEmpty
        else { return nil }
        return GroupVersionKind(apiVersion: apiVersion, kind: "").version
    }
}

package enum FieldValidation: String, Hashable, Sendable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// The user who sends a request, as far as objects tell of it.
package struct Requester: Hashable, Sendable {
    package var name: String
    package var uid: String
    package var groups: [String]
    package var extra: [String: [String]]

    package init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    /// Who writes where no user does: what runs within this process.
    package static let system = Requester(
        name: "system:apiserver", groups: ["system:masters", "system:authenticated"])
}

package struct WriteOptions: Hashable, Sendable {
    /// Run everything but keep nothing.
    package var dryRun: Bool
    /// Who writes, for `managedFields`.
    package var fieldManager: String
    package var fieldValidation: FieldValidation
    /// What the text of the request gave more than once in one object (C21): `duplicate field "spec.replicas"`.
    package var repeatedFields: [String] = []
    /// Where warnings go; `nil`: nobody would read them.
    package var warnings: RequestWarnings?
    /// Of a patch that does not say it itself, and of its answer; `nil` means the preferred one.
    package var version: String?
    /// Whose request it is; `nil`: no user's, but something within this process writes.
    package var requester: Requester?

    package init(
        fieldManager: String, dryRun: Bool = false, fieldValidation: FieldValidation = .strict,
        warnings: RequestWarnings? = nil, version: String? = nil
    ) {
        self.fieldManager = fieldManager
        self.dryRun = dryRun
        self.fieldValidation = fieldValidation
        self.warnings = warnings
        self.version = version
    }
}

package enum PropagationPolicy: String, Hashable, Sendable {
    case background = "Background"
    case foreground = "Foreground"
    case orphan = "Orphan"
}

package struct DeleteOptions: Hashable, Sendable {
    package var gracePeriodSeconds: Int?
    package var propagation: PropagationPolicy?
    /// Delete only this very object, not a later one of the same name.
    package var uid: String?
    package var resourceVersion: String?
    package var dryRun: Bool
    /// Of the answer; `nil` means the preferred one.
    package var version: String?
    /// Where warnings go; `nil`: nobody would read them.
    package var warnings: RequestWarnings?
    /// Whose request it is; `nil`: no user's, but something within this process deletes.
    package var requester: Requester?

    package init(
        gracePeriodSeconds: Int? = nil, propagation: PropagationPolicy? = nil, uid: String? = nil,
        resourceVersion: String? = nil, dryRun: Bool = false, version: String? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.dryRun = dryRun
        self.version = version
    }
}

package struct LogQuery: Hashable, Sendable {
    package var namespace: String
    package var pod: String
    package var container: String?
    package var follow: Bool
    /// The container's last run before this one.
    package var previous: Bool
    package var timestamps: Bool
    package var tailLines: Int?
    package var since: Timestamp?
    package var limitBytes: Int?

    package init(
        namespace: String, pod: String, container: String? = nil, follow: Bool = false, previous: Bool = false,
        timestamps: Bool = false, tailLines: Int? = nil, since: Timestamp? = nil, limitBytes: Int? = nil
    ) {
        self.namespace = namespace
        self.pod = pod
        self.container = container
        self.follow = follow
        self.previous = previous
        self.timestamps = timestamps
        self.tailLines = tailLines
        self.since = since
        self.limitBytes = limitBytes
    }
}

/// Chunks of log text, whole lines each.
package typealias LogStream = AsyncThrowingStream<[UInt8], any Error>
