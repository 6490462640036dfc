import Model

/// The rules of the built-in kinds; one file per kind beside this one.
enum BuiltInRules {
    static func rules(of kind: GroupVersionKind) -> (any KindRules)? {
        ofOtherVersions[kind] ?? byKind[kind.groupKind]
    }

    private static let byKind: [GroupKind: any KindRules] = [
        Namespace.kind.groupKind: NamespaceRules(),
        Node.kind.groupKind: NodeRules(),
        Pod.kind.groupKind: PodRules(),
        Service.kind.groupKind: ServiceRules(),
        Endpoints.kind.groupKind: EndpointsRules(),
        ConfigMap.kind.groupKind: ConfigMapRules(),
        Secret.kind.groupKind: SecretRules(),
        Event.kind.groupKind: EventRules(),
        ReplicaSet.kind.groupKind: ReplicaSetRules(),
        Deployment.kind.groupKind: DeploymentRules(),
        EndpointSlice.kind.groupKind: EndpointSliceRules(),
        StatefulSet.kind.groupKind: StatefulSetRules(),
        DaemonSet.kind.groupKind: DaemonSetRules(),
        ControllerRevision.kind.groupKind: ControllerRevisionRules(),
        ReplicationController.kind.groupKind: ReplicationControllerRules(),
        PodTemplate.kind.groupKind: PodTemplateRules(),
        GroupKind(group: "batch", kind: "Job"): JobRules(),
        GroupKind(group: "batch", kind: "CronJob"): CronJobRules(),
        GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler"): HorizontalPodAutoscalerRules(),
        GroupKind(group: "policy", kind: "PodDisruptionBudget"): DisruptionBudgetRules(),
        Lease.kind.groupKind: LeaseRules(),
        Application.kind.groupKind: ApplicationRules(),
    ].merging(configuring) { rules, _ in rules }

    /// Of kinds that have other rules in one of their versions.
    private static let ofOtherVersions: [GroupVersionKind: any KindRules] = [
        HorizontalPodAutoscalerConversion.kind: HorizontalPodAutoscalerV1Rules(),
        EventConversion.kind: ReportedEventRules(),
    ]

    /// Of the kinds that say what is allowed, reachable or available, and not what runs.
    private static let configuring: [GroupKind: any KindRules] = [
        PersistentVolume.kind.groupKind: PersistentVolumeRules(),
        PersistentVolumeClaim.kind.groupKind: PersistentVolumeClaimRules(),
        ServiceAccount.kind.groupKind: ServiceAccountRules(),
        LimitRange.kind.groupKind: LimitRangeRules(),
        ResourceQuota.kind.groupKind: ResourceQuotaRules(),
        GroupKind(group: "networking.k8s.io", kind: "Ingress"): IngressRules(),
        GroupKind(group: "networking.k8s.io", kind: "IngressClass"): IngressClassRules(),
        GroupKind(group: "networking.k8s.io", kind: "NetworkPolicy"): NetworkPolicyRules(),
        GroupKind(group: "networking.k8s.io", kind: "IPAddress"): IPAddressRules(),
        GroupKind(group: "networking.k8s.io", kind: "ServiceCIDR"): ServiceCIDRRules(),
        GroupKind(group: "rbac.authorization.k8s.io", kind: "Role"): RoleRules(isNamespaced: true),
        GroupKind(group: "rbac.authorization.k8s.io", kind: "ClusterRole"): RoleRules(isNamespaced: false),
        GroupKind(group: "rbac.authorization.k8s.io", kind: "RoleBinding"): RoleBindingRules(isNamespaced: true),
        GroupKind(group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding"): RoleBindingRules(
            isNamespaced: false),
        GroupKind(group: "node.k8s.io", kind: "RuntimeClass"): RuntimeClassRules(),
        GroupKind(group: "flowcontrol.apiserver.k8s.io", kind: "FlowSchema"): FlowSchemaRules(),
        GroupKind(group: "flowcontrol.apiserver.k8s.io", kind: "PriorityLevelConfiguration"): PriorityLevelRules(),
        GroupKind(group: "certificates.k8s.io", kind: "CertificateSigningRequest"): CertificateRequestRules(),
        GroupKind(group: "scheduling.k8s.io", kind: "PriorityClass"): PriorityClassRules(),
        GroupKind(group: "storage.k8s.io", kind: "StorageClass"): StorageClassRules(),
        GroupKind(group: "storage.k8s.io", kind: "VolumeAttributesClass"): VolumeAttributesClassRules(),
        GroupKind(group: "storage.k8s.io", kind: "VolumeAttachment"): VolumeAttachmentRules(),
        GroupKind(group: "storage.k8s.io", kind: "CSIDriver"): CSIDriverRules(),
        GroupKind(group: "storage.k8s.io", kind: "CSINode"): CSINodeRules(),
        GroupKind(group: "storage.k8s.io", kind: "CSIStorageCapacity"): CSIStorageCapacityRules(),
        GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"): CustomResourceDefinitionRules(),
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy"): ValidatingPolicyRules(),
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding"):
            PolicyBindingRules(isMutating: false),
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicy"): MutatingPolicyRules(),
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding"):
            PolicyBindingRules(isMutating: true),
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingWebhookConfiguration"):
            WebhookRules(isMutating: true),
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingWebhookConfiguration"):
            WebhookRules(isMutating: false),
        GroupKind(group: "apiregistration.k8s.io", kind: "APIService"): APIServiceRules(),
    ]
}
