import Cluster
import Engine
import Kinds
import Model
import Testing

@Suite("Custom kinds come and go (I3, I6, I7)")
struct CustomResourceLifecycleTests {
    @Test("names that another definition or a built-in kind has are refused, and taken once they are free (I6)")
    func conflicts() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            let version = try #require(Widgets.definition()[path: ["spec", "versions"]]?[0])
            var other = Widgets.definition(versions: [version], plural: "gizmos", kind: "Widget")
            other[path: ["spec", "names", "listKind"]] = "GizmoList"
            let refused = try await custom.define(other) { $0.condition("NamesAccepted")?["status"] == "False" }
            #expect(refused.condition("NamesAccepted")?["reason"] == "KindConflict")
            #expect(refused.condition("NamesAccepted")?["message"] == #""Widget" is already in use"#)
            #expect(refused.condition("Established")?["reason"] == "NotAccepted")
            #expect(refused.acceptedNames["plural"] == "gizmos")
            try await custom.registry.delete(Widgets.definitionKey)
            let key = ObjectKey(kind: CustomResourceDefinition.kind.groupKind, name: "gizmos.example.com")
            let accepted = try await custom.wait(for: key) { object in
                let definition = CustomResourceDefinition(viewing: object?.json ?? [:])
                return definition.isServed ? definition : nil
            }
            #expect(accepted.acceptedNames["kind"] == "Widget")
        }
    }

    @Test(
        "a deleted definition takes its objects along; while it goes nothing is created (I7)", .timeLimit(.minutes(1)))
    func deletion() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            var held = Widgets.widget("held")
            held[path: ["metadata", "finalizers"]] = ["example.com/hold"]
            try await custom.create(held)
            try await custom.create(Widgets.widget("free"))
            let registry = custom.registry.registry
            let marked = try await custom.registry.delete(Widgets.definitionKey)
            #expect(marked.metadata.finalizers == [CustomResourceDefinition.finalizer])
            let error = try await custom.error { try await custom.create(Widgets.widget("late")) }
            #expect(error.reason == .methodNotAllowed)
            #expect(error.message == "create not allowed while custom resource definition is terminating")
            _ = try await custom.wait(for: Widgets.key("free")) { $0 == nil ? true : nil }
            let terminating = try await custom.wait(for: Widgets.definitionKey) { object in
                CustomResourceDefinition(viewing: object?.json ?? [:]).condition("Terminating")
            }
            #expect(terminating["reason"] == "InstanceDeletionInProgress")
            let watch = try await registry.watch(ListQuery(Widgets.kind), from: nil)
            try await custom.registry.patch(Widgets.key("held"), .merge(["metadata": ["finalizers": []]]))
            // At once: the clock stands still.
            _ = try await custom.wait(for: Widgets.definitionKey) { $0 == nil ? true : nil }
            #expect(try await registry.resourceTypes().allSatisfy { $0.kind.groupKind != Widgets.kind })
            var events: [WatchEvent] = []
            for try await event in watch { events.append(event) }
            #expect(!events.isEmpty, "the watch ends with its kind")
            let gone = try await custom.error { try await registry.list(ListQuery(Widgets.kind)) }
            #expect(gone.reason == .notFound)
            try await custom.define(Widgets.definition())
            #expect(try await registry.list(ListQuery(Widgets.kind)).items.isEmpty)
        }
    }

    @Test("a new finalizer that does not say whose it is is warned of (C22)")
    func finalizerWarnings() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            var widget = Widgets.widget("a")
            widget[path: ["metadata", "finalizers"]] = ["mine", "orphan", "example.com/mine", "Yours"]
            let warnings = RequestWarnings()
            let created = try await custom.registry.create(
                widget, WriteOptions(fieldManager: "test", warnings: warnings))
            let advice =
                "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other "
                + "finalizer writers"
            #expect(
                warnings.all == [
                    "metadata.finalizers: \"Yours\": \(advice)", "metadata.finalizers: \"mine\": \(advice)",
                ])
            let later = RequestWarnings()
            var changed = created
            changed.json[path: ["spec", "size"]] = 4
            try await custom.registry.update(changed, nil, WriteOptions(fieldManager: "test", warnings: later))
            #expect(later.all.isEmpty)
        }
    }

    @Test("what a schema comes to say holds for what was stored before, when it is read (I3)")
    func readsThroughSchema() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            try await custom.create(Widgets.widget("a"))
            var definition = try await custom.registry.get(Widgets.definitionKey)
            var version = try #require(definition.json[path: ["spec", "versions"]]?[0])
            let properties = ["schema", "openAPIV3Schema", "properties", "spec", "properties"]
            version[path: properties + ["material"]] = ["type": "string", "default": "oak"]
            version[path: properties + ["colour"]] = nil
            definition.json[path: ["spec", "versions"]] = [version]
            let watch = try await custom.registry.registry.watch(ListQuery(Widgets.kind), from: nil)
            try await custom.registry.update(definition)
            let read = try await custom.registry.get(Widgets.key("a"))
            #expect(read.json["spec"] == ["size": 3, "replicas": 1, "material": "oak"])
            for try await _ in watch { continue }
        }
    }

    @Test("several versions that a webhook would convert are not served, and it is said why (I7)")
    func webhook() async throws {
        try await CustomRegistry.run { custom in
            let first = try #require(Widgets.definition()[path: ["spec", "versions"]]?[0])
            var second = first
            second["name"] = "v2"
            second["storage"] = false
            var definition = Widgets.definition(versions: [first, second])
            definition[path: ["spec", "conversion"]] = [
                "strategy": "Webhook",
                "webhook": ["clientConfig": ["url": "https://example.com"], "conversionReviewVersions": ["v1"]],
            ]
            let warnings = RequestWarnings()
            _ = try await custom.registry.registry.create(
                Object(viewing: definition),
                options: WriteOptions(fieldManager: "test", dryRun: true, warnings: warnings))
            #expect(warnings.all.map { $0.hasPrefix("spec.conversion.strategy: Webhook is not supported") } == [true])
            let refused = try await custom.define(definition) { $0.condition("Established") != nil }
            #expect(refused.condition("Established")?["reason"] == "ConversionNotSupported")
            #expect(!refused.isServed)
        }
    }

    @Test("a registry that starts on stored definitions serves them at once")
    func restart() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            try await custom.create(Widgets.widget("a"))
            let again = Registry(
                store: custom.registry.store, clock: custom.registry.clock, random: SplitMix64(seed: 1),
                configuration: Registry.Configuration(
                    serviceAddresses: try #require(AddressRange("127.96.0.0/16"))))
            #expect(try await again.get(Widgets.key("a")).metadata.name == "a")
        }
    }

    @Test("a deleted namespace and a lost owner take custom resources along (F4, F7)")
    func collects() async throws {
        try await CustomRegistry.run { custom in
            let registry = custom.registry.registry
            let collector = GarbageCollector(cluster: registry, clock: custom.registry.clock)
            let namespaces = NamespaceController(cluster: registry, clock: custom.registry.clock)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await collector.run() }
                group.addTask { try await namespaces.run() }
                group.addTask {
                    try await custom.define(Widgets.definition())
                    let owner = try await custom.create(Widgets.widget("owner"))
                    var owned = Sample.configMap("owned")
                    owned[path: ["metadata", "ownerReferences"]] = [
                        [
                            "apiVersion": "example.com/v1", "kind": "Widget", "name": "owner",
                            "uid": .string(owner.metadata.uid),
                        ]
                    ]
                    let map = try await custom.create(owned)
                    var elsewhere = Widgets.widget("elsewhere")
                    elsewhere[path: ["metadata", "namespace"]] = "shop"
                    try await custom.create(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "shop"]])
                    try await custom.create(elsewhere)
                    try await custom.registry.delete(owner.key)
                    _ = try await custom.wait(for: map.key) { $0 == nil ? true : nil }
                    try await custom.registry.delete(Namespace.key("shop"))
                    _ = try await custom.wait(for: Namespace.key("shop")) { object in
                        if object == nil { return true }
                        custom.registry.clock.advance(by: .seconds(1))
                        return nil
                    }
                    let key = ObjectKey(kind: Widgets.kind, namespace: "shop", name: "elsewhere")
                    #expect(try await custom.registry.exists(key) == false)
                }
                try await group.next()
                group.cancelAll()
            }
        }
    }
}
