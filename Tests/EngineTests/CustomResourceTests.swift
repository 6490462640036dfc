import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Custom resources are served (I1–I7)")
struct CustomResourceTests {
    @Test("a definition makes its kind served: names are accepted and it is established (I6)")
    func establishes() async throws {
        try await CustomRegistry.run { custom in
            let definition = try await custom.define(Widgets.definition())
            let names = try #require(definition.condition("NamesAccepted"))
            #expect(names["status"] == "True" && names["reason"] == "NoConflicts")
            let established = try #require(definition.condition("Established"))
            #expect(established["reason"] == "InitialNamesAccepted")
            #expect(established["message"] == "the initial names have been accepted")
            #expect(definition.json[path: ["status", "storedVersions"]] == ["v1"])
            #expect(definition.acceptedNames["listKind"] == "WidgetList")
            let types = try await custom.registry.registry.resourceTypes()
            let type = try #require(types.first { $0.kind.groupKind == Widgets.kind })
            #expect(type.plural == "widgets" && type.shortNames == ["wd"] && type.categories == ["all"])
            #expect(type.isNamespaced && type.subresources.map(\.name) == ["status"])
            #expect(type.custom?.schema == Widgets.schema)
        }
    }

    @Test("unknown fields are refused, warned of or dropped as the request asks; defaults are filled in (I3, C21)")
    func prunes() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            let spec: JSON = ["size": 3, "sice": 4, "free": ["a": ["b": 1]], "parts": [["name": "x", "y": 1]]]
            let error = try await custom.error { try await custom.create(Widgets.widget("a", spec)) }
            #expect(error.reason == .badRequest)
            #expect(
                error.message == "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: "
                    + "unknown field \"spec.sice\"; did you mean \"size\"?, unknown field \"spec.parts[0].y\"")
            let created = try await custom.create(Widgets.widget("a", spec), validation: .ignore)
            let wanted: JSON = [
                "size": 3, "free": ["a": ["b": 1]], "parts": [["name": "x", "weight": 5]], "colour": "red",
                "replicas": 1,
            ]
            #expect(created.json["spec"] == wanted)
            #expect(created.metadata.generation == 1)
            #expect(try await custom.registry.get(created.key) == created)
        }
    }

    static let refusals: [(spec: JSON, messages: [String])] = [
        (["size": "x"], [#"spec.size: Invalid value: "string": spec.size in body must be of type integer: "string""#]),
        (["size": 11], ["spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"]),
        ([:], ["spec.size: Required value"]),
        (
            ["size": 1, "colour": "blue"],
            [#"spec.colour: Unsupported value: "blue": supported values: "red", "green""#]
        ),
        (
            ["size": 1, "parts": [["name": "a"], ["name": "a"]]],
            [#"spec.parts[1]: Duplicate value: {"name":"a"}"#]
        ),
    ]

    @Test("what breaks the schema is refused in Kubernetes' words (I4, C2)", arguments: refusals.indices)
    func refuses(index: Int) async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            let (spec, messages) = Self.refusals[index]
            let error = try await custom.error { try await custom.create(Widgets.widget("a", spec)) }
            #expect(error.reason == .invalid)
            let list = messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
            #expect(error.message == "Widget.example.com \"a\" is invalid: \(list)")
        }
    }

    @Test("spec and status are written apart, and only the spec is counted (I5, C13, C14)")
    func status() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            var object = Widgets.widget("a")
            object["status"] = ["phase": "wrong"]
            let created = try await custom.create(object)
            #expect(created.json["status"] == nil)
            var reported = created
            reported.json["status"] = ["phase": "Ready"]
            reported.json[path: ["spec", "size"]] = 9
            let updated = try await custom.registry.update(reported, .status)
            #expect(updated.json[path: ["status", "phase"]] == "Ready")
            #expect(updated.json[path: ["spec", "size"]] == 3)
            #expect(updated.metadata.generation == 1)
            var changed = updated
            changed.json[path: ["spec", "size"]] = 4
            changed.json["status"] = ["phase": "wrong"]
            let written = try await custom.registry.update(changed)
            #expect(written.json[path: ["status", "phase"]] == "Ready")
            #expect(written.metadata.generation == 2)
        }
    }

    @Test("without a status subresource the status is content, and owned like all else (C14, H10)")
    func plainStatus() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition(Widgets.schema, ["subresources": .null]))
            var object = Widgets.widget("a")
            object["status"] = ["phase": "Ready"]
            let created = try await custom.create(object)
            #expect(created.json[path: ["status", "phase"]] == "Ready")
            let owned = created.metadata.managedFields.first?.fieldsV1?["f:status"]
            #expect(owned?["f:phase"] != nil)
            let error = try await custom.error { try await custom.registry.update(created, .status) }
            #expect(error.reason == .notFound)
            var changed = created
            changed.json[path: ["status", "phase"]] = "Gone"
            #expect(try await custom.registry.update(changed).metadata.generation == 2)
        }
    }

    @Test("an update without a version, and a strategic merge patch, are refused (C10, G1)")
    func refusedWrites() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            var object = try await custom.create(Widgets.widget("a"))
            object.json[path: ["metadata", "resourceVersion"]] = nil
            object.json[path: ["spec", "size"]] = 4
            let unconditional = object
            var error = try await custom.error { try await custom.registry.update(unconditional) }
            #expect(
                error.message.hasSuffix("metadata.resourceVersion: Invalid value: 0: must be specified for an update"))
            error = try await custom.error {
                try await custom.registry.patch(Widgets.key("a"), .strategicMerge(["spec": ["size": 4]]))
            }
            #expect(error.reason == .unsupportedMediaType)
            let merged = try await custom.registry.patch(Widgets.key("a"), .merge(["spec": ["size": 4]]))
            #expect(merged.json[path: ["spec", "size"]] == 4)
        }
    }

    @Test("server-side apply merges lists by their keys, and applying again changes nothing (H5, H6)")
    func applies() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(Widgets.definition())
            let first = Widgets.widget("a", ["size": 3, "parts": [["name": "x"]]])
            let created = try await custom.registry.patch(Widgets.key("a"), .apply(first, force: false))
            #expect(created.json[path: ["spec", "parts"]] == [["name": "x", "weight": 5]])
            let other = Widgets.widget("a", ["size": 3, "parts": [["name": "y", "weight": 1]]])
            let merged = try await custom.registry.patch(
                Widgets.key("a"), .apply(other, force: false), nil, WriteOptions(fieldManager: "other"))
            #expect(merged.json[path: ["spec", "parts"]]?.array?.count == 2)
            let again = try await custom.registry.patch(Widgets.key("a"), .apply(first, force: false))
            #expect(again == merged)
            let unknown = Widgets.widget("a", ["size": 3, "sice": 1])
            let error = try await custom.error {
                try await custom.registry.patch(Widgets.key("a"), .apply(unknown, force: false))
            }
            #expect(error.reason == .internalError)
            #expect(error.message.contains(".spec.sice: field not declared in schema"))
        }
    }

    @Test("several versions are one object: it is read and written in each, and stored in one (I7)")
    func versions() async throws {
        try await CustomRegistry.run { custom in
            func version(_ name: String, storage: Bool, served: Bool = true, extra: String) -> JSON {
                let spec: JSON = [
                    "type": "object",
                    "properties": .object(
                        JSONObject([
                            JSONObject.Member(key: "size", value: ["type": "integer"]),
                            JSONObject.Member(key: extra, value: ["type": "string", "default": "x"]),
                        ])),
                ]
                return [
                    "name": .string(name), "served": .bool(served), "storage": .bool(storage),
                    "schema": ["openAPIV3Schema": ["type": "object", "properties": ["spec": spec]]],
                ]
            }
            let versions = [
                version("v1alpha1", storage: false, extra: "old"), version("v1", storage: true, extra: "new"),
                version("v2", storage: false, served: false, extra: "newest"),
            ]
            try await custom.define(Widgets.definition(versions: versions))
            let types = try await custom.registry.registry.resourceTypes().filter { $0.plural == "widgets" }
            #expect(types.map(\.kind.version) == ["v1", "v1alpha1"])
            #expect(types.preferred.map(\.kind.version) == ["v1"])
            let old = try await custom.create(Widgets.widget("a", version: "v1alpha1"))
            #expect(old.apiVersion == "example.com/v1alpha1")
            #expect(old.json["spec"] == ["size": 3, "old": "x"])
            let registry = custom.registry.registry
            let new = try await registry.get(Widgets.key("a"))
            #expect(new.apiVersion == "example.com/v1")
            #expect(new.json["spec"] == ["size": 3, "new": "x"])
            let stored = try #require(custom.registry.store.snapshot.list(kind: "example.com/Widget").first)
            #expect(stored.json["apiVersion"] == "example.com/v1")
            let patched = try await custom.registry.patch(
                Widgets.key("a"), .merge(["spec": ["size": 4]]), nil,
                WriteOptions(fieldManager: "test", version: "v1alpha1"))
            #expect(patched.apiVersion == "example.com/v1alpha1")
            let list = try await registry.list(ListQuery(Widgets.kind, version: "v1alpha1"))
            #expect(list.items.map(\.apiVersion) == ["example.com/v1alpha1"])
            #expect(list.items[0].metadata.managedFields.map(\.apiVersion).contains("example.com/v1alpha1"))
            let error = try await custom.error { try await registry.get(Widgets.key("a"), version: "v2") }
            #expect(error.reason == .notFound)
        }
    }

    @Test("scale speaks of the fields that the definition names (I5)")
    func scales() async throws {
        try await CustomRegistry.run { custom in
            let paths: JSON = [
                "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.count",
                "labelSelectorPath": ".status.selector",
            ]
            try await custom.define(
                Widgets.definition(Widgets.schema, ["subresources": ["status": [:], "scale": paths]]))
            let created = try await custom.create(Widgets.widget("a"))
            let patched = try await custom.registry.patch(Widgets.key("a"), .merge(["spec": ["replicas": 7]]), .scale)
            #expect(patched.json[path: ["spec", "replicas"]] == 7)
            #expect(patched.metadata.generation == 2)
            let type = try #require(
                try await custom.registry.registry.resourceTypes().first { $0.kind.groupKind == Widgets.kind })
            let scale = ScaleSubresource.json(of: patched.json, paths: type.custom?.scale)
            #expect(scale[path: ["spec", "replicas"]] == 7)
            var negative = created
            negative.json[path: ["spec", "replicas"]] = -1
            negative.metadata.resourceVersion = patched.metadata.resourceVersion
            let wrong = negative
            let error = try await custom.error { try await custom.registry.update(wrong) }
            #expect(error.message.contains(".spec.replicas: Invalid value: -1: should be a non-negative integer"))
        }
    }

    @Test("field selectors know the fields that the definition names (D9, D10)")
    func selects() async throws {
        try await CustomRegistry.run { custom in
            try await custom.define(
                Widgets.definition(Widgets.schema, ["selectableFields": [["jsonPath": ".spec.colour"]]]))
            try await custom.create(Widgets.widget("a"))
            try await custom.create(Widgets.widget("b", ["size": 3, "colour": "green"]))
            let registry = custom.registry.registry
            let query = ListQuery(Widgets.kind, fields: try FieldSelector(parsing: "spec.colour=green"))
            #expect(try await registry.list(query).items.map(\.metadata.name) == ["b"])
            let wrong = ListQuery(Widgets.kind, fields: try FieldSelector(parsing: "spec.size=3"))
            let error = try await custom.error { try await registry.list(wrong) }
            #expect(error.message == "field label not supported: spec.size")
        }
    }
}
