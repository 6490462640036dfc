package import Cluster
package import Kinds
package import Model

/// A cluster that takes Events and forgets them: where nobody will read them, they need not be kept. Everything else is
/// as it was.
package struct EventlessCluster: Cluster {
    private let cluster: any Cluster

    package init(_ cluster: any Cluster) { self.cluster = cluster }

    package func resourceTypes() async throws(APIError) -> [ResourceType] { try await cluster.resourceTypes() }

    package func get(_ key: ObjectKey, version: String?) async throws(APIError) -> Object {
        try await cluster.get(key, version: version)
    }

    package func list(_ query: ListQuery) async throws(APIError) -> ObjectList { try await cluster.list(query) }

    package func watch(_ query: ListQuery, from resourceVersion: String?) async throws(APIError) -> WatchStream {
        try await cluster.watch(query, from: resourceVersion)
    }

    package func create(_ object: Object, options: WriteOptions) async throws(APIError) -> Object {
        if object.key.kind == Event.kind.groupKind { return object }
        return try await cluster.create(object, options: options)
    }

    package func update(
        _ object: Object, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        try await cluster.update(object, subresource: subresource, options: options)
    }

    package func patch(
        _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        try await cluster.patch(key, patch, subresource: subresource, options: options)
    }

    package func delete(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) -> Object {
        try await cluster.delete(key, options: options)
    }

    package func evict(_ pod: ObjectKey, options: DeleteOptions) async throws(APIError) {
        try await cluster.evict(pod, options: options)
    }

    package func logs(_ query: LogQuery) async throws(APIError) -> LogStream { try await cluster.logs(query) }
}
