import AsyncHTTPClient
package import Cluster
package import Kinds
package import Logging
package import Model
import NIOHTTP1
import Synchronization

/// A `Cluster` behind the Kubernetes HTTP API.
///
/// What is served is learned by discovery when it is first needed, and again when a kind is unknown. Reads are retried
/// when the connection breaks; any request is retried when the server asks for patience (429, 503 with Retry-After).
/// Close it with `shutdown()`.
package final class KubernetesClient: Cluster {
    /// How patient the client is.
    package struct Limits: Sendable {
        /// Tries of one request, the first included.
        package var attempts = 4
        package var firstBackoff = Duration.milliseconds(100)
        /// The longest pause that a server may ask for.
        package var longestPause = Duration.seconds(30)
        package var connect = Duration.seconds(5)
        /// For an answer that is not streamed.
        package var request = Duration.seconds(60)
        /// A list of so many bytes is refused.
        package var body = 512 << 20

        package init() {}
    }

    let transport: Transport
    private let discovered = Mutex<[ResourceType]?>(nil)

    /// - Throws: `.serviceUnavailable` when a certificate or key cannot be read.
    package init(
        _ access: ClusterAccess, clock: any WallClock, limits: Limits = Limits(), logger: Logger,
        userAgent: String = "martlet"
    ) throws(APIError) {
        transport = try Transport(access, clock: clock, limits: limits, logger: logger, userAgent: userAgent)
    }

    /// Closes all connections; watches end.
    package func shutdown() async throws {
        try await transport.shutdown()
    }

    package func resourceTypes() async throws(APIError) -> [ResourceType] {
        if let known = discovered.withLock({ $0 }) { return known }
        let types = try await Discovery.resourceTypes(over: transport)
        discovered.withLock { $0 = types }
        return types
    }

    /// - Parameter version: `nil` means the preferred one.
    /// - Throws: `.notFound` for a kind, or a version of it, that the server does not have.
    func type(for kind: GroupKind, version: String?) async throws(APIError) -> ResourceType {
        // Martlet's own kinds need no question, which saves a short-lived command its discovery.
        if let type = Catalog.builtIn.type(for: kind, version: version), discovered.withLock({ $0 == nil }) {
            return type
        }
        func find(among types: [ResourceType]) -> ResourceType? {
            types.first { $0.kind.groupKind == kind && (version == nil || $0.kind.version == version) }
        }
        if let type = find(among: try await resourceTypes()) { return type }
        // It may have been added since.
        discovered.withLock { $0 = nil }
        if let type = find(among: try await resourceTypes()) { return type }
        throw APIError(
            .notFound, "the server has no kind \(kind)\(version.map { " in version \($0)" } ?? "")",
            details: APIError.Details(group: kind.group, kind: kind.kind))
    }

    func type(for kind: GroupVersionKind) async throws(APIError) -> ResourceType {
        try await type(for: kind.groupKind, version: kind.version)
    }

    // MARK: Reads

    package func get(_ key: ObjectKey, version: String?) async throws(APIError) -> Object {
        let type = try await type(for: key.kind, version: version)
        return try object(try await transport.send(.GET, try ResourcePaths.object(type, key)))
    }

    package func list(_ query: ListQuery) async throws(APIError) -> ObjectList {
        let type = try await type(for: query.kind, version: query.version)
        var items = ResourcePaths.items(of: query)
        if let limit = query.limit { items.append(("limit", "\(limit)")) }
        if let token = query.continueToken, !token.isEmpty { items.append(("continue", token)) }
        switch query.moment {
        case .latest: break
        case .notOlder(let version):
            items += [("resourceVersion", version), ("resourceVersionMatch", "NotOlderThan")]
        case .exactly(let version): items += [("resourceVersion", version), ("resourceVersionMatch", "Exact")]
        }
        let path = ResourcePaths.collection(type, namespace: query.namespace) + ResourcePaths.query(items)
        let json = try await transport.send(.GET, path)
        let metadata = json["metadata"] ?? [:]
        return ObjectList(
            items: (json["items"]?.array ?? []).map { Self.complete($0, type) },
            resourceVersion: metadata["resourceVersion"]?.string ?? "",
            continueToken: metadata["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 },
            remainingItemCount: (metadata["remainingItemCount"]?.int).map { Int($0) })
    }

    /// Kubernetes leaves kind and version out of a list's items.
    private static func complete(_ item: JSON, _ type: ResourceType) -> Object {
        guard item["kind"] == nil else { return Object(viewing: item) }
        var json: JSON = ["apiVersion": .string(type.kind.apiVersion), "kind": .string(type.kind.kind)]
        for member in item.object ?? JSONObject() { json[member.key] = member.value }
        return Object(viewing: json)
    }

    package func watch(_ query: ListQuery, from resourceVersion: String?) async throws(APIError) -> WatchStream {
        let type = try await type(for: query.kind, version: query.version)
        var items = ResourcePaths.items(of: query)
        items += [("watch", "true"), ("allowWatchBookmarks", "true")]
        if let resourceVersion { items.append(("resourceVersion", resourceVersion)) }
        let path = ResourcePaths.collection(type, namespace: query.namespace) + ResourcePaths.query(items)
        let lines = LineReader(try await transport.stream(path))
        let transport = self.transport
        return WatchStream {
            while let line = try await Self.line(from: lines, transport) {
                let event: JSON
                do {
                    event = try JSON(decoding: line)
                } catch {
                    throw APIError(.internalError, "the server sent a watch event that is no JSON: \(error)")
                }
                let object = Object(viewing: event["object"] ?? [:])
                switch event["type"]?.string {
                case "ADDED": return .added(object)
                case "MODIFIED": return .modified(object)
                case "DELETED": return .deleted(object)
                case "BOOKMARK": return .bookmark(resourceVersion: object.metadata.resourceVersion)
                case "ERROR": throw APIError(status: object.json)
                default: continue  // Kinds of events that later versions may add.
                }
            }
            return nil
        }
    }

    /// A watch whose connection breaks has ended, which its reader expects to happen.
    private static func line(from lines: LineReader, _ transport: Transport) async throws -> [UInt8]? {
        do {
            return try await lines.next()
        } catch let error as APIError {
            throw error
        } catch {
            return nil
        }
    }

    package func logs(_ query: LogQuery) async throws(APIError) -> LogStream {
        let type = try await type(for: Pod.kind)
        var items: [(String, String)] = []
        if let container = query.container { items.append(("container", container)) }
        if query.follow { items.append(("follow", "true")) }
        if query.previous { items.append(("previous", "true")) }
        if query.timestamps { items.append(("timestamps", "true")) }
        if let lines = query.tailLines { items.append(("tailLines", "\(lines)")) }
        if let since = query.since { items.append(("sinceTime", "\(since)")) }
        if let limit = query.limitBytes { items.append(("limitBytes", "\(limit)")) }
        let path = try ResourcePaths.object(type, Pod.key(query.pod, in: query.namespace), subresource: "log")
        let chunks = ChunkReader(try await transport.stream(path + ResourcePaths.query(items)))
        return LogStream { try await chunks.next() }
    }

    // MARK: Writes

    package func create(_ object: Object, options: WriteOptions) async throws(APIError) -> Object {
        let type = try await type(for: object.kind)
        let namespace = object.metadata.namespace
        guard !type.isNamespaced || !namespace.isEmpty else {
            throw APIError(.badRequest, "the \(type.kind.kind) \(object.metadata.name) has no namespace")
        }
        let path = ResourcePaths.collection(type, namespace: namespace)
        return try self.object(
            try await transport.send(
                .POST, path + ResourcePaths.query(ResourcePaths.items(of: options)), body: object.encoded))
    }

    package func update(
        _ object: Object, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        let isBinding = subresource == .binding
        let type = try await type(for: isBinding ? Pod.kind : object.kind)
        let key = ObjectKey(
            kind: type.kind.groupKind, namespace: object.metadata.namespace, name: object.metadata.name)
        let path = try ResourcePaths.object(type, key, subresource: subresource?.rawValue)
        let query = ResourcePaths.query(ResourcePaths.items(of: options))
        switch subresource {
        case .binding:
            var binding = object.json
            if object.kindName == "Pod" {
                binding = [
                    "apiVersion": "v1", "kind": "Binding", "metadata": ["name": .string(key.name)],
                    "target": ["kind": "Node", "name": object.json[path: ["spec", "nodeName"]] ?? ""],
                ]
            }
            _ = try await transport.send(.POST, path + query, body: binding.encoded())
            return try await get(key, version: type.kind.version)
        case .scale:
            // The server speaks of a Scale; the object itself is what callers expect.
            var metadata: JSON = ["name": .string(key.name), "namespace": .string(key.namespace)]
            metadata["resourceVersion"] = object.json[path: ["metadata", "resourceVersion"]]
            let scale: JSON = [
                "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata,
                "spec": ["replicas": object.json[path: ["spec", "replicas"]] ?? .null],
            ]
            _ = try await transport.send(.PUT, path + query, body: scale.encoded())
            return try await get(key, version: type.kind.version)
        case nil, .status, .finalize, .approval:
            return try self.object(try await transport.send(.PUT, path + query, body: object.encoded))
        }
    }

    package func patch(
        _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        let type = try await type(for: key.kind, version: options.version ?? patch.version(of: subresource))
        var items = ResourcePaths.items(of: options)
        let (contentType, body): (String, JSON) =
            switch patch {
            case .json(let operations): ("application/json-patch+json", operations)
            case .merge(let change): ("application/merge-patch+json", change)
            case .strategicMerge(let change): ("application/strategic-merge-patch+json", change)
            case .apply(let config, _): ("application/apply-patch+yaml", config)
            }
        if case .apply(_, let force) = patch { items.append(("force", "\(force)")) }
        let path = try ResourcePaths.object(type, key, subresource: subresource?.rawValue)
        let answer = try await transport.send(
            .PATCH, path + ResourcePaths.query(items), body: body.encoded(), contentType: contentType)
        return subresource == .scale ? try await get(key, version: type.kind.version) : try object(answer)
    }

    /// Servers answer only a Status for most kinds of objects that are gone; then the object that is answered here has
    /// no more than what that says: kind, name, namespace and uid.
    package func delete(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) -> Object {
        let type = try await type(for: key.kind, version: options.version)
        let answer = try await transport.send(
            .DELETE, try ResourcePaths.object(type, key), body: Self.body(of: options).encoded())
        guard answer["kind"] == "Status" else { return try object(answer) }
        var metadata: JSON = ["name": .string(key.name)]
        if type.isNamespaced { metadata["namespace"] = .string(key.namespace) }
        metadata["uid"] = answer[path: ["details", "uid"]]
        return Object(
            viewing: [
                "apiVersion": .string(type.kind.apiVersion), "kind": .string(type.kind.kind), "metadata": metadata,
            ])
    }

    package func evict(_ pod: ObjectKey, options: DeleteOptions) async throws(APIError) {
        let type = try await type(for: Pod.kind)
        let eviction: JSON = [
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": ["name": .string(pod.name), "namespace": .string(pod.namespace)],
            "deleteOptions": Self.body(of: options),
        ]
        _ = try await transport.send(
            .POST, try ResourcePaths.object(type, pod, subresource: "eviction"), body: eviction.encoded())
    }

    private static func body(of options: DeleteOptions) -> JSON {
        var body: JSON = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let grace = options.gracePeriodSeconds { body["gracePeriodSeconds"] = .int(Int64(grace)) }
        if let policy = options.propagation { body["propagationPolicy"] = .string(policy.rawValue) }
        if let uid = options.uid { body[path: ["preconditions", "uid"]] = .string(uid) }
        if let version = options.resourceVersion {
            body[path: ["preconditions", "resourceVersion"]] = .string(version)
        }
        if options.dryRun { body["dryRun"] = ["All"] }
        return body
    }

    private func object(_ json: JSON) throws(APIError) -> Object {
        guard json["kind"]?.string != nil, json["metadata"] != nil else {
            throw APIError(.internalError, "\(transport.server) answered something that is no Kubernetes object")
        }
        return Object(viewing: json)
    }
}

extension KubernetesClient {
    /// A client for the current context of a kubeconfig file.
    ///
    /// - Throws: `KubeconfigError` for what is wrong with the file, `APIError` when it cannot be read.
    package convenience init(
        kubeconfig path: String, context: String? = nil, clock: any WallClock = SystemClock(),
        logger: Logger = Logger(label: "kubernetes-client")
    ) throws {
        let access = try ClusterAccess(kubeconfig: try TextFile.read(path), path: path, context: context)
        try self.init(access, clock: clock, logger: logger)
    }
}
