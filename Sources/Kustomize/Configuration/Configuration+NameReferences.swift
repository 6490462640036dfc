/// Which fields name objects of which kinds (v5.5, `builtinpluginconsts/namereference.go`).
extension Configuration {
    static let nameReferences: [NameReference] =
        ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map { scaled in
            reference(
                kind(scaled), [FieldSpec(kind: kind("HorizontalPodAutoscaler"), path: "spec/scaleTargetRef/name")])
        } + [
            configMaps, secrets, services,
            reference(kind("Role", rbac), [FieldSpec(kind: kind("RoleBinding", rbac), path: "roleRef/name")]),
            reference(
                kind("ClusterRole", rbac),
                ["RoleBinding", "ClusterRoleBinding"].map {
                    FieldSpec(kind: kind($0, rbac), path: "roleRef/name")
                }),
            reference(
                kind("ServiceAccount", version: "v1"),
                ["RoleBinding", "ClusterRoleBinding"].map { FieldSpec(kind: kind($0, rbac), path: "subjects") }
                    + inPods("serviceAccountName")),
            reference(
                kind("PersistentVolumeClaim", version: "v1"), inPods("volumes/persistentVolumeClaim/claimName")),
            reference(
                kind("PersistentVolume", version: "v1"),
                [
                    FieldSpec(kind: kind("PersistentVolumeClaim"), path: "spec/volumeName"),
                    FieldSpec(kind: kind("ClusterRole"), path: "rules/resourceNames"),
                ]),
            reference(
                kind("StorageClass", "storage.k8s.io", version: "v1"),
                [
                    FieldSpec(kind: kind("PersistentVolume"), path: "spec/storageClassName"),
                    FieldSpec(kind: kind("PersistentVolumeClaim"), path: "spec/storageClassName"),
                    FieldSpec(kind: kind("StatefulSet"), path: "spec/volumeClaimTemplates/spec/storageClassName"),
                ]),
            reference(kind("PriorityClass", "scheduling.k8s.io", version: "v1"), inPods("priorityClassName")),
            // The group is written so in Kustomize, which is why no reference to an IngressClass is ever updated.
            reference(
                kind("IngressClass", "networking.k8s.io/v1", version: "v1"),
                [FieldSpec(kind: kind("Ingress"), path: "spec/ingressClassName")]),
            reference(
                kind("ValidatingAdmissionPolicy", admission),
                [FieldSpec(kind: kind("ValidatingAdmissionPolicyBinding", admission), path: "spec/policyName")]),
        ]

    private static let rbac = "rbac.authorization.k8s.io"
    private static let admission = "admissionregistration.k8s.io"

    private static func reference(_ target: ResourceKind, _ referrers: [FieldSpec]) -> NameReference {
        NameReference(target: target, referrers: FieldSpecs(referrers))
    }

    /// The field of a pod, in the kinds that have one.
    private static func inPods(_ field: String) -> [FieldSpec] {
        [FieldSpec(kind: kind("Pod"), path: "spec/\(field)")]
            + ["StatefulSet", "Deployment", "ReplicationController", "Job", "DaemonSet"].map {
                FieldSpec(kind: kind($0), path: "spec/template/spec/\(field)")
            } + [FieldSpec(kind: kind("CronJob"), path: "spec/jobTemplate/spec/template/spec/\(field)")]
    }

    /// Fields for ConfigMaps and Secrets: in all kinds with a pod but ReplicationController.
    private static func inAllPods(_ fields: [String]) -> [FieldSpec] {
        let pods =
            [(kind("Pod", version: "v1"), "spec"), (kind("PodTemplate"), "template/spec")]
            + ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"].map { (kind($0), "spec/template/spec") }
            + [(kind("CronJob"), "spec/jobTemplate/spec/template/spec")]
        return pods.flatMap { pod, path in fields.map { FieldSpec(kind: pod, path: "\(path)/\($0)") } }
    }

    private static let inRoles = ["Role", "ClusterRole"].map {
        FieldSpec(kind: kind($0), path: "rules/resourceNames")
    }

    private static let configMaps = reference(
        kind("ConfigMap", version: "v1"),
        inAllPods([
            "volumes/configMap/name", "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name", "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name", "volumes/projected/sources/configMap/name",
        ]) + [FieldSpec(kind: kind("Node"), path: "spec/configSource/configMap")] + inRoles + [
            FieldSpec(
                kind: kind("Ingress"),
                path: #"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap"#)
        ])

    private static let secrets = reference(
        kind("Secret", version: "v1"),
        inAllPods([
            "volumes/secret/secretName", "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name", "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name", "imagePullSecrets/name", "volumes/projected/sources/secret/name",
        ])
            + [
                "spec/tls/secretName", #"metadata/annotations/ingress.kubernetes.io\/auth-secret"#,
                #"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret"#,
                #"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret"#,
            ].map { FieldSpec(kind: kind("Ingress"), path: $0) }
            + [FieldSpec(kind: kind("ServiceAccount"), path: "imagePullSecrets/name")]
            + ["secretName", "adminSecretName", "userSecretName", "secretRef"].map {
                FieldSpec(kind: kind("StorageClass"), path: "parameters/\($0)")
            } + inRoles + [
                FieldSpec(
                    kind: kind("Service", "serving.knative.dev", version: "v1"),
                    path: "spec/template/spec/containers/env/valueFrom/secretKeyRef/name"),
                FieldSpec(kind: kind("PersistentVolume"), path: "spec/azureFile/secretName"),
            ])

    private static let services = reference(
        kind("Service", version: "v1"),
        [FieldSpec(kind: kind("StatefulSet", "apps"), path: "spec/serviceName")]
            + [
                "spec/rules/http/paths/backend/serviceName", "spec/backend/serviceName",
                "spec/rules/http/paths/backend/service/name", "spec/defaultBackend/service/name",
            ].map { FieldSpec(kind: kind("Ingress"), path: $0) }
            + [FieldSpec(kind: kind("APIService", "apiregistration.k8s.io"), path: "spec/service/name")]
            + ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].map {
                FieldSpec(kind: kind($0, admission), path: "webhooks/clientConfig/service")
            })
}
