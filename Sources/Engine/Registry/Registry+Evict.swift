package import Cluster
import Kinds
package import Model
import Store

extension Registry {
    /// Deletes a pod if its disruption budget bears that (semantics-workloads K8).
    ///
    /// The budget's account and the pod's mark are written together, under the condition that both are still what the
    /// decision was made on, so that two evictions at once cannot spend one budget twice.
    ///
    /// - Throws: `.tooManyRequests` while the budget forbids it.
    package func evict(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) {
        let strategy = try strategy(of: Pod.kind.groupKind, version: options.version)
        let type = strategy.type
        let now = Timestamp(seconds: clock.now.seconds)
        try checkPolicies(type.kind.groupKind, warnings: options.warnings) {
            var request = AdmissionRequest(
                .create, type, object: Eviction.json(of: key, options), old: nil, dryRun: options.dryRun,
                by: options.requester, options: ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"])
            request.kind = Eviction.kind
            request.subresource = "eviction"
            return request
        }
        while true {
            let snapshot = store.snapshot
            guard let current = snapshot.get(Self.storeKey(key, strategy)) else {
                throw .notFound(type.plural, name: key.name)
            }
            if let refusal = Deletion.refusal(current.json, options: options) {
                throw .conflict(type.plural, name: key.name, because: refusal)
            }
            let pod = Pod(viewing: current.json)
            let budgets = snapshot.list(
                kind: Self.storeKind(PodDisruptionBudget.kind.groupKind), namespace: key.namespace)
            let eviction = try Eviction.of(
                pod, budgets: budgets.map { PodDisruptionBudget(viewing: $0.json) }, now: now)
            if options.dryRun { return }
            var writes = [
                Write(current.key, .put(Eviction.marked(pod, now: now).json), if: .revision(current.revision))
            ]
            if case .charged(let budget) = eviction,
                let stored = budgets.first(where: { $0.key.name == budget.metadata.name })
            {
                writes.append(Write(stored.key, .put(budget.json), if: .revision(stored.revision)))
            }
            do throws(StoreError) {
                try await store.commit(writes)
            } catch {
                guard case .conflict = error else { throw APIError(error, type: type, name: key.name) }
                try await settle(type)
                continue
            }
            var deletion = options
            // The mark has given it a new version; it is still the same pod.
            deletion.uid = pod.metadata.uid
            deletion.resourceVersion = nil
            _ = try await delete(key, options: deletion, isAdmitted: true)
            return
        }
    }
}
