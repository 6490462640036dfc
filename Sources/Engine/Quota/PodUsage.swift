import Kinds
import Model

/// What a pod uses (K9): itself, and what its containers ask for and may use at most.
enum PodUsage {
    private static let names: Set = [
        "count/pods", "pods", "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    ]
    /// What every container has to say if a quota limits it.
    private static let required: Set = [
        "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
    ]
    private static let computed = ["cpu", "memory", "ephemeral-storage"]
    private static let requests = "requests."
    private static let hugePages = "hugepages-"

    static func counts(_ name: String) -> Bool {
        names.contains(name) || name.hasPrefix(hugePages) || name.hasPrefix(requests + hugePages)
            || (name.hasPrefix(requests) && !ResourceName.isNative(name))
    }

    /// A pod that has ended, or should have, takes a place in the store alone.
    static func of(_ pod: Pod, now: Timestamp) -> QuotaAmounts {
        let place: QuotaAmounts = ["count/pods": Quantity(1)]
        guard !pod.isTerminal, !pod.isOverdue(at: now) else { return place }
        let spec = pod.spec
        return place
            + amounts(
                requests: total(spec, \.requests, overhead: { $1 }),
                limits: total(spec, \.limits, overhead: { limit, overhead in limit == .zero ? .zero : overhead }))
    }

    /// The names under which requests and limits are counted.
    private static func amounts(requests: QuotaAmounts, limits: QuotaAmounts) -> QuotaAmounts {
        var usage: QuotaAmounts = ["pods": Quantity(1)]
        for name in computed {
            usage[name] = requests[name]
            usage[Self.requests + name] = requests[name]
            usage["limits." + name] = limits[name]
        }
        for (name, amount) in requests.amounts {
            if name.hasPrefix(hugePages) {
                usage[name] = amount
                usage[Self.requests + name] = amount
            } else if ResourceName.isExtended(name) {
                usage[Self.requests + name] = amount
            }
        }
        return usage
    }

    /// What its containers have together; what the pod as a whole says goes before (H4). What running it costs is
    /// added.
    ///
    /// - Parameter overhead: what is added to an amount of that name.
    private static func total(
        _ spec: PodSpec, _ kind: (ResourceRequirements) -> [String: Quantity],
        overhead: (Quantity, Quantity) -> Quantity
    ) -> QuotaAmounts {
        var total = spec.total(
            { QuotaAmounts(kind($0.resources)) }, from: QuotaAmounts(), sum: +, larger: QuotaAmounts.larger)
        if let resources = spec.resources {
            for (name, amount) in kind(resources) where isOfWholePods(name) { total[name] = amount }
        }
        for (name, amount) in spec.overhead {
            let added = overhead(total[name] ?? .zero, amount)
            if added != .zero { total[name] = (total[name] ?? .zero) + added }
        }
        return total
    }

    /// What can be said of a pod as a whole.
    private static func isOfWholePods(_ name: String) -> Bool {
        name == "cpu" || name == "memory" || name.hasPrefix(hugePages)
    }

    /// Which containers do not say how much they use of what a quota limits. A pod that says it as a whole need not.
    static func fault(of spec: PodSpec, limitedBy names: [String]) -> String? {
        if let resources = spec.resources,
            resources.requests.merging(resources.limits, uniquingKeysWith: { $1 }).keys.contains(where: isOfWholePods)
        {
            return nil
        }
        let faults = Set(names).intersection(required).sorted().compactMap { name -> String? in
            let silent = (spec.containers + spec.initContainers).filter { container in
                amounts(
                    requests: QuotaAmounts(container.resources.requests),
                    limits: QuotaAmounts(container.resources.limits))[name] == nil
            }
            return silent.isEmpty ? nil : "\(name) for: \(silent.map(\.name).sorted().joined(separator: ","))"
        }
        return faults.isEmpty ? nil : "must specify \(faults.joined(separator: "; "))"
    }
}

extension Pod {
    /// Whether it should have been gone by now, such as on a node that is lost.
    fileprivate func isOverdue(at now: Timestamp) -> Bool {
        guard let end = metadata.deletionTimestamp, let grace = metadata.deletionGracePeriodSeconds else {
            return false
        }
        return now > end + .seconds(grace)
    }
}
