import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: update and patch")
struct RegistryUpdateTests {
    static let configMap = ConfigMap.key("x", in: "default")
    static let deployment = Deployment.key("web", in: "default")

    @Test("an update of an old version is a conflict, one without version is not (C10)")
    func optimisticConcurrency() async throws {
        let registry = try await TestRegistry()
        let first = try await registry.create(Sample.configMap("x"))
        let second = try await registry.update(first.with(["data", "a"], "2"))
        #expect(second.metadata.resourceVersion != first.metadata.resourceVersion)
        let error = try await registry.error { try await registry.update(first.with(["data", "a"], "3")) }
        #expect(error.reason == .conflict)
        #expect(
            error.message
                == "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your "
                + "changes to the latest version and try again")
        let third = try await registry.update(
            first.with(["data", "a"], "4").with(["metadata", "resourceVersion"], nil))
        #expect(third.json[path: ["data", "a"]] == "4")
    }

    @Test("an update that changes nothing writes nothing (C12)")
    func noOp() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.deployment("web"))
        registry.clock.advance(by: .seconds(60))
        let before = registry.store.revision
        let again = try await registry.update(made)
        try await registry.patch(Self.deployment, .merge(["spec": ["replicas": 2]]))
        #expect(again.metadata.resourceVersion == made.metadata.resourceVersion)
        #expect(registry.store.revision == before)
    }

    @Test("generation counts changes of what is wanted; status keeps apart from it (C13, C14)")
    func generationAndStatus() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.deployment("web"))
        let scaled = try await registry.update(
            made.with(["spec", "replicas"], 5).with(["status"], ["replicas": 9]))
        #expect(scaled.metadata.generation == 2)
        #expect(scaled.json[path: ["status", "replicas"]] != 9)
        let reported = try await registry.update(
            scaled.with(["spec", "replicas"], 1).with(["status"], ["replicas": 5, "observedGeneration": 2]), .status)
        #expect(reported.metadata.generation == 2)
        #expect(reported.json[path: ["spec", "replicas"]] == 5)
        #expect(reported.json[path: ["status", "replicas"]] == 5)
        let managers = reported.metadata.managedFields.map { $0.subresource ?? "" }
        #expect(managers.contains("status"))
    }

    @Test("what is immutable stays (C11, C26)")
    func immutable() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.deployment("web"))
        var error = try await registry.error {
            try await registry.update(
                made.with(["spec", "selector", "matchLabels", "app"], "x")
                    .with(["spec", "template", "metadata", "labels", "app"], "x"))
        }
        #expect(error.reason == .invalid)
        #expect(error.message.contains("field is immutable"))
        error = try await registry.error { try await registry.update(made.with(["metadata", "uid"], "other")) }
        #expect(error.reason == .conflict)
    }

    @Test("updating what is not there is NotFound, but Leases and Services may be created so (C9)")
    func createOnUpdate() async throws {
        let registry = try await TestRegistry()
        let error = try await registry.error { try await registry.update(Object(viewing: Sample.configMap("x"))) }
        #expect(error.message == "configmaps \"x\" not found")
        let made = try await registry.update(Object(viewing: Sample.service("web")))
        #expect(!made.metadata.uid.isEmpty)
    }

    struct PatchCase: CustomTestStringConvertible {
        var testDescription: String
        var patch: Patch
        var replicas: JSON?
        var code: Int?
    }

    static let patches = [
        PatchCase(
            testDescription: "JSON patch",
            patch: .json([["op": "replace", "path": "/spec/replicas", "value": 4]]), replicas: 4, code: nil),
        PatchCase(testDescription: "merge patch", patch: .merge(["spec": ["replicas": 5]]), replicas: 5, code: nil),
        PatchCase(
            testDescription: "strategic merge patch", patch: .strategicMerge(["spec": ["replicas": 6]]), replicas: 6,
            code: nil),
        PatchCase(
            testDescription: "unknown directive", patch: .strategicMerge(["spec": ["$patch": "drop"]]), replicas: nil,
            code: 500),
        PatchCase(
            testDescription: "unknown directive in a list",
            patch: .strategicMerge([
                "spec": ["template": ["spec": ["containers": [["name": "web", "$patch": "drop"]]]]]
            ]), replicas: nil, code: 500),
        PatchCase(
            testDescription: "no merge key",
            patch: .strategicMerge(["spec": ["template": ["spec": ["containers": [["image": "x"]]]]]]),
            replicas: nil, code: 500),
        PatchCase(
            testDescription: "order of a list that is none",
            patch: .strategicMerge(["spec": ["template": ["spec": ["$setElementOrder/containers": "web"]]]]),
            replicas: nil, code: 500),
        PatchCase(
            testDescription: "retained keys that are not in the patch",
            patch: .strategicMerge(["spec": ["strategy": ["$retainKeys": ["type"], "rollingUpdate": [:]]]]),
            replicas: nil, code: 400),
        PatchCase(
            testDescription: "failed test",
            patch: .json([["op": "test", "path": "/spec/replicas", "value": 9]]), replicas: nil, code: 422),
        PatchCase(testDescription: "malformed patch", patch: .json(["op": "test"]), replicas: nil, code: 400),
        PatchCase(
            testDescription: "unknown field", patch: .merge(["spec": ["replica": 1]]), replicas: nil, code: 422),
        PatchCase(
            testDescription: "other name", patch: .merge(["metadata": ["name": "other"]]), replicas: nil, code: 400),
        PatchCase(
            testDescription: "old version", patch: .merge(["metadata": ["resourceVersion": "1"]]), replicas: nil,
            code: 409),
    ]

    @Test("patches change an object, or say why not (G1–G5, C21)", arguments: patches)
    func patch(_ example: PatchCase) async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.deployment("web"))
        if let code = example.code {
            let error = try await registry.error { try await registry.patch(Self.deployment, example.patch) }
            #expect(error.reason.code == code, "\(error)")
            // What names an object as invalid and no cause, kubectl shows without a reason.
            #expect(error.reason != .invalid || !error.details.causes.isEmpty, "\(error.details)")
        } else {
            let patched = try await registry.patch(Self.deployment, example.patch)
            #expect(patched.json[path: ["spec", "replicas"]] == example.replicas)
            #expect(patched.metadata.generation == 2)
        }
        let missing = try await registry.error {
            try await registry.patch(Deployment.key("none", in: "default"), example.patch)
        }
        #expect(missing.reason == .notFound)
    }

    @Test("the value of a Secret does not appear in an error about a patch")
    func secretPatch() async throws {
        let registry = try await TestRegistry()
        try await registry.create([
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "x", "namespace": "default"],
        ])
        let error = try await registry.error {
            try await registry.patch(
                Secret.key("x", in: "default"), .merge(["stringdata": ["password": "hunter2"]]))
        }
        #expect(error.reason == .invalid)
        #expect(!error.status.text().contains("hunter2"))
    }

    @Test("patches that meet another writer are tried anew, none is lost (G5)")
    func concurrentPatches() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<12 {
                group.addTask {
                    try await registry.patch(
                        Self.configMap,
                        .merge([
                            "data": .object(
                                JSONObject([
                                    JSONObject.Member(key: "k\(number)", value: "v")
                                ]))
                        ]))
                }
            }
            try await group.waitForAll()
        }
        let data = try await registry.get(Self.configMap).json["data"]?.object
        #expect(data?.count == 13)
    }

    // MARK: Server-side apply

    static let applied: JSON = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "x", "namespace": "default"],
        "data": ["a": "1", "b": "2"],
    ]

    @Test("apply creates, changes, removes what it no longer names, and writes nothing when nothing changes (H1, H5)")
    func apply() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.patch(Self.configMap, .apply(Self.applied, force: false))
        #expect(made.json["data"] == ["a": "1", "b": "2"])
        #expect(!made.metadata.uid.isEmpty)
        let same = try await registry.patch(Self.configMap, .apply(Self.applied, force: false))
        #expect(same.metadata.resourceVersion == made.metadata.resourceVersion)
        let less = try await registry.patch(
            Self.configMap, .apply(Self.applied.with(["data", "b"], nil), force: false))
        #expect(less.json["data"] == ["a": "1"])
    }

    @Test("a field that another manager owns is a conflict until it is forced (H5, H9)")
    func applyConflict() async throws {
        let registry = try await TestRegistry()
        try await registry.patch(Self.configMap, .apply(Self.applied, force: false))
        let other = WriteOptions(fieldManager: "other")
        let changed = Self.applied.with(["data"], ["a": "9"])
        let error = try await registry.error {
            try await registry.patch(Self.configMap, .apply(changed, force: false), nil, other)
        }
        #expect(error.reason == .conflict)
        #expect(error.message == "Apply failed with 1 conflict: conflict with \"test\": .data.a")
        #expect(error.details.causes.first?.reason == "FieldManagerConflict")
        let forced = try await registry.patch(Self.configMap, .apply(changed, force: true), nil, other)
        #expect(forced.json["data"] == ["a": "9", "b": "2"])
    }

    @Test("applying an unknown field is refused with what was probably meant (H1)")
    func applyUnknown() async throws {
        let registry = try await TestRegistry()
        let error = try await registry.error {
            try await registry.patch(
                Self.deployment, .apply(Sample.deployment("web").with(["spec", "replica"], 1), force: false))
        }
        #expect(error.message.contains(".spec.replica: field not declared in schema"))
        #expect(error.message.contains("replicas"))
    }

    @Test("a dry run of an apply shows the result and keeps nothing (H13)")
    func applyDryRun() async throws {
        let registry = try await TestRegistry()
        let dry = WriteOptions(fieldManager: "test", dryRun: true)
        let shown = try await registry.patch(Self.configMap, .apply(Self.applied, force: false), nil, dry)
        #expect(shown.json["data"] == ["a": "1", "b": "2"])
        #expect(try await !registry.exists(Self.configMap))
    }

    // MARK: Subresources

    @Test("a subresource that a kind does not have is not found")
    func unknownSubresource() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.configMap("x"))
        let error = try await registry.error { try await registry.update(made, .status) }
        #expect(error.reason == .notFound)
        let scale = try await registry.error { try await registry.patch(made.key, .merge([:]), .scale) }
        #expect(scale.reason == .notFound)
    }

    @Test("scale changes the replicas alone, by update and by patch")
    func scale() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.deployment("web"))
        let updated = try await registry.update(
            made.with(["spec", "replicas"], 7).with(["spec", "paused"], true), .scale)
        #expect(updated.json[path: ["spec", "replicas"]] == 7)
        #expect(updated.json[path: ["spec", "paused"]] == nil)
        #expect(updated.metadata.generation == 2)
        let patched = try await registry.patch(Self.deployment, .merge(["spec": ["replicas": 8]]), .scale)
        #expect(patched.json[path: ["spec", "replicas"]] == 8)
        let stale = try await registry.error {
            try await registry.patch(
                Self.deployment, .merge(["metadata": ["resourceVersion": "1"], "spec": ["replicas": 9]]), .scale)
        }
        #expect(stale.reason == .conflict)
        let foreign = try await registry.error {
            try await registry.update(
                patched.with(["metadata", "uid"], "another").with(["spec", "replicas"], 9), .scale)
        }
        #expect(foreign.message.contains("Precondition failed: UID in precondition: another"))
        let error = try await registry.error {
            try await registry.patch(Self.deployment, .merge(["spec": ["replicas": -1]]), .scale)
        }
        #expect(error.reason == .invalid)
    }

    static func binding(_ pod: String, to node: String) -> Object {
        Object(viewing: [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": ["name": .string(pod), "namespace": "default"],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ])
    }

    @Test("a pod is bound once; deleting, assigned and gated pods are refused (H10, L5)")
    func bind() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.pod("x"))
        let bound = try await registry.update(Self.binding("x", to: "n1"), .binding)
        #expect(bound.json[path: ["spec", "nodeName"]] == "n1")
        #expect(bound.json[path: ["status", "conditions"]]?.array?.first?["type"] == "PodScheduled")
        var error = try await registry.error { try await registry.update(Self.binding("x", to: "n2"), .binding) }
        #expect(error.reason == .conflict)
        #expect(error.message.contains("pod x is already assigned to node \"n1\""))
        try await registry.create(Sample.pod("gated").with(["spec", "schedulingGates"], [["name": "martlet.dev/g"]]))
        error = try await registry.error { try await registry.update(Self.binding("gated", to: "n1"), .binding) }
        #expect(error.reason == .conflict)
        let asPod = Object(viewing: Sample.pod("y", node: "n3"))
        try await registry.create(Sample.pod("y"))
        let other = try await registry.update(asPod, .binding)
        #expect(other.json[path: ["spec", "nodeName"]] == "n3")
    }
}
