import Cluster
import Engine
import Kinds
import KubernetesClient
import Logging
import Model
import Testing

@Suite("Custom resources, in process and over HTTP")
struct CustomResourceParityTests {
    typealias Way = ClusterParityTests.Way

    static let options = WriteOptions(fieldManager: "test")
    static let kind = GroupKind(group: "example.com", kind: "Widget")
    static let key = ObjectKey(kind: kind, namespace: "default", name: "a")
    static let definitionKey = ObjectKey(
        kind: CustomResourceDefinition.kind.groupKind, name: "widgets.example.com")

    private static func version(_ name: String, storage: Bool, deprecated: Bool = false) -> JSON {
        [
            "name": .string(name), "served": true, "storage": .bool(storage), "deprecated": .bool(deprecated),
            "subresources": [
                "status": [:], "scale": ["specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"],
            ],
            "additionalPrinterColumns": [["name": "Size", "type": "integer", "jsonPath": ".spec.size"]],
            "schema": [
                "openAPIV3Schema": [
                    "type": "object",
                    "properties": [
                        "spec": [
                            "type": "object",
                            "properties": [
                                "size": ["type": "integer", "default": 1], "colour": ["type": "string"],
                            ],
                            "x-kubernetes-validations": [["rule": "self.size < 9", "message": "too large"]],
                        ],
                        "status": ["type": "object", "properties": ["size": ["type": "integer"]]],
                    ],
                ]
            ],
        ]
    }

    static let definition = Object(
        viewing: [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "widgets.example.com"],
            "spec": [
                "group": "example.com", "scope": "Namespaced",
                "names": ["plural": "widgets", "kind": "Widget", "shortNames": ["wd"]],
                "versions": [version("v1", storage: true), version("v1beta1", storage: false, deprecated: true)],
            ],
        ])

    private static func widget(_ spec: JSON, version: String = "v1") -> Object {
        Object(
            viewing: [
                "apiVersion": .string("example.com/\(version)"), "kind": "Widget",
                "metadata": ["name": "a", "namespace": "default"], "spec": spec,
            ])
    }

    /// Runs `body` against a server whose control loops run, with the definition established.
    private func run(
        _ way: Way = .overHTTP, _ body: @escaping @Sendable (any Cluster, TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run { server in
            let loops = ControlLoops(
                cluster: server.registry, clock: SystemClock(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await loops.run() }
                group.addTask {
                    let cluster: any Cluster = way == .inProcess ? server.registry : server.client
                    let created = try await cluster.create(Self.definition, options: Self.options)
                    let query = ListQuery(created.kind.groupKind)
                    for try await event in try await cluster.watch(query, from: nil) {
                        if case .added(let object) = event, CustomResourceDefinition(viewing: object.json).isServed {
                            break
                        }
                        if case .modified(let object) = event, CustomResourceDefinition(viewing: object.json).isServed {
                            break
                        }
                    }
                    try await body(cluster, server)
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    @Test("create, apply, read in both versions, scale, report and delete", arguments: Way.allCases)
    func verbs(way: Way) async throws {
        try await run(way) { cluster, _ in
            let created = try await cluster.create(Self.widget([:]), options: Self.options)
            #expect(created.json["spec"] == ["size": 1])
            let applied = try await cluster.patch(
                Self.key, .apply(Self.widget(["colour": "red"], version: "v1beta1").json, force: false),
                subresource: nil, options: WriteOptions(fieldManager: "other"))
            #expect(applied.apiVersion == "example.com/v1beta1")
            #expect(applied.json["spec"] == ["size": 1, "colour": "red"])
            #expect(try await cluster.get(Self.key).apiVersion == "example.com/v1")
            #expect(try await cluster.get(Self.key, version: "v1beta1") == applied)
            let scaled = try await cluster.patch(
                Self.key, .merge(["spec": ["replicas": 4]]), subresource: .scale, options: Self.options)
            #expect(scaled.json[path: ["spec", "size"]] == 4)
            var reported = scaled
            reported.json["status"] = ["size": 4]
            let status = try await cluster.update(reported, subresource: .status, options: Self.options)
            #expect(status.json[path: ["status", "size"]] == 4)
            let list = try await cluster.list(ListQuery(Self.kind, version: "v1beta1"))
            #expect(list.items.map(\.apiVersion) == ["example.com/v1beta1"])
            let refused = await #expect(throws: APIError.self) {
                try await cluster.patch(
                    Self.key, .merge(["spec": ["size": 9]]), subresource: nil, options: Self.options)
            }
            #expect(
                refused?.message
                    == #"Widget.example.com "a" is invalid: spec: Invalid value: "object": too large"#)
            _ = try await cluster.delete(Self.key, options: DeleteOptions())
            await #expect(throws: APIError.notFound("widgets", group: "example.com", name: "a")) {
                try await cluster.get(Self.key)
            }
            await #expect(throws: APIError.self) { try await cluster.get(Self.key, version: "v7") }
        }
    }

    @Test("a kind can be used within 100 ms of its definition's creation")
    func speed() async throws {
        try await run { cluster, server in
            var best = Duration.seconds(60)
            // The best of three: other tests may keep the machine busy.
            for name in ["gizmos", "gadgets", "gears"] {
                var definition = Self.definition
                definition.metadata.name = "\(name).example.com"
                let kind = GroupKind(group: "example.com", kind: name.prefix(1).uppercased() + name.dropFirst())
                definition.json[path: ["spec", "names"]] = ["plural": .string(name), "kind": .string(kind.kind)]
                let start = ContinuousClock.now
                _ = try await cluster.create(definition, options: Self.options)
                while true {
                    do throws(APIError) {
                        // In process, since a client asks for all of discovery whenever a kind is not known.
                        _ = try await server.registry.list(ListQuery(kind))
                        break
                    } catch {
                        guard error.reason == .notFound else { throw error }
                        await Task.yield()
                    }
                }
                best = min(best, ContinuousClock.now - start)
            }
            #expect(best < .milliseconds(100), "\(best)")
        }
    }

    @Test("autoscalers and Events are served in both of their forms", arguments: Way.allCases)
    func builtInVersions(way: Way) async throws {
        try await run(way) { cluster, _ in
            let autoscaler: JSON = [
                "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
                "metadata": ["name": "web", "namespace": "default"],
                "spec": [
                    "maxReplicas": 5, "targetCPUUtilizationPercentage": 70,
                    "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"],
                ],
            ]
            let created = try await cluster.create(Object(viewing: autoscaler), options: Self.options)
            #expect(created.apiVersion == "autoscaling/v1")
            let preferred = try await cluster.get(created.key)
            #expect(preferred.apiVersion == "autoscaling/v2")
            #expect(try await cluster.get(created.key, version: "v1") == created)
            let event: JSON = [
                "apiVersion": "v1", "kind": "Event", "metadata": ["name": "e", "namespace": "default"],
                "involvedObject": ["kind": "Pod", "name": "p", "namespace": "default"], "message": "hello",
            ]
            _ = try await cluster.create(Object(viewing: event), options: Self.options)
            let key = ObjectKey(
                kind: GroupKind(group: "events.k8s.io", kind: "Event"), namespace: "default", name: "e")
            #expect(try await cluster.get(key).json["note"] == "hello")
        }
    }

    @Test("discovery, tables and the warning of a deprecated version follow the definition (A2, E5, C22)")
    func documents() async throws {
        try await run { cluster, server in
            _ = try await cluster.create(Self.widget(["size": 3]), options: Self.options)
            let group = try await RawHTTP.send("GET", "/apis/example.com", to: server)
            #expect(try group.json[path: ["preferredVersion", "version"]] == "v1")
            let resources =
                try await RawHTTP.send("GET", "/apis/example.com/v1", to: server).json["resources"]?.array ?? []
            #expect(resources.compactMap { $0["name"]?.string } == ["widgets", "widgets/status", "widgets/scale"])
            let table = try await RawHTTP.send(
                "GET", "/apis/example.com/v1/namespaces/default/widgets", to: server,
                headers: ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"])
            #expect(try table.json["rows"]?[0]?["cells"] == ["a", 3])
            let scale = try await RawHTTP.send(
                "GET", "/apis/example.com/v1/namespaces/default/widgets/a/scale", to: server)
            #expect(try scale.json[path: ["spec", "replicas"]] == 3)
            let old = try await RawHTTP.send("GET", "/apis/example.com/v1beta1/widgets", to: server)
            #expect(old.header("warning") == "299 - \"example.com/v1beta1 Widget is deprecated\"")
            #expect(try old.json["apiVersion"] == "example.com/v1beta1")
            _ = try await cluster.delete(Self.definitionKey, options: DeleteOptions())
            while try await RawHTTP.send("GET", "/apis/example.com/v1", to: server).status != 404 { await Task.yield() }
            #expect(try await RawHTTP.send("GET", "/apis/example.com/v1/widgets", to: server).status == 404)
        }
    }
}
