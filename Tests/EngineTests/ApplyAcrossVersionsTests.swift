import Cluster
import Engine
import Kinds
import Model
import Testing

/// What managers own was recorded in some version of the kind, and is compared in that one.
@Suite("Server-side apply between the versions of a kind (H2, H5, H9)")
struct ApplyAcrossVersionsTests {
    private static let key = VersionTests.key

    private static func autoscaler(_ version: String, _ spec: JSON) -> JSON {
        let target: JSON = ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"]
        return [
            "apiVersion": .string("autoscaling/\(version)"), "kind": "HorizontalPodAutoscaler",
            "metadata": ["name": "web", "namespace": "default"], "spec": spec.with(["scaleTargetRef"], target),
        ]
    }

    private static func cpu(_ percent: Int64) -> JSON {
        [
            [
                "type": "Resource",
                "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": .int(percent)]],
            ]
        ]
    }

    /// Who manages the object in which version.
    private static func managers(_ object: Object) -> [String: String] {
        let entries = object.metadata.managedFields.map { ($0.manager ?? "", $0.apiVersion ?? "") }
        return Dictionary(entries) { first, _ in first }
    }

    private static func fields(_ object: Object, of manager: String) -> FieldSet? {
        let entries = object.json[path: ["metadata", "managedFields"]]?.array ?? []
        return entries.first { $0["manager"]?.string == manager }?["fieldsV1"].flatMap(FieldSet.init(fieldsV1:))
    }

    @discardableResult
    private static func apply(
        _ config: JSON, by manager: String, force: Bool = false, to registry: TestRegistry
    ) async throws -> Object {
        try await registry.patch(
            key, .apply(config, force: force), nil, WriteOptions(fieldManager: manager))
    }

    @Test("what another version calls otherwise conflicts under the name that its owner gave it")
    func conflictsInTheOwnersWords() async throws {
        let registry = try await TestRegistry()
        let old = Self.autoscaler("v1", ["maxReplicas": 5, "targetCPUUtilizationPercentage": 70])
        try await Self.apply(old, by: "old", to: registry)
        let same = Self.autoscaler("v2", ["maxReplicas": 5, "metrics": Self.cpu(70)])
        let shared = try await Self.apply(same, by: "new", to: registry)
        #expect(Self.managers(shared) == ["old": "autoscaling/v1", "new": "autoscaling/v2"])

        let other = Self.autoscaler("v2", ["maxReplicas": 5, "metrics": Self.cpu(80)])
        let error = try await registry.error { try await Self.apply(other, by: "third", to: registry) }
        #expect(error.reason == .conflict)
        #expect(
            error.details.causes.map(\.field) == [".spec.metrics", ".spec.targetCPUUtilizationPercentage"])
        let forced = try await Self.apply(other, by: "third", force: true, to: registry)
        #expect(Self.fields(forced, of: "old")?.contains(FieldSet.path("spec", "maxReplicas")) == true)
        #expect(
            Self.fields(forced, of: "old")?.contains(FieldSet.path("spec", "targetCPUUtilizationPercentage")) == false)
        #expect(Self.fields(forced, of: "new")?.contains(FieldSet.path("spec", "metrics")) == false)
    }

    @Test("an update in one version takes what it changes from managers of another")
    func updatesTake() async throws {
        let registry = try await TestRegistry()
        try await Self.apply(
            Self.autoscaler("v1", ["maxReplicas": 5, "targetCPUUtilizationPercentage": 70]), by: "old", to: registry)
        let updated = try await registry.patch(
            Self.key, .merge(["spec": ["metrics": Self.cpu(90)]]), nil, WriteOptions(fieldManager: "new"))
        #expect(
            Self.fields(updated, of: "old")?.contains(FieldSet.path("spec", "targetCPUUtilizationPercentage")) == false)
        let read = try await registry.registry.get(Self.key, version: "v1")
        #expect(read.json[path: ["spec", "targetCPUUtilizationPercentage"]] == 90)
    }

    @Test("what a manager applied in one version and leaves out in another goes")
    func removalBetweenVersions() async throws {
        let registry = try await TestRegistry()
        try await Self.apply(
            Self.autoscaler("v1", ["maxReplicas": 5, "minReplicas": 2, "targetCPUUtilizationPercentage": 70]),
            by: "me", to: registry)
        let applied = try await Self.apply(
            Self.autoscaler("v2", ["maxReplicas": 5, "metrics": Self.cpu(70)]), by: "me", to: registry)
        // The default, as it is nobody's now.
        #expect(applied.json[path: ["spec", "minReplicas"]] == 1)
        #expect(applied.json[path: ["spec", "metrics"]] == Self.cpu(70))
        #expect(Self.managers(applied) == ["me": "autoscaling/v2"])
        let back = try await Self.apply(
            Self.autoscaler("v1", ["maxReplicas": 5, "targetCPUUtilizationPercentage": 70]), by: "me", to: registry)
        #expect(back.json[path: ["spec", "targetCPUUtilizationPercentage"]] == 70)
        #expect(Self.managers(back) == ["me": "autoscaling/v1"])
    }

    @Test("who owned fields in a version that is no more owns nothing once something changes")
    func forgottenVersion() async throws {
        let registry = try await TestRegistry()
        let entry: JSON = [
            "manager": "old", "operation": "Update", "apiVersion": "autoscaling/v2beta1", "fieldsType": "FieldsV1",
            "fieldsV1": ["f:spec": ["f:maxReplicas": [:]]],
        ]
        let config = Self.autoscaler("v2", ["maxReplicas": 5, "metrics": Self.cpu(70)])
        try await registry.create(config)
        try await registry.patch(Self.key, .merge(["metadata": ["managedFields": [entry]]]))
        let applied = try await Self.apply(
            config.with(["spec", "maxReplicas"], 7), by: "me", force: false, to: registry)
        #expect(applied.json[path: ["spec", "maxReplicas"]] == 7)
        #expect(Self.managers(applied)["old"] == nil)
    }

    /// The same Event, as the core group calls its fields.
    private static func coreEvent(_ message: String?) -> JSON {
        var event = VersionTests.event
        for (name, other) in [
            ("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent"),
        ] {
            event[other] = event[name]
            event[name] = nil
        }
        event["apiVersion"] = "v1"
        event["message"] = message.map { .string($0) }
        return event
    }

    @Test("an Event is applied through both groups, and each manager owns what it knows under its own names (L1, H2)")
    func events() async throws {
        let registry = try await TestRegistry()
        let reported = ObjectKey(kind: VersionTests.reported, namespace: "default", name: "one")
        let core = Event.key("one", in: "default")
        func apply(_ config: JSON, to key: ObjectKey, by manager: String, force: Bool = false) async throws -> Object {
            try await registry.patch(key, .apply(config, force: force), nil, WriteOptions(fieldManager: manager))
        }
        _ = try await apply(VersionTests.event, to: reported, by: "new")
        let shared = try await apply(Self.coreEvent("it was looked at"), to: core, by: "old")
        #expect(Self.managers(shared) == ["new": "events.k8s.io/v1", "old": "v1"])

        let error = try await registry.error {
            _ = try await apply(Self.coreEvent("it was seen"), to: core, by: "third")
        }
        #expect(error.reason == .conflict)
        #expect(Set(error.details.causes.map(\.field)) == [".message", ".note"])
        let forced = try await apply(Self.coreEvent("it was seen"), to: core, by: "third", force: true)
        #expect(Self.fields(forced, of: "new")?.contains(FieldSet.path("note")) == false)
        #expect(Self.fields(forced, of: "new")?.contains(FieldSet.path("action")) == true)
        #expect(Self.fields(forced, of: "old")?.contains(FieldSet.path("message")) == false)
        #expect(try await registry.get(reported).json["note"] == "it was seen")

        // Who leaves out in one group what it applied in the other gives it up; nobody else has it, so it goes.
        _ = try await apply(Self.coreEvent(nil), to: core, by: "third")
        #expect(try await registry.get(reported).json["note"] == nil)
    }

    private static func widget(_ version: String, _ spec: JSON) -> JSON {
        [
            "apiVersion": .string("example.com/\(version)"), "kind": "Widget",
            "metadata": ["name": "x", "namespace": "default"], "spec": spec,
        ]
    }

    /// Two versions, of which each has a field that the other does not know, and a list that only one knows the keys of.
    private static let versions: [JSON] = {
        let items: JSON = ["type": "object", "required": ["name"], "properties": ["name": ["type": "string"]]]
        func version(_ name: String, _ own: String, _ list: JSON) -> JSON {
            var spec: JSON = ["type": "object", "properties": ["size": ["type": "integer"], "parts": list]]
            spec[path: ["properties", own]] = ["type": "string"]
            return [
                "name": .string(name), "served": true, "storage": .bool(name == "v1"),
                "schema": ["openAPIV3Schema": ["type": "object", "properties": ["spec": spec]]],
            ]
        }
        let keyed: JSON = [
            "type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        ]
        return [version("v1", "colour", keyed), version("v2", "color", ["type": "array", "items": items])]
    }()

    @Test("versions of a custom kind are compared each by its own schema")
    func customVersions() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition(versions: Self.versions))
            let registry = custom.registry
            let parts: JSON = [["name": "a"], ["name": "b"]]
            let first = Self.widget("v1", ["size": 1, "colour": "red", "parts": parts])
            try await registry.patch(
                Widgets.key("x"), .apply(first, force: false), nil, WriteOptions(fieldManager: "old"))
            let more = Self.widget("v2", ["size": 2, "parts": [["name": "a"], ["name": "b"], ["name": "c"]]])
            let error = try await registry.error {
                try await registry.patch(
                    Widgets.key("x"), .apply(more, force: false), nil, WriteOptions(fieldManager: "new"))
            }
            // As v1 has it, a part was added, which nobody owned.
            #expect(error.details.causes.map(\.field) == [".spec.size"])
            let applied = try await registry.patch(
                Widgets.key("x"), .apply(more, force: true), nil, WriteOptions(fieldManager: "new"))
            let old = Self.fields(applied, of: "old")
            #expect(old?.contains(FieldSet.path("spec", "size")) == false)
            #expect(old?.contains(FieldSet.path("spec", "colour")) == true)
        }
    }

    @Test("what was recorded in a version that is served no longer is still owned; once the version is gone, nobody's")
    func unservedVersions() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition(versions: Self.versions))
            let registry = custom.registry
            func apply(_ spec: JSON, by manager: String, force: Bool = false) async throws -> Object {
                try await registry.patch(
                    Widgets.key("x"), .apply(Self.widget("v2", spec), force: force), nil,
                    WriteOptions(fieldManager: manager))
            }
            func redefine(_ operations: JSON) async throws {
                try await registry.patch(Widgets.definitionKey, .json(operations))
            }
            try await registry.patch(
                Widgets.key("x"), .apply(Self.widget("v1", ["size": 1, "colour": "red"]), force: false), nil,
                WriteOptions(fieldManager: "old"))
            try await redefine([
                ["op": "replace", "path": "/spec/versions/0/served", "value": false],
                ["op": "replace", "path": "/spec/versions/0/storage", "value": false],
                ["op": "replace", "path": "/spec/versions/1/storage", "value": true],
            ])
            let error = try await registry.error { _ = try await apply(["size": 2], by: "new") }
            #expect(error.reason == .conflict)
            #expect(error.details.causes.map(\.field) == [".spec.size"])
            let forced = try await apply(["size": 2], by: "new", force: true)
            #expect(Self.managers(forced) == ["old": "example.com/v1", "new": "example.com/v2"])
            #expect(Self.fields(forced, of: "old")?.contains(FieldSet.path("spec", "colour")) == true)

            try await registry.patch(Widgets.definitionKey, .merge(["status": ["storedVersions": ["v2"]]]), .status)
            try await redefine([["op": "remove", "path": "/spec/versions/0"]])
            let applied = try await apply(["size": 3, "color": "blue"], by: "new")
            #expect(applied.json[path: ["spec", "size"]] == 3)
            #expect(Self.managers(applied) == ["new": "example.com/v2"])
        }
    }

    @Test("a list that the definition has come to take for one value is owned whole by who owned a part")
    func schemaChanges() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            let registry = custom.registry
            let config = Widgets.widget("x", ["size": 3, "parts": [["name": "a"], ["name": "b"]]])
            for manager in ["first", "second"] {
                try await registry.patch(
                    Widgets.key("x"), .apply(config, force: false), nil, WriteOptions(fieldManager: manager))
            }
            let parts = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/parts"
            try await registry.patch(
                Widgets.definitionKey,
                .json([
                    ["op": "replace", "path": .string(parts + "/x-kubernetes-list-type"), "value": "atomic"],
                    ["op": "remove", "path": .string(parts + "/x-kubernetes-list-map-keys")],
                ]))
            let other = Widgets.widget("x", ["parts": [["name": "a"], ["name": "c"]]])
            let error = try await registry.error {
                try await registry.patch(
                    Widgets.key("x"), .apply(other, force: false), nil, WriteOptions(fieldManager: "third"))
            }
            #expect(error.details.causes.map(\.field) == [".spec.parts", ".spec.parts"])
            // Who applied a part last time, and nothing of it now, gives up the whole.
            let less = try await registry.patch(
                Widgets.key("x"), .apply(Widgets.widget("x"), force: false), nil, WriteOptions(fieldManager: "first"))
            #expect(Self.fields(less, of: "first")?.contains(FieldSet.path("spec", "parts")) == false)
            #expect(less.json[path: ["spec", "parts"]]?.array?.count == 2)
            let updated = try await registry.patch(
                Widgets.key("x"), .merge(["spec": ["parts": [["name": "d"]]]]), nil,
                WriteOptions(fieldManager: "fourth"))
            #expect(Self.fields(updated, of: "second")?.contains(FieldSet.path("spec", "parts")) == false)
            #expect(Self.fields(updated, of: "second")?.contains(FieldSet.path("spec", "size")) == true)
            #expect(Self.fields(updated, of: "fourth")?.contains(FieldSet.path("spec", "parts")) == true)
        }
    }
}

extension FieldSet {
    fileprivate static func path(_ names: String...) -> [PathElement] { names.map(PathElement.field) }
}
