import Cluster
import Engine
import Kinds
import Logging
import Model
import SimulationKit
import Store
import Testing

@testable import Reconciler

@Suite("A sync brings kinds along with their objects")
struct CustomResourceSyncTests {
    private static let definition = Object(
        viewing: [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "widgets.example.com"],
            "spec": [
                "group": "example.com", "scope": "Namespaced", "names": ["plural": "widgets", "kind": "Widget"],
                "versions": [
                    [
                        "name": "v1", "served": true, "storage": true,
                        "schema": [
                            "openAPIV3Schema": [
                                "type": "object",
                                "properties": [
                                    "spec": ["type": "object", "properties": ["size": ["type": "integer"]]]
                                ],
                            ]
                        ],
                    ]
                ],
            ],
        ])

    private static func widget(_ size: JSON) -> Object {
        Object(
            viewing: [
                "apiVersion": "example.com/v1", "kind": "Widget", "metadata": ["name": "a", "namespace": "default"],
                "spec": ["size": size],
            ])
    }

    private static func plan(_ objects: [Object], _ live: [Object] = []) -> SyncPlan {
        SyncPlan(
            application: "app", desired: Fixture.state(objects), live: FixedState(live), inventory: [],
            settings: ApplicationSettings())
    }

    private static func run(_ body: @escaping @Sendable (Registry) async throws -> Void) async throws {
        let registry = Registry(
            store: try Store(persistence: .memory), clock: SystemClock(), random: SplitMix64(seed: 5),
            configuration: Registry.Configuration(serviceAddresses: try #require(AddressRange("127.96.0.0/16"))))
        try await NamespaceController(cluster: registry, clock: SystemClock()).ensureSystemNamespaces()
        let loops = ControlLoops(
            cluster: registry, clock: SystemClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await loops.run() }
            group.addTask { try await body(registry) }
            try await group.next()
            group.cancelAll()
        }
    }

    @Test("a definition and an object of it are applied by one sync, the definition first")
    func together() async throws {
        try await Self.run { registry in
            let syncer = Syncer(cluster: registry, clock: SystemClock(), settings: ApplicationSettings())
            let report = await syncer.sync(Self.plan([Self.widget(3), Self.definition]))
            #expect(report.outcome == .succeeded)
            #expect(report.results.map(\.kind) == ["CustomResourceDefinition", "Widget"])
            let widget = try await registry.get(Self.widget(3).key)
            let definition = try await registry.get(Self.definition.key)
            #expect(Health.of(definition).status == .healthy)
            // From now on the object is tried before anything is done.
            let wrong = await syncer.sync(Self.plan([Self.definition, Self.widget("x")], [definition, widget]))
            guard case .refused(let message) = wrong.outcome else {
                Issue.record("\(wrong.outcome)")
                return
            }
            #expect(message.contains(".spec.size: expected numeric"), "\(message)")
        }
    }

    @Test("an object that its own sync's definition does not allow is refused before anything is done")
    func checkedBeforehand() async throws {
        try await Self.run { registry in
            let syncer = Syncer(cluster: registry, clock: SystemClock(), settings: ApplicationSettings())
            let wrong = await syncer.sync(Self.plan([Self.widget("x"), Self.definition]))
            guard case .refused(let message) = wrong.outcome else {
                Issue.record("\(wrong.outcome)")
                return
            }
            #expect(message.contains("spec.size: Invalid value: \"string\""), "\(message)")
            #expect(wrong.results.isEmpty)
            let error = await #expect(throws: APIError.self) { try await registry.get(Self.definition.key) }
            #expect(error?.reason == .notFound)
        }
    }

    @Test("without a cluster, manifests are judged by the definitions among them")
    func offline() {
        func faults(_ objects: [Object]) -> [String] {
            objects.flatMap(OfflineValidation(objects).faults).map(\.message)
        }
        #expect(faults([Self.widget(3), Self.definition]) == [])
        #expect(faults([Self.widget("x"), Self.definition]).map { $0.contains("must be of type integer") } == [true])
        var misspelt = Self.widget(3)
        misspelt.json["spec"] = ["sise": 3]
        #expect(faults([misspelt, Self.definition]).map { $0.contains("did you mean \"size\"?") } == [true])
        #expect(
            faults([Self.widget(3)]).map {
                $0.hasSuffix(
                    "the kind Widget of example.com/v1 is not known; no CustomResourceDefinition among the manifests "
                        + "defines it")
            } == [true])
        var later = Self.widget(3)
        later.json["apiVersion"] = "example.com/v2"
        #expect(
            faults([later, Self.definition]).map { $0.hasSuffix("is not known; known are example.com/v1") } == [true])
        var broken = Self.definition
        broken.json[path: ["spec", "group"]] = "other.com"
        #expect(faults([Self.widget(3), broken]).count == 2)
    }

    @Test("an object whose kind nobody defines is refused before anything is done")
    func alone() async throws {
        try await Self.run { registry in
            let syncer = Syncer(cluster: registry, clock: SystemClock(), settings: ApplicationSettings())
            let report = await syncer.sync(Self.plan([Self.widget(3)]))
            #expect(report.outcome != .succeeded)
            #expect(report.results.isEmpty)
        }
    }

    @Test("a definition is healthy once its kind is served")
    func health() {
        func definition(_ conditions: JSON) -> Object {
            var object = Self.definition
            object.json["status"] = ["conditions": conditions]
            return object
        }
        #expect(Health.of(Self.definition).status == .progressing)
        #expect(Health.of(definition([["type": "Established", "status": "True"]])).status == .healthy)
        let conflict: JSON = [
            ["type": "NamesAccepted", "status": "False", "message": "\"x\" is already in use"],
            ["type": "Established", "status": "False"],
        ]
        #expect(Health.of(definition(conflict)) == Health(.degraded, "\"x\" is already in use"))
    }

    @Test("live objects of a kind that appears are followed, and gone with their kind")
    func follows() async throws {
        try await Self.run { registry in
            let live = LiveObjects(
                types: try await registry.resourceTypes(), cluster: registry, clock: SystemClock(), seed: 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await live.run() }
                group.addTask {
                    try await live.waitForSync()
                    let syncer = Syncer(cluster: registry, clock: SystemClock(), settings: ApplicationSettings())
                    _ = await syncer.sync(Self.plan([Self.widget(3), Self.definition]))
                    let key = Self.widget(3).key
                    while live.object(key) == nil { await Task.yield() }
                    #expect(live.version(of: key.kind) == "v1")
                    _ = try await registry.delete(Self.definition.key, options: DeleteOptions())
                    while live.object(key) != nil || live.version(of: key.kind) != nil { await Task.yield() }
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }
}
