import Kinds
import Model
import Testing

@Suite("Roles, quotas, limits and priorities are refused with Kubernetes' messages")
struct AccessValidationTests {
    private static let group = "rbac.authorization.k8s.io"

    static let roles: [Refusal] = [
        Refusal(
            Manifests.role, "C24", ".metadata.name", #""a/b%""#,
            #"metadata.name: Invalid value: "a/b%": may not contain '/'"#,
            #"metadata.name: Invalid value: "a/b%": may not contain '%'"#),
        Refusal(
            Manifests.role, "C24", ".metadata.name", #""..""#, #"metadata.name: Invalid value: "..": may not be '..'"#),
        Refusal(
            Manifests.role, "", ".rules.0.verbs", nil,
            "rules[0].verbs: Required value: verbs must contain at least one value"),
        Refusal(
            Manifests.role, "", ".rules.0", #"{"verbs": ["get"]}"#,
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
            "rules[0].resources: Required value: resource rules must supply at least one resource"),
        Refusal(
            Manifests.role, "", ".rules.0", #"{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}"#,
            #"rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs"#
        ),
        Refusal(
            Manifests.clusterRole, "", ".rules.0.resources", #"["pods"]"#,
            #"rules[0].nonResourceURLs: Invalid value: ["/healthz"]: rules cannot apply to both regular resources and "#
                + "non-resource URLs"),
        Refusal(
            Manifests.role, "", ".rules.0",
            #"{"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "nodes"], "resourceNames": ["a"]}"#,
            "rules[0].resourceNames: Required value: resource names cannot apply to multiple resources"),
        Refusal(
            Manifests.clusterRole, "", ".aggregationRule", "{}",
            "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
                + "aggregationRule is non-nil"),
        Refusal(
            Manifests.roleBinding, "", ".roleRef.kind", #""Group""#,
            #"roleRef.kind: Unsupported value: "Group": supported values: "Role", "ClusterRole""#),
        Refusal(
            Manifests.clusterRoleBinding, "", ".roleRef.kind", #""Role""#,
            #"roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole""#),
        Refusal(
            Manifests.roleBinding, "", ".roleRef.apiGroup", #""example.com""#,
            #"roleRef.apiGroup: Unsupported value: "example.com": supported values: "\#(group)""#),
        Refusal(Manifests.roleBinding, "", ".roleRef.name", nil, "roleRef.name: Required value"),
        Refusal(
            Manifests.clusterRoleBinding, "", ".subjects.1.namespace", nil, "subjects[1].namespace: Required value"),
        Refusal(
            Manifests.roleBinding, "", ".subjects.1.apiGroup", #""\#(group)""#,
            #"subjects[1].apiGroup: Unsupported value: "\#(group)": supported values: """#),
        Refusal(
            Manifests.roleBinding, "", ".subjects.0.kind", #""Robot""#,
            #"subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group""#),
        Refusal(
            Manifests.roleBinding, "", ".subjects.0.name", nil, "subjects[0].name: Required value",
            #"subjects[0].name: Invalid value: "": user name cannot be empty"#),
    ]

    private static let matches = "spec.scopeSelector.matchExpressions"

    static let quotas: [Refusal] = [
        Refusal(
            Manifests.resourceQuota, "", ".spec.hard", #"{"gadgets": "1"}"#,
            #"spec.hard[gadgets]: Invalid value: "gadgets": must be a standard resource type or fully qualified"#,
            #"spec.hard[gadgets]: Invalid value: "gadgets": must be a standard resource for quotas"#),
        Refusal(Manifests.resourceQuota, "", ".spec.hard", #"{"count/jobs.batch": "1"}"#),
        Refusal(
            Manifests.resourceQuota, "", ".spec.hard", #"{"pods": "1500m", "cpu": "-1"}"#,
            #"spec.hard[pods]: Invalid value: "1500m": must be an integer"#,
            #"spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0"#),
        Refusal(
            Manifests.resourceQuota, "", ".spec.scopes", #"["BestEffort", "NotBestEffort"]"#,
            #"spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource"#,
            #"spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes"#),
        Refusal(
            Manifests.resourceQuota, "", ".spec.scopes", #"["Some"]"#,
            #"spec.scopes: Invalid value: ["Some"]: unsupported scope"#),
        Refusal(
            Manifests.resourceQuota, "", ".spec.scopeSelector",
            #"{"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}"#,
            "\(matches).values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                + "selector"),
        Refusal(
            Manifests.resourceQuota, "", ".spec.scopeSelector",
            #"{"matchExpressions": [{"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]}]}"#,
            #"\#(matches).values: Invalid value: ["a"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' "#
                + "for scope selector"),
        Refusal(
            Manifests.resourceQuota, "", ".spec.scopeSelector",
            #"{"matchExpressions": [{"scopeName": "Terminating", "operator": "Is"}]}"#,
            #"\#(matches).operator: Invalid value: "Is": must be 'Exist' when scope is any of "#
                + "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                + "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            #"\#(matches).operator: Invalid value: "Is": not a valid selector operator"#),
    ]

    private static let limit = "spec.limits[0]"

    static let limits: [Refusal] = [
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0.type", #""Node""#,
            #"\#(limit).type: Invalid value: "Node": must be a standard limit type or fully qualified"#),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.1", #"{"type": "Container"}"#,
            #"spec.limits[1].type: Duplicate value: "Container""#),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0", #"{"type": "Pod", "default": {"cpu": "1"}}"#,
            "\(limit).default: Forbidden: may not be specified when `type` is 'Pod'"),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0", #"{"type": "PersistentVolumeClaim", "max": {"cpu": "1"}}"#,
            "\(limit).limits: Required value: either minimum or maximum storage value is required, but neither was provided"
        ),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0",
            #"{"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}, "default": {"cpu": "1"}, "#
                + #""defaultRequest": {"cpu": "1"}}"#,
            #"\#(limit).min[cpu]: Invalid value: "2": min value 2 is greater than max value 1"#,
            #"\#(limit).defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1"#,
            #"\#(limit).default[cpu]: Invalid value: "2": min value 2 is greater than default value 1"#),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0",
            #"{"type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "1500m"}, "maxLimitRequestRatio": {"cpu": "2"}}"#,
            #"\#(limit).maxLimitRequestRatio[cpu]: Invalid value: "2": ratio 2 is greater than max/min = 1.500000"#),
        Refusal(
            Manifests.limitRange, "", ".spec.limits.0", #"{"type": "Pod", "max": {"storage": "1Gi"}}"#,
            #"\#(limit).max[storage]: Invalid value: "storage": must be a standard resource for containers"#),
    ]

    static let priorities: [Refusal] = [
        Refusal(
            Manifests.priorityClass, "", ".value", "1000000001",
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        Refusal(
            Manifests.priorityClass, "", ".metadata.name", #""system-mine""#,
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
                + "error: system-mine is not a known system priority class"),
        Refusal(
            Manifests.priorityClass, "", ".preemptionPolicy", #""Always""#,
            #"preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never""#),
        Refusal(
            Manifests.runtimeClass, "", ".handler", #""a.b""#,
            #"handler: Invalid value: "a.b": must not contain dots"#),
        Refusal(
            Manifests.runtimeClass, "", ".scheduling", #"{"tolerations": [{"operator": "Equal"}]}"#,
            #"scheduling.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, "#
                + #"which means "match all values and all keys""#),
    ]

    @Test("creation", arguments: roles + quotas + limits + priorities)
    func create(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
    }

    static let updates: [Refusal] = [
        Refusal(
            Manifests.roleBinding, "C26", ".roleRef.name", #""other""#,
            #"roleRef: Invalid value: {"kind":"Role","name":"other","apiGroup":"\#(group)"}: cannot change roleRef"#),
        Refusal(Manifests.roleBinding, "C26", ".subjects", "[]"),
        Refusal(
            Manifests.resourceQuota, "C26", ".spec.scopes", #"["Terminating"]"#,
            #"spec.scopes: Invalid value: ["Terminating"]: field is immutable"#),
        Refusal(
            Manifests.priorityClass, "C26", ".value", "7", "value: Forbidden: may not be changed in an update."),
        Refusal(
            Manifests.priorityClass, "C26", ".preemptionPolicy", #""Never""#,
            #"preemptionPolicy: Invalid value: "Never": field is immutable"#),
        Refusal(
            Manifests.runtimeClass, "C26", ".handler", #""other""#,
            #"handler: Invalid value: "other": field is immutable"#),
    ]

    @Test("C26: updates", arguments: updates)
    func update(row: Refusal) throws {
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("a quota's status counts what a quota can count")
    func quotaStatus() throws {
        let changed = Manifests.resourceQuota.setting(".status.used", ["pods": "1500m"])
        #expect(
            try Manifests.resourceQuota.updateErrors(to: changed, subresource: "status") == [
                #"status.used[pods]: Invalid value: "1500m": must be an integer"#
            ])
    }
}
