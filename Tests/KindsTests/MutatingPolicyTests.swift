import Kinds
import Model
import Testing

extension Manifests {
    static let mutatingPolicy = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
         "metadata": {"name": "labels.example.com"},
         "spec": {"reinvocationPolicy": "IfNeeded",
                  "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}]},
                  "variables": [{"name": "team", "expression": "namespaceObject.metadata.name"}],
                  "mutations": [
                    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression":
                      "Object{metadata: Object.metadata{labels: {'team': variables.team}}}"}},
                    {"patchType": "JSONPatch", "jsonPatch": {"expression":
                      "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b'), value: 'c'}]"}}]}}
        """)
    static let mutatingBinding = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
         "metadata": {"name": "labels-everywhere"}, "spec": {"policyName": "labels.example.com"}}
        """)
    static let validatingWebhooks = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
         "metadata": {"name": "checks.example.com"},
         "webhooks": [{"name": "pods.checks.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
           "clientConfig": {"url": "https://checks.example.com/pods"},
           "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]}
        """)
    static let mutatingWebhooks = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
         "metadata": {"name": "changes.example.com"},
         "webhooks": [{"name": "pods.changes.example.com", "sideEffects": "NoneOnDryRun",
           "admissionReviewVersions": ["v1beta1", "v1"],
           "clientConfig": {"service": {"name": "changes", "namespace": "default", "path": "/pods/"}},
           "matchConditions": [{"name": "named", "expression": "object.metadata.name != ''"}],
           "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]}]}
        """)
}

@Suite("Mutating policies and webhooks are refused with Kubernetes' messages")
struct MutatingPolicyTests {
    private static let policy = Manifests.mutatingPolicy
    private static let mutation = "spec.mutations[0]"
    private static let expression = ".spec.mutations.0.applyConfiguration.expression"
    private static let hook = Manifests.mutatingWebhooks
    private static let client = ".webhooks.0.clientConfig"

    /// The message that an expression does not compile.
    private static func refused(_ text: String, _ column: Int, _ why: String) -> String {
        "\(mutation).applyConfiguration.expression: Invalid value: \"\(text)\": compilation failed: ERROR: "
            + "<input>:1:\(column): \(why)\n | \(text)\n | \(String(repeating: ".", count: column - 1))^"
    }

    static let policies: [Refusal] = [
        Refusal(
            policy, "", ".spec.mutations", "[]",
            "spec.mutations: Required value: mutations must contain at least one item"),
        Refusal(policy, "", ".spec.reinvocationPolicy", nil, "spec.reinvocationPolicy: Required value"),
        Refusal(
            policy, "", ".spec.reinvocationPolicy", #""Always""#,
            #"spec.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never""#),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.operations", #"["DELETE"]"#,
            #"spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "#
                + #""CONNECT", "CREATE", "UPDATE""#),
        Refusal(policy, "", ".spec.mutations.0.patchType", #""""#, "\(mutation).patchType: Required value"),
        Refusal(
            policy, "", ".spec.mutations.0.patchType", #""Merge""#,
            #"\#(mutation).patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch""#),
        Refusal(
            policy, "", ".spec.mutations.0.patchType", #""JSONPatch""#,
            "\(mutation).jsonPatch: Required value: must be specified when patchType is JSONPatch",
            "\(mutation).applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when "
                + "patchType is JSONPatch"),
        Refusal(policy, "", expression, #"" ""#, "\(mutation).applyConfiguration.expression: Required value"),
        Refusal(
            policy, "", expression, #""Object.spec{}""#,
            "\(mutation).applyConfiguration.expression: Invalid value: \"Object.spec{}\": must evaluate to Object but "
                + "got Object.spec"),
        Refusal(
            policy, "", expression, #""Thing{a: 1}""#,
            refused("Thing{a: 1}", 6, "undeclared reference to 'Thing' (in container '')")),
        Refusal(
            policy, "", expression, #""[JSONPatch{op: 1}].size() == 1 ? Object{} : Object{}""#,
            refused(
                "[JSONPatch{op: 1}].size() == 1 ? Object{} : Object{}", 12,
                "expected type of field 'op' is 'string' but provided type is 'int'")),
        Refusal(
            policy, "", expression, #""[JSONPatch{to: ''}].size() == 1 ? Object{} : Object{}""#,
            refused("[JSONPatch{to: ''}].size() == 1 ? Object{} : Object{}", 12, "undefined field 'to'")),
        Refusal(
            policy, "", ".spec.mutations.1.jsonPatch.expression", #""Object{}""#,
            #"spec.mutations[1].jsonPatch.expression: Invalid value: "Object{}": must evaluate to list(JSONPatch) but "#
                + "got Object"),
        Refusal(
            Manifests.validatingPolicy, "only mutations build objects", ".spec.validations.0.expression",
            #""Object{} == object""#,
            "spec.validations[0].expression: Invalid value: \"Object{} == object\": compilation failed: ERROR: "
                + "<input>:1:7: undeclared reference to 'Object' (in container '')\n | Object{} == object\n | ......^"),
    ]

    static let webhooks: [Refusal] = [
        Refusal(hook, "", ".webhooks.0.name", nil, "webhooks[0].name: Required value"),
        Refusal(
            hook, "", ".webhooks.0.name", #""a.b""#,
            #"webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots"#
        ),
        Refusal(
            hook, "", ".webhooks.0.sideEffects", nil,
            "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"),
        Refusal(
            hook, "", ".webhooks.0.sideEffects", #""Some""#,
            #"webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun""#),
        Refusal(
            hook, "", ".webhooks.0.timeoutSeconds", "31",
            "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"),
        Refusal(
            hook, "", ".webhooks.0.reinvocationPolicy", #""Always""#,
            #"webhooks[0].reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never""#),
        Refusal(
            hook, "", ".webhooks.0.admissionReviewVersions", "[]",
            "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"),
        Refusal(
            hook, "", ".webhooks.0.admissionReviewVersions", #"["v2", "v2"]"#,
            #"webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version"#,
            #"webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1"#
        ),
        Refusal(
            hook, "", client, "{}",
            "webhooks[0].clientConfig: Required value: exactly one of url or service is required"),
        Refusal(
            hook, "", client, #"{"url": "http://me@?a#b"}"#,
            "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired "
                + "format: https://host[/path]",
            "webhooks[0].clientConfig.url: Invalid value: \"\": host must be specified; desired format: "
                + "https://host[/path]",
            "webhooks[0].clientConfig.url: Invalid value: \"me\": user information is not permitted in the URL",
            "webhooks[0].clientConfig.url: Invalid value: \"b\": fragments are not permitted in the URL",
            "webhooks[0].clientConfig.url: Invalid value: \"a\": query parameters are not permitted in the URL"),
        Refusal(
            hook, "", client, #"{"service": {"port": 0, "path": "a"}}"#,
            "webhooks[0].clientConfig.service.name: Required value: service name is required",
            "webhooks[0].clientConfig.service.namespace: Required value: service namespace is required",
            "webhooks[0].clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, "
                + "inclusive",
            #"webhooks[0].clientConfig.service.path: Invalid value: "a": must start with a '/'"#),
        Refusal(
            hook, "", client, #"{"service": {"name": "a", "namespace": "b", "path": "/a//b"}}"#,
            #"webhooks[0].clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty"#),
        Refusal(
            hook, "", ".webhooks.0.matchConditions.0.expression", #""params == null""#,
            #"webhooks[0].matchConditions[0].expression: Invalid value: "params == null": compilation failed: ERROR: "#
                + "<input>:1:1: undeclared reference to 'params' (in container '')\n | params == null\n | ^"),
    ]

    @Test("of policies that change objects", arguments: policies)
    func refusesPolicy(row: Refusal) throws { try check(row) }

    @Test("of webhooks", arguments: webhooks)
    func refusesWebhook(row: Refusal) throws { try check(row) }

    private func check(_ row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("a name is given to one webhook of a configuration only")
    func unique() throws {
        let hook = try #require(Manifests.validatingWebhooks["webhooks"]?.array?.first)
        let twice = Manifests.validatingWebhooks.setting(".webhooks", [hook, hook])
        #expect(try twice.createErrors == [#"webhooks[1].name: Duplicate value: "pods.checks.example.com""#])
    }

    @Test(
        "webhooks come with the warning that nothing calls them",
        arguments: [
            Manifests.validatingWebhooks, Manifests.mutatingWebhooks,
        ])
    func inert(object: JSON) throws {
        let kind = object["kind"]?.string ?? ""
        #expect(
            try object.strategy.warnings(object, from: nil) == [
                "admissionregistration.k8s.io/v1 \(kind) is stored, but nothing acts on it yet"
            ])
    }
}
