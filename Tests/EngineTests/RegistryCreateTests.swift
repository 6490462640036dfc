import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: create")
struct RegistryCreateTests {
    @Test("a new object gets uid, creation time, generation, version and defaults (C5, C14, F)")
    func completion() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.deployment("web"))
        #expect(made.metadata.uid.count == 36)
        #expect(Array(made.metadata.uid)[14] == "4")
        #expect(made.metadata.creationTimestamp == registry.clock.now)
        #expect(made.metadata.generation == 1)
        #expect(made.metadata.resourceVersion == registry.store.revision.description)
        #expect(made.json[path: ["spec", "strategy", "type"]] == "RollingUpdate")
        #expect(made.json[path: ["spec", "template", "spec", "restartPolicy"]] == "Always")
        #expect(try JSON(decoding: made.encoded) == made.json)
    }

    @Test("what a client may not set is dropped or refused (C5, C7)")
    func wiped() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(
            Sample.deployment("web").with(["metadata", "uid"], "mine").with(["status", "replicas"], 7)
                .with(["metadata", "deletionTimestamp"], "2020-01-01T00:00:00Z"))
        #expect(made.metadata.uid != "mine")
        #expect(made.json[path: ["status", "replicas"]] != 7)
        #expect(!made.metadata.isBeingDeleted)
        let error = try await registry.error {
            try await registry.create(Sample.configMap("x").with(["metadata", "resourceVersion"], "5"))
        }
        #expect(error.message == "resourceVersion should not be set on objects to be created")
        #expect(error.reason.code == 500)
    }

    @Test("a generated name is the base and five characters without vowels (C6)")
    func generatedNames() async throws {
        let registry = try await TestRegistry()
        let base = String(repeating: "b", count: 70)
        let object = Sample.configMap("").with(["metadata", "name"], nil).with(
            ["metadata", "generateName"], .string(base))
        let made = try await registry.create(object)
        let other = try await registry.create(object)
        #expect(made.metadata.name.count == 63)
        #expect(made.metadata.name != other.metadata.name)
        #expect(made.metadata.name.suffix(5).allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
    }

    @Test("a namespace has its name as a label, a generated one too (C6, F)")
    func namesOfNamespaces() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(
            ["apiVersion": "v1", "kind": "Namespace", "metadata": ["generateName": "team-"]])
        #expect(made.metadata.labels == ["kubernetes.io/metadata.name": made.metadata.name])
    }

    @Test("an existing name is refused; the text tells when what is in the way is about to go (C1)")
    func alreadyExists() async throws {
        let registry = try await TestRegistry()
        let object = Sample.configMap("x").with(["metadata", "finalizers"], ["martlet.dev/test"])
        try await registry.create(object)
        var error = try await registry.error { try await registry.create(object) }
        #expect(error.message == "configmaps \"x\" already exists")
        #expect(error.reason == .alreadyExists)
        try await registry.delete(ConfigMap.key("x", in: "default"))
        error = try await registry.error { try await registry.create(object) }
        #expect(error.message == "object is being deleted: configmaps \"x\" already exists")
    }

    @Test("an invalid object is refused with a cause for each fault (C1–C3)")
    func invalid() async throws {
        let registry = try await TestRegistry()
        let error = try await registry.error {
            try await registry.create(
                Sample.deployment("web").with(["spec", "selector", "matchLabels", "app"], "other"))
        }
        #expect(error.reason == .invalid)
        #expect(
            error.message.hasPrefix("Deployment.apps \"web\" is invalid: spec.template.metadata.labels: Invalid value"))
        #expect(error.details.kind == "Deployment")
        #expect(error.details.causes.first?.reason == "FieldValueInvalid")
    }

    @Test("an unknown field is refused with what was probably meant, warned of, or ignored (C21, C22)")
    func unknownFields() async throws {
        let registry = try await TestRegistry()
        let object = Sample.deployment("web").with(["spec", "replica"], 3)
        let error = try await registry.error { try await registry.create(object) }
        #expect(error.reason == .badRequest)
        #expect(
            error.message.hasPrefix(
                "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: "
                    + "unknown field \"spec.replica\""))
        #expect(error.message.contains("replicas"))
        let warnings = RequestWarnings()
        try await registry.create(
            object, WriteOptions(fieldManager: "test", dryRun: true, fieldValidation: .warn, warnings: warnings))
        #expect(warnings.all.count == 1)
        let ignore = WriteOptions(fieldManager: "test", dryRun: true, fieldValidation: .ignore)
        try await registry.create(object, ignore)
        #expect(try await !registry.exists(Deployment.key("web", in: "default")))
    }

    @Test("an unknown field that is not refused is dropped, so that strict writes to the object work (C21)")
    func droppedFields() async throws {
        let registry = try await TestRegistry()
        let object = Sample.deployment("web").with(["spec", "replica"], 3)
            .with(["spec", "template", "spec", "containers"], [["name": "c", "image": "i", "imagee": "x"]])
        let created = try await registry.create(object, WriteOptions(fieldManager: "test", fieldValidation: .warn))
        #expect(created.json[path: ["spec", "replica"]] == nil)
        let container = created.json[path: ["spec", "template", "spec", "containers"]]?.array?.first
        #expect(container?["image"] == "i")
        #expect(container?["imagee"] == nil)
        #expect(created.json[path: ["metadata", "managedFields"]]?.text().contains("replica\"") == false)
        let again = Object(viewing: created.json.with(["spec", "replicas"], 2))
        let updated = try await registry.update(
            again, nil, WriteOptions(fieldManager: "test", fieldValidation: .strict))
        #expect(updated.json[path: ["spec", "replicas"]] == 2)
    }

    @Test("roles whose names look alike and have other bytes are two objects, each found, listed and deleted by itself")
    func normalisedNames() async throws {
        let registry = try await TestRegistry()
        let kind = GroupKind(group: "rbac.authorization.k8s.io", kind: "Role")
        // é in one code point, and as an e with an accent.
        let names = ["caf\u{E9}", "cafe\u{301}"]
        func key(_ name: String) -> ObjectKey { ObjectKey(kind: kind, namespace: "default", name: name) }
        for (position, name) in names.enumerated() {
            try await registry.create([
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                "metadata": ["name": .string(name), "namespace": "default", "labels": ["n": .string("\(position)")]],
            ])
        }
        for (position, name) in names.enumerated() {
            #expect(try await registry.get(key(name)).metadata.labels["n"] == "\(position)")
            let selected = try await registry.registry.list(
                ListQuery(kind, fields: try FieldSelector(parsing: "metadata.name=\(name)")))
            #expect(selected.items.map { $0.metadata.labels["n"] } == ["\(position)"])
        }
        let renamed = try await registry.error {
            try await registry.patch(key(names[0]), .merge(["metadata": ["name": .string(names[1])]]))
        }
        #expect(renamed.reason == .badRequest)
        try await registry.delete(key(names[0]))
        #expect(
            try await registry.registry.list(ListQuery(kind)).items.map { Array($0.metadata.name.utf8) }
                == [Array(names[1].utf8)])
    }

    @Test(
        "a value of a wrong type is refused however lenient the request (C4)",
        arguments: [
            FieldValidation.strict, .warn, .ignore,
        ])
    func wrongTypes(validation: FieldValidation) async throws {
        let registry = try await TestRegistry()
        let error = try await registry.error {
            try await registry.create(
                Sample.deployment("web").with(["spec", "replicas"], "three"),
                WriteOptions(fieldManager: "test", fieldValidation: validation))
        }
        #expect(error.reason == .badRequest)
        #expect(error.message.contains("Deployment in version \"v1\" cannot be handled as a Deployment"))
    }

    @Test("the namespace must be there and stay (J10, F7)")
    func namespaceLifecycle() async throws {
        let registry = try await TestRegistry()
        var error = try await registry.error { try await registry.create(Sample.configMap("x", in: "nowhere")) }
        #expect(error.message == "namespaces \"nowhere\" not found")
        #expect(error.reason == .notFound)
        try await registry.create(Sample.namespace("going"))
        try await registry.delete(Namespace.key("going"))
        error = try await registry.error { try await registry.create(Sample.configMap("x", in: "going")) }
        #expect(error.reason == .forbidden)
        #expect(
            error.message
                == "configmaps \"x\" is forbidden: unable to create new content in namespace going because it is "
                + "being terminated")
        #expect(error.details.causes.first?.reason == "NamespaceTerminating")
    }

    @Test("a pod tolerates the absence of its node for five minutes, unless it says otherwise (G6)")
    func defaultTolerations() async throws {
        let registry = try await TestRegistry()
        let own: JSON = [
            "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 5, "effect": "NoExecute",
        ]
        let made = try await registry.create(Sample.pod("x").with(["spec", "tolerations"], [own]))
        let tolerations = made.json[path: ["spec", "tolerations"]]?.array ?? []
        #expect(tolerations.map { $0["tolerationSeconds"] } == [5, 300])
        #expect(tolerations[1]["key"] == "node.kubernetes.io/unreachable")
    }

    @Test("a dry run checks everything and keeps nothing (C20)")
    func dryRun() async throws {
        let registry = try await TestRegistry()
        let dry = WriteOptions(fieldManager: "test", dryRun: true)
        let shown = try await registry.create(Sample.configMap("x"), dry)
        #expect(!shown.metadata.uid.isEmpty)
        #expect(shown.metadata.resourceVersion.isEmpty)
        #expect(try await !registry.exists(ConfigMap.key("x", in: "default")))
        try await registry.create(Sample.configMap("x"))
        let error = try await registry.error { try await registry.create(Sample.configMap("x"), dry) }
        #expect(error.reason == .alreadyExists)
    }

    @Test("an unknown kind, another version, a wrong scope: each is refused with what is wrong (C4)")
    func identity() async throws {
        let registry = try await TestRegistry()
        var error = try await registry.error {
            try await registry.create(["apiVersion": "v1", "kind": "Gadget", "metadata": ["name": "x"]])
        }
        #expect(error.reason == .notFound)
        error = try await registry.error {
            try await registry.create(Sample.deployment("x").with(["apiVersion"], "apps/v1beta1"))
        }
        #expect(
            error.message
                == "the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)")
        error = try await registry.error {
            try await registry.create(Sample.configMap("x").with(["metadata", "namespace"], nil))
        }
        #expect(error.reason == .badRequest)
        error = try await registry.error {
            try await registry.create(Sample.namespace("x").with(["metadata", "namespace"], "default"))
        }
        #expect(error.reason == .badRequest)
    }

    @Test("who created a field is recorded (H7)")
    func managedFields() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.configMap("x"))
        let entry = try #require(made.metadata.managedFields.first)
        #expect(entry.manager == "test")
        #expect(entry.operation == "Update")
        #expect(entry.fieldsV1?["f:data"]?["f:a"] == [:])
    }
}
