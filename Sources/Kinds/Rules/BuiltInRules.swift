package import Model

/// The rules of the built-in kinds; one file per kind beside this one.
enum BuiltInRules {
    static let byKind: [GroupKind: any KindRules] = [
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
    ]
}

extension Catalog {
    /// How objects of a built-in kind get into the store; `nil` for kinds that are not built in.
    package func strategy(for kind: GroupKind) -> KindStrategy? { strategies[kind] }
}
