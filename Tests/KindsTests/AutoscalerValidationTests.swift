import Kinds
import Model
import Testing

@Suite("HorizontalPodAutoscalers are refused with Kubernetes' messages")
struct AutoscalerValidationTests {
    private static let ofMore = "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"
    static let changes: [Change] = [
        Change("F", ".spec.maxReplicas", "0", "spec.maxReplicas: Invalid value: 0: must be greater than 0", ofMore),
        Change(
            "F", ".spec.minReplicas", "6",
            "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"),
        Change(
            "F", ".spec.minReplicas", "0", "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
        Change("F", ".spec.scaleTargetRef.name", nil, "spec.scaleTargetRef.name: Required value"),
        Change(
            "F", ".spec.scaleTargetRef.name", #""a/b""#,
            #"spec.scaleTargetRef.name: Invalid value: "a/b": may not contain '/'"#),
        Change(
            "F", ".spec.metrics", #"[{"type": "Magic"}]"#,
            #"spec.metrics[0].type: Unsupported value: "Magic": supported values: "ContainerResource", "External", "#
                + #""Object", "Pods", "Resource""#),
        Change(
            "F", ".spec.metrics", #"[{"type": "Pods"}]"#,
            "spec.metrics[0].pods: Required value: must populate information for the given metric source"),
        Change(
            "F", ".spec.metrics",
            #"[{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]"#,
            "spec.metrics[0].resource.target.averageUtilization: Required value: "
                + "must set either a target raw value or a target utilization"),
        Change(
            "F", ".spec.metrics",
            #"[{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Half", "averageUtilization": 0}}}]"#,
            "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
            #"spec.metrics[0].resource.target.type: Invalid value: "Half": "#
                + "must be either Utilization, Value, or AverageValue"),
        Change(
            "F", ".spec.metrics",
            #"""
            [{"type": "External", "external": {"metric": {"name": "q"},
              "target": {"type": "Value", "value": 1, "averageValue": "-2"}}}]
            """#,
            #"spec.metrics[0].external.target.averageValue: Invalid value: "-2": must be positive"#,
            "spec.metrics[0].external.target.value: Forbidden: "
                + "may not set both a target value for metric and a per-pod target"),
        Change(
            "F", ".spec.metrics",
            #"""
            [{"type": "Pods", "pods": {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": 1}},
              "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 1}}}]
            """#,
            "spec.metrics[0].resource: Forbidden: must populate the given metric source only"),
        Change(
            "F", ".spec.behavior.scaleDown",
            #"""
            {"stabilizationWindowSeconds": 3601, "selectPolicy": "Mean", "tolerance": "-100m",
             "policies": [{"type": "Nodes", "value": 0, "periodSeconds": 1801}]}
            """#,
            #"spec.behavior.scaleDown.selectPolicy: Unsupported value: "Mean": supported values: "Disabled", "Max", "#
                + #""Min""#,
            #"spec.behavior.scaleDown.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "#
                + #""Pods""#,
            "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: "
                + "must be less than or equal to 3600",
            #"spec.behavior.scaleDown.tolerance: Invalid value: "-100m": must be greater than or equal to 0"#,
            "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero",
            "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: "
                + "must be less than or equal to 1800"),
        Change("F", ".spec.behavior.scaleUp", #"{"stabilizationWindowSeconds": 3600, "tolerance": "50m"}"#),
    ]

    @Test("creation and update", arguments: changes)
    func change(change: Change) throws {
        let changed = Manifests.horizontalPodAutoscaler.setting(change.path, change.value)
        #expect(Set(try changed.createErrors) == Set(change.messages))
        #expect(Set(try Manifests.horizontalPodAutoscaler.updateErrors(to: changed)) == Set(change.messages))
    }
}
