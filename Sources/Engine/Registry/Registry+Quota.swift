import Cluster
import Kinds
import Model
import Store
import Synchronization

/// Which namespaces have quotas: nobody else pays for them.
struct QuotaIndex {
    private var names: [String: Set<String>] = [:]

    /// - Parameter keys: of the quotas that are stored.
    init(_ keys: some Sequence<StoreKey>) {
        for key in keys { names[key.namespace, default: []].insert(key.name) }
    }

    /// The quotas of a namespace, sorted; mostly none.
    func names(in namespace: String) -> [String] { names.isEmpty ? [] : names[namespace]?.sorted() ?? [] }

    /// Notes that a quota is there, or not any more.
    mutating func note(_ key: StoreKey, isStored: Bool) {
        if isStored {
            names[key.namespace, default: []].insert(key.name)
        } else {
            names[key.namespace]?.remove(key.name)
            if names[key.namespace]?.isEmpty == true { names[key.namespace] = nil }
        }
    }
}

extension Registry {
    static let quotas = storeKind(ResourceQuota.kind.groupKind)

    /// To be called after every commit of a quota.
    func followQuota(_ key: StoreKey) {
        // Looked up under the lock: of two who follow one key, the last sees what is there.
        quotaIndex.withLock { $0.note(key, isStored: store.get(key) != nil) }
    }

    /// What has to be written together with an object, so that its namespace's quotas count it (K9). They are written
    /// only as they were when this was decided: of parallel writers, one has to decide again.
    ///
    /// - Parameters:
    ///   - object: as it is to be stored, in the request's version.
    ///   - old: as it is; `nil` for a new one.
    /// - Throws: `.forbidden` when a quota does not bear it.
    /// - Complexity: O(1) where there is no quota.
    func quotaWrites(
        for object: JSON, from old: JSON? = nil, subresource: Subresource? = nil, in namespace: String,
        _ pipeline: WritePipeline
    ) async throws(APIError) -> [Write] {
        let names = quotaIndex.withLock { $0.names(in: namespace) }
        guard !names.isEmpty, let kind = CountedKind(pipeline.strategy.type) else { return [] }
        if let old {
            guard subresource == nil || subresource == .status,
                kind.isChecked(object, from: old, isOfStatus: subresource == .status)
            else { return [] }
        }
        let charge = QuotaCharge(
            type: pipeline.strategy.type, kind: kind, object: object, old: old, now: pipeline.now)
        let keys = names.map { StoreKey(kind: Self.quotas, namespace: namespace, name: $0) }
        // With what others are just writing, so that many can write at a time.
        let latest = keys.compactMap(store.latest)
        do throws(APIError) {
            return try Self.writes(of: charge, to: latest)
        } catch {
            // That may still fail: an object is refused for what is durable alone.
            if latest.allSatisfy({ $0.revision <= store.revision }) { throw error }
            try await settle(pipeline.strategy.type)
            return try Self.writes(of: charge, to: keys.compactMap(store.get))
        }
    }

    private static func writes(of charge: QuotaCharge, to stored: [StoredObject]) throws(APIError) -> [Write] {
        let charged = try charge.charged(stored.map { ResourceQuota(viewing: $0.json) })
        return charged.compactMap { quota in
            guard let before = stored.first(where: { $0.key.name == quota.metadata.name }) else { return nil }
            return Write(before.key, .put(quota.json), if: .revision(before.revision))
        }
    }
}
