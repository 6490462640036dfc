import Cluster
import Engine
import Kinds
import Model
import Store
import Synchronization
import Testing

/// A clock that a test sets by hand.
final class HandClock: WallClock {
    private let time = Mutex(Timestamp(seconds: 1_700_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }

    func sleep(until deadline: Timestamp) async throws {
        while now < deadline {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// A registry over a store in memory, with the namespace `default`.
struct TestRegistry {
    let registry: Registry
    let store: Store
    let clock = HandClock()

    static let options = WriteOptions(fieldManager: "test")

    init(
        persistence: any Persistence = .memory, limits: Store.Limits = Store.Limits(),
        services: String = "127.96.0.0/16"
    ) async throws {
        store = try Store(persistence: persistence, limits: limits)
        registry = Registry(
            store: store, clock: clock, random: SplitMix64(seed: 7),
            configuration: Registry.Configuration(serviceAddresses: try #require(AddressRange(services))))
        try await NamespaceController(cluster: registry, clock: clock).ensureSystemNamespaces()
    }

    @discardableResult
    func create(_ json: JSON, _ options: WriteOptions = options) async throws -> Object {
        try await registry.create(Object(viewing: json), options: options)
    }

    @discardableResult
    func update(
        _ object: Object, _ subresource: Subresource? = nil, _ options: WriteOptions = options
    ) async throws -> Object {
        try await registry.update(object, subresource: subresource, options: options)
    }

    @discardableResult
    func patch(
        _ key: ObjectKey, _ patch: Patch, _ subresource: Subresource? = nil, _ options: WriteOptions = options
    ) async throws -> Object {
        try await registry.patch(key, patch, subresource: subresource, options: options)
    }

    @discardableResult
    func delete(_ key: ObjectKey, _ options: DeleteOptions = DeleteOptions()) async throws -> Object {
        try await registry.delete(key, options: options)
    }

    func get(_ key: ObjectKey) async throws -> Object { try await registry.get(key) }

    func exists(_ key: ObjectKey) async throws(APIError) -> Bool {
        do throws(APIError) {
            _ = try await registry.get(key)
            return true
        } catch  where error.reason == .notFound {
            return false
        }
    }

    /// The error a request fails with.
    func error(_ body: () async throws -> some Sendable) async throws -> APIError {
        do {
            _ = try await body()
        } catch let error as APIError {
            return error
        }
        throw Unexpected()
    }

    struct Unexpected: Error {}
}

/// Objects that requests send.
enum Sample {
    static func configMap(_ name: String, data: [String: JSON] = ["a": "1"], in namespace: String = "default") -> JSON {
        let members = data.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: $0.value) }
        return [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": .string(name), "namespace": .string(namespace)], "data": .object(JSONObject(members)),
        ]
    }

    static func pod(_ name: String, node: String? = nil, in namespace: String = "default") -> JSON {
        var pod: JSON = [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": ["app": "web"]],
            "spec": ["containers": [["name": "main", "image": "martlet.dev/echo:1"]]],
        ]
        if let node { pod[path: ["spec", "nodeName"]] = .string(node) }
        return pod
    }

    static func deployment(_ name: String) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": 2, "selector": ["matchLabels": ["app": "web"]],
                "template": [
                    "metadata": ["labels": ["app": "web"]],
                    "spec": ["containers": [["name": "main", "image": "martlet.dev/echo:1"]]],
                ],
            ],
        ]
    }

    static func service(_ name: String, spec: JSON = [:]) -> JSON {
        var merged: JSON = ["selector": ["app": "web"], "ports": [["port": 80]]]
        for member in spec.object ?? JSONObject() { merged[member.key] = member.value }
        return [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": merged,
        ]
    }

    static func namespace(_ name: String) -> JSON {
        ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
    }
}

extension JSON {
    func with(_ path: [String], _ value: JSON?) -> JSON {
        var changed = self
        changed[path: path] = value
        return changed
    }
}

extension Object {
    func with(_ path: [String], _ value: JSON?) -> Object { Object(viewing: json.with(path, value)) }
}
