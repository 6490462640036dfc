import Cluster
import Engine
import Kinds
import Model
import Testing

/// What is written is changed by MutatingAdmissionPolicies (semantics-api J10).
@Suite("Mutating admission policies") struct MutatingPolicyTests {
    private static let kind = GroupKind(group: Policies.group, kind: "MutatingAdmissionPolicy")

    private static func policy(named name: String = "changes", _ mutations: [JSON], _ members: JSON = [:]) -> JSON {
        var spec: JSON = [
            "matchConstraints": [
                "resourceRules": [
                    Policies.rule("configmaps", "pods", "widgets").with(["operations"], ["CREATE", "UPDATE"])
                ]
            ], "mutations": .array(mutations), "reinvocationPolicy": "Never",
        ]
        for member in members.object ?? JSONObject() { spec[member.key] = member.value }
        return [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": ["name": .string(name)], "spec": spec,
        ]
    }

    private static func configuration(_ text: String) -> JSON {
        ["patchType": "ApplyConfiguration", "applyConfiguration": ["expression": .string(text)]]
    }

    private static func patch(_ text: String) -> JSON {
        ["patchType": "JSONPatch", "jsonPatch": ["expression": .string(text)]]
    }

    private static func binding(_ policy: String = "changes", _ members: JSON = [:]) -> JSON {
        var spec: JSON = ["policyName": .string(policy)]
        for member in members.object ?? JSONObject() { spec[member.key] = member.value }
        return [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
            "metadata": ["name": .string("\(policy)-everywhere")], "spec": spec,
        ]
    }

    private func stage(_ mutations: JSON..., members: JSON = [:]) async throws -> TestRegistry {
        let test = try await TestRegistry()
        try await test.create(Self.policy(mutations, members))
        try await test.create(Self.binding())
        return test
    }

    static let changes: [(mutation: JSON, data: JSON)] = [
        (configuration("Object{data: {'b': object.data.a + '!'}}"), ["a": "1", "b": "1!"]),
        (configuration("Object{data: {?'b': optional.none(), 'c': request.operation}}"), ["a": "1", "c": "CREATE"]),
        (configuration("has(object.data.z) ? Object{data: {'b': '2'}} : Object{}"), ["a": "1"]),
        (patch("[JSONPatch{op: 'add', path: '/data/b', value: '2'}]"), ["a": "1", "b": "2"]),
        (patch("[JSONPatch{op: 'move', from: '/data/a', path: '/data/b'}]"), ["b": "1"]),
        (
            patch(
                "[JSONPatch{op: 'test', path: '/data/a', value: '2'}, JSONPatch{op: 'remove', path: '/data/a'}]"),
            ["a": "1"]
        ),
        (
            patch("[JSONPatch{op: 'test', path: '/data/a', value: '1'}, JSONPatch{op: 'remove', path: '/data/a'}]"),
            [:]
        ),
        (patch("[JSONPatch{op: 'replace', path: '/data', value: {'x': 'y'}}]"), ["x": "y"]),
    ]

    @Test("J10: configurations are merged, and patches carried out", arguments: changes)
    func carriesOut(mutation: JSON, data: JSON) async throws {
        let test = try await stage(mutation)
        #expect((try await test.create(Sample.configMap("a")).json["data"] ?? [:]) == data)
    }

    @Test("J10: mutations see what those before them did, and variables")
    func sequence() async throws {
        let test = try await stage(
            Self.configuration("Object{data: {'b': variables.first}}"),
            Self.configuration("Object{data: {'c': object.data.b + variables.first}}"),
            members: ["variables": [["name": "first", "expression": "object.data.a"]]])
        #expect(try await test.create(Sample.configMap("a")).json["data"] == ["a": "1", "b": "1", "c": "11"])
    }

    @Test("J10: no mutation moves an object to another namespace")
    func namespace() async throws {
        let test = try await stage(
            [
                "patchType": "JSONPatch",
                "jsonPatch": [
                    "expression": "[JSONPatch{op: 'replace', path: '/metadata/namespace', value: 'other'}]"
                ],
            ])
        let error = try await test.error { try await test.create(Sample.configMap("a")) }
        #expect(error.reason == .badRequest)
        #expect(error.message.contains("does not match the namespace sent on the request"))
    }

    @Test("J10: what is added gets its defaults, and what admission gives")
    func defaults() async throws {
        let test = try await stage(
            Self.configuration(
                "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'side', image: 'side:1'}]}}"))
        let created = try await test.create(Sample.pod("p"))
        let containers = created.json[path: ["spec", "containers"]]?.array ?? []
        #expect(containers.map { $0["name"]?.string } == ["main", "side"])
        #expect(containers.last?["imagePullPolicy"] == "IfNotPresent")
    }

    @Test("J10: updates, patches and dry runs are changed, too; deletions are not")
    func operations() async throws {
        let test = try await TestRegistry()
        try await test.create(Sample.configMap("a"))
        try await test.create(Self.policy([Self.configuration("Object{data: {'by': request.operation}}")]))
        try await test.create(Self.binding())
        let key = Object(viewing: Sample.configMap("a")).key
        let dry = WriteOptions(fieldManager: "test", dryRun: true)
        let patch = Patch.merge(["data": ["b": "2"]])
        #expect(try await test.patch(key, patch, nil, dry).json["data"]?["by"] == "UPDATE")
        #expect(try await test.get(key).json["data"]?["by"] == nil)
        #expect(try await test.patch(key, patch).json["data"] == ["a": "1", "b": "2", "by": "UPDATE"])
        let applied = Patch.apply(Sample.configMap("b"), force: false)
        let other = Object(viewing: Sample.configMap("b")).key
        #expect(try await test.patch(other, applied).json["data"]?["by"] == "CREATE")
        try await test.delete(key)
    }

    @Test("J10: validating policies judge what mutating ones have left")
    func judged() async throws {
        let test = try await stage(Self.configuration("Object{data: {'b': '2'}}"))
        try await test.enforce(["expression": "object.data.b == '2'"])
        #expect(try await test.refusal() == "")
    }

    static let failures: [(mutation: JSON, why: String)] = [
        (
            configuration("Object{data: {'b': object.data.z}}"),
            "expression 'Object{data: {'b': object.data.z}}' resulted in error: no such key: z"
        ),
        (
            configuration("Object{data: Object.metadata{b: '1'}}"),
            "type mismatch: unexpected type name \"Object.metadata\", expected \"Object.data\", which matches field name "
                + "path from root Object type"
        ),
        (
            configuration("Object{dat: {'b': '1'}}"),
            "error applying patch: failed to convert patch object to typed object: .dat: field not declared in schema"
        ),
        (
            patch("[JSONPatch{op: 'add', path: '/dat', value: {'b': '1'}}]"),
            "strict decoding error: unknown field \"dat\"; did you mean \"data\"?"
        ),
        (
            patch("[JSONPatch{op: 'replace', path: '/kind', value: 'Secret'}]"),
            "JSONPath: the patched object is no ConfigMap of v1"
        ),
        (
            configuration("Object{metadata: Object.metadata{labels: {'a': 1}}}"),
            "error applying patch: failed to convert patch object to typed object: .metadata.labels.a: expected string, "
                + "got integer"
        ),
    ]

    @Test(
        "J10: what cannot be changed is refused with Kubernetes' text, or passes as the policy says",
        arguments: failures)
    func fails(mutation: JSON, why: String) async throws {
        let test = try await stage(mutation)
        let error = try await test.error { try await test.create(Sample.configMap("a")) }
        #expect(error.message == "policy 'changes' with binding 'changes-everywhere' denied request: \(why)")
        #expect(error.reason == .invalid)
        try await test.patch(ObjectKey(kind: Self.kind, name: "changes"), .merge(["spec": ["failurePolicy": "Ignore"]]))
        #expect(try await test.create(Sample.configMap("a")).json["data"] == ["a": "1"])
    }

    @Test("J10: parameters that must be there and are not forbid the request")
    func configuration() async throws {
        let test = try await TestRegistry()
        try await test.create(
            Self.policy(
                [Self.configuration("Object{data: {'colour': params.data.colour}}")],
                ["paramKind": ["apiVersion": "v1", "kind": "ConfigMap"]]))
        try await test.create(
            Self.binding("changes", ["paramRef": ["name": "absent", "parameterNotFoundAction": "Deny"]]))
        let error = try await test.error { try await test.create(Sample.configMap("a")) }
        #expect(error.reason == .forbidden)
        #expect(
            error.message
                == "policy 'changes' with binding 'changes-everywhere' denied request: failed to configure binding: no "
                + "params found for policy binding with `Deny` parameterNotFoundAction")
    }

    @Test("J10: lists that can only be replaced whole are not merged")
    func atomics() async throws {
        let test = try await stage(
            Self.configuration(
                "Object{spec: Object.spec{containers: [Object.spec.containers{name: 'main', args: ['x']}]}}"))
        let error = try await test.error { try await test.create(Sample.pod("p")) }
        #expect(
            error.message.hasSuffix(
                "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: "
                    + ".spec.containers[0].args"))
    }

    @Test("J10: a policy that is to look again does, once, when one after it has changed something")
    func again() async throws {
        for (policy, expected) in [("Never", "1"), ("IfNeeded", "3")] {
            let test = try await TestRegistry()
            let first = Self.configuration("Object{data: {'count': string(object.data.size())}}")
            try await test.create(Self.policy(named: "a", [first], ["reinvocationPolicy": .string(policy)]))
            try await test.create(Self.policy(named: "b", [Self.configuration("Object{data: {'other': 'x'}}")]))
            for name in ["a", "b"] { try await test.create(Self.binding(name)) }
            let count = try await test.create(Sample.configMap("a")).json["data"]?["count"]
            #expect(count?.string == expected)
        }
    }

    @Test("J10: conditions and parameters hold for changes, too")
    func params() async throws {
        let test = try await TestRegistry()
        try await test.create(Sample.configMap("settings", data: ["colour": "red"]))
        try await test.create(
            Self.policy(
                [Self.configuration("Object{data: {'colour': params.data.colour}}")],
                [
                    "paramKind": ["apiVersion": "v1", "kind": "ConfigMap"],
                    "matchConditions": [["name": "a", "expression": "object.metadata.name == 'a'"]],
                ]))
        try await test.create(
            Self.binding("changes", ["paramRef": ["name": "settings", "parameterNotFoundAction": "Deny"]]))
        #expect(try await test.create(Sample.configMap("a")).json["data"]?["colour"] == "red")
        #expect(try await test.create(Sample.configMap("b")).json["data"]?["colour"] == nil)
    }

    @Test("J10: custom resources are changed by their own schemas", .timeLimit(.minutes(1)))
    func customResources() async throws {
        try await CustomRegistry.run { stage in
            try await stage.define(Widgets.definition())
            let test = stage.registry
            try await test.create(Self.policy([Self.configuration("Object{spec: Object.spec{size: 4}}")]))
            try await test.create(Self.binding())
            #expect(try await test.create(Widgets.widget("a")).json["spec"]?["size"] == 4)
        }
    }
}
