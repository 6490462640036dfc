import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Garbage collection (F4–F6)")
struct RegistryGarbageTests {
    typealias Plan = GarbageCollectionPlan

    static func object(
        _ name: String, owners: [(uid: String, blocks: Bool)] = [], finalizers: [String] = [], isGoing: Bool = false
    ) -> Object {
        var json = Sample.configMap(name).with(["metadata", "uid"], .string("uid-\(name)"))
            .with(["metadata", "resourceVersion"], "1")
        if !owners.isEmpty {
            json[path: ["metadata", "ownerReferences"]] = .array(
                owners.map {
                    [
                        "apiVersion": "v1", "kind": "ConfigMap", "name": .string($0.uid), "uid": .string($0.uid),
                        "blockOwnerDeletion": .bool($0.blocks),
                    ]
                })
        }
        if !finalizers.isEmpty { json[path: ["metadata", "finalizers"]] = .array(finalizers.map { .string($0) }) }
        if isGoing { json[path: ["metadata", "deletionTimestamp"]] = "2026-01-01T00:00:00Z" }
        return Object(viewing: json)
    }

    static func deletion(_ name: String, _ policy: PropagationPolicy) -> Plan.Action {
        .delete(ConfigMap.key(name, in: "default"), DeleteOptions(propagation: policy, uid: "uid-\(name)"))
    }

    static func patch(_ name: String, _ member: String, _ value: JSON) -> Plan.Action {
        var metadata: JSON = ["uid": .string("uid-\(name)"), "resourceVersion": "1"]
        metadata[member] = value
        return .patch(ConfigMap.key(name, in: "default"), ["metadata": metadata])
    }

    struct Rule: CustomTestStringConvertible {
        var testDescription: String
        var object: Object
        var owners: [String: Plan.OwnerState] = [:]
        var dependents: [Object] = []
        var expected: [Plan.Action]
    }

    static let rules = [
        Rule(testDescription: "without owners nothing happens", object: object("x"), expected: []),
        Rule(
            testDescription: "a solid owner keeps it", object: object("x", owners: [("o", false)]),
            owners: ["o": .solid], expected: []),
        Rule(
            testDescription: "an owner of unknown state keeps it", object: object("x", owners: [("o", false)]),
            expected: []),
        Rule(
            testDescription: "all owners absent: deleted in the background",
            object: object("x", owners: [("o", false), ("p", false)]), owners: ["o": .absent, "p": .absent],
            expected: [deletion("x", .background)]),
        Rule(
            testDescription: "its own finalizers choose the policy",
            object: object("x", owners: [("o", false)], finalizers: ["orphan"]), owners: ["o": .absent],
            expected: [deletion("x", .orphan)]),
        Rule(
            testDescription: "a waiting owner and own dependents: deleted in the foreground",
            object: object("x", owners: [("o", true)]), owners: ["o": .waiting],
            dependents: [object("d", owners: [("uid-x", true)])], expected: [deletion("x", .foreground)]),
        Rule(
            testDescription: "a waiting owner and no dependents: deleted in the background",
            object: object("x", owners: [("o", true)]), owners: ["o": .waiting],
            expected: [deletion("x", .background)]),
        Rule(
            testDescription: "the foreground finalizer goes when nothing blocks",
            object: object("x", finalizers: ["foregroundDeletion"], isGoing: true),
            dependents: [object("d", owners: [("uid-x", false)])],
            expected: [patch("x", "finalizers", .null), .visit(ConfigMap.key("d", in: "default"))]),
        Rule(
            testDescription: "while something blocks, it is looked at",
            object: object("x", finalizers: ["foregroundDeletion"], isGoing: true),
            dependents: [object("d", owners: [("uid-x", true)])],
            expected: [.visit(ConfigMap.key("d", in: "default"))]),
        Rule(
            testDescription: "orphaning strips the owner from dependents, then lets it go",
            object: object("x", finalizers: ["orphan", "a.dev/x"], isGoing: true),
            dependents: [object("d", owners: [("uid-x", true)])],
            expected: [patch("d", "ownerReferences", .null), patch("x", "finalizers", ["a.dev/x"])]),
    ]

    @Test("what happens to an object follows from its owners and dependents", arguments: rules)
    func plan(_ rule: Rule) {
        let actions = Plan.actions(for: rule.object, owners: rule.owners, dependents: rule.dependents)
        #expect(actions == rule.expected)
    }

    @Test("beside a solid owner, the others are stripped")
    func strip() throws {
        let object = Self.object("x", owners: [("o", false), ("p", false)])
        let actions = Plan.actions(for: object, owners: ["o": .absent, "p": .solid], dependents: [])
        #expect(actions.count == 1)
        guard case .patch(_, let patch) = try #require(actions.first) else { return }
        #expect(patch[path: ["metadata", "ownerReferences"]]?.array?.map { $0["uid"] } == ["p"])
    }

    /// Runs the collector beside `body`, until `body` returns.
    static func collecting(
        _ registry: TestRegistry, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let collector = GarbageCollector(cluster: registry.registry, clock: registry.clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await collector.run() }
            try await body()
            group.cancelAll()
        }
    }

    static func owned(_ name: String, by owner: Object, blocks: Bool = true) -> JSON {
        Sample.configMap(name).with(
            ["metadata", "ownerReferences"],
            [
                [
                    "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kindName),
                    "name": .string(owner.metadata.name), "uid": .string(owner.metadata.uid),
                    "blockOwnerDeletion": .bool(blocks),
                ]
            ])
    }

    static func until(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<200_000 {
            if try await condition() { return }
            await Task.yield()
        }
        Issue.record("the condition never came true")
    }

    static func names(_ registry: TestRegistry) async throws -> [String] {
        try await registry.registry.list(ListQuery(ConfigMap.kind.groupKind)).items.map(\.metadata.name)
    }

    @Test(
        "with its owner, everything it owned goes, however deep",
        arguments: [
            PropagationPolicy.background, .foreground,
        ])
    func cascade(policy: PropagationPolicy) async throws {
        let registry = try await TestRegistry()
        try await Self.collecting(registry) {
            let top = try await registry.create(Sample.configMap("top"))
            let middle = try await registry.create(Self.owned("middle", by: top))
            try await registry.create(Self.owned("leaf", by: middle))
            try await registry.create(Sample.configMap("other"))
            try await registry.delete(top.key, DeleteOptions(propagation: policy))
            try await Self.until { try await Self.names(registry) == ["other"] }
        }
    }

    @Test("orphaned dependents stay and forget their owner")
    func orphan() async throws {
        let registry = try await TestRegistry()
        try await Self.collecting(registry) {
            let top = try await registry.create(Sample.configMap("top"))
            let leaf = try await registry.create(Self.owned("leaf", by: top))
            try await registry.delete(top.key, DeleteOptions(propagation: .orphan))
            try await Self.until { try await Self.names(registry) == ["leaf"] }
            #expect(try await registry.get(leaf.key).metadata.ownerReferences.isEmpty)
        }
    }

    @Test("an owner of the same name but another uid is no owner (F4)")
    func replacedOwner() async throws {
        let registry = try await TestRegistry()
        let old = try await registry.create(Sample.configMap("top"))
        try await registry.create(Self.owned("leaf", by: old))
        try await registry.delete(old.key)
        try await registry.create(Sample.configMap("top"))
        try await Self.collecting(registry) {
            try await Self.until { try await Self.names(registry) == ["top"] }
        }
    }

    @Test("an Event goes an hour after it was last seen (L1)")
    func events() async throws {
        let registry = try await TestRegistry()
        let event = { (name: String, age: Int64) -> JSON in
            let time = (registry.clock.now - .seconds(age)).json
            return [
                "apiVersion": "v1", "kind": "Event", "metadata": ["name": .string(name), "namespace": "default"],
                "involvedObject": ["kind": "Pod", "namespace": "default", "name": "p"], "lastTimestamp": time,
            ]
        }
        let events = [event("old", 3600), event("young", 3000)].map { Object(viewing: $0) }
        let decision = EventExpiry.decide(events, now: registry.clock.now)
        #expect(decision.expired == [Event.key("old", in: "default")])
        #expect(decision.next == registry.clock.now + .seconds(600))
        for object in events { try await registry.create(object.json) }
        try await Self.collecting(registry) {
            registry.clock.advance(by: .seconds(3601))
            try await Self.until {
                try await registry.registry.list(ListQuery(Event.kind.groupKind)).items.isEmpty
            }
        }
    }

    @Test("an owner in another namespace counts as absent, and a Warning says so (F6)")
    func foreignOwner() async throws {
        let registry = try await TestRegistry()
        let owner = try await registry.create(Sample.configMap("top", in: "kube-system"))
        try await Self.collecting(registry) {
            try await registry.create(Self.owned("leaf", by: owner))
            try await Self.until { try await Self.names(registry) == ["top"] }
            try await Self.until {
                try await registry.registry.list(ListQuery(Event.kind.groupKind)).items.contains {
                    $0.json["reason"] == "OwnerRefInvalidNamespace"
                }
            }
        }
    }
}

@Suite("Namespaces that are being deleted (F7, F8)")
struct RegistryNamespaceTests {
    @Test("pods go first, then the rest, then the namespace")
    func order() throws {
        let pods = try #require(Catalog.builtIn.type(for: Pod.kind.groupKind))
        let configMaps = try #require(Catalog.builtIn.type(for: ConfigMap.kind.groupKind))
        let namespace = Namespace(
            viewing: Sample.namespace("team").with(["metadata", "deletionTimestamp"], "2026-01-01T00:00:00Z")
                .with(["spec", "finalizers"], ["kubernetes", "a.dev/own"]))
        let pod = Object(viewing: Sample.pod("p", in: "team").with(["metadata", "deletionGracePeriodSeconds"], 8))
        let configMap = Object(
            viewing: Sample.configMap("x", in: "team").with(["metadata", "finalizers"], ["a.dev/x"]))
        let now = Timestamp(seconds: 100)
        let decide = { (contents: [NamespaceTerminationPlan.Contents]) in
            NamespaceTerminationPlan.decide(namespace, contents: contents, now: now)
        }
        let both = decide([.init(type: configMaps, objects: [configMap]), .init(type: pods, objects: [pod])])
        #expect(both.deletions.map(\.key) == [pod.key])
        #expect(both.again == .seconds(5))
        let rest = decide([.init(type: configMaps, objects: [configMap]), .init(type: pods, objects: [])])
        #expect(rest.deletions.map(\.key) == [configMap.key])
        let conditions = rest.status?.json[path: ["status", "conditions"]]?.array ?? []
        let messages = conditions.compactMap { $0["message"]?.string }
        #expect(messages.contains("Some resources are remaining: configmaps. has 1 resource instances"))
        #expect(
            messages.contains("Some content in the namespace has finalizers remaining: a.dev/x in 1 resource instances")
        )
        #expect(rest.finalized == nil)
        let empty = decide([])
        #expect(empty.finalized?.json[path: ["spec", "finalizers"]] == ["a.dev/own"])
        #expect(empty.again == nil)
    }

    @Test("a deleted namespace empties itself and goes")
    func termination() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.namespace("team"))
        try await registry.create(Sample.configMap("x", in: "team"))
        try await registry.create(Sample.pod("p", in: "team"))
        let controller = NamespaceController(cluster: registry.registry, clock: registry.clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controller.run() }
            try await registry.delete(Namespace.key("team"))
            try await RegistryGarbageTests.until {
                registry.clock.advance(by: .milliseconds(10))
                return try await !registry.exists(Namespace.key("team"))
            }
            group.cancelAll()
        }
        #expect(try await !registry.exists(ConfigMap.key("x", in: "team")))
    }
}
