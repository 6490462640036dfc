import Cluster
import Kinds
import Model

/// Checks the types of every ValidatingAdmissionPolicy's expressions, and says in its status what it found.
final class PolicyStatusController: Sendable {
    private let cluster: any Cluster
    private let policies: Informer
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: "validatingadmissionpolicy-status-controller")

    /// - Parameter policies: runs elsewhere.
    init(cluster: any Cluster, clock: any WallClock, policies: Informer) {
        self.cluster = cluster
        self.policies = policies
        queue = WorkQueue(clock: clock)
        policies.onChange { [queue] in queue.add($0.key) }
    }

    /// Works until the task is cancelled.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void) async throws {
        try await policies.waitForSync()
        await queue.run(failed: { key, error, _ in failed(key, error) }) { key in try await self.look(at: key) }
    }

    private func look(at key: ObjectKey) async throws(APIError) -> WorkQueue<ObjectKey>.Outcome {
        guard let policy = policies[key] else { return .done }
        let types = try await cluster.resourceTypes()
        guard let status = PolicyStatusPlan.applied(to: policy.json, types: types) else { return .done }
        do throws(APIError) {
            _ = try await cluster.patch(key, .apply(status, force: true), subresource: .status, options: options)
        } catch {
            // Gone meanwhile.
            guard error.reason == .notFound else { throw error }
        }
        return .done
    }
}
