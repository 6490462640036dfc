import Cluster
import Engine
import Kinds
import Model
import Testing

/// Which requests policies are about, and with which parameters (semantics-api J10).
@Suite("What admission policies are about") struct PolicyMatchingTests {
    private static let denied = "with binding 'everywhere' denied request:"
    private static let refused = "\(denied) failed expression: false"

    struct Row: Sendable, CustomTestStringConvertible {
        var constraints: JSON = ["resourceRules": [Policies.rule("configmaps")]]
        var binding: JSON = [:]
        var isJudged: Bool
        var testDescription: String { constraints.text() + binding.text() }
    }

    static let rows: [Row] = [
        Row(isJudged: true),
        Row(constraints: ["resourceRules": [Policies.rule("secrets"), Policies.rule("*")]], isJudged: true),
        Row(constraints: ["resourceRules": [Policies.rule("*/*")]], isJudged: true),
        Row(constraints: ["resourceRules": [Policies.rule("secrets", "configmaps/status")]], isJudged: false),
        Row(constraints: ["resourceRules": [Policies.rule("configmaps", groups: ["apps"])]], isJudged: false),
        Row(constraints: ["resourceRules": [Policies.rule("configmaps", versions: ["v2"])]], isJudged: false),
        Row(
            constraints: ["resourceRules": [Policies.rule("configmaps").with(["operations"], ["UPDATE", "DELETE"])]],
            isJudged: false),
        Row(
            constraints: ["resourceRules": [Policies.rule("configmaps").with(["scope"], "Cluster")]], isJudged: false),
        Row(
            constraints: ["resourceRules": [Policies.rule("configmaps").with(["scope"], "Namespaced")]],
            isJudged: true),
        Row(
            constraints: ["resourceRules": [Policies.rule("configmaps").with(["resourceNames"], ["b"])]],
            isJudged: false),
        Row(
            constraints: ["resourceRules": [Policies.rule("configmaps").with(["resourceNames"], ["b", "a"])]],
            isJudged: true),
        Row(
            constraints: [
                "resourceRules": [Policies.rule("*")], "excludeResourceRules": [Policies.rule("configmaps")],
            ], isJudged: false),
        Row(
            constraints: [
                "resourceRules": [Policies.rule("*")], "objectSelector": ["matchLabels": ["app": "other"]],
            ], isJudged: false),
        Row(
            constraints: [
                "resourceRules": [Policies.rule("*")],
                "objectSelector": ["matchExpressions": [["key": "app", "operator": "DoesNotExist"]]],
            ], isJudged: true),
        Row(
            constraints: [
                "resourceRules": [Policies.rule("*")],
                "namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "default"]],
            ], isJudged: true),
        Row(
            constraints: [
                "resourceRules": [Policies.rule("*")], "namespaceSelector": ["matchLabels": ["limited": "true"]],
            ], isJudged: false),
        Row(
            binding: ["matchResources": ["namespaceSelector": ["matchLabels": ["limited": "true"]]]],
            isJudged: false),
        Row(binding: ["matchResources": ["objectSelector": [:]]], isJudged: true),
        Row(binding: ["matchResources": ["resourceRules": [Policies.rule("secrets")]]], isJudged: false),
    ]

    @Test("J10: rules, exclusions and selectors of the policy and its binding must all agree", arguments: rows)
    func matches(row: Row) async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": "false"], ["matchConstraints": row.constraints], binding: row.binding)
        #expect(try await test.refusal() == (row.isJudged ? Self.refused : ""))
    }

    @Test("J10: a namespace is judged by its own labels, and other objects without one whatever is selected")
    func namespaces() async throws {
        let test = try await TestRegistry()
        try await test.enforce(
            ["expression": "false"],
            [
                "matchConstraints": [
                    "resourceRules": [Policies.rule("namespaces", "priorityclasses").with(["scope"], "Cluster")],
                    "namespaceSelector": ["matchLabels": ["limited": "true"]],
                ]
            ])
        try await test.create(Sample.namespace("free"))
        let labelled = Sample.namespace("bound").with(["metadata", "labels"], ["limited": "true"])
        #expect(try await test.error { try await test.create(labelled) }.reason == .invalid)
        let priorityClass: JSON = [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": "p"], "value": 1,
        ]
        #expect(try await test.error { try await test.create(priorityClass) }.reason == .invalid)
    }

    @Test("J10: policies judge no policies")
    func exempt() async throws {
        let test = try await TestRegistry()
        try await test.enforce(["expression": "false"], ["matchConstraints": ["resourceRules": [Policies.rule("*/*")]]])
        try await test.create(Policies.policy(named: "other", ["expression": "true"]))
        try await test.create(Policies.binding(named: "other", to: "other"))
        try await test.delete(ObjectKey(kind: Policies.validatingBinding, name: "everywhere"))
        #expect(try await test.refusal() == "")
    }

    // MARK: Versions

    private static let autoscaler: JSON = [
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": ["name": "web", "namespace": "default"],
        "spec": [
            "maxReplicas": 3, "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"],
            "metrics": [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 70]],
                ]
            ],
        ],
    ]

    static let versions: [(policy: String, isJudged: Bool)] = [("Equivalent", true), ("Exact", false)]

    @Test(
        "J10: rules choose objects in other versions, too, and see them so, unless they are exact", arguments: versions)
    func equivalent(policy: String, isJudged: Bool) async throws {
        let test = try await TestRegistry()
        let rule = Policies.rule("horizontalpodautoscalers", groups: ["autoscaling"], versions: ["v1"])
        try await test.enforce(
            [
                "expression": "object.spec.targetCPUUtilizationPercentage < 50",
                "messageExpression":
                    "request.kind.version + ' ' + request.requestKind.version + ' ' + object.apiVersion",
            ], ["matchConstraints": ["resourceRules": [rule], "matchPolicy": .string(policy)]])
        do {
            try await test.create(Self.autoscaler)
            #expect(!isJudged)
        } catch let error as APIError {
            #expect(isJudged)
            #expect(error.message.hasSuffix("denied request: v1 v2 autoscaling/v1"))
        }
    }

    // MARK: Parameters

    private static let limit: JSON = [
        "paramKind": ["apiVersion": "v1", "kind": "ConfigMap"],
        "matchConstraints": ["resourceRules": [Policies.rule("secrets")]],
    ]

    private static func secret(_ name: String = "a", size: Int) -> JSON {
        [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": .string(name), "namespace": "default"],
            "stringData": ["a": .string(String(repeating: "x", count: size))],
        ]
    }

    private func refusal(_ size: Int, _ test: TestRegistry) async throws -> String {
        do {
            try await test.create(Self.secret(size: size), WriteOptions(fieldManager: "test", dryRun: true))
            return ""
        } catch let error as APIError {
            return error.message.replacing("secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'rules' ", with: "")
        }
    }

    private static let validation: JSON = [
        "expression": "params == null || size(object.data.a) <= int(params.data.limit)",
        "messageExpression": "'more than ' + params.data.limit + ' of ' + params.metadata.name + ' in ' + params.kind",
    ]

    @Test("J10: parameters by name are those of the request's namespace, or of the one that is named")
    func named() async throws {
        for reference: JSON in [["name": "limits"], ["name": "limits", "namespace": "default"]] {
            let test = try await TestRegistry()
            try await test.create(Sample.configMap("limits", data: ["limit": "4"]))
            try await test.create(Sample.configMap("limits", data: ["limit": "99"], in: "kube-system"))
            try await test.enforce(
                Self.validation, Self.limit,
                binding: ["paramRef": reference.with(["parameterNotFoundAction"], "Deny")])
            #expect(try await refusal(3, test) == "")
            #expect(try await refusal(4, test) == "\(Self.denied) more than 4 of limits in ConfigMap")
        }
    }

    @Test("J10: each of several parameters is applied by itself, and a change of one takes effect at once")
    func selected() async throws {
        let test = try await TestRegistry()
        for (name, limit) in [("strict", "4"), ("lax", "400")] {
            let labelled = Sample.configMap(name, data: ["limit": .string(limit)])
                .with(["metadata", "labels"], ["limits": "true"])
            try await test.create(labelled)
        }
        try await test.enforce(
            Self.validation, Self.limit,
            binding: [
                "paramRef": ["selector": ["matchLabels": ["limits": "true"]], "parameterNotFoundAction": "Deny"]
            ])
        #expect(try await refusal(4, test) == "\(Self.denied) more than 4 of strict in ConfigMap")
        try await test.delete(
            ObjectKey(kind: GroupKind(group: "", kind: "ConfigMap"), namespace: "default", name: "strict"))
        #expect(try await refusal(4, test) == "")
    }

    static let configurations: [(policy: JSON, reference: JSON?, refusal: String)] = [
        (
            [:], ["name": "absent", "parameterNotFoundAction": "Deny"],
            "\(denied) failed to configure binding: no params found for policy binding with `Deny` "
                + "parameterNotFoundAction"
        ),
        ([:], ["name": "absent", "parameterNotFoundAction": "Allow"], ""),
        (["failurePolicy": "Ignore"], ["name": "absent", "parameterNotFoundAction": "Deny"], ""),
        ([:], nil, ""),
        (
            ["paramKind": ["apiVersion": "example.com/v1", "kind": "Limit"]],
            ["name": "absent", "parameterNotFoundAction": "Allow"],
            "denied request: failed to configure policy: failed to find resource referenced by paramKind: "
                + "'example.com/v1, Kind=Limit'"
        ),
        (
            ["paramKind": ["apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"]],
            ["name": "p", "namespace": "default", "parameterNotFoundAction": "Allow"],
            "\(denied) failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped "
                + "`paramKind`"
        ),
    ]

    @Test("J10: parameters that are not there, or cannot be, are the binding's fault", arguments: configurations)
    func configuration(policy: JSON, reference: JSON?, refusal expected: String) async throws {
        let test = try await TestRegistry()
        var spec = Self.limit
        for member in policy.object ?? JSONObject() { spec[member.key] = member.value }
        try await test.enforce(Self.validation, spec, binding: reference.map { ["paramRef": $0] } ?? [:])
        #expect(try await refusal(4, test) == expected)
    }

    @Test("J10: objects without a namespace have no parameters in one")
    func clusterScoped() async throws {
        let test = try await TestRegistry()
        try await test.enforce(
            ["expression": "params.data.limit == ''"],
            [
                "paramKind": ["apiVersion": "v1", "kind": "ConfigMap"],
                "matchConstraints": ["resourceRules": [Policies.rule("priorityclasses")]],
            ], binding: ["paramRef": ["name": "limits", "parameterNotFoundAction": "Allow"]])
        let error = try await test.error {
            try await test.create([
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": "p"], "value": 1,
            ])
        }
        #expect(
            error.message
                == "priorityclasses.scheduling.k8s.io \"p\" is forbidden: ValidatingAdmissionPolicy 'rules' "
                + "\(Self.denied) failed to configure binding: cannot use namespaced paramRef in policy binding that "
                + "matches cluster-scoped resources")
    }
}
