import Kinds
import Model
import Testing

@Suite("StatefulSets, DaemonSets and their relatives are refused with Kubernetes' messages")
struct SetValidationTests {
    static let mismatch =
        #"spec.template.metadata.labels: Invalid value: {"app":"api"}: `selector` does not match template `labels`"#
    static let statefulSets: [Change] = [
        Change(
            "C24", ".metadata.name", #""a.b""#, #"metadata.name: Invalid value: "a.b": must not contain dots"#),
        Change(
            "C26", ".spec.selector", "{}", "spec.selector: Invalid value: {}: empty selector is invalid for statefulset"
        ),
        Change("C26", ".spec.template.metadata.labels", #"{"app": "api"}"#, mismatch),
        Change(
            "C26", ".spec.podManagementPolicy", #""Random""#,
            #"spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'"#),
        Change(
            "C26", ".spec.updateStrategy", #"{"type": "Blue"}"#,
            #"spec.updateStrategy: Invalid value: {"type":"Blue"}: must be 'RollingUpdate' or 'OnDelete'"#),
        Change(
            "C26", ".spec.updateStrategy", #"{"type": "OnDelete", "rollingUpdate": {"partition": 1}}"#,
            #"spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: "#
                + "only allowed for updateStrategy 'RollingUpdate'"),
        Change(
            "C26", ".spec.updateStrategy.rollingUpdate", #"{"partition": -1, "maxUnavailable": "0%"}"#,
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
            #"spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0"#),
        Change(
            "C26", ".spec.persistentVolumeClaimRetentionPolicy.whenScaled", #""Keep""#,
            "spec.persistentVolumeClaimRetentionPolicy.whenScaled: "
                + #"Unsupported value: "Keep": supported values: "Retain", "Delete""#),
        Change(
            "C26", ".spec.ordinals.start", "-1",
            "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"),
        Change(
            "C26", ".spec.template.spec.activeDeadlineSeconds", "5",
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported"
        ),
        Change(
            "C26", ".spec.volumeClaimTemplates", nil,
            #"spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data""#),
    ]

    @Test("StatefulSets: creation", arguments: statefulSets)
    func statefulSet(change: Change) throws {
        #expect(try Manifests.statefulSet.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test(
        "C26: of a StatefulSet's specification, some fields may change",
        arguments: [
            (".spec.replicas", 3, true), (".spec.template.spec.hostNetwork", true, true),
            (".spec.updateStrategy.rollingUpdate.partition", 1, true), (".spec.minReadySeconds", 1, true),
            (".spec.ordinals.start", 1, true), (".spec.revisionHistoryLimit", 1, true),
            (".spec.persistentVolumeClaimRetentionPolicy.whenDeleted", "Delete", true),
            (".metadata.labels", ["a": "b"], true), (".spec.serviceName", "other", false),
            (".spec.podManagementPolicy", "Parallel", false),
            (".spec.volumeClaimTemplates.0.metadata.name", "d", false),
        ] as [(String, JSON, Bool)])
    func statefulSetUpdate(path: String, value: JSON, isAllowed: Bool) throws {
        let message =
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            + "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
            + "are forbidden"
        let base = Manifests.statefulSet.setting(".spec.template.spec.containers.0.volumeMounts", nil)
        #expect(try base.updateErrors(to: base.setting(path, value)) == (isAllowed ? [] : [message]))
    }

    static let daemonSets: [Change] = [
        Change(
            "C26", ".spec.selector", "{}", "spec.selector: Invalid value: {}: empty selector is invalid for daemonset"),
        Change("C26", ".spec.template.metadata.labels", #"{"app": "api"}"#, mismatch),
        Change(
            "C26", ".spec.updateStrategy.type", #""Blue""#,
            #"spec.updateStrategy.type: Unsupported value: "Blue": supported values: "RollingUpdate", "OnDelete""#),
        Change(
            "C26", ".spec.updateStrategy.rollingUpdate", #"{"maxSurge": 1}"#,
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: "
                + "may not be set when maxUnavailable is non-zero"),
        Change(
            "C26", ".spec.updateStrategy.rollingUpdate", #"{"maxUnavailable": 0}"#,
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"),
        Change(
            "C26", ".spec.updateStrategy.rollingUpdate", #"{"maxUnavailable": 0, "maxSurge": "101%"}"#,
            #"spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "101%": must not be greater than 100%"#),
        Change(
            "C26", ".spec.template.spec.restartPolicy", #""OnFailure""#,
            #"spec.template.spec.restartPolicy: Unsupported value: "OnFailure": supported values: "Always""#),
    ]

    @Test("DaemonSets: creation", arguments: daemonSets)
    func daemonSet(change: Change) throws {
        #expect(try Manifests.daemonSet.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test("C26: a DaemonSet's selector is immutable")
    func selector() throws {
        let changed = Manifests.daemonSet.setting(".spec.selector.matchLabels", ["app": "x"])
            .setting(".spec.template.metadata.labels", ["app": "x"])
        #expect(
            try Manifests.daemonSet.updateErrors(to: changed)
                == [#"spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable"#])
    }

    static let controllers: [Change] = [
        Change("F", ".spec.template", nil, "spec.selector: Required value", "spec.template: Required value"),
        Change(
            "F", ".spec.selector", #"{"app": "api"}"#,
            #"spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`"#
        ),
        Change("F", ".spec.replicas", "-1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        Change(
            "F", ".spec.template.spec.activeDeadlineSeconds", "1",
            "spec.template.spec.activeDeadlineSeconds: Forbidden: "
                + "activeDeadlineSeconds in ReplicationController is not Supported"),
    ]

    @Test("ReplicationControllers: creation", arguments: controllers)
    func replicationController(change: Change) throws {
        #expect(
            try Manifests.replicationController.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test("C26: a ControllerRevision has data, which is immutable, and a number that may change")
    func controllerRevision() throws {
        let revision = Manifests.controllerRevision
        #expect(try revision.setting(".data", nil).createErrors == ["data: Required value: data is mandatory"])
        #expect(
            try revision.setting(".revision", -1).createErrors
                == ["revision: Invalid value: -1: must be greater than or equal to 0"])
        #expect(try revision.updateErrors(to: revision.setting(".revision", 2)) == [])
        #expect(
            try revision.updateErrors(to: revision.setting(".data", ["a": 1]))
                == [#"data: Invalid value: {"a":1}: field is immutable"#])
    }

    static let budgets: [Change] = [
        Change(
            "E", ".spec", #"{"minAvailable": 1, "maxUnavailable": 1}"#,
            #"spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: "#
                + "minAvailable and maxUnavailable cannot be both set"),
        Change(
            "E", ".spec.minAvailable", "-1", "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
        Change(
            "E", ".spec.minAvailable", #""200%""#,
            #"spec.minAvailable: Invalid value: "200%": must not be greater than 100%"#),
        Change(
            "E", ".spec.unhealthyPodEvictionPolicy", #""Never""#,
            "spec.unhealthyPodEvictionPolicy: "
                + #"Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget""#),
        Change("E", ".spec.minAvailable", nil),
    ]

    @Test("PodDisruptionBudgets: creation", arguments: budgets)
    func budget(change: Change) throws {
        #expect(try Manifests.podDisruptionBudget.setting(change.path, change.value).createErrors == change.messages)
    }

    static let statuses: [(JSON, String, [String])] = [
        (
            Manifests.statefulSet, #"{"replicas": 1, "readyReplicas": 1, "availableReplicas": 2}"#,
            [
                "status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas",
                "status.availableReplicas: Invalid value: 2: cannot be greater than status.readyReplicas",
            ]
        ),
        (
            Manifests.daemonSet, #"{"numberReady": -1}"#,
            ["status.numberReady: Invalid value: -1: must be greater than or equal to 0"]
        ),
        (
            Manifests.replicationController, #"{"replicas": 1, "readyReplicas": 2}"#,
            ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"]
        ),
        (
            Manifests.horizontalPodAutoscaler, #"{"currentReplicas": -1, "desiredReplicas": 0}"#,
            ["status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"]
        ),
        (
            Manifests.podDisruptionBudget,
            #"{"conditions": [{"type": "A", "status": "Maybe", "reason": "R", "lastTransitionTime": null}]}"#,
            [
                #"status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "#
                    + #""Unknown""#, "status.conditions[0].lastTransitionTime: Required value: must be set",
            ]
        ),
    ]

    @Test("what a status may not say", arguments: statuses)
    func status(object: JSON, status: String, messages: [String]) throws {
        let changed = object.setting(".status", Manifests.text(status))
        #expect(try object.updateErrors(to: changed, subresource: "status") == messages)
    }

    @Test("collisions of revisions' names are only counted up")
    func collisions() throws {
        let strategy = try Manifests.statefulSet.strategy
        let old = try Manifests.statefulSet.stored.setting(".status.collisionCount", 2)
        let new = old.setting(".status.collisionCount", 1)
        #expect(
            strategy.validateUpdate(new, from: old, subresource: "status").map(\.message)
                == ["status.collisionCount: Invalid value: 1: cannot be decremented"])
        #expect(strategy.validateUpdate(old, from: old, subresource: "status") == [])
    }
}
