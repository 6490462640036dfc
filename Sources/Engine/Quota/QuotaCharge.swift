package import Cluster
package import Kinds
package import Model

/// The decision whether a namespace's quotas bear a write, and what they say afterwards (J10, K9; the admission plugin
/// ResourceQuota).
package struct QuotaCharge: Sendable {
    package var type: ResourceType
    package var kind: CountedKind
    package var object: JSON
    /// As it was; `nil` for a new one.
    package var old: JSON?
    package var now: Timestamp

    package init(type: ResourceType, kind: CountedKind, object: JSON, old: JSON?, now: Timestamp) {
        self.type = type
        self.kind = kind
        self.object = object
        self.old = old
        self.now = now
    }

    /// The quotas of which more is used, saying so.
    ///
    /// A quota speaks through its status: what its controller has not counted yet is not limited yet.
    ///
    /// - Throws: `.forbidden` for an object that does not say what it uses, and for more than a quota allows.
    package func charged(_ quotas: [ResourceQuota]) throws(APIError) -> [ResourceQuota] {
        var concerned: [ResourceQuota] = []
        for quota in quotas where quota.covers(object, of: kind) {
            let limited = quota.status.hard.keys.filter(kind.counts).sorted()
            if limited.isEmpty { continue }
            let name = quota.metadata.name
            if let fault = kind.fault(of: object, limitedBy: limited) {
                throw forbidden("failed quota: \(name): \(fault)")
            }
            let used = quota.status.used
            guard limited.allSatisfy({ used[$0] != nil }) else {
                throw forbidden("status unknown for quota: \(name), resources: \(limited.joined(separator: ","))")
            }
            concerned.append(quota)
        }
        if concerned.isEmpty { return [] }
        let usage = kind.usage(of: object, now: now)
        let increase = old.map { usage.increase(over: kind.usage(of: $0, now: now)) } ?? usage
        var charged: [ResourceQuota] = []
        for quota in concerned {
            // To a quota that did not speak of the object before, all that it uses is new.
            let isKnown = old.map { quota.covers($0, of: kind) } ?? false
            if let quota = try self.quota(quota, bearing: isKnown ? increase : usage) { charged.append(quota) }
        }
        return charged
    }

    /// - Returns: `nil` where the quota stays as it is.
    private func quota(_ quota: ResourceQuota, bearing usage: QuotaAmounts) throws(APIError) -> ResourceQuota? {
        let hard = QuotaAmounts(quota.status.hard)
        let used = QuotaAmounts(quota.status.used)
        let requested = usage.withoutZeros.only { hard[$0] != nil }
        if requested.amounts.isEmpty { return nil }
        let total = used + requested
        let exceeded = requested.amounts.keys.filter { name in
            guard let limit = hard[name], let amount = total[name] else { return false }
            return limit < amount
        }
        guard exceeded.isEmpty else {
            let names = Set(exceeded)
            throw forbidden(
                "exceeded quota: \(quota.metadata.name), requested: \(requested.only(names.contains)), "
                    + "used: \(used.only(names.contains)), limited: \(hard.only(names.contains))")
        }
        var charged = quota
        charged.status.used = total.amounts
        return charged
    }

    private func forbidden(_ why: String) -> APIError {
        let name = object[path: ["metadata", "name"]]?.string ?? ""
        return APIError(
            .forbidden, "\(type.qualifiedPlural) \"\(name)\" is forbidden: \(why)",
            details: APIError.Details(name: name, group: type.kind.group, kind: type.plural))
    }
}
