import Kinds
import Model
import Testing

@Suite("Deployments and ReplicaSets are refused with Kubernetes' messages")
struct WorkloadValidationTests {
    static let created: [Change] = [
        Change(
            "C3", ".spec.selector", nil, "spec.selector: Required value",
            #"spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#
        ),
        Change(
            "C26", ".spec.selector", "{}", "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        Change(
            "C26", ".spec.template.metadata.labels", #"{"app": "api"}"#,
            #"spec.template.metadata.labels: Invalid value: {"app":"api"}: `selector` does not match template `labels`"#
        ),
        Change(
            "C26", ".spec.template.spec.restartPolicy", #""Never""#,
            #"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#),
        Change(
            "C26", ".spec.template.spec.activeDeadlineSeconds", "5",
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"),
        Change("A1", ".spec.replicas", "-1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        Change("A1", ".spec.template.spec.containers", "[]", "spec.template.spec.containers: Required value"),
        Change(
            "A1", ".spec.selector.matchExpressions", #"[{"key": "a", "operator": "In"}]"#,
            "spec.selector.matchExpressions[0].values: Required value: "
                + "must be specified when `operator` is 'In' or 'NotIn'",
            #"spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#
        ),
    ]

    @Test("creation", arguments: created)
    func create(change: Change) throws {
        for manifest in [Manifests.deployment, Manifests.replicaSet] {
            #expect(try manifest.setting(change.path, change.value).createErrors == change.messages)
        }
    }

    static let strategies: [Change] = [
        Change(
            "A1", ".spec.strategy", #"{"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}"#,
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
        Change(
            "A1", ".spec.strategy", #"{"type": "Blue"}"#,
            #"spec.strategy.type: Unsupported value: "Blue": supported values: "Recreate", "RollingUpdate""#),
        Change(
            "A10", ".spec.strategy", #"{"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}"#,
            #"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0"#),
        Change(
            "A10", ".spec.strategy", #"{"rollingUpdate": {"maxUnavailable": "120%"}}"#,
            #"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "120%": must not be greater than 100%"#),
        Change(
            "A10", ".spec.strategy", #"{"rollingUpdate": {"maxSurge": "few"}}"#,
            #"spec.strategy.rollingUpdate.maxSurge: Invalid value: "few": a valid percent string must be a numeric "#
                + "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"),
        Change(
            "A1", ".spec.minReadySeconds", "600",
            "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"),
    ]

    @Test("the strategy of a Deployment", arguments: strategies)
    func strategy(change: Change) throws {
        let errors = try Manifests.deployment.setting(change.path, change.value).createErrors
        #expect(errors == change.messages)
    }

    @Test("C26: the selector is immutable")
    func selector() throws {
        let changed = Manifests.deployment.setting(".spec.selector.matchLabels", ["app": "x"])
            .setting(".spec.template.metadata.labels", ["app": "x"])
        let message = #"spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable"#
        #expect(try Manifests.deployment.updateErrors(to: changed) == [message])
        let replicaSet = changed.setting(".kind", "ReplicaSet")
        #expect(try Manifests.replicaSet.updateErrors(to: replicaSet) == [message])
    }

    @Test("a ReplicaSet's status cannot count more ready pods than pods")
    func status() throws {
        let changed = Manifests.replicaSet.setting(".status", ["replicas": 1, "readyReplicas": 2])
        #expect(
            try Manifests.replicaSet.updateErrors(to: changed, subresource: "status")
                == ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"])
    }
}
