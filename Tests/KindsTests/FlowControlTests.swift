import Kinds
import Model
import Testing

extension Manifests {
    static let flowSchema = text(
        """
        {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "robots"},
         "spec": {"priorityLevelConfiguration": {"name": "low"}, "distinguisherMethod": {"type": "ByUser"},
                  "rules": [{
                    "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"namespace": "default", "name": "*"}}],
                    "resourceRules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"],
                                       "namespaces": ["*"]}],
                    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}]}]}}
        """)
    static let priorityLevel = text(
        """
        {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
         "metadata": {"name": "low"},
         "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}}
        """)
}

@Suite("Flow control is refused with Kubernetes' messages")
struct FlowControlTests {
    private static let schema = Manifests.flowSchema
    private static let level = Manifests.priorityLevel
    private static let rule = "spec.rules[0]"
    private static let resources = "spec.rules[0].resourceRules[0]"
    private static let others = "spec.rules[0].nonResourceRules[0]"
    private static let limited = "spec.limited"
    private static let queuing = "spec.limited.limitResponse.queuing"

    static let schemas: [Refusal] = [
        Refusal(
            schema, "", ".spec.matchingPrecedence", "-1",
            "spec.matchingPrecedence: Invalid value: -1: must be a positive value"),
        Refusal(
            schema, "", ".spec.matchingPrecedence", "10001",
            "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"),
        Refusal(
            schema, "", ".spec.matchingPrecedence", "1",
            "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"),
        Refusal(
            schema, "", ".spec.distinguisherMethod.type", #""ByName""#,
            #"spec.distinguisherMethod.type: Unsupported value: {"type":"ByName"}: supported values: "ByNamespace", "#
                + #""ByUser""#),
        Refusal(
            schema, "", ".spec.priorityLevelConfiguration", nil,
            "spec.priorityLevelConfiguration.name: Required value: must reference a priority level"),
        Refusal(
            schema, "", ".spec.rules.0", "{}",
            "\(rule).subjects: Required value: subjects must contain at least one value",
            "\(rule): Required value: at least one of resourceRules and nonResourceRules has to be non-empty"),
        Refusal(
            schema, "", ".spec.rules.0.subjects.0", #"{"kind": "Robot"}"#,
            #"\#(rule).subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "#
                + #""User""#),
        Refusal(
            schema, "", ".spec.rules.0.subjects.0.kind", #""User""#,
            "\(rule).subjects[0].user: Required value: user is required when subject kind is 'User'",
            "\(rule).subjects[0].serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not "
                + "'ServiceAccount'"),
        Refusal(
            schema, "", ".spec.rules.0.subjects.0.serviceAccount", "{}",
            "\(rule).subjects[0].serviceAccount.name: Required value",
            "\(rule).subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account"),
        Refusal(
            schema, "", ".spec.rules.0.resourceRules.0", #"{"clusterScope": true}"#,
            "\(resources).verbs: Required value: verbs must contain at least one value",
            "\(resources).apiGroups: Required value: resource rules must supply at least one api group",
            "\(resources).resources: Required value: resource rules must supply at least one resource"),
        Refusal(
            schema, "", ".spec.rules.0.resourceRules.0.namespaces", nil,
            "\(resources).namespaces: Required value: resource rules that are not cluster scoped must supply at least "
                + "one namespace"),
        Refusal(
            schema, "", ".spec.rules.0.resourceRules.0.namespaces", #"["*", "a"]"#,
            #"\#(resources).namespaces: Invalid value: ["*","a"]: if '*' is present, must not specify other namespaces"#
        ),
        Refusal(
            schema, "", ".spec.rules.0.resourceRules.0.verbs", #"["*", "get"]"#,
            #"\#(resources).verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs"#),
        Refusal(
            schema, "", ".spec.rules.0.nonResourceRules.0.verbs", #"["post"]"#,
            #"\#(others).verbs: Unsupported value: ["post"]: supported values: "create", "delete", "deletecollection", "#
                + #""get", "list", "patch", "proxy", "update", "watch""#),
        Refusal(
            schema, "", ".spec.rules.0.nonResourceRules.0.nonResourceURLs", #"["a", "/a b", "//", "/a*", "/", "/a/*"]"#,
            #"\#(others).nonResourceURLs[0]: Invalid value: "a": must start with slash"#,
            #"\#(others).nonResourceURLs[1]: Invalid value: "/a b": must not contain white-space"#,
            #"\#(others).nonResourceURLs[2]: Invalid value: "//": must not contain double slash"#,
            #"\#(others).nonResourceURLs[3]: Invalid value: "/a*": wildcard can only do suffix matching"#),
    ]

    static let levels: [Refusal] = [
        Refusal(
            level, "", ".spec.type", #""Exempt""#,
            #"spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'"#,
            "spec.limited: Forbidden: must be nil if the type is not Limited"),
        Refusal(
            level, "", ".spec.type", #""Free""#,
            #"spec.type: Unsupported value: "Free": supported values: "Exempt", "Limited""#),
        Refusal(level, "", ".spec.exempt", "{}", "spec.exempt: Forbidden: must be nil if the type is Limited"),
        Refusal(
            level, "", ".spec.limited", nil, "spec.limited: Required value: must not be empty when type is Limited"),
        Refusal(
            level, "", ".spec.limited",
            #"{"nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1, "#
                + #""limitResponse": {"type": "Reject"}}"#,
            "\(limited).nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
            "\(limited).lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
            "\(limited).borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"),
        Refusal(
            level, "", ".spec.limited.limitResponse.type", #""Reject""#,
            "\(queuing): Forbidden: must be nil if limited.limitResponse.type is not Limited"),
        Refusal(
            level, "", ".spec.limited.limitResponse.queuing", nil,
            "\(queuing): Required value: must not be empty if limited.limitResponse.type is Limited"),
        Refusal(
            level, "", ".spec.limited.limitResponse.type", #""Wait""#,
            #"\#(limited).limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject""#),
        Refusal(
            level, "", ".spec.limited.limitResponse.queuing",
            #"{"queues": 10000001, "handSize": -1, "queueLengthLimit": -1}"#,
            "\(queuing).queueLengthLimit: Invalid value: -1: must be positive",
            "\(queuing).queues: Invalid value: 10000001: must not be greater than 10000000",
            "\(queuing).handSize: Invalid value: -1: must be positive"),
        Refusal(
            level, "", ".spec.limited.limitResponse.queuing", #"{"queues": 7}"#,
            "\(queuing).handSize: Invalid value: 8: should not be greater than queues (7)"),
        Refusal(
            level, "", ".spec.limited.limitResponse.queuing", #"{"queues": 64, "handSize": 11}"#,
            "\(queuing).handSize: Invalid value: 11: required entropy bits of deckSize 64 and handSize 11 should not be "
                + "greater than 60"),
        Refusal(level, "", ".spec.limited.limitResponse.queuing", #"{"queues": 64, "handSize": 10}"#),
        Refusal(level, "", ".spec.limited.nominalConcurrencyShares", "0"),
    ]

    @Test("creation and updates alike", arguments: schemas + levels)
    func refuse(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("F: what is left out, or zero, is filled in")
    func defaults() throws {
        let strategy = try Self.level.strategy
        let zeros: JSON = ["queues": 0, "handSize": 0, "queueLengthLimit": 0]
        for queuing in [[:], zeros] {
            let filled = strategy.defaulted(Self.level.setting(".spec.limited.limitResponse.queuing", queuing))
            #expect(
                filled.value(at: ".spec.limited") == [
                    "nominalConcurrencyShares": 30, "lendablePercent": 0,
                    "limitResponse": [
                        "type": "Queue", "queuing": ["queues": 64, "handSize": 8, "queueLengthLimit": 50],
                    ],
                ])
        }
        let schema = try Self.schema.strategy.defaulted(Self.schema)
        #expect(schema.value(at: ".spec.matchingPrecedence") == 1000)
    }

    @Test("C13: an update of the status changes neither metadata nor spec, and has each condition once")
    func status() throws {
        for (object, field) in [(Self.schema, ".spec.matchingPrecedence"), (Self.level, ".spec.type")] {
            let strategy = try object.strategy
            let old = strategy.prepareForCreate(strategy.defaulted(object))
            let conditions: JSON = ["conditions": [["type": "A"], ["type": "A"], ["status": "True"]]]
            let changed = old.setting(".metadata.labels", ["a": "b"]).setting(field, 7).setting(".status", conditions)
            let updated = strategy.prepareForUpdate(changed, from: old, subresource: "status")
            #expect(updated == old.setting(".status", conditions))
            #expect(
                strategy.validateUpdate(updated, from: old, subresource: "status").map(\.message) == [
                    #"status.conditions[1].type: Duplicate value: "A""#,
                    "status.conditions[2].type: Required value: must not be empty",
                ])
        }
    }

    @Test("what every cluster has is valid and complete, and stays as it is but for what is lent", arguments: 0..<4)
    func mandatory(index: Int) throws {
        let object = MandatoryFlowControl.objects[index]
        let strategy = try object.strategy
        #expect(strategy.defaulted(object)["spec"] == object["spec"])
        #expect(try object.createErrors == [])
        let changes: [JSON] = [
            object.setting(".spec.matchingPrecedence", 5000), object.setting(".spec.limited.lendablePercent", 1),
            object.setting(".spec.exempt.lendablePercent", 1),
        ]
        let isSchema = object["kind"] == "FlowSchema"
        let isExempt = object.value(at: ".metadata.name") == "exempt"
        let change = isSchema ? changes[0] : isExempt ? changes[2] : changes[1]
        let messages = try object.updateErrors(to: change)
        if !isSchema, isExempt {
            #expect(messages == [])
        } else {
            #expect(messages.count == 1)
            let name = isExempt ? "exempt" : "catch-all"
            #expect(messages.first?.hasSuffix("spec of '\(name)' must equal the fixed value") == true)
        }
    }

    @Test("the level of administrators cannot become a limited one")
    func exempt() throws {
        let object = MandatoryFlowControl.objects[0]
        let messages = try object.updateErrors(to: object.setting(".spec", Self.level["spec"]))
        #expect(
            messages.first
                == #"spec.type: Invalid value: "Limited": type must be 'Exempt' if and only if name is 'exempt'"#)
        let rule = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
        #expect(messages.count == 2 && messages.last?.hasSuffix(rule) == true)
    }
}
