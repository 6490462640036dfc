package import Cluster
import Kinds
package import Logging
package import Model

/// All controllers and the scheduler, on one set of informers: what keeps a cluster moving.
package final class ControlLoops: Sendable {
    private let logger: Logger
    private let recorders: [EventRecorder]
    private let deployment: DeploymentController
    private let replicaSet: ReplicaSetController<ReplicaSet>
    private let replicationController: ReplicaSetController<ReplicationController>
    private let endpoints: EndpointSliceController
    private let disruption: DisruptionController
    private let nodeLifecycle: NodeLifecycleController
    private let scheduler: Scheduler
    private let resourceQuota: ResourceQuotaController
    private let customResourceDefinitions: CustomResourceDefinitionController
    private let policyStatus: PolicyStatusController

    /// The informers of whole kinds, for others to share.
    package var informers: [GroupKind: Informer] {
        [
            Deployment.kind.groupKind: deployments, ReplicaSet.kind.groupKind: replicaSets, Pod.kind.groupKind: pods,
            Service.kind.groupKind: services, EndpointSlice.kind.groupKind: endpointSlices, Node.kind.groupKind: nodes,
            Namespace.kind.groupKind: namespaces, Endpoints.kind.groupKind: endpointsObjects,
            PodDisruptionBudget.kind.groupKind: budgets, CustomResourceDefinition.kind.groupKind: definitions,
            Lease.kind.groupKind: leases, ReplicationController.kind.groupKind: replicationControllers,
            ResourceQuota.kind.groupKind: quotas, PolicyStatusPlan.kind.groupKind: policies,
        ]
    }

    package let deployments: Informer
    package let replicaSets: Informer
    package let pods: Informer
    package let services: Informer
    package let endpointSlices: Informer
    package let nodes: Informer
    private let namespaces: Informer
    private let endpointsObjects: Informer
    private let budgets: Informer
    private let leases: Informer
    private let quotas: Informer
    private let definitions: Informer
    private let policies: Informer
    private let replicationControllers: Informer

    /// - Parameter seed: of the informers' jitter.
    package init(cluster: any Cluster, clock: any WallClock, logger: Logger, seed: UInt64 = 1) {
        self.logger = logger
        func informer(_ kind: GroupVersionKind, indexes: [String: Informer.IndexFunction] = [:]) -> Informer {
            Informer(ListQuery(kind.groupKind), of: cluster, clock: clock, seed: seed, indexes: indexes)
        }
        func recorder(_ component: String) -> EventRecorder {
            EventRecorder(component: component, cluster: cluster, clock: clock)
        }
        deployments = informer(Deployment.kind, indexes: ControllerIndex.namespaced)
        replicaSets = informer(ReplicaSet.kind, indexes: ControllerIndex.owned)
        pods = informer(Pod.kind, indexes: ControllerIndex.pods)
        services = informer(Service.kind, indexes: ControllerIndex.namespaced)
        endpointSlices = informer(EndpointSlice.kind, indexes: ControllerIndex.slices)
        nodes = informer(Node.kind)
        namespaces = informer(Namespace.kind)
        endpointsObjects = informer(Endpoints.kind)
        budgets = informer(PodDisruptionBudget.kind, indexes: ControllerIndex.namespaced)
        leases = informer(Lease.kind)
        quotas = informer(ResourceQuota.kind, indexes: ControllerIndex.namespaced)
        definitions = informer(CustomResourceDefinition.kind)
        policies = informer(PolicyStatusPlan.kind)
        replicationControllers = informer(ReplicationController.kind, indexes: ControllerIndex.owned)
        customResourceDefinitions = CustomResourceDefinitionController(
            cluster: cluster, clock: clock, definitions: definitions)
        policyStatus = PolicyStatusController(cluster: cluster, clock: clock, policies: policies)
        recorders = [
            DeploymentController.component, ReplicaSet.component, NodeLifecycleController.component, Scheduler.name,
            ReplicationController.component,
        ].map(recorder)
        deployment = DeploymentController(
            cluster: cluster, clock: clock, deployments: deployments, replicaSets: replicaSets, pods: pods,
            events: recorders[0])
        replicaSet = ReplicaSetController(
            cluster: cluster, clock: clock, owners: replicaSets, pods: pods, events: recorders[1])
        replicationController = ReplicaSetController(
            cluster: cluster, clock: clock, owners: replicationControllers, pods: pods, events: recorders[4])
        endpoints = EndpointSliceController(
            cluster: cluster, clock: clock, services: services, pods: pods, nodes: nodes, slices: endpointSlices,
            endpoints: endpointsObjects)
        disruption = DisruptionController(
            cluster: cluster, clock: clock, budgets: budgets, pods: pods,
            workloads: .init(
                replicaSets: replicaSets, deployments: deployments, replicationControllers: replicationControllers))
        resourceQuota = ResourceQuotaController(
            cluster: cluster, clock: clock, seed: seed, quotas: quotas, definitions: definitions,
            sharing: [
                Pod.kind.groupKind: pods, Service.kind.groupKind: services, Deployment.kind.groupKind: deployments,
                ReplicaSet.kind.groupKind: replicaSets,
                ReplicationController.kind.groupKind: replicationControllers,
            ])
        nodeLifecycle = NodeLifecycleController(
            cluster: cluster, clock: clock, nodes: nodes, leases: leases, pods: pods, events: recorders[2])
        scheduler = Scheduler(
            cluster: cluster, clock: clock, pods: pods, nodes: nodes, namespaces: namespaces, events: recorders[3])
    }

    /// Runs until the task is cancelled, or something fails that should not.
    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for informer in [
                deployments, replicaSets, pods, services, endpointSlices, nodes, namespaces, endpointsObjects, budgets,
                leases, definitions, replicationControllers, quotas, policies,
            ] {
                group.addTask { try await informer.run() }
            }
            for recorder in recorders { group.addTask { try await recorder.run() } }
            let report = { @Sendable [logger] (controller: String) in
                { @Sendable (subject: Any, error: any Error) in
                    logger.debug("\(controller): \(subject) is tried again: \(error)")
                }
            }
            group.addTask { try await self.deployment.run(failed: report("Deployment")) }
            group.addTask { try await self.replicaSet.run(failed: report("ReplicaSet")) }
            group.addTask {
                try await self.replicationController.run(failed: report("ReplicationController"))
            }
            group.addTask { try await self.endpoints.run(failed: report("EndpointSlice")) }
            group.addTask { try await self.disruption.run(failed: report("Disruption")) }
            group.addTask { try await self.resourceQuota.run(failed: report("ResourceQuota")) }
            group.addTask { try await self.nodeLifecycle.run(failed: report("Node lifecycle")) }
            group.addTask {
                try await self.customResourceDefinitions.run(failed: report("CustomResourceDefinition"))
            }
            group.addTask { try await self.policyStatus.run(failed: report("ValidatingAdmissionPolicy")) }
            group.addTask { try await self.scheduler.run() }
        }
    }
}
