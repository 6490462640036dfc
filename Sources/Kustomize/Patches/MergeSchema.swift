import Model

/// How lists of a value merge. Only what bears on merging is kept of a schema.
///
/// Kustomize v5.5 carries its own copy of Kubernetes' v1.21 schemas, whatever is served: a list of a newer field or
/// kind is replaced as a whole. So this is not derived from `Kinds`, whose schemas are of today.
struct MergeSchema: Sendable {
    /// A field's value.
    struct Field: Hashable, Sendable {
        /// The definition of the value, or of a list's items; `nil` when nothing in it merges.
        var definition: String?
        /// For a list that merges: what tells its items apart, nothing for single values; `nil` for every other field.
        var keys: [String]?
    }

    struct Definition: Sendable {
        var fields: [String: Field] = [:]
        /// What the values of a map are.
        var values: Field?
    }

    var definitions: [String: Definition]
    var kinds: [ResourceKind: String]

    func definition(of object: JSON?) -> String? {
        guard let object, let kind = object["kind"]?.scalarText, let version = object["apiVersion"]?.scalarText else {
            return nil
        }
        return kinds[ResourceKind(apiVersion: version, kind: kind)]
    }

    func field(_ name: String, of definition: String?) -> Field? {
        guard let definition, let found = definitions[definition] else { return nil }
        return found.fields[name] ?? found.values
    }

    /// Reads `definitions` of an OpenAPI v2 document, as `openapi.path` names one.
    init(openAPI: JSON) {
        definitions = [:]
        kinds = [:]
        for member in openAPI["definitions"]?.object ?? JSONObject() {
            add(member.key, member.value, of: openAPI, depth: 0)
            for kind in member.value["x-kubernetes-group-version-kind"]?.array ?? [] {
                let key = ResourceKind(
                    group: kind["group"]?.string ?? "", version: kind["version"]?.string ?? "",
                    kind: kind["kind"]?.string ?? "")
                kinds[key] = member.key
            }
        }
    }

    private mutating func add(_ name: String, _ node: JSON, of document: JSON, depth: Int) {
        guard depth < 64, definitions[name] == nil else { return }
        definitions[name] = Definition()
        var definition = Definition()
        for member in node["properties"]?.object ?? JSONObject() {
            definition.fields[member.key] = field(member.value, "\(name).\(member.key)", document, depth)
        }
        if let values = node["additionalProperties"], values.object != nil {
            definition.values = field(values, "\(name).{}", document, depth)
        }
        definitions[name] = definition
    }

    private mutating func field(_ node: JSON, _ name: String, _ document: JSON, _ depth: Int) -> Field {
        var result = Field()
        if let strategy = node["x-kubernetes-patch-strategy"]?.string, strategy.split(separator: ",").contains("merge")
        {
            let keys = node["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string)
            result.keys = keys ?? node["x-kubernetes-patch-merge-key"]?.string.map { [$0] } ?? []
        }
        let value = node["type"]?.string == "array" ? node["items"] ?? .null : node
        if let reference = value["$ref"]?.string {
            result.definition = String(reference.split(separator: "/").last ?? "")
        } else if value["properties"] != nil || value["additionalProperties"] != nil {
            result.definition = name
            add(name, value, of: document, depth: depth + 1)
        }
        return result
    }

    private init(definitions: [String: Definition], kinds: [ResourceKind: String]) {
        self.definitions = definitions
        self.kinds = kinds
    }

    /// These schemas, and for kinds that they do not have those of `other`.
    func completed(by other: MergeSchema) -> MergeSchema {
        MergeSchema(
            definitions: definitions.merging(other.definitions) { own, _ in own },
            kinds: kinds.merging(other.kinds) { own, _ in own })
    }
}

extension MergeSchema {
    /// Kubernetes v1.21. A field is written `name:Definition`, a list that merges `name*key,key:Definition`.
    static let builtIn: MergeSchema = {
        var definitions: [String: Definition] = [:]
        for (name, fields) in table {
            definitions[name] = Definition(
                fields: Dictionary(uniqueKeysWithValues: fields.split(at: " ").map { parse($0) }))
        }
        var kinds: [ResourceKind: String] = [:]
        for (version, names) in kindTable {
            for name in names.split(at: " ") {
                let definition = definitions[String(name)] == nil ? "Object" : String(name)
                kinds[ResourceKind(apiVersion: version, kind: String(name))] = definition
            }
        }
        return MergeSchema(definitions: definitions, kinds: kinds)
    }()

    private static func parse(_ text: Substring) -> (String, Field) {
        let parts = text.split(at: ":")
        let list = parts[0].split(at: "*", omittingEmpty: false)
        let keys = list.count == 2 ? list[1].split(at: ",").map(String.init) : nil
        return (String(list[0]), Field(definition: parts.count == 2 ? String(parts[1]) : nil, keys: keys))
    }

    private static let table: [String: String] = [
        "Object": "metadata:ObjectMeta",
        "ObjectMeta": "finalizers* ownerReferences*uid",
        "Conditions": "conditions*type",
        "Templated": "template:PodTemplateSpec",
        "PodTemplateSpec": "metadata:ObjectMeta spec:PodSpec",
        "PodSpec":
            "containers*name:Container initContainers*name:Container ephemeralContainers*name:EphemeralContainer "
            + "volumes*name:Volume hostAliases*ip imagePullSecrets*name "
            + "topologySpreadConstraints*topologyKey,whenUnsatisfiable",
        "Container": "volumeMounts*mountPath volumeDevices*devicePath env*name ports*containerPort,protocol",
        "EphemeralContainer": "volumeMounts*mountPath volumeDevices*devicePath env*name",
        "Volume": "ephemeral:EphemeralVolumeSource",
        "EphemeralVolumeSource": "volumeClaimTemplate:Object",
        "PodStatus": "conditions*type podIPs*ip",
        "NodeSpec": "podCIDRs*",
        "NodeStatus": "conditions*type addresses*type",
        "ServiceSpec": "ports*port,protocol",
        "CSINodeSpec": "drivers*name",
        "CronJobSpec": "jobTemplate:JobTemplateSpec",
        "JobTemplateSpec": "metadata:ObjectMeta spec:Templated",

        "Deployment": "metadata:ObjectMeta spec:Templated status:Conditions",
        "ReplicaSet": "metadata:ObjectMeta spec:Templated status:Conditions",
        "DaemonSet": "metadata:ObjectMeta spec:Templated status:Conditions",
        "StatefulSet": "metadata:ObjectMeta spec:Templated status:Conditions",
        "ReplicationController": "metadata:ObjectMeta spec:Templated status:Conditions",
        "Job": "metadata:ObjectMeta spec:Templated status:Conditions",
        "CronJob": "metadata:ObjectMeta spec:CronJobSpec",
        "Pod": "metadata:ObjectMeta spec:PodSpec status:PodStatus",
        "PodTemplate": "metadata:ObjectMeta template:PodTemplateSpec",
        "Service": "metadata:ObjectMeta spec:ServiceSpec status:Conditions",
        "ServiceAccount": "metadata:ObjectMeta secrets*name",
        "PersistentVolumeClaim": "metadata:ObjectMeta status:Conditions",
        "PodDisruptionBudget": "metadata:ObjectMeta status:Conditions",
        "APIService": "metadata:ObjectMeta status:Conditions",
        "Namespace": "metadata:ObjectMeta status:Conditions",
        "Node": "metadata:ObjectMeta spec:NodeSpec status:NodeStatus",
        "CSINode": "metadata:ObjectMeta spec:CSINodeSpec",
        "ComponentStatus": "metadata:ObjectMeta conditions*type",
        "MutatingWebhookConfiguration": "metadata:ObjectMeta webhooks*name",
        "ValidatingWebhookConfiguration": "metadata:ObjectMeta webhooks*name",
    ]

    private static let kindTable: [String: String] = {
        let webhooks = "MutatingWebhookConfiguration ValidatingWebhookConfiguration"
        let reviews = "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
        let roles = "ClusterRole ClusterRoleBinding Role RoleBinding"
        let storage = "CSIDriver CSINode StorageClass VolumeAttachment"
        return [
            "admissionregistration.k8s.io/v1": webhooks, "admissionregistration.k8s.io/v1beta1": webhooks,
            "apiextensions.k8s.io/v1": "CustomResourceDefinition",
            "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
            "apiregistration.k8s.io/v1": "APIService", "apiregistration.k8s.io/v1beta1": "APIService",
            "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
            "authentication.k8s.io/v1": "TokenRequest TokenReview", "authentication.k8s.io/v1beta1": "TokenReview",
            "authorization.k8s.io/v1": reviews, "authorization.k8s.io/v1beta1": reviews,
            "autoscaling/v1": "HorizontalPodAutoscaler Scale", "autoscaling/v2beta1": "HorizontalPodAutoscaler",
            "autoscaling/v2beta2": "HorizontalPodAutoscaler",
            "batch/v1": "CronJob Job", "batch/v1beta1": "CronJob",
            "certificates.k8s.io/v1": "CertificateSigningRequest",
            "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
            "coordination.k8s.io/v1": "Lease", "coordination.k8s.io/v1beta1": "Lease",
            "discovery.k8s.io/v1": "EndpointSlice", "discovery.k8s.io/v1beta1": "EndpointSlice",
            "events.k8s.io/v1": "Event", "events.k8s.io/v1beta1": "Event", "extensions/v1beta1": "Ingress",
            "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
            "networking.k8s.io/v1": "Ingress IngressClass NetworkPolicy",
            "networking.k8s.io/v1beta1": "Ingress IngressClass",
            "node.k8s.io/v1": "RuntimeClass", "node.k8s.io/v1beta1": "RuntimeClass",
            "policy/v1": "PodDisruptionBudget", "policy/v1beta1": "Eviction PodDisruptionBudget PodSecurityPolicy",
            "rbac.authorization.k8s.io/v1": roles, "rbac.authorization.k8s.io/v1beta1": roles,
            "scheduling.k8s.io/v1": "PriorityClass", "scheduling.k8s.io/v1beta1": "PriorityClass",
            "storage.k8s.io/v1": storage, "storage.k8s.io/v1beta1": storage + " CSIStorageCapacity",
            "v1": "Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume "
                + "PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service "
                + "ServiceAccount",
        ]
    }()
}
