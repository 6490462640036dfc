import Kinds
import Model
import Testing

@testable import Engine

@Suite("The status of a validating policy") struct PolicyStatusPlanTests {
    private static func policy(_ expression: String, generation: Int64 = 1, observed: Int64? = nil) -> JSON {
        var policy = Policies.policy(
            ["expression": .string(expression)],
            [
                "matchConstraints": [
                    "resourceRules": [Policies.rule("deployments", groups: ["apps"], versions: ["v1"])]
                ]
            ])
        policy[path: ["metadata", "generation"]] = .int(generation)
        if let observed { policy[path: ["status", "observedGeneration"]] = .int(observed) }
        return policy
    }

    static let rows: [(generation: Int64, observed: Int64?, isLookedAt: Bool)] = [
        (1, nil, true), (1, 1, false), (2, 1, true), (2, 2, false),
    ]

    @Test("each generation is looked at once", arguments: rows)
    func generations(generation: Int64, observed: Int64?, isLookedAt: Bool) {
        let policy = Self.policy("object.spec.replicas > 1", generation: generation, observed: observed)
        let applied = PolicyStatusPlan.applied(to: policy, types: Catalog.builtIn.types)
        #expect((applied != nil) == isLookedAt)
    }

    @Test("what is applied leaves nothing to do", arguments: ["object.spec.replicas > 1", "object.spec.nothing > 1"])
    func settles(expression: String) throws {
        var policy = Self.policy(expression)
        let applied = try #require(PolicyStatusPlan.applied(to: policy, types: Catalog.builtIn.types))
        #expect(applied["metadata"] == ["name": "rules"], "nothing but the status is claimed")
        policy["status"] = applied["status"]
        #expect(PolicyStatusPlan.applied(to: policy, types: Catalog.builtIn.types) == nil)
        let warnings = policy["status"]?["typeChecking"]?["expressionWarnings"]?.array ?? []
        #expect(warnings.isEmpty == expression.contains("replicas"))
    }
}
