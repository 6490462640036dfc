import Cluster
import Engine
import Kinds
import Model
import Testing

@Suite("Registry: apply, and what a write says twice")
struct RegistryApplyTests {
    private static let configMap = ConfigMap.key("x", in: "default")
    private static let deployment = Deployment.key("web", in: "default")

    private static func options(
        _ manager: String, _ validation: FieldValidation = .warn, repeated: [String] = [],
        warnings: RequestWarnings? = nil
    ) -> WriteOptions {
        var options = WriteOptions(fieldManager: manager, fieldValidation: validation, warnings: warnings)
        options.repeatedFields = repeated
        return options
    }

    struct Unfit: CustomTestStringConvertible, Sendable {
        var config: JSON
        var message: String
        var testDescription: String { config.text() }
    }

    private static let meta: JSON = ["name": "x", "namespace": "default"]

    static let unfitConfigurations = [
        Unfit(config: [], message: "error decoding YAML: an applied configuration is an object, not array"),
        Unfit(config: "x", message: "error decoding YAML: an applied configuration is an object, not string"),
        Unfit(
            config: ["metadata": meta],
            message: "Incorrect version specified in apply patch. Specified patch version: , expected: v1"),
        Unfit(
            config: ["apiVersion": "apps/v1", "kind": "ConfigMap", "metadata": meta],
            message: "Incorrect version specified in apply patch. Specified patch version: apps/v1, expected: v1"),
        Unfit(
            config: ["apiVersion": "v1", "kind": "Secret", "metadata": meta],
            message: "the kind in the data (Secret) does not match the expected kind (ConfigMap)"),
        Unfit(
            config: ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "y"]],
            message: "the name of the object (y) does not match the name on the URL (x)"),
        Unfit(
            config: ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "x", "namespace": "other"]],
            message: "the namespace of the object (other) does not match the namespace on the URL (default)"),
    ]

    @Test("a configuration of something else than its address names is refused (H1)", arguments: unfitConfigurations)
    func unfit(_ unfit: Unfit) async throws {
        let registry = try await TestRegistry()
        for isThere in [false, true] {
            if isThere { try await registry.create(Sample.configMap("x")) }
            let error = try await registry.error {
                try await registry.patch(Self.configMap, .apply(unfit.config, force: true), nil, Self.options("me"))
            }
            #expect(error.reason == .badRequest)
            #expect(error.message == unfit.message)
        }
    }

    @Test("the last label that a manager names no more goes, and nothing else of the metadata (H5)")
    func lastLabel() async throws {
        let registry = try await TestRegistry()
        let config = Sample.configMap("x")
        let labelled = config.with(["metadata", "labels"], ["a": "b"])
        let made = try await registry.patch(
            Self.configMap, .apply(labelled, force: false), nil, Self.options("me"))
        let applied = try await registry.patch(Self.configMap, .apply(config, force: false), nil, Self.options("me"))
        #expect(applied.json[path: ["metadata", "labels"]] == nil)
        #expect(applied.metadata.uid == made.metadata.uid)
        #expect(applied.metadata.name == "x")
    }

    @Test("an applied Scale owns the replicas of its workload, which others then conflict over (H10)")
    func appliedScale() async throws {
        let registry = try await TestRegistry()
        try await registry.patch(
            Self.deployment, .apply(Sample.deployment("web"), force: false), nil, Self.options("owner"))
        let scale = { (replicas: JSON) -> JSON in
            [
                "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "web"],
                "spec": ["replicas": replicas],
            ]
        }
        let conflict = try await registry.error {
            try await registry.patch(Self.deployment, .apply(scale(5), force: false), .scale, Self.options("scaler"))
        }
        #expect(conflict.message == "Apply failed with 1 conflict: conflict with \"owner\": .spec.replicas")
        let scaled = try await registry.patch(
            Self.deployment, .apply(scale(5), force: true), .scale, Self.options("scaler"))
        #expect(scaled.json[path: ["spec", "replicas"]] == 5)
        #expect(scaled.metadata.generation == 2)
        let entry = scaled.json[path: ["metadata", "managedFields"]]?.array?.first { $0["manager"] == "scaler" }
        #expect(entry?["subresource"] == "scale")
        #expect(entry?["apiVersion"] == "apps/v1")
        #expect(entry?["fieldsV1"] == ["f:spec": ["f:replicas": [:]]])
        let back = try await registry.error {
            try await registry.patch(
                Self.deployment, .apply(Sample.deployment("web"), force: false), nil, Self.options("owner"))
        }
        #expect(
            back.message
                == "Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\": .spec.replicas")
        let negative = try await registry.error {
            try await registry.patch(Self.deployment, .apply(scale(-1), force: true), .scale, Self.options("scaler"))
        }
        #expect(
            negative.message
                == "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal "
                + "to 0")
    }

    @Test("fields that were given twice are told, refused, or let pass as validation asks (C21)")
    func repeatedFields() async throws {
        let registry = try await TestRegistry()
        let twice = "duplicate field \"data.a\""
        let unknown = Sample.configMap("x").with(["foo"], 1)
        var error = try await registry.error {
            try await registry.create(unknown, Self.options("me", .strict, repeated: [twice]))
        }
        #expect(
            error.message
                == "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
                + "unknown field \"foo\", \(twice)")
        let warnings = RequestWarnings()
        try await registry.create(Sample.configMap("x"), Self.options("me", repeated: [twice], warnings: warnings))
        #expect(warnings.all == [twice])
        error = try await registry.error {
            try await registry.patch(
                Self.configMap, .merge(["data": ["a": "2"]]), nil, Self.options("me", .strict, repeated: [twice]))
        }
        #expect(error.reason == .invalid)
        #expect(error.message.hasSuffix("strict decoding error: \(twice)"))
        let line = "line 2: key \"a\" already set in map"
        let text = "error converting YAML to JSON: yaml: unmarshal errors:\n  \(line)"
        error = try await registry.error {
            try await registry.patch(
                Self.configMap, .apply(Sample.configMap("x"), force: true), nil,
                Self.options("me", .strict, repeated: [line]))
        }
        #expect(error.reason == .badRequest)
        #expect(error.message == "error strict decoding YAML: \(text)")
        let applied = RequestWarnings()
        try await registry.patch(
            Self.configMap, .apply(Sample.configMap("x"), force: true), nil,
            Self.options("me", repeated: [line], warnings: applied))
        #expect(applied.all == [text])
        let ignored = RequestWarnings()
        try await registry.patch(
            Self.configMap, .merge(["data": ["a": "3"]]), nil,
            Self.options("me", .ignore, repeated: [twice], warnings: ignored))
        #expect(ignored.all.isEmpty)
    }

    @Test("a patch does not make another kind of an object")
    func patchedKind() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x"))
        let error = try await registry.error {
            try await registry.patch(Self.configMap, .merge(["kind": "Secret"]))
        }
        #expect(error.reason == .badRequest)
        #expect(error.message == "the kind in the data (Secret) does not match the expected kind (ConfigMap)")
    }

    @Test("an owner that is named twice in the same words is kept once, with a warning (C26)")
    func repeatedOwners() async throws {
        let registry = try await TestRegistry()
        let owner: JSON = ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u-1"]
        let other = owner.with(["uid"], "u-2")
        let warnings = RequestWarnings()
        let made = try await registry.create(
            Sample.configMap("x").with(["metadata", "ownerReferences"], [owner, other, owner]),
            Self.options("me", warnings: warnings))
        #expect(made.json[path: ["metadata", "ownerReferences"]] == [owner, other])
        #expect(warnings.all.count == 1)
        #expect(warnings.all.first?.hasSuffix("duplicate UID(s) observed: u-1") == true)
    }

    @Test("the times of creation and deletion are the server's, whatever an update says (C11)")
    func keptTimes() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(
            Sample.configMap("x").with(["metadata", "finalizers"], ["example.com/hold"]))
        let other: JSON = "2020-01-01T00:00:00Z"
        let path = ["metadata", "creationTimestamp"]
        let patched = try await registry.patch(
            Self.configMap, .merge(["metadata": ["creationTimestamp": other], "data": ["a": "2"]]))
        #expect(patched.json[path: path] == made.json[path: path])
        let error = try await registry.error {
            try await registry.patch(Self.configMap, .merge(["metadata": ["deletionTimestamp": other]]))
        }
        #expect(
            error.message.contains("metadata.deletionTimestamp: Invalid value: \(other.text()): field is immutable"))
        let marked = try await registry.delete(Self.configMap)
        let kept = try await registry.patch(
            Self.configMap, .merge(["metadata": ["deletionTimestamp": .null], "data": ["a": "3"]]))
        #expect(
            kept.json[path: ["metadata", "deletionTimestamp"]] == marked.json[path: ["metadata", "deletionTimestamp"]])
    }

    @Test("a finalizer of a new object says whose it is, unless it is Kubernetes' own")
    func finalizerNames() async throws {
        let registry = try await TestRegistry()
        let path = ["metadata", "finalizers"]
        let error = try await registry.error {
            try await registry.create(Sample.configMap("x").with(path, ["orphan", "hold"]))
        }
        #expect(
            error.message
                == "ConfigMap \"x\" is invalid: metadata.finalizers[1]: Invalid value: \"hold\": name is neither a "
                + "standard finalizer name nor is it fully qualified")
        try await registry.create(Sample.configMap("x").with(path, ["orphan", "example.com/hold"]))
        // Where it came in before the rule it can be kept.
        try await registry.patch(Self.configMap, .merge(["metadata": ["finalizers": ["hold"]]]))
    }
}
