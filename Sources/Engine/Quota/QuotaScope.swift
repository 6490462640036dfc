import Kinds
package import Model

extension ResourceQuota {
    /// The requirements of its scopes and of its scope selector, which must all hold.
    private var requirements: [ScopedResourceSelectorRequirement] {
        spec.scopes.map { name in
            var requirement = ScopedResourceSelectorRequirement()
            requirement.scopeName = name
            requirement.operator = "Exists"
            return requirement
        } + (spec.scopeSelector?.matchExpressions ?? [])
    }

    /// Whether the quota speaks of this object (K9). A scope that says nothing of a kind leaves all of it out.
    package func covers(_ object: JSON, of kind: CountedKind) -> Bool {
        requirements.allSatisfy { requirement in
            switch kind {
            case .pods: requirement.holds(for: Pod(viewing: object).spec)
            case .claims: requirement.holds(for: PersistentVolumeClaim(viewing: object))
            case .services, .objects: false
            }
        }
    }
}

extension ScopedResourceSelectorRequirement {
    fileprivate func holds(for spec: PodSpec) -> Bool {
        switch scopeName {
        case "Terminating": spec.isTerminating
        case "NotTerminating": !spec.isTerminating
        case "BestEffort": spec.qosClass == "BestEffort"
        case "NotBestEffort": spec.qosClass != "BestEffort"
        case "PriorityClass":
            spec.priorityClassName.flatMap { $0.isEmpty ? nil : isMet(by: $0) } ?? isMetByNothing
        case "CrossNamespacePodAffinity": spec.hasAffinityAcrossNamespaces
        default: false
        }
    }

    fileprivate func holds(for claim: PersistentVolumeClaim) -> Bool {
        guard scopeName == "VolumeAttributesClass" else { return false }
        let classes = claim.attributesClasses
        return classes.isEmpty ? isMetByNothing : classes.contains(where: isMet)
    }

    private func isMet(by value: String) -> Bool {
        switch self.operator {
        case "In": values.contains(value)
        case "NotIn": !values.contains(value)
        default: self.operator == "Exists"
        }
    }

    /// Where there is no value, it is none of those that it must not be.
    private var isMetByNothing: Bool { self.operator == "NotIn" || self.operator == "DoesNotExist" }
}

extension PodSpec {
    /// Whether its time is limited.
    var isTerminating: Bool { activeDeadlineSeconds.map { $0 >= 0 } ?? false }

    fileprivate var hasAffinityAcrossNamespaces: Bool {
        let terms =
            [affinity?.podAffinity?.json, affinity?.podAntiAffinity?.json].flatMap { rules in
                (rules?["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? [])
                    + (rules?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []).compactMap {
                        $0["podAffinityTerm"]
                    }
            }
        return terms.contains { term in
            term["namespaces"]?.array?.isEmpty == false
                || (term["namespaceSelector"].map { $0 != .null } ?? false)
        }
    }
}
