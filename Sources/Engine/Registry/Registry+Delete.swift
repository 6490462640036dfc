package import Cluster
package import Kinds
package import Model
import Store

extension Registry {
    /// Marks or removes an object (C15–C19, F1–F3); answers it as it is left.
    package func delete(_ key: ObjectKey, options: DeleteOptions) async throws(APIError) -> Object {
        try await delete(key, options: options, isAdmitted: false)
    }

    /// - Parameter isAdmitted: policies have judged the request already, as that of an eviction.
    func delete(_ key: ObjectKey, options: DeleteOptions, isAdmitted: Bool) async throws(APIError) -> Object {
        let strategy = try strategy(of: key.kind, version: options.version)
        let type = strategy.type
        if let refusal = Admission.refusalToDelete(key) {
            throw APIError(
                .forbidden, "\(type.qualifiedPlural) \"\(key.name)\" is forbidden: \(refusal)",
                details: APIError.Details(name: key.name, group: key.kind.group, kind: type.plural))
        }
        while true {
            guard let current = store.get(Self.storeKey(key, strategy)) else {
                throw .notFound(type.plural, group: type.kind.group, name: key.name)
            }
            if let refusal = Deletion.refusal(current.json, options: options) {
                throw .conflict(type.plural, group: type.kind.group, name: key.name, because: refusal)
            }
            if !isAdmitted {
                try checkPolicies(type.kind.groupKind, warnings: options.warnings) {
                    AdmissionRequest(
                        .delete, type, object: nil, old: Object(current, as: strategy).json, dryRun: options.dryRun,
                        by: options.requester, options: options.json)
                }
            }
            let deletion = Deletion.of(
                current.json, kind: key.kind, options: options, now: Timestamp(seconds: clock.now.seconds))
            do throws(StoreError) {
                return try await carryOut(deletion, on: current, strategy, dryRun: options.dryRun)
            } catch {
                // Decide again on what somebody else made of it; a version that was asked for is checked anew.
                guard case .conflict = error else { throw APIError(error, type: type, name: key.name) }
                try await settle(type)
            }
        }
    }

    private func carryOut(
        _ deletion: Deletion, on current: StoredObject, _ strategy: KindStrategy, dryRun: Bool
    ) async throws(StoreError) -> Object {
        switch deletion {
        case .pending: return Object(current, as: strategy)
        case .mark(let marked):
            if dryRun { return Object(viewing: strategy.served(marked) ?? marked) }
            return Object(try await commit(.put(marked), over: current), as: strategy)
        case .remove:
            if dryRun { return Object(current, as: strategy) }
            let removed = try await commit(.delete, over: current)
            releaseUnused(from: current.json, to: nil)
            return Object(removed, as: strategy)
        }
    }

    /// Deletes what a query finds, one by one (C18); answers what it found.
    package func deleteCollection(
        _ query: ListQuery, options: DeleteOptions
    ) async throws(APIError) -> ObjectList {
        let found = try await list(query)
        // Whoever names what must stay is told; here it is left out.
        for object in found.items where Admission.refusalToDelete(object.key) == nil {
            do {
                _ = try await delete(object.key, options: options)
            } catch  where error.reason == .notFound {
                // Somebody else was quicker.
                continue
            }
        }
        return found
    }
}
