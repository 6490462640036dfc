package import Cluster
import HashTreeCollections
import Kinds
import Model
import Synchronization

/// Keeps in every namespace what `NamespaceDefaultsPlan` says.
package final class NamespaceDefaultsController: Sendable {
    private let cluster: any Cluster
    private let queue: WorkQueue<ObjectKey>
    private let namespaces: Informer
    private let serviceAccounts: Informer
    private let authorities: Informer
    private let certificate = Mutex<String?>(nil)

    package init(cluster: any Cluster, clock: any WallClock, seed: UInt64 = 1) {
        self.cluster = cluster
        queue = WorkQueue(clock: clock)
        let named = { (kind: GroupKind, name: String) in
            var query = ListQuery(kind)
            query.fields.requirements = [FieldSelector.Requirement(path: "metadata.name", value: name)]
            return Informer(query, of: cluster, clock: clock, seed: seed)
        }
        namespaces = Informer(ListQuery(Namespace.kind.groupKind), of: cluster, clock: clock, seed: seed)
        serviceAccounts = named(ServiceAccount.kind.groupKind, NamespaceDefaultsPlan.serviceAccount)
        authorities = named(ConfigMap.kind.groupKind, NamespaceDefaultsPlan.authority)
    }

    /// Says whose certificate clients are to trust.
    package func publish(authority certificate: String) {
        self.certificate.withLock { $0 = certificate }
        for key in namespaces.snapshot.keys { queue.add(key) }
    }

    /// Works until the task is cancelled.
    package func run() async throws {
        namespaces.onChange { [queue] change in
            if change.new != nil { queue.add(change.key) }
        }
        for informer in [serviceAccounts, authorities] {
            informer.onChange { [queue] change in
                if change.new == nil || change.old != nil { queue.add(Namespace.key(change.object.metadata.namespace)) }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for informer in [namespaces, serviceAccounts, authorities] {
                group.addTask { try await informer.run() }
            }
            group.addTask {
                for informer in [self.namespaces, self.serviceAccounts, self.authorities] {
                    try await informer.waitForSync()
                }
                await self.queue.run { key in try await self.complete(key) }
            }
            try await group.waitForAll()
        }
    }

    private func complete(_ key: ObjectKey) async throws(APIError) -> WorkQueue<ObjectKey>.Outcome {
        guard let namespace: Namespace = namespaces.get(key) else { return .done }
        let name = key.name
        let actions = NamespaceDefaultsPlan.decide(
            namespace,
            serviceAccount: serviceAccounts.get(ServiceAccount.key(NamespaceDefaultsPlan.serviceAccount, in: name)),
            authority: authorities.get(ConfigMap.key(NamespaceDefaultsPlan.authority, in: name)),
            certificate: certificate.withLock { $0 })
        for action in actions {
            do throws(APIError) {
                try await carryOut(action)
            } catch {
                // It is there already, or its namespace goes: both will be told.
                guard [.alreadyExists, .forbidden, .notFound].contains(error.reason) else { throw error }
            }
        }
        return .done
    }

    private func carryOut(_ action: NamespaceDefaultsPlan.Action) async throws(APIError) {
        switch action {
        case .createServiceAccount(let account):
            _ = try await cluster.create(
                Object(viewing: account.json), options: WriteOptions(fieldManager: "service-account-controller"))
        case .createAuthority(let map):
            _ = try await cluster.create(Object(viewing: map.json), options: Self.publisher)
        case .updateAuthority(let map):
            _ = try await cluster.update(Object(viewing: map.json), subresource: nil, options: Self.publisher)
        }
    }

    private static let publisher = WriteOptions(fieldManager: "root-ca-certificate-publisher")
}
