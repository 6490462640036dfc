package import Cluster
import Kinds
import Model

/// Keeps the system's own namespaces, and empties those that are being deleted (F7, F8).
package final class NamespaceController: Sendable {
    /// The namespaces that every cluster has.
    package static let systemNamespaces = ["default", "kube-node-lease", "kube-public", "kube-system"]

    private let cluster: any Cluster
    private let clock: any WallClock
    private let seed: UInt64
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: "namespace-controller")

    package init(cluster: any Cluster, clock: any WallClock, seed: UInt64 = 1) {
        self.cluster = cluster
        self.clock = clock
        self.seed = seed
        queue = WorkQueue(clock: clock)
    }

    /// Makes the system's namespaces, where they are not there yet.
    package func ensureSystemNamespaces() async throws(APIError) {
        for name in Self.systemNamespaces {
            do throws(APIError) {
                _ = try await cluster.get(Namespace.key(name))
            } catch  where error.reason == .notFound {
                _ = try await cluster.create(Object(viewing: Namespace(named: name).json), options: options)
            }
        }
    }

    /// Works until the task is cancelled.
    package func run() async throws {
        let informer = Informer(ListQuery(Namespace.kind.groupKind), of: cluster, clock: clock, seed: seed)
        informer.onChange { [queue] change in
            if change.new?.metadata.isBeingDeleted == true { queue.add(change.key) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await informer.run() }
            group.addTask {
                await self.queue.run { key in try await self.terminate(key) }
            }
            try await group.waitForAll()
        }
    }

    private func terminate(_ key: ObjectKey) async throws(APIError) -> WorkQueue<ObjectKey>.Outcome {
        do throws(APIError) {
            let namespace: Namespace = try await cluster.get(key).view()
            guard namespace.metadata.isBeingDeleted else { return .done }
            let contents = try await contents(of: key.name)
            let decision = NamespaceTerminationPlan.decide(namespace, contents: contents, now: clock.now)
            try await carryOut(decision)
            return decision.again.map { .again(at: clock.now + $0) } ?? .done
        } catch  where error.reason == .notFound {
            return .done
        }
    }

    private func contents(of namespace: String) async throws(APIError) -> [NamespaceTerminationPlan.Contents] {
        var contents: [NamespaceTerminationPlan.Contents] = []
        for type in try await cluster.resourceTypes().preferred
        where type.isNamespaced && type.verbs.contains("list") && type.verbs.contains("delete") {
            let list = try await cluster.list(ListQuery(type.kind.groupKind, namespace: namespace))
            contents.append(NamespaceTerminationPlan.Contents(type: type, objects: list.items))
        }
        return contents
    }

    private func carryOut(_ decision: NamespaceTerminationPlan.Decision) async throws(APIError) {
        for deletion in decision.deletions {
            do throws(APIError) {
                _ = try await cluster.delete(deletion.key, options: deletion.options)
            } catch  where error.reason == .notFound {
                // Somebody else was quicker.
                continue
            }
        }
        var version: String?
        if let status = decision.status {
            let written = try await cluster.update(
                Object(viewing: status.json), subresource: .status, options: options)
            version = written.metadata.resourceVersion
        }
        if var finalized = decision.finalized {
            // The status that was just written is ours; anything else that came between is a conflict.
            if let version { finalized.metadata.resourceVersion = version }
            _ = try await cluster.update(Object(viewing: finalized.json), subresource: .finalize, options: options)
        }
    }
}
