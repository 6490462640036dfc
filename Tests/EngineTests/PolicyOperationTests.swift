import Cluster
import Engine
import Kinds
import Model
import Testing

/// Policies judge every way in which objects are written (semantics-api J10).
@Suite("Admission policies on every write") struct PolicyOperationTests {
    /// Tells of every request what it is, in place of an error.
    private static let telling: JSON = [
        "expression": "request.userInfo.username == 'nobody'",
        "messageExpression":
            .string(
                "request.operation + ' ' + request.resource.resource + (has(request.subResource) ? '/' + "
                    + "request.subResource : '') + ' ' + request.kind.kind + ' ' + request.name + ' ' + "
                    + "request.options.kind + "
                    + "(object == null ? '' : ' ' + object.kind) + (oldObject == null ? '' : ' over ' + oldObject.kind)"
            ),
    ]

    private func told(_ test: TestRegistry, _ body: () async throws -> some Sendable) async throws -> String {
        let message = try await test.error(body).message
        return message.components(after: "denied request: ")
    }

    private func stage(_ objects: JSON...) async throws -> TestRegistry {
        let test = try await TestRegistry()
        for object in objects { try await test.create(object) }
        try await test.enforce(
            Self.telling,
            ["matchConstraints": ["resourceRules": [Policies.rule("*/*", groups: ["", "apps", "example.com"])]]])
        return test
    }

    @Test("J10: PUT, PATCH and server-side apply of what is there are updates")
    func updates() async throws {
        let test = try await stage(Sample.configMap("a"))
        let key = Object(viewing: Sample.configMap("a")).key
        let expected = "UPDATE configmaps ConfigMap a UpdateOptions ConfigMap over ConfigMap"
        #expect(try await told(test) { try await test.update(Object(viewing: Sample.configMap("a"))) } == expected)
        #expect(try await told(test) { try await test.patch(key, .merge(["data": ["b": "2"]])) } == expected)
        let applied = Patch.apply(Sample.configMap("a"), force: true)
        #expect(try await told(test) { try await test.patch(key, applied) } == expected)
        let dry = WriteOptions(fieldManager: "test", dryRun: true)
        #expect(try await told(test) { try await test.patch(key, .merge(["data": [:]]), nil, dry) } == expected)
    }

    @Test("J10: an apply of what is not there creates it")
    func applies() async throws {
        let test = try await stage()
        let key = Object(viewing: Sample.configMap("a")).key
        #expect(
            try await told(test) { try await test.patch(key, .apply(Sample.configMap("a"), force: false)) }
                == "CREATE configmaps ConfigMap a CreateOptions ConfigMap")
    }

    @Test("J10: deletions are judged by what is deleted, each of a collection")
    func deletes() async throws {
        let test = try await stage(Sample.configMap("a"))
        let key = Object(viewing: Sample.configMap("a")).key
        let expected = "DELETE configmaps ConfigMap a DeleteOptions over ConfigMap"
        #expect(try await told(test) { try await test.delete(key) } == expected)
        #expect(try await told(test) { try await test.delete(key, DeleteOptions(dryRun: true)) } == expected)
        let query = ListQuery(key.kind, namespace: "default")
        #expect(
            try await told(test) { try await test.registry.deleteCollection(query, options: DeleteOptions()) }
                == expected)
        #expect(try await test.exists(key))
    }

    @Test("J10: subresources are judged by their own names, and by the kinds that they speak")
    func subresources() async throws {
        let test = try await stage(Sample.pod("p"), Sample.deployment("web"))
        let pod = Object(viewing: Sample.pod("p"))
        #expect(
            try await told(test) { try await test.patch(pod.key, .merge(["status": ["reason": "x"]]), .status) }
                == "UPDATE pods/status Pod p UpdateOptions Pod over Pod")
        let binding: JSON = [
            "apiVersion": "v1", "kind": "Binding", "metadata": ["name": "p", "namespace": "default"],
            "target": ["kind": "Node", "name": "n"],
        ]
        #expect(
            try await told(test) { try await test.update(Object(viewing: binding), .binding) }
                == "CREATE pods/binding Binding p CreateOptions Binding")
        #expect(
            try await told(test) {
                try await test.registry.evict(pod.key, options: DeleteOptions())
                return true
            } == "CREATE pods/eviction Eviction p CreateOptions Eviction")
        let deployment = Object(viewing: Sample.deployment("web"))
        #expect(
            try await told(test) {
                try await test.patch(deployment.key, .merge(["spec": ["replicas": 5]]), .scale)
            } == "UPDATE deployments/scale Scale web UpdateOptions Scale over Scale")
        let namespace = try await test.get(ObjectKey(kind: GroupKind(group: "", kind: "Namespace"), name: "default"))
        #expect(
            try await told(test) { try await test.update(namespace, .finalize) }
                == "UPDATE namespaces/finalize Namespace default UpdateOptions Namespace over Namespace")
    }

    @Test("J10: an eviction is judged once, and not again as a deletion")
    func evicts() async throws {
        let test = try await TestRegistry()
        try await test.create(Sample.pod("p"))
        try await test.enforce(
            ["expression": "request.operation != 'DELETE'"],
            ["matchConstraints": ["resourceRules": [Policies.rule("pods", "pods/eviction")]]])
        let key = Object(viewing: Sample.pod("p")).key
        #expect(try await test.error { try await test.delete(key) }.reason == .invalid)
        try await test.registry.evict(key, options: DeleteOptions())
        #expect(try await !test.exists(key))
    }

    @Test("J10: a rule about the object alone does not see its subresources")
    func objectAlone() async throws {
        let test = try await TestRegistry()
        try await test.create(Sample.deployment("web"))
        try await test.enforce(
            ["expression": "object.spec.replicas <= 2"],
            ["matchConstraints": ["resourceRules": [Policies.rule("deployments")]]])
        let key = Object(viewing: Sample.deployment("web")).key
        let more = Patch.merge(["spec": ["replicas": 5]])
        #expect(try await test.error { try await test.patch(key, more) }.reason == .invalid)
        try await test.patch(key, more, .scale)
    }

    @Test("J10: what the object was before is there to compare with")
    func transitions() async throws {
        let test = try await TestRegistry()
        try await test.create(Sample.configMap("a"))
        try await test.enforce(["expression": "oldObject == null || object.data.a >= oldObject.data.a"])
        let key = Object(viewing: Sample.configMap("a")).key
        try await test.patch(key, .merge(["data": ["a": "2"]]))
        #expect(try await test.error { try await test.patch(key, .merge(["data": ["a": "1"]])) }.reason == .invalid)
    }

    @Test("J10: who writes within this process is known by name")
    func system() async throws {
        let test = try await TestRegistry()
        try await test.enforce([
            "expression":
                "request.userInfo.username == 'system:apiserver' && 'system:masters' in request.userInfo.groups"
        ])
        #expect(try await test.refusal() == "")
    }

    @Test("J10: custom resources are judged, and parameterise, like all others", .timeLimit(.minutes(1)))
    func customResources() async throws {
        try await CustomRegistry.run { stage in
            try await stage.define(Widgets.definition())
            let test = stage.registry
            try await test.create(
                Policies.policy(
                    ["expression": "object.metadata.name == params.metadata.name", "message": "another one"],
                    [
                        "paramKind": ["apiVersion": "example.com/v1", "kind": "Widget"],
                        "matchConstraints": ["resourceRules": [Policies.rule("widgets")]],
                    ]))
            try await test.create(Widgets.widget("first"))
            try await test.create(
                Policies.binding(["paramRef": ["name": "first", "parameterNotFoundAction": "Deny"]]))
            let error = try await test.error { try await test.create(Widgets.widget("second")) }
            #expect(
                error.message
                    == "widgets.example.com \"second\" is forbidden: ValidatingAdmissionPolicy 'rules' with binding "
                    + "'everywhere' denied request: another one")
        }
    }

    @Test("a policy's status says what its types are, once for each generation", .timeLimit(.minutes(1)))
    func typeChecking() async throws {
        try await CustomRegistry.run { stage in
            let rule = Policies.rule("deployments", groups: ["apps"], versions: ["v1"])
            let key = ObjectKey(kind: Policies.validating, name: "rules")
            try await stage.create(
                Policies.policy(
                    ["expression": "object.spec.replicas > 1"], ["matchConstraints": ["resourceRules": [rule]]]))
            let status = try await stage.wait(for: key) { $0?.json["status"]?["typeChecking"] }
            #expect(status == [:])
            try await stage.registry.patch(
                key, .merge(["spec": ["validations": [["expression": "object.spec.nothing > 1"]]]]))
            let warnings = try await stage.wait(for: key) { object in
                object?.json["status"]?["observedGeneration"] == 2
                    ? object?.json["status"]?["typeChecking"]?["expressionWarnings"]?.array : nil
            }
            #expect(warnings.map { $0["fieldRef"]?.string } == ["spec.validations[0].expression"])
            #expect(warnings.first?["warning"]?.string?.contains("undefined field 'nothing'") == true)
        }
    }
}

extension String {
    /// What stands behind the first occurrence of a text; everything when there is none.
    fileprivate func components(after mark: String) -> String {
        guard let range = firstRange(of: mark) else { return self }
        return String(self[range.upperBound...])
    }
}
