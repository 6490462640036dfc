package import Model

/// The priority levels and flow schemas that every cluster has: one for administrators, and one for the rest.
package enum MandatoryFlowControl {
    /// In the order in which they are made: levels come before what names them.
    package static let objects: [JSON] = levels + schemas

    private static let levels = [
        object(
            "PriorityLevelConfiguration", "exempt",
            ["type": "Exempt", "exempt": ["nominalConcurrencyShares": 0, "lendablePercent": 0]]),
        object(
            "PriorityLevelConfiguration", "catch-all",
            [
                "type": "Limited",
                "limited": [
                    "nominalConcurrencyShares": 5, "limitResponse": ["type": "Reject"], "lendablePercent": 0,
                ],
            ]),
    ]

    private static let schemas = [
        object(
            "FlowSchema", "exempt",
            [
                "priorityLevelConfiguration": ["name": "exempt"], "matchingPrecedence": 1,
                "rules": everything(of: "system:masters"),
            ]),
        object(
            "FlowSchema", "catch-all",
            [
                "priorityLevelConfiguration": ["name": "catch-all"], "matchingPrecedence": 10000,
                "distinguisherMethod": ["type": "ByUser"],
                "rules": everything(of: "system:unauthenticated", "system:authenticated"),
            ]),
    ]

    private static func object(_ kind: JSON, _ name: JSON, _ spec: JSON) -> JSON {
        [
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": kind,
            "metadata": ["name": name, "annotations": ["apf.kubernetes.io/autoupdate-spec": "true"]], "spec": spec,
        ]
    }

    private static func everything(of groups: String...) -> JSON {
        let subjects = groups.map { group -> JSON in ["kind": "Group", "group": ["name": .string(group)]] }
        let all: JSON = ["*"]
        return [
            [
                "subjects": .array(subjects),
                "resourceRules": [
                    ["verbs": all, "apiGroups": all, "resources": all, "clusterScope": true, "namespaces": all]
                ],
                "nonResourceRules": [["verbs": all, "nonResourceURLs": all]],
            ]
        ]
    }

    static func spec(ofLevel name: String) -> JSON? { spec(name, among: levels) }
    static func spec(ofSchema name: String) -> JSON? { spec(name, among: schemas) }

    private static func spec(_ name: String, among objects: [JSON]) -> JSON? {
        objects.first { $0["metadata"]?["name"]?.string == name }?["spec"]
    }
}
