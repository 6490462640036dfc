import Kinds
import Model
import Testing

@Suite("Metadata follows Kubernetes' rules")
struct MetadataTests {
    private static let qualified =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        + "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

    static let rows: [Change] = [
        Change("C6", ".metadata.name", nil, "metadata.name: Required value: name or generateName is required"),
        Change(
            "C24", ".metadata.name", #""-a""#,
            #"metadata.name: Invalid value: "-a": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "#
                + "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "
                + #"regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#),
        Change("C24", ".metadata.namespace", nil, "metadata.namespace: Required value"),
        Change("C25", ".metadata.labels", #"{"a b": "c"}"#, #"metadata.labels: Invalid value: "a b": \#(qualified)"#),
        Change(
            "C25", ".metadata.labels", #"{"a": "b c"}"#,
            #"metadata.labels: Invalid value: "b c": a valid label must be an empty string or consist of alphanumeric "#
                + "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
                + "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ),
        Change(
            "C25", ".metadata.labels", #"{"/x": "a"}"#,
            #"metadata.labels: Invalid value: "/x": prefix part must be non-empty"#),
        Change(
            "C26", ".metadata.ownerReferences", #"[{"apiVersion": "v1", "kind": "Pod", "name": "a"}]"#,
            #"metadata.ownerReferences.uid: Invalid value: "": must not be empty"#),
        Change(
            "C16", ".metadata.finalizers", #"["orphan", "foregroundDeletion"]"#,
            #"metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: "#
                + "finalizer orphan and foregroundDeletion cannot be both set"),
    ]

    @Test("creation", arguments: rows)
    func create(change: Change) throws {
        let errors = try Manifests.configMap.setting(change.path, change.value).createErrors
        #expect(errors == change.messages)
    }

    @Test("C26: at most one owner controls")
    func controllers() throws {
        let owner: (JSON) -> JSON = { name in
            ["apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": true]
        }
        let errors = try Manifests.configMap.setting(".metadata.ownerReferences", [owner("a"), owner("b")]).createErrors
        let rule =
            "Only one reference can have Controller set to true. Found \"true\" in references for Pod/a and Pod/b"
        #expect(errors.count == 1 && errors[0].hasSuffix(rule))
    }

    @Test("C25: annotations are at most 256 KiB together")
    func annotations() throws {
        let object = Manifests.configMap.setting(
            ".metadata.annotations", ["Example.com/A": .string(String(repeating: "x", count: 262_144))])
        #expect(try object.createErrors == ["metadata.annotations: Too long: may not be more than 262144 bytes"])
    }

    @Test("C11: names, times and marks of deletion do not change")
    func immutable() throws {
        let old = Manifests.configMap.setting(".metadata.uid", "1")
        #expect(try old.updateErrors(to: Manifests.configMap) == [])
        #expect(
            try old.updateErrors(to: old.setting(".metadata.uid", "2"))
                == [#"metadata.uid: Invalid value: "2": field is immutable"#])
    }

    @Test("C11: no finalizer is added to what is being deleted")
    func finalizers() throws {
        let strategy = try Manifests.configMap.strategy
        let old = Manifests.configMap.setting(".metadata.deletionTimestamp", "2026-01-01T00:00:00Z")
        let messages = strategy.validateUpdate(old.setting(".metadata.finalizers", ["a/b"]), from: old).map(\.message)
        let rule = "no new finalizers can be added if the object is being deleted, found new finalizers"
        #expect(messages == ["metadata.finalizers: Forbidden: \(rule) []string{\"a/b\"}"])
    }

    @Test("what an update leaves as it was is not judged again, and what it brings is")
    func unchanged() throws {
        let strategy = try Manifests.configMap.strategy
        let old = Manifests.configMap.setting(".metadata.labels", ["-a": "b"])
        #expect(strategy.validateUpdate(old.setting(".data", ["c": "d"]), from: old).isEmpty)
        #expect(strategy.validateUpdate(old.setting(".metadata.labels", ["-a": "d"]), from: old).count == 1)
        #expect(strategy.validateUpdate(old, from: Manifests.configMap).count == 1)
    }

    @Test("C2: an error is a cause with reason, message and field")
    func cause() throws {
        let strategy = try Manifests.deployment.strategy
        let errors = strategy.validateCreate(strategy.defaulted(Manifests.deployment.setting(".spec.replicas", -1)))
        try #require(errors.count == 1)
        #expect(errors[0].cause.reason == "FieldValueInvalid")
        #expect(errors[0].cause.message == "Invalid value: -1: must be greater than or equal to 0")
        #expect(errors[0].cause.field == "spec.replicas")
    }
}
