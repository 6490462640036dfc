/// The fields that Kustomize knows by itself (v5.5, `api/internal/konfig/builtinpluginconsts`).
extension Configuration {
    static let defaults: Configuration = {
        var result = Configuration()
        result.namePrefix = FieldSpecs([FieldSpec(path: "metadata/name")])
        result.nameSuffix = result.namePrefix
        result.namespace = FieldSpecs([
            FieldSpec(kind: kind("Namespace"), path: "metadata/name", creates: true),
            FieldSpec(
                kind: kind("APIService", "apiregistration.k8s.io"), path: "spec/service/namespace", creates: true),
            FieldSpec(
                kind: kind("CustomResourceDefinition", "apiextensions.k8s.io"),
                path: "spec/conversion/webhook/clientConfig/service/namespace"),
        ])
        result.templateLabels = FieldSpecs(metadataLabels)
        result.commonLabels = FieldSpecs(selectorLabels + metadataLabels)
        result.commonAnnotations = FieldSpecs(annotations)
        result.varReference = FieldSpecs(variables)
        result.images = FieldSpecs(
            ["spec/", "spec/template/spec/"].flatMap { prefix in
                ["containers[]/image", "initContainers[]/image"].map { FieldSpec(path: prefix + $0, creates: true) }
            })
        result.replicas = FieldSpecs(
            ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map {
                FieldSpec(kind: kind($0), path: "spec/replicas", creates: true)
            })
        result.nameReference = nameReferences
        return result
    }()

    static func kind(_ kind: String, _ group: String = "", version: String = "") -> ResourceKind {
        ResourceKind(group: group, version: version, kind: kind)
    }

    // MARK: Labels and annotations

    /// Kinds with a pod template: which of them, and the way to the template.
    private static let templates: [(kind: ResourceKind, path: String)] = [
        (kind("ReplicationController", version: "v1"), "spec/template"), (kind("Deployment"), "spec/template"),
        (kind("ReplicaSet"), "spec/template"), (kind("DaemonSet"), "spec/template"),
        (kind("StatefulSet", "apps"), "spec/template"), (kind("Job", "batch"), "spec/template"),
        (kind("CronJob", "batch"), "spec/jobTemplate"), (kind("CronJob", "batch"), "spec/jobTemplate/spec/template"),
    ]

    private static let metadataLabels: [FieldSpec] =
        [FieldSpec(path: "metadata/labels", creates: true)]
        + templates.map { FieldSpec(kind: $0.kind, path: "\($0.path)/metadata/labels", creates: true) }
        + [
            FieldSpec(
                kind: kind("StatefulSet", "apps"), path: "spec/volumeClaimTemplates[]/metadata/labels", creates: true)
        ]

    private static let annotations: [FieldSpec] =
        [FieldSpec(path: "metadata/annotations", creates: true)]
        + templates.map { template in
            let any = template.kind.kind == "StatefulSet" ? kind("StatefulSet") : template.kind
            return FieldSpec(kind: any, path: "\(template.path)/metadata/annotations", creates: true)
        }

    private static let selectorLabels: [FieldSpec] = {
        var specs = [
            FieldSpec(kind: kind("Service", version: "v1"), path: "spec/selector", creates: true),
            FieldSpec(kind: kind("ReplicationController", version: "v1"), path: "spec/selector", creates: true),
            FieldSpec(kind: kind("Deployment"), path: "spec/selector/matchLabels", creates: true),
            FieldSpec(kind: kind("ReplicaSet"), path: "spec/selector/matchLabels", creates: true),
            FieldSpec(kind: kind("DaemonSet"), path: "spec/selector/matchLabels", creates: true),
            FieldSpec(kind: kind("StatefulSet", "apps"), path: "spec/selector/matchLabels", creates: true),
            FieldSpec(kind: kind("Job", "batch"), path: "spec/selector/matchLabels"),
            FieldSpec(kind: kind("CronJob", "batch"), path: "spec/jobTemplate/spec/selector/matchLabels"),
            FieldSpec(kind: kind("PodDisruptionBudget", "policy"), path: "spec/selector/matchLabels"),
        ]
        for path in ["spec/podSelector", "spec/ingress/from/podSelector", "spec/egress/to/podSelector"] {
            specs.append(FieldSpec(kind: kind("NetworkPolicy", "networking.k8s.io"), path: "\(path)/matchLabels"))
        }
        for workload in ["Deployment", "StatefulSet"] {
            for affinity in ["podAffinity", "podAntiAffinity"] {
                for term in [
                    "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
                    "requiredDuringSchedulingIgnoredDuringExecution",
                ] {
                    specs.append(
                        FieldSpec(
                            kind: kind(workload, "apps"),
                            path: "spec/template/spec/affinity/\(affinity)/\(term)/labelSelector/matchLabels"))
                }
            }
            specs.append(
                FieldSpec(
                    kind: kind(workload, "apps"),
                    path: "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels"))
        }
        return specs
    }()

    // MARK: Variables

    private static let variables: [FieldSpec] = {
        var specs: [FieldSpec] = []
        let pods = [
            "CronJob": "spec/jobTemplate/spec/template/spec", "DaemonSet": "spec/template/spec",
            "Deployment": "spec/template/spec", "Job": "spec/template/spec", "Pod": "spec",
            "ReplicaSet": "spec/template/spec", "StatefulSet": "spec/template/spec",
        ]
        for (workload, pod) in pods.sorted(by: { $0.key < $1.key }) {
            for list in ["containers", "initContainers"] {
                for field in ["args", "command", "env/value", "volumeMounts/mountPath"] {
                    specs.append(FieldSpec(kind: kind(workload), path: "\(pod)/\(list)/\(field)"))
                }
            }
            let server =
                switch workload {
                case "CronJob": "spec/jobTemplate/spec/template/volumes/nfs/server"
                case "StatefulSet": "spec/volumeClaimTemplates/spec/nfs/server"
                default: "\(pod)/volumes/nfs/server"
                }
            specs.append(FieldSpec(kind: kind(workload), path: server))
        }
        specs.append(FieldSpec(kind: kind("Deployment"), path: "spec/template/metadata/annotations"))
        for path in ["spec/rules/host", "spec/tls/hosts", "spec/tls/secretName"] {
            specs.append(FieldSpec(kind: kind("Ingress"), path: path))
        }
        for path in ["spec/ports/port", "spec/ports/targetPort"] {
            specs.append(FieldSpec(kind: kind("Service"), path: path))
        }
        specs.append(FieldSpec(kind: kind("PersistentVolume"), path: "spec/nfs/server"))
        return specs + [FieldSpec(path: "metadata/labels"), FieldSpec(path: "metadata/annotations")]
    }()
}
