import Kinds
import Model
import Testing

extension Manifests {
    static let validatingPolicy = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
         "metadata": {"name": "replicas.example.com"},
         "spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
                  "matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"], "resources": ["deployments", "deployments/scale"],
                    "resourceNames": ["web"]}]},
                  "matchConditions": [{"name": "is-new", "expression": "oldObject == null"}],
                  "variables": [{"name": "replicas", "expression": "object.spec.replicas"},
                                {"name": "isOdd", "expression": "variables.replicas % 2 == 1"}],
                  "validations": [{"expression": "variables.isOdd && variables.replicas <= int(params.data.limit)",
                    "messageExpression": "'not ' + string(variables.replicas)", "message": "not so many",
                    "reason": "Forbidden"}],
                  "auditAnnotations": [{"key": "replicas", "valueExpression": "string(variables.replicas)"}]}}
        """)
    static let validatingBinding = text(
        """
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
         "metadata": {"name": "replicas-everywhere"},
         "spec": {"policyName": "replicas.example.com", "validationActions": ["Deny", "Audit"],
                  "paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"},
                  "matchResources": {"namespaceSelector": {"matchLabels": {"limited": "true"}},
                    "excludeResourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"],
                      "resources": ["*/scale"]}]}}}
        """)
}

@Suite("Admission policies are refused with Kubernetes' messages")
struct AdmissionPolicyTests {
    private static let policy = Manifests.validatingPolicy
    private static let binding = Manifests.validatingBinding
    private static let constraints = "spec.matchConstraints"
    private static let rule = "spec.matchConstraints.resourceRules[0]"
    private static let validation = "spec.validations[0]"

    static let targets: [Refusal] = [
        Refusal(
            policy, "", ".spec.failurePolicy", #""Never""#,
            #"spec.failurePolicy: Unsupported value: "Never": supported values: "Fail", "Ignore""#),
        Refusal(policy, "", ".spec.matchConstraints", nil, "spec.matchConstraints: Required value"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules", "[]",
            "spec.matchConstraints.resourceRules: Required value"),
        Refusal(
            policy, "", ".spec.matchConstraints.matchPolicy", #""Fuzzy""#,
            #"\#(constraints).matchPolicy: Unsupported value: "Fuzzy": supported values: "Equivalent", "Exact""#),
        Refusal(
            policy, "", ".spec.matchConstraints.objectSelector.matchLabels", #"{"a b": "c"}"#,
            "\(constraints).objectSelector.matchLabels: Invalid value: \"a b\": name part must consist of alphanumeric "
                + "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  "
                + "or 'my.name',  or '123-abc', regex used for validation is "
                + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0", "{}", "\(rule).operations: Required value",
            "\(rule).apiGroups: Required value", "\(rule).apiVersions: Required value",
            "\(rule).resources: Required value"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.operations", #"["*", "READ"]"#,
            #"\#(rule).operations: Invalid value: ["*","READ"]: if '*' is present, must not specify other operations"#,
            #"\#(rule).operations[1]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "#
                + #""UPDATE""#),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.apiGroups", #"["*", ""]"#,
            #"\#(rule).apiGroups: Invalid value: ["*",""]: if '*' is present, must not specify other API groups"#),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.apiVersions", #"["v1", ""]"#,
            "\(rule).apiVersions[1]: Required value"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.resources", #"["pods/*", "pods/log", "*", "pods"]"#,
            #"\#(rule).resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log"#,
            #"\#(rule).resources: Invalid value: ["pods/*","pods/log","*","pods"]: if '*' is present, must not specify "#
                + "other resources without subresources"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.resources", #"["*/*", "*/scale", "pods/scale", ""]"#,
            #"\#(rule).resources[1]: Invalid value: "*/scale": if '*/*' is present, must not specify */scale"#,
            #"\#(rule).resources[2]: Invalid value: "pods/scale": if '*/scale' is present, must not specify pods/scale"#,
            "\(rule).resources[3]: Required value",
            #"\#(rule).resources: Invalid value: ["*/*","*/scale","pods/scale",""]: if '*/*' is present, must not "#
                + "specify other resources"),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.scope", #""Global""#,
            #"\#(rule).scope: Unsupported value: "Global": supported values: "*", "Cluster", "Namespaced""#),
        Refusal(
            policy, "", ".spec.matchConstraints.resourceRules.0.resourceNames", #"["a/b", "c", "c"]"#,
            #"\#(rule).resourceNames[0]: Invalid value: "a/b": may not contain '/'"#,
            #"\#(rule).resourceNames[2]: Duplicate value: "c""#),
        Refusal(
            policy, "", ".spec.paramKind", "{}", "spec.paramKind.apiVersion: Required value",
            "spec.paramKind.kind: Required value"),
        Refusal(
            policy, "", ".spec.paramKind.apiVersion", #""a/b/c""#,
            #"spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c"#),
        Refusal(
            policy, "", ".spec.paramKind.apiVersion", #""rules.example.com/""#,
            #"spec.paramKind.apiVersion: Invalid value: "rules.example.com/": version must be specified"#),
    ]

    static let expressions: [Refusal] = [
        Refusal(
            policy, "", ".spec.matchConditions",
            #"[{"name": "a", "expression": " "}, {"name": "a", "expression": "1"}, {"expression": "true"}]"#,
            "spec.matchConditions[0].expression: Required value",
            #"spec.matchConditions[1].expression: Invalid value: "1": must evaluate to bool but got int"#,
            #"spec.matchConditions[1].name: Duplicate value: "a""#, "spec.matchConditions[2].name: Required value"),
        Refusal(
            policy, "variables are not known to conditions", ".spec.matchConditions.0.expression",
            #""variables.isOdd""#,
            #"spec.matchConditions[0].expression: Invalid value: "variables.isOdd": compilation failed: ERROR: "#
                + "<input>:1:1: undeclared reference to 'variables' (in container '')\n | variables.isOdd\n | ^"),
        Refusal(
            policy, "", ".spec.variables.0", #"{"name": "in", "expression": ""}"#,
            #"spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier"#,
            "spec.variables[0].expression: Required value: expression is not specified",
            #"spec.variables[1].expression: Invalid value: "variables.replicas % 2 == 1": compilation failed: ERROR: "#
                + "<input>:1:10: undefined field 'replicas'\n | variables.replicas % 2 == 1\n | .........^",
            #"spec.validations[0].expression: Invalid value: "variables.isOdd && variables.replicas "#
                + #"<= int(params.data.limit)": compilation failed: ERROR: <input>:1:29: undefined field 'replicas'\#n"#
                + #" | variables.isOdd && variables.replicas <= int(params.data.limit)\#n | ............................^"#,
            #"spec.validations[0].messageExpression: Invalid value: "'not ' + string(variables.replicas)": compilation "#
                + #"failed: ERROR: <input>:1:26: undefined field 'replicas'\#n"#
                + #" | 'not ' + string(variables.replicas)\#n | .........................^"#,
            #"spec.auditAnnotations[0].valueExpression: Invalid value: "string(variables.replicas)": compilation "#
                + #"failed: ERROR: <input>:1:17: undefined field 'replicas'\#n"#
                + #" | string(variables.replicas)\#n | ................^"#),
        Refusal(
            policy, "a policy says something", ".spec",
            #"{"matchConstraints": {"resourceRules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "#
                + #""resources": ["*"]}]}}"#,
            "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
            "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item"),
        Refusal(
            policy, "", ".spec.validations.0",
            #"{"expression": "object.spec.paused", "message": "a\nb", "messageExpression": " ", "reason": "Conflict"}"#,
            #"\#(validation).expression: Invalid value: "object.spec.paused": must evaluate to bool but got dyn"#,
            #"\#(validation).messageExpression: Invalid value: " ": must be non-empty if specified"#,
            #"\#(validation).message: Invalid value: "a\nb": message must not contain line breaks"#,
            #"\#(validation).reason: Unsupported value: "Conflict": supported values: "Forbidden", "Invalid", "#
                + #""RequestEntityTooLarge""#),
        Refusal(
            policy, "messages know no authorizer", ".spec.validations.0.messageExpression",
            #""authorizer.path('/a').check('get').reason()""#,
            "\(validation).messageExpression: Invalid value: \"authorizer.path('/a').check('get').reason()\": "
                + "compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')\n"
                + " | authorizer.path('/a').check('get').reason()\n | ^"),
        Refusal(
            policy, "", ".spec.auditAnnotations",
            #"[{"key": "a b", "valueExpression": "1"}, {"key": "c", "valueExpression": "null"}, "#
                + #"{"key": "c", "valueExpression": " "}]"#,
            "spec.auditAnnotations[0].key: Invalid value: \"replicas.example.com/a b\": name part must consist of "
                + "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
                + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            #"spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type] "#
                + "but got int",
            "spec.auditAnnotations[2].valueExpression: Required value: valueExpression is not specified",
            #"spec.auditAnnotations[2].key: Duplicate value: "c""#),
        Refusal(
            policy, "without parameters there are none", ".spec.paramKind", nil,
            #"spec.validations[0].expression: Invalid value: "variables.isOdd && variables.replicas "#
                + #"<= int(params.data.limit)": compilation failed: ERROR: <input>:1:46: undeclared reference to "#
                + #"'params' (in container '')\#n | variables.isOdd && variables.replicas <= int(params.data.limit)\#n | "#
                + ".............................................^"),
    ]

    static let bindings: [Refusal] = [
        Refusal(binding, "", ".spec.policyName", nil, "spec.policyName: Required value"),
        Refusal(
            binding, "", ".spec.validationActions", #"["Deny", "Warn", "Deny", "Log"]"#,
            #"spec.validationActions[2]: Duplicate value: "Deny""#,
            #"spec.validationActions[3]: Unsupported value: "Log": supported values: "Audit", "Deny", "Warn""#,
            #"spec.validationActions: Invalid value: ["Deny","Warn","Deny","Log"]: must not contain both Deny and Warn "#
                + "(repeating the same validation failure information in the API response and headers serves no "
                + "purpose)"),
        Refusal(
            binding, "", ".spec.validationActions", "[]",
            "spec.validationActions: Required value: at least one validation action is required"),
        Refusal(
            binding, "", ".spec.paramRef", #"{"name": "a", "selector": {}}"#,
            "spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
            "spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
            "spec.paramRef.parameterNotFoundAction: Required value"),
        Refusal(
            binding, "", ".spec.paramRef", #"{"parameterNotFoundAction": "Wait"}"#,
            "spec.paramRef: Required value: one of name or selector must be specified",
            #"spec.paramRef.parameterNotFoundAction: Unsupported value: "Wait": supported values: "Deny", "Allow""#),
        Refusal(
            binding, "the path is misspelt as it is there", ".spec.matchResources.matchPolicy", #""Fuzzy""#,
            #"spec.matchResouces.matchPolicy: Unsupported value: "Fuzzy": supported values: "Equivalent", "Exact""#),
    ]

    @Test("of what they are about", arguments: targets)
    func refusesTarget(row: Refusal) throws { try check(row) }

    @Test("of what they say in CEL", arguments: expressions)
    func refusesExpression(row: Refusal) throws { try check(row) }

    @Test("of what puts them into force", arguments: bindings)
    func refusesBinding(row: Refusal) throws { try check(row) }

    private func check(_ row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("C10: an update names the version that it replaces", arguments: [policy, binding])
    func unconditional(object: JSON) throws {
        #expect(try object.strategy.allowsUnconditionalUpdate == false)
    }

    @Test("a status whose warnings say nothing is refused")
    func status() throws {
        let changed = Self.policy.setting(
            ".status", ["typeChecking": ["expressionWarnings": [["fieldRef": " "]]], "conditions": [["type": "A"]]])
        #expect(
            try Self.policy.updateErrors(to: changed, subresource: "status") == [
                "status.typeChecking.expressionWarnings[0].warning: Required value",
                "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
                #"status.conditions[0].status: Unsupported value: "": supported values: "False", "True", "Unknown""#,
                "status.conditions[0].lastTransitionTime: Required value: must be set",
                "status.conditions[0].reason: Required value: must be set",
            ])
    }
}

@Suite("The types of policies are checked against the schemas of what they are about")
struct PolicyTypeCheckTests {
    private static let scale = "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload"

    struct Row: Sendable, CustomTestStringConvertible {
        var validation: JSON
        var warnings: [(field: String, text: String)]
        var testDescription: String { validation["expression"]?.string ?? "" }
    }

    static let rows: [Row] = [
        Row(validation: ["expression": "object.spec.replicas > 1"], warnings: []),
        Row(validation: ["expression": "has(object.metadata.labels) && object.kind == 'Deployment'"], warnings: []),
        Row(
            validation: ["expression": "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))"],
            warnings: []),
        Row(
            validation: [
                "expression": "object.spec.replicas > '1'", "messageExpression": "'got ' + object.spec.replicas",
            ],
            warnings: [
                (
                    "spec.validations[0].expression",
                    "\(scale) for '_>_' applied to '(int, string)'\n | object.spec.replicas > '1'\n"
                        + " | .....................^\n"
                ),
                (
                    "spec.validations[0].messageExpression",
                    "apps/v1, Kind=Deployment: ERROR: <input>:1:8: found no matching overload for '_+_' applied to "
                        + "'(string, int)'\n | 'got ' + object.spec.replicas\n | .......^\n"
                ),
            ]),
        Row(
            validation: ["expression": "object.spec.maxRetries < 10"],
            warnings: [
                (
                    "spec.validations[0].expression",
                    "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'maxRetries'\n"
                        + " | object.spec.maxRetries < 10\n | ...........^\n"
                )
            ]),
        Row(
            validation: ["expression": "params.data.limit > 1"],
            warnings: [
                (
                    "spec.validations[0].expression",
                    "apps/v1, Kind=Deployment: ERROR: <input>:1:19: found no matching overload for '_>_' applied to "
                        + "'(string, int)'\n | params.data.limit > 1\n | ..................^\n"
                )
            ]),
        Row(
            validation: ["expression": "variables.replicas + 'a' == ''"],
            warnings: [
                (
                    "spec.validations[0].expression",
                    "apps/v1, Kind=Deployment: ERROR: <input>:1:20: found no matching overload for '_+_' applied to "
                        + "'(int, string)'\n | variables.replicas + 'a' == ''\n | ...................^\n"
                )
            ]),
    ]

    @Test("what does not fit is told with its place and kind", arguments: rows)
    func warns(row: Row) {
        let policy = Manifests.validatingPolicy.setting(".spec.validations", [row.validation])
        let warnings = PolicyTypeCheck.warnings(of: policy, types: Catalog.builtIn.types)
        #expect(warnings.map { $0["fieldRef"]?.string } == row.warnings.map(\.field))
        #expect(warnings.map { $0["warning"]?.string } == row.warnings.map(\.text))
    }

    @Test("rules with stars, and kinds that nobody serves, are not checked")
    func unknown() {
        for rule: JSON in [
            ["apiGroups": ["*"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]],
            [
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"],
                "resources": ["*", "deployments/scale"],
            ],
            ["apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["widgets"]],
        ] {
            let policy = Manifests.validatingPolicy.setting(".spec.matchConstraints.resourceRules", [rule])
                .setting(".spec.validations", [["expression": "object.nothing == 1"]])
            #expect(PolicyTypeCheck.warnings(of: policy, types: Catalog.builtIn.types).isEmpty)
        }
    }
}
