package import Cluster
import Kinds
package import Model

/// Carries out `DisruptionPlan` for every PodDisruptionBudget whose pods changed.
package final class DisruptionController: Sendable {
    package static let component = "disruption-controller"
    static let workers = 2

    private let cluster: any Cluster
    private let clock: any WallClock
    private let budgets: Informer
    private let pods: Informer
    private let workloads: Workloads
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: component)

    /// The kinds that keep pods.
    package struct Workloads: Sendable {
        var replicaSets: Informer
        var deployments: Informer
        var replicationControllers: Informer

        package init(replicaSets: Informer, deployments: Informer, replicationControllers: Informer) {
            self.replicaSets = replicaSets
            self.deployments = deployments
            self.replicationControllers = replicationControllers
        }

        var all: [Informer] { [replicaSets, deployments, replicationControllers] }
    }

    /// - Parameters:
    ///   - budgets: with `ControllerIndex.namespaced`.
    ///   - pods: with `ControllerIndex.pods`.
    package init(
        cluster: any Cluster, clock: any WallClock, budgets: Informer, pods: Informer, workloads: Workloads
    ) {
        self.cluster = cluster
        self.clock = clock
        self.budgets = budgets
        self.pods = pods
        self.workloads = workloads
        queue = WorkQueue(clock: clock)
        budgets.onChange { [queue] in queue.add($0.key) }
        pods.onChange { [weak self] change in
            self?.podChanged(change)
        }
        for informer in workloads.all {
            informer.onChange { [weak self] change in self?.workloadChanged(change) }
        }
    }

    /// Works until the task is cancelled. The informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void = { _, _ in }) async throws {
        for informer in [budgets, pods] + workloads.all { try await informer.waitForSync() }
        await queue.run(workers: Self.workers, failed: { key, error, _ in failed(key, error) }) { key in
            try await self.sync(key)
        }
    }

    private func podChanged(_ change: ObjectChange) {
        let states = [change.old, change.new].compactMap { $0?.view(as: Pod.self) }
        for budget in budgets(in: change.key.namespace) where states.contains(where: budget.covers) {
            queue.add(budget.key)
        }
    }

    /// Only a changed number of replicas changes what a budget promises.
    private func workloadChanged(_ change: ObjectChange) {
        let replicas = [change.old, change.new].map { $0?.json[path: ["spec", "replicas"]] }
        guard replicas[0] != replicas[1] else { return }
        for budget in budgets(in: change.key.namespace) { queue.add(budget.key) }
    }

    private func budgets(in namespace: String) -> [PodDisruptionBudget] {
        budgets.objects(in: ControllerIndex.namespace, under: namespace)
    }

    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        guard let budget = budgets.get(key, as: PodDisruptionBudget.self) else { return .done }
        let covered = pods.objects(in: ControllerIndex.namespace, under: key.namespace, as: Pod.self)
            .filter { budget.covers($0) }
        var workloads: [String: DisruptionPlan.Workload] = [:]
        for pod in covered {
            guard let owner = pod.metadata.controller, workloads[owner.uid] == nil else { continue }
            workloads[owner.uid] = workload(of: owner, in: key.namespace)
        }
        let plan = DisruptionPlan(.init(budget: budget, pods: covered, workloads: workloads), now: clock.now)
        if let updated = plan.updated {
            _ = try await cluster.update(Object(viewing: updated.json), subresource: .status, options: options)
        }
        return plan.checkAgainAt.map { .again(at: $0) } ?? .done
    }

    /// What a pod's controller keeps: a ReplicaSet that belongs to a Deployment speaks for that.
    private func workload(of owner: OwnerReference, in namespace: String) -> DisruptionPlan.Workload? {
        if owner.kind == ReplicationController.kind.kind {
            let controller = found(
                ReplicationController.self, by: owner, in: namespace, workloads.replicationControllers)
            return controller.map { .init(uid: owner.uid, replicas: $0.desired) }
        }
        guard let replicaSet = found(ReplicaSet.self, by: owner, in: namespace, workloads.replicaSets) else {
            return nil
        }
        if let above = replicaSet.metadata.controller,
            let deployment = found(Deployment.self, by: above, in: namespace, workloads.deployments)
        {
            return .init(uid: above.uid, replicas: deployment.spec.replicas ?? 1)
        }
        return .init(uid: owner.uid, replicas: replicaSet.desired)
    }

    private func found<Kind: KubernetesObject>(
        _: Kind.Type, by owner: OwnerReference, in namespace: String, _ informer: Informer
    ) -> Kind? {
        informer.get(Kind.key(owner.name, in: namespace), as: Kind.self).flatMap {
            $0.metadata.uid == owner.uid ? $0 : nil
        }
    }
}
