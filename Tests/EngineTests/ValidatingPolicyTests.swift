import Cluster
import Engine
import Kinds
import Model
import Testing

/// Requests are judged by ValidatingAdmissionPolicies (semantics-api J10).
@Suite("Validating admission policies") struct ValidatingPolicyTests {
    private static let denied = "with binding 'everywhere' denied request:"

    @Test("J10: a request that breaks a rule is refused with Kubernetes' text, reason, code and details")
    func refuses() async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": "object.data.a == '2'"])
        let error = try await test.error { try await test.create(Sample.configMap("a")) }
        let why = "ValidatingAdmissionPolicy 'rules' \(Self.denied) failed expression: object.data.a == '2'"
        #expect(error.message == "configmaps \"a\" is forbidden: \(why)")
        #expect(error.reason == .invalid)
        #expect(error.status["code"] == 422)
        #expect(
            error.status["details"] == ["name": "a", "kind": "configmaps", "causes": [["message": .string(why)]]])
        try await test.create(Sample.configMap("a", data: ["a": "2"]))
    }

    struct Words: Sendable, CustomTestStringConvertible {
        var members: JSON
        var message: String
        var reason = APIError.Reason.invalid
        var testDescription: String { members.text() }
    }

    static let words: [Words] = [
        Words(members: ["message": " two please "], message: "two please"),
        Words(
            members: ["messageExpression": "'not ' + object.data.a", "message": "two"], message: "not 1"),
        Words(members: ["messageExpression": "'a\\nb'", "message": "two"], message: "two"),
        Words(members: ["messageExpression": "' '", "message": "two"], message: "two"),
        Words(members: ["messageExpression": "object.data.b + ''", "message": "two"], message: "two"),
        Words(members: ["messageExpression": "object.data.b + ''"], message: "failed expression: object.data.a == '2'"),
        Words(members: ["reason": "Forbidden", "message": "two"], message: "two", reason: .forbidden),
        Words(members: ["reason": "RequestEntityTooLarge", "message": "two"], message: "two", reason: .tooLarge),
    ]

    @Test("J10: what is said comes from messageExpression, message or the rule, in this order", arguments: words)
    func says(row: Words) async throws {
        let test = try await TestRegistry()
        var validation: JSON = ["expression": "object.data.a == '2'"]
        for member in row.members.object ?? JSONObject() { validation[member.key] = member.value }
        try await test.enforce(validation)
        let error = try await test.error { try await test.create(Sample.configMap("a")) }
        #expect(error.message.hasSuffix("denied request: \(row.message)"))
        #expect(error.reason == row.reason)
    }

    /// An expression over a request to create the ConfigMap `a`, and whether it holds.
    static let expressions: [(text: String, refusal: String)] = [
        ("object.kind == 'ConfigMap' && object.metadata.name == 'a' && oldObject == null", ""),
        ("object.metadata.uid != '' && has(object.metadata.managedFields)", ""),
        ("request.operation == 'CREATE' && request.kind.kind == 'ConfigMap' && request.kind.group == ''", ""),
        ("request.resource.resource == 'configmaps' && request.resource == request.requestResource", ""),
        ("!has(request.subResource) && request.name == 'a' && request.namespace == 'default'", ""),
        ("request.userInfo.username == 'ada' && 'people' in request.userInfo.groups", ""),
        ("request.userInfo.extra['example.com/team'] == ['red']", ""),
        ("request.dryRun && request.options.kind == 'CreateOptions' && request.options.fieldManager == 'test'", ""),
        ("namespaceObject.metadata.name == 'default' && namespaceObject.status.phase == 'Active'", ""),
        ("namespaceObject.metadata.creationTimestamp <= timestamp('2100-01-01T00:00:00Z')", ""),
        (
            "object.data.b == '1'",
            "with binding 'everywhere' denied request: expression 'object.data.b == '1'' resulted in error: no such key: "
                + "b"
        ),
        (
            "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, "
                + "10].all(c, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(d, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(e, [1, 2, 3, "
                + "4, 5, 6, 7, 8, 9, 10].all(f, a + b + c + d + e + f > 0))))))",
            "with binding 'everywhere' denied request: expression '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, [1, 2, 3, 4, "
                + "5, 6, 7, 8, 9, 10].all(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(c, [1, 2, 3, 4, 5, 6, 7, 8, 9, "
                + "10].all(d, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(e, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(f, a + b + c + "
                + "d + e + f > 0))))))' resulted in error: operation cancelled: actual cost limit exceeded"
        ),
    ]

    @Test("J10: expressions see the object, the request and its namespace, within bounds", arguments: expressions)
    func sees(text: String, refusal: String) async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": .string(text)])
        var options = TestRegistry.options
        options.requester = Requester(name: "ada", groups: ["people"], extra: ["example.com/team": ["red"]])
        #expect(try await test.refusal(Sample.configMap("a"), options) == refusal)
    }

    @Test("J10: what cannot be judged passes where the policy says so")
    func ignores() async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": "object.data.b == '1'"], ["failurePolicy": "Ignore"])
        #expect(try await test.refusal() == "")
    }

    @Test("J10: a policy without a binding judges nothing, and its end takes effect at once")
    func binds() async throws {
        let test = try await TestRegistry()
        try await test.create(Policies.policy(["expression": "false"]))
        #expect(try await test.refusal() == "")
        try await test.create(Policies.binding())
        #expect(try await test.refusal() != "")
        try await test.delete(ObjectKey(kind: Policies.validating, name: "rules"))
        #expect(try await test.refusal() == "", "the binding is of nothing")
        try await test.create(Policies.policy(["expression": "false"]))
        #expect(try await test.refusal() != "")
        try await test.delete(ObjectKey(kind: Policies.validatingBinding, name: "everywhere"))
        #expect(try await test.refusal() == "")
    }

    @Test("J10: Warn tells, Audit does nothing, and neither refuses")
    func warns() async throws {
        let test = try await TestRegistry()
        try await test.enforce(
            ["expression": "false", "message": "not so"], binding: ["validationActions": ["Warn", "Audit"]])
        let warnings = RequestWarnings()
        try await test.create(Sample.configMap("a"), WriteOptions(fieldManager: "test", warnings: warnings))
        #expect(
            warnings.all == [
                "Validation failed for ValidatingAdmissionPolicy 'rules' with binding 'everywhere': not so"
            ])
    }

    @Test("J10: the first refusal is told, by the names of policies and bindings")
    func order() async throws {
        let test = try await TestRegistry()
        for (policy, binding) in [("b", "b2"), ("a", "a2")] {
            try await test.create(Policies.policy(named: policy, ["expression": "false", "message": .string(policy)]))
            try await test.create(Policies.binding(named: binding, to: policy))
            try await test.create(Policies.binding(named: "a-\(binding)", to: policy))
        }
        #expect(
            try await test.refusal()
                == "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'a-a2' denied request: a")
    }

    @Test("J10: audit annotations are evaluated, and what fails refuses the request whatever the actions")
    func annotates() async throws {
        let test = try await TestRegistry()
        try await test.enforce(
            ["expression": "true"],
            ["auditAnnotations": [["key": "b", "valueExpression": "'b is ' + object.data.b"]]],
            binding: ["validationActions": ["Audit"]])
        #expect(
            try await test.refusal()
                == "with binding 'everywhere' denied request: expression ''b is ' + object.data.b' resulted in error: no "
                + "such key: b")
        #expect(try await test.refusal(Sample.configMap("a", data: ["b": "1"])) == "")
    }

    // MARK: Variables and conditions

    @Test("J10: variables build upon each other, and are evaluated only when they are needed")
    func composed() async throws {
        let test = try await TestRegistry()
        let variables: JSON = [
            ["name": "broken", "expression": "object.data.nothing"],
            ["name": "size", "expression": "size(object.data)"],
            ["name": "isOdd", "expression": "variables.size % 2 == 1"],
        ]
        try await test.enforce(
            [
                "expression": "object.metadata.name != 'a' ? variables.broken == '' : variables.isOdd",
                "messageExpression": "'even: ' + string(variables.size)",
            ], ["variables": variables])
        #expect(try await test.refusal() == "")
        #expect(
            try await test.refusal(Sample.configMap("a", data: ["a": "1", "b": "2"]))
                == "\(Self.denied) even: 2")
        let error = try await test.error { try await test.create(Sample.configMap("b")) }
        #expect(
            error.message.hasSuffix(
                "denied request: expression 'object.metadata.name != 'a' ? variables.broken == '' : variables.isOdd' "
                    + "resulted in error: composited variable \"broken\" fails to evaluate: no such key: nothing"))
    }

    @Test("J10: a variable sees no later one, nor itself, however it asks; they do not nest without bound")
    func circular() async throws {
        for expression in ["dyn(variables).a", "dyn(variables).b", "dyn(variables)['a'] == 1"] {
            let test = try await TestRegistry()
            let variables: JSON = [
                ["name": "a", "expression": .string(expression)], ["name": "b", "expression": "dyn(variables).a"],
            ]
            try await test.enforce(["expression": "variables.b == 1"], ["variables": variables])
            #expect(try await test.refusal().contains("no such key"), "\(expression)")
        }
        let test = try await TestRegistry()
        var chain: [JSON] = [["name": "v0", "expression": "1"]]
        for number in 1..<200 {
            chain.append(["name": "v\(number)", "expression": "variables.v\(number - 1) + 1"] as JSON)
        }
        try await test.enforce(["expression": "variables.v199 == 200"], ["variables": .array(chain)])
        #expect(try await test.refusal().contains("rest on each other more than 32 deep"))
    }

    static let conditions: [(conditions: [String], policy: String, refusal: String)] = [
        (["object.data.a == '2'"], "Fail", ""),
        (["object.data.a == '1'", "request.operation == 'CREATE'"], "Fail", "\(denied) failed expression: false"),
        (["object.data.b == ''", "false"], "Fail", ""),
        (
            ["object.data.b == ''"], "Fail",
            "\(denied) expression 'object.data.b == ''' resulted in error: no such key: b"
        ),
        (
            ["object.data.b == ''", "object.data.c == ''"], "Fail",
            "\(denied) [expression 'object.data.b == ''' resulted in error: no such key: b, expression 'object.data.c "
                + "== ''' resulted in error: no such key: c]"
        ),
        (["object.data.b == ''"], "Ignore", ""),
    ]

    @Test("J10: a request is passed over unless all conditions hold", arguments: conditions)
    func conditional(conditions: [String], policy: String, refusal: String) async throws {
        let test = try await TestRegistry()
        let named = conditions.enumerated().map { ["name": .string("c\($0)"), "expression": .string($1)] as JSON }
        try await test.enforce(
            ["expression": "false"], ["matchConditions": .array(named), "failurePolicy": .string(policy)])
        #expect(try await test.refusal() == refusal)
    }

    // MARK: Who may

    private struct Deciding: AccessDecider {
        func refusal(of request: AccessRequest) -> String? {
            switch request.subject {
            case .path(let path): return path == "/healthz" && request.verb == "get" ? nil : "no"
            case .resource(let group, let resource, let subresource, let namespace, let name):
                let asked =
                    "\(request.user.name) \(request.verb) \(group)/\(resource)/\(subresource) \(namespace) \(name)"
                let allowed = [
                    "ada create /configmaps/  ", "ada create /configmaps/ default a",
                    "system:serviceaccount:default:robot get apps/deployments/scale default web",
                ]
                return allowed.contains(asked) ? nil : "no"
            }
        }
    }

    static let access: [(text: String, holds: Bool)] = [
        ("authorizer.path('/healthz').check('get').allowed()", true),
        ("authorizer.path('/metrics').check('get').allowed()", false),
        ("authorizer.path('/metrics').check('get').reason() == 'no'", true),
        ("authorizer.group('').resource('configmaps').check('create').allowed()", true),
        ("authorizer.group('').resource('configmaps').namespace('other').check('create').allowed()", false),
        ("authorizer.requestResource.check('create').allowed()", true),
        ("authorizer.requestResource.check('delete').allowed()", false),
        (
            "authorizer.serviceAccount('default', 'robot').group('apps').resource('deployments').subresource('scale')"
                + ".namespace('default').name('web').labelSelector('a=b').check('get').allowed()", true
        ),
        ("authorizer.group('').resource('pods').check('get').errored()", false),
    ]

    @Test("J10: expressions can ask who may do what", arguments: access)
    func authorizes(text: String, holds: Bool) async throws {
        let test = try await TestRegistry()
        test.registry.attach(access: Deciding())
        try await test.enforce(["expression": .string(text)])
        var options = TestRegistry.options
        options.requester = Requester(name: "ada")
        #expect(try await test.refusal(Sample.configMap("a"), options).isEmpty == holds)
    }

    @Test("J10: while nobody decides who may do what, that is an error")
    func undecided() async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": "authorizer.path('/').check('get').errored()"])
        #expect(try await test.refusal() == "")
    }
}
