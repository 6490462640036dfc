import TestServers
import Testing

/// Admission policies, as people use them with `kubectl`.
@Suite(
    "kubectl with admission policies", .serialized, .blocking,
    .enabled(if: Kubectl.isInstalled, "there is no kubectl on PATH"))
struct KubectlPolicyTests {
    private static func policy(_ action: String) -> String {
        """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicy
        metadata: {name: short-keys}
        spec:
          matchConstraints:
            resourceRules:
            - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [configmaps]}
          variables:
          - {name: subject, expression: "object == null ? oldObject : object"}
          validations:
          - expression: >-
              variables.subject.data.all(key, key.size() < 4)
              || authorizer.group('').resource('secrets').check('nothing').allowed() == false
            messageExpression: "'keys are short in ' + namespaceObject.metadata.name"
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingAdmissionPolicyBinding
        metadata: {name: short-keys}
        spec:
          policyName: short-keys
          validationActions: [\(action)]
          matchResources:
            objectSelector: {matchExpressions: [{key: app.kubernetes.io/managed-by, operator: DoesNotExist}]}
        """
    }

    private static let change = """
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicy
        metadata: {name: marks}
        spec:
          reinvocationPolicy: Never
          matchConstraints:
            resourceRules:
            - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
          mutations:
          - patchType: ApplyConfiguration
            applyConfiguration:
              expression: "Object{metadata: Object.metadata{annotations: {'by': request.userInfo.username}}}"
          - patchType: JSONPatch
            jsonPatch:
              expression: "[JSONPatch{op: 'add', path: '/data/added', value: string(object.data.size())}]"
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingAdmissionPolicyBinding
        metadata: {name: marks}
        spec: {policyName: marks}
        """

    @Test("J10: policies are put into force, warn, refuse and change, and are taken away again")
    func lifecycle() async throws {
        try await Stage.with { stage in
            try stage.write("web/config.yaml", Manifests.configMap("from-git", "one"))
            try stage.push("a config map")
            try await stage.start()
            let kubectl = Kubectl(stage: stage)
            try kubectl("apply", "-f", "input.yaml", input: Self.policy("Warn"))
            let table = try kubectl("get", "validatingadmissionpolicies,validatingadmissionpolicybindings")
            #expect(table.contains("VALIDATIONS") && table.contains("POLICYNAME"), "\(table)")
            try kubectl("create", "configmap", "warned", "--from-literal=longer=1")
            try kubectl("apply", "-f", "input.yaml", input: Self.policy("Deny"))
            let denial =
                "ValidatingAdmissionPolicy 'short-keys' with binding 'short-keys' denied request: keys are short in default"
            for arguments in [
                ["create", "configmap", "denied", "--from-literal=longer=1"],
                ["create", "configmap", "denied", "--from-literal=longer=1", "--dry-run=server"],
                ["patch", "configmap", "warned", "--type=merge", "-p", "{\"data\":{\"a\":\"b\"}}"],
                ["delete", "configmap", "warned"],
            ] {
                let result = try kubectl.failing(arguments)
                // kubectl words what comes before by the reason.
                #expect(result.output.contains(denial), "\(result.output)")
            }
            try kubectl("create", "configmap", "taken", "--from-literal=key=1")
            try kubectl("delete", "validatingadmissionpolicybinding", "short-keys")
            try kubectl("delete", "configmap", "warned", "taken")
            try kubectl("apply", "-f", "input.yaml", input: Self.change)
            #expect(try kubectl("get", "mutatingadmissionpolicies").contains("MUTATIONS"))
            try kubectl("create", "configmap", "changed", "--from-literal=key=1")
            let path = "jsonpath={.metadata.annotations.by} {.data.added}"
            #expect(try kubectl("get", "configmap", "changed", "-o", path) == "martlet-admin 1")
        }
    }
}
