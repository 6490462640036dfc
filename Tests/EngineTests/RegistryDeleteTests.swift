import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: delete")
struct RegistryDeleteTests {
    static let configMap = ConfigMap.key("x", in: "default")
    static let pod = Pod.key("p", in: "default")

    @Test("an object without finalizers goes at once (F1)")
    func plain() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x"))
        try await registry.delete(Self.configMap)
        #expect(try await !registry.exists(Self.configMap))
        let error = try await registry.error { try await registry.delete(Self.configMap) }
        #expect(error.message == "configmaps \"x\" not found")
    }

    @Test("an object with finalizers is marked, takes no new ones, and goes with the last (C12, F2)")
    func finalizers() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x").with(["metadata", "finalizers"], ["a.dev/x", "a.dev/y"]))
        let marked = try await registry.delete(Self.configMap)
        #expect(marked.metadata.deletionTimestamp == registry.clock.now)
        #expect(marked.metadata.deletionGracePeriodSeconds == 0)
        let error = try await registry.error {
            try await registry.update(marked.with(["metadata", "finalizers"], ["a.dev/x", "a.dev/new"]))
        }
        #expect(error.reason == .invalid)
        let one = try await registry.update(marked.with(["metadata", "finalizers"], ["a.dev/x"]))
        #expect(try await registry.exists(Self.configMap))
        try await registry.update(one.with(["metadata", "finalizers"], nil))
        #expect(try await !registry.exists(Self.configMap))
    }

    @Test("deleting a Deployment in waiting raises its generation once (C14)")
    func generation() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.deployment("web").with(["metadata", "finalizers"], ["a.dev/x"]))
        let key = Deployment.key("web", in: "default")
        #expect(try await registry.delete(key).metadata.generation == 2)
        let before = registry.store.revision
        #expect(try await registry.delete(key).metadata.generation == 2)
        #expect(registry.store.revision == before)
    }

    struct Grace: CustomTestStringConvertible {
        var testDescription: String
        var node: String? = "n1"
        var phase: JSON?
        var asked: Int?
        /// `nil`: the pod goes at once.
        var expected: Int?
    }

    @Test(
        "a pod gets its grace period, unless it runs nowhere or nothing (C17, F1)",
        arguments: [
            Grace(testDescription: "the pod's own", expected: 30),
            Grace(testDescription: "the request's", asked: 5, expected: 5),
            Grace(testDescription: "negative is one second", asked: -7, expected: 1),
            Grace(testDescription: "zero", asked: 0, expected: nil),
            Grace(testDescription: "unscheduled", node: nil, expected: nil),
            Grace(testDescription: "ended", phase: "Succeeded", expected: nil),
        ])
    func grace(_ example: Grace) async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.pod("p", node: example.node))
        if let phase = example.phase { try await registry.update(made.with(["status", "phase"], phase), .status) }
        let left = try await registry.delete(Self.pod, DeleteOptions(gracePeriodSeconds: example.asked))
        #expect(try await registry.exists(Self.pod) == (example.expected != nil))
        if let expected = example.expected {
            #expect(left.metadata.deletionGracePeriodSeconds == expected)
            #expect(left.metadata.deletionTimestamp == registry.clock.now + .seconds(expected))
        }
    }

    @Test("a second deletion only shortens the grace period, from the original start; zero ends it (F1)")
    func shorten() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.pod("p", node: "n1"))
        let start = registry.clock.now
        try await registry.delete(Self.pod)
        registry.clock.advance(by: .seconds(4))
        let longer = try await registry.delete(Self.pod, DeleteOptions(gracePeriodSeconds: 60))
        #expect(longer.metadata.deletionGracePeriodSeconds == 30)
        let shorter = try await registry.delete(Self.pod, DeleteOptions(gracePeriodSeconds: 10))
        #expect(shorter.metadata.deletionTimestamp == start + .seconds(10))
        try await registry.delete(Self.pod, DeleteOptions(gracePeriodSeconds: 0))
        #expect(try await !registry.exists(Self.pod))
    }

    @Test("preconditions are kept (C16)")
    func preconditions() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.configMap("x"))
        var error = try await registry.error { try await registry.delete(Self.configMap, DeleteOptions(uid: "other")) }
        #expect(error.reason == .conflict)
        #expect(error.message.contains("the UID in the precondition (other) does not match the UID in record"))
        error = try await registry.error {
            try await registry.delete(Self.configMap, DeleteOptions(resourceVersion: "1"))
        }
        #expect(error.reason == .conflict)
        try await registry.delete(
            Self.configMap,
            DeleteOptions(uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion))
        #expect(try await !registry.exists(Self.configMap))
    }

    @Test("a dry run deletes nothing (C20)")
    func dryRun() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x"))
        try await registry.delete(Self.configMap, DeleteOptions(dryRun: true))
        #expect(try await registry.exists(Self.configMap))
    }

    @Test("the system's namespaces cannot be deleted; others wait for their content (C19, J10)")
    func namespaces() async throws {
        let registry = try await TestRegistry()
        let error = try await registry.error { try await registry.delete(Namespace.key("default")) }
        #expect(error.message == "namespaces \"default\" is forbidden: this namespace may not be deleted")
        try await registry.create(Sample.namespace("team"))
        let marked = try await registry.delete(Namespace.key("team"))
        #expect(marked.json[path: ["status", "phase"]] == "Terminating")
        #expect(marked.metadata.isBeingDeleted)
        try await registry.update(marked.with(["spec", "finalizers"], []), .finalize)
        #expect(try await !registry.exists(Namespace.key("team")))
    }

    @Test("a collection is deleted one by one, as a query finds it (C18)")
    func collection() async throws {
        let registry = try await TestRegistry()
        for name in ["a", "b", "c"] {
            try await registry.create(Sample.configMap(name).with(["metadata", "labels"], ["part": .string(name)]))
        }
        let query = ListQuery(
            ConfigMap.kind.groupKind, namespace: "default",
            labels: Selector([.isIn("part", ["a", "c"])]))
        let found = try await registry.registry.deleteCollection(query, options: DeleteOptions())
        #expect(found.items.map(\.metadata.name) == ["a", "c"])
        let left = try await registry.registry.list(ListQuery(ConfigMap.kind.groupKind))
        #expect(left.items.map(\.metadata.name) == ["b"])
    }
}
