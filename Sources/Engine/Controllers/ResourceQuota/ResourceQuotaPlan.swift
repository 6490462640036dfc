package import Kinds
package import Model

/// What the status of a ResourceQuota should say (semantics-workloads K9): its limits, and how much of each is used.
package struct ResourceQuotaPlan: Sendable {
    package struct World: Sendable {
        package var quota: ResourceQuota
        /// All objects of the quota's namespace of the kinds that it counts.
        package var objects: [CountedKind: [JSON]]

        package init(quota: ResourceQuota, objects: [CountedKind: [JSON]]) {
            self.quota = quota
            self.objects = objects
        }
    }

    /// The quota with the status to write; `nil` when it says so already.
    package let updated: ResourceQuota?

    package init(_ world: World, now: Timestamp) {
        let quota = world.quota
        let hard = QuotaAmounts(quota.spec.hard)
        // What is of no kind that is served keeps what was known of it.
        var used = QuotaAmounts(quota.status.used).only { hard[$0] != nil }
        for kind in world.objects.keys {
            for name in hard.amounts.keys where kind.counts(name) { used[name] = .zero }
        }
        for (kind, objects) in world.objects {
            for object in objects where quota.covers(object, of: kind) {
                used += kind.usage(of: object, now: now).only { hard[$0] != nil && kind.counts($0) }
            }
        }
        var result = quota
        if QuotaAmounts(quota.status.hard) != hard { result.status.hard = hard.amounts }
        if QuotaAmounts(quota.status.used) != used { result.status.used = used.amounts }
        updated = result == quota ? nil : result
    }
}

extension ResourceQuota {
    /// Whether it limits anything of a kind.
    package func limits(_ kind: CountedKind) -> Bool { spec.hard.keys.contains(where: kind.counts) }
}
