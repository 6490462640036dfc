import Cluster
import Kinds
import KubernetesClient
import Model
import Testing

/// What a cluster is must not depend on whether it is in process or behind HTTP.
@Suite("A cluster answers the same in process and over HTTP")
struct ClusterParityTests {
    enum Way: String, CaseIterable {
        case inProcess, overHTTP
    }

    static let options = WriteOptions(fieldManager: "test")

    /// Runs `body` against one of the two.
    private func run(_ way: Way, _ body: @escaping @Sendable (any Cluster) async throws -> Void) async throws {
        try await TestServer.run { server in
            try await body(way == .inProcess ? server.registry : server.client)
        }
    }

    private static func configMap(_ name: String, in namespace: String = "default", _ data: [String: String] = [:])
        -> Object
    {
        var map = ConfigMap(named: name, in: namespace)
        map.data = data
        map.metadata.labels = ["app": name]
        return Object(viewing: map.json)
    }

    @Test("create, get, update and delete", arguments: Way.allCases)
    func writes(way: Way) async throws {
        try await run(way) { cluster in
            let created = try await cluster.create(Self.configMap("one", ["a": "1"]), options: Self.options)
            #expect(!created.metadata.uid.isEmpty)
            #expect(try await cluster.get(created.key) == created)
            var changed = created
            changed.json[path: ["data", "a"]] = "2"
            let updated = try await cluster.update(changed, subresource: nil, options: Self.options)
            #expect(updated.metadata.resourceVersion != created.metadata.resourceVersion)
            #expect(updated.json[path: ["data", "a"]] == "2")
            let deleted = try await cluster.delete(created.key, options: DeleteOptions())
            #expect(deleted.key == created.key)
            #expect(deleted.metadata.uid == created.metadata.uid)
            await #expect(throws: APIError.notFound("configmaps", name: "one")) { try await cluster.get(created.key) }
        }
    }

    @Test("a lost update, a second creation and an invalid object are refused alike", arguments: Way.allCases)
    func refusals(way: Way) async throws {
        try await run(way) { cluster in
            let created = try await cluster.create(Self.configMap("one"), options: Self.options)
            await #expect(throws: APIError.alreadyExists("configmaps", name: "one")) {
                try await cluster.create(Self.configMap("one"), options: Self.options)
            }
            var changed = created
            changed.json[path: ["data", "a"]] = "2"
            _ = try await cluster.update(changed, subresource: nil, options: Self.options)
            await #expect(throws: APIError.conflict("configmaps", name: "one", because: APIError.modified)) {
                try await cluster.update(changed, subresource: nil, options: Self.options)
            }
            var strange = Self.configMap("two")
            strange.json["dat"] = ["a": "b"]
            let refusal = await #expect(throws: APIError.self) {
                try await cluster.create(strange, options: Self.options)
            }
            #expect(refusal?.reason == .badRequest)
            #expect(refusal?.message.contains("unknown field \"dat\"") == true)
        }
    }

    @Test("every kind of patch", arguments: Way.allCases)
    func patches(way: Way) async throws {
        try await run(way) { cluster in
            let key = ConfigMap.key("one", in: "default")
            _ = try await cluster.create(Self.configMap("one", ["a": "1"]), options: Self.options)
            let patches: [(Patch, String)] = [
                (.merge(["data": ["b": "merge"]]), "merge"),
                (.strategicMerge(["data": ["b": "strategic"]]), "strategic"),
                (.json([["op": "replace", "path": "/data/b", "value": "json"]]), "json"),
                (.apply(Self.configMap("one", ["b": "apply"]).json, force: true), "apply"),
            ]
            for (patch, expected) in patches {
                let patched = try await cluster.patch(key, patch, subresource: nil, options: Self.options)
                #expect(patched.json[path: ["data", "b"]] == .string(expected))
                #expect(patched.json[path: ["data", "a"]] == "1")
            }
            let conflict = await #expect(throws: APIError.self) {
                try await cluster.patch(
                    key, .apply(Self.configMap("one", ["b": "mine"]).json, force: false), subresource: nil,
                    options: WriteOptions(fieldManager: "other"))
            }
            #expect(conflict?.reason == .conflict)
            #expect(conflict?.details.causes.first?.field == ".data.b")
        }
    }

    @Test("a list by namespace, labels and pages", arguments: Way.allCases)
    func lists(way: Way) async throws {
        try await run(way) { cluster in
            for name in ["a", "b", "c"] {
                _ = try await cluster.create(Self.configMap(name), options: Self.options)
            }
            _ = try await cluster.create(Self.configMap("d", in: "other"), options: Self.options)
            var query = ListQuery(ConfigMap.kind.groupKind)
            #expect(try await cluster.list(query).items.map(\.metadata.name) == ["a", "b", "c", "d"])
            query.namespace = "default"
            query.limit = 2
            let first = try await cluster.list(query)
            #expect(first.items.map(\.metadata.name) == ["a", "b"])
            let token: String = try #require(first.continueToken)
            query.continueToken = token
            #expect(try await cluster.list(query).items.map(\.metadata.name) == ["c"])
            query.continueToken = nil
            query.labels = Selector(labels: ["app": "b"])
            #expect(try await cluster.list(query).items.map(\.metadata.name) == ["b"])
            query.labels = Selector()
            query.fields = FieldSelector([.init(path: "metadata.name", value: "c")])
            #expect(try await cluster.list(query).items.map(\.metadata.name) == ["c"])
        }
    }

    @Test("a watch tells what is there and then every change", arguments: Way.allCases)
    func watches(way: Way) async throws {
        try await run(way) { cluster in
            let one = try await cluster.create(Self.configMap("one"), options: Self.options)
            let stream = try await cluster.watch(ListQuery(ConfigMap.kind.groupKind, namespace: "default"), from: nil)
            var changed = one
            changed.json[path: ["data", "a"]] = "2"
            _ = try await cluster.update(changed, subresource: nil, options: Self.options)
            _ = try await cluster.create(Self.configMap("elsewhere", in: "other"), options: Self.options)
            _ = try await cluster.delete(one.key, options: DeleteOptions())
            var seen: [String] = []
            for try await event in stream {
                switch event {
                case .added(let object): seen.append("added \(object.metadata.name)")
                case .modified(let object): seen.append("modified \(object.metadata.name)")
                case .deleted(let object): seen.append("deleted \(object.metadata.name)")
                case .bookmark: continue
                }
                if seen.count == 3 { break }
            }
            #expect(seen == ["added one", "modified one", "deleted one"])
        }
    }

    @Test("a scale, a binding and a status go through their subresources", arguments: Way.allCases)
    func subresources(way: Way) async throws {
        try await run(way) { cluster in
            let deployment = Object(viewing: Fixtures.deployment("web", replicas: 1))
            _ = try await cluster.create(deployment, options: Self.options)
            let scaled = try await cluster.patch(
                deployment.key, .merge(["spec": ["replicas": 3]]), subresource: .scale, options: Self.options)
            #expect(scaled.json[path: ["spec", "replicas"]] == 3)
            #expect(scaled.kindName == "Deployment")
            var status = scaled
            status.json[path: ["status", "replicas"]] = 3
            status.json[path: ["spec", "replicas"]] = 7
            let updated = try await cluster.update(status, subresource: .status, options: Self.options)
            #expect(updated.json[path: ["status", "replicas"]] == 3)
            #expect(updated.json[path: ["spec", "replicas"]] == 3)

            _ = try await cluster.create(Object(viewing: Fixtures.pod("p")), options: Self.options)
            let binding: JSON = [
                "apiVersion": "v1", "kind": "Binding", "metadata": ["name": "p", "namespace": "default"],
                "target": ["kind": "Node", "name": "n1"],
            ]
            let bound = try await cluster.update(
                Object(viewing: binding), subresource: .binding, options: Self.options)
            #expect(bound.json[path: ["spec", "nodeName"]] == "n1")
        }
    }

    @Test("the log of a pod", arguments: Way.allCases)
    func logs(way: Way) async throws {
        try await run(way) { cluster in
            var text: [UInt8] = []
            let stream = try await cluster.logs(LogQuery(namespace: "default", pod: "p", tailLines: 1))
            for try await chunk in stream { text += chunk }
            #expect(String(decoding: text, as: UTF8.self) == "two\n")
            await #expect(throws: APIError.notFound("pods", name: "absent")) {
                _ = try await cluster.logs(LogQuery(namespace: "default", pod: "absent"))
            }
        }
    }

    @Test("the kinds that are served", arguments: Way.allCases)
    func types(way: Way) async throws {
        try await run(way) { cluster in
            let types = try await cluster.resourceTypes()
            #expect(types == Catalog.builtIn.types)
        }
    }
}

enum Fixtures {
    static func pod(_ name: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": ["containers": [["name": "c", "image": "martlet.dev/echo"]]],
        ]
    }

    static func deployment(_ name: String, replicas: Int64) -> JSON {
        [
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": .int(replicas), "selector": ["matchLabels": ["app": .string(name)]],
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": ["containers": [["name": "c", "image": "martlet.dev/echo"]]],
                ],
            ],
        ]
    }
}
