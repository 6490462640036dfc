import Engine
import Kinds
import Model
import Reconciler
import Rehearsal

/// Scenarios for the tests: a shop of a few Deployments.
enum Shop {
    static func deployment(
        _ name: String = "web", image: String, replicas: Int = 3, surge: Int = 1, unavailable: Int = 0,
        cpu: String = "100m", strategy: String = "RollingUpdate", hasProbe: Bool = true
    ) -> JSON {
        var container: JSON = [
            "name": "web", "image": .string(image),
            "resources": ["requests": ["cpu": .string(cpu), "memory": "64Mi"]],
        ]
        if hasProbe {
            container["readinessProbe"] = [
                "exec": ["command": ["true"]], "periodSeconds": 1, "failureThreshold": 2,
            ]
        }
        var strategyJSON: JSON = ["type": .string(strategy)]
        if strategy == "RollingUpdate" {
            strategyJSON["rollingUpdate"] = [
                "maxSurge": .int(Int64(surge)), "maxUnavailable": .int(Int64(unavailable)),
            ]
        }
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": .int(Int64(replicas)), "selector": ["matchLabels": ["app": .string(name)]],
                "strategy": strategyJSON,
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": ["terminationGracePeriodSeconds": 5, "containers": [container]],
                ],
            ],
        ]
    }

    static func configMap(_ name: String, _ value: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name), "namespace": "default"],
            "data": ["value": .string(value)],
        ]
    }

    static func budget(minAvailable: Int) -> JSON {
        [
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": ["name": "web", "namespace": "default"],
            "spec": ["minAvailable": .int(Int64(minAvailable)), "selector": ["matchLabels": ["app": "web"]]],
        ]
    }

    static func state(_ revision: String, _ objects: [JSON]) -> DesiredState {
        DesiredState(
            revision: revision,
            objects: objects.enumerated().map { index, json in
                DesiredObject(
                    object: Object(viewing: json), origin: "shop.yaml:\(index + 1)", fingerprint: "\(revision)/\(index)"
                )
            })
    }

    static func node(_ name: String = "node", cpu: String = "4", memory: String = "8Gi") -> LogicalNode {
        LogicalNode(
            name: name,
            capacity: ["cpu": Quantity(cpu)!, "memory": Quantity(memory)!, "pods": Quantity(110)])
    }

    /// From version 1 of a web server to version 2, on one node.
    static func scenario(
        from base: [JSON]? = [deployment(image: "web:1")], to target: [JSON] = [deployment(image: "web:2")],
        nodes: [LogicalNode] = [node()], failing failures: [InjectedFailure] = []
    ) -> Scenario {
        Scenario(
            nodes: nodes, application: Scenario.application(named: "shop", in: "default"),
            base: base.map { state("one", $0) }, target: state("two", target), failures: failures)
    }
}
