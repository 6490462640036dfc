/// What calls can cost, without their arguments: cel-go's figures, and Kubernetes' for its own functions.
struct LibraryEstimates {
    /// The size of what is at a path, as the schema declares it.
    let declaredSize: ([String]) -> Estimate?

    private func size(_ node: EstimatedNode) -> Estimate {
        node.computedSize ?? node.path.flatMap(declaredSize) ?? .unknown
    }

    private func traversal(_ node: EstimatedNode, _ factor: Double = 1) -> Estimate {
        size(node).scaled(factor * Cost.traversal)
    }

    func estimate(
        _ function: String, _ id: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode]
    ) -> CallEstimate {
        if let found = ofLists(function, id, target, arguments) { return found }
        if let found = ofTexts(function, target, arguments) { return found }
        if let found = ofKubernetes(function, id, target, arguments) { return found }
        return ofLanguage(function, id, target, arguments)
    }

    private func ofLanguage(
        _ function: String, _ id: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode]
    ) -> CallEstimate {
        switch function {
        case "format" where target != nil: return CallEstimate(cost: traversal(target!))
        case "bytes" where id == "string_to_bytes":
            let from = size(arguments[0])
            return CallEstimate(
                cost: traversal(arguments[0]), size: Estimate(min: from.min, max: Cost.multiply(from.max, 4)))
        case "string" where id == "bytes_to_string":
            let from = size(arguments[0])
            return CallEstimate(cost: traversal(arguments[0]), size: Estimate(min: from.min / 4, max: from.max))
        case "strings.quote":
            let from = size(arguments[0])
            return CallEstimate(
                cost: traversal(arguments[0]),
                size: Estimate(
                    min: from.min.addingSaturating(2), max: Cost.multiply(from.max, 2).addingSaturating(2)))
        case "startsWith", "endsWith": return CallEstimate(cost: traversal(arguments[0]))
        case "@in" where id == "in_list": return CallEstimate(cost: size(arguments[1]))
        case "matches":
            let text = target ?? arguments[0]
            return CallEstimate(cost: matching(text, arguments[arguments.count - 1]))
        case "contains" where target != nil:
            return CallEstimate(cost: traversal(target!) * traversal(arguments[0]))
        case "_+_" where ["add_string", "add_bytes", "add_list"].contains(id):
            let sum = size(arguments[0]) + size(arguments[1])
            return CallEstimate(cost: id == "add_list" ? Estimate(1) : sum.scaled(Cost.traversal), size: sum)
        case "_==_", "_!=_": return CallEstimate(cost: equality(function, arguments))
        case "_<_", "_<=_", "_>_", "_>=_":
            let isText = id.hasSuffix("_string") || id.hasSuffix("_bytes")
            return CallEstimate(cost: isText ? comparison(arguments) : Estimate(1))
        default: return CallEstimate(cost: Estimate(1))
        }
    }

    private func matching(_ text: EstimatedNode, _ pattern: EstimatedNode) -> Estimate {
        (size(text) + Estimate(1)).scaled(Cost.traversal) * size(pattern).scaled(Cost.pattern)
    }

    private func equality(_ function: String, _ arguments: [EstimatedNode]) -> Estimate {
        if function == "_==_", arguments[0].type == arguments[1].type, case .opaque(let name) = arguments[0].type {
            switch name {
            case "net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver": return Estimate(1)
            case "kubernetes.NamedFormat": return Estimate(min: 1, max: 64).scaled(Cost.traversal)
            case "kubernetes.URL":
                let most = arguments[0].computedSize.map { $0.union(arguments[1].computedSize ?? $0) }
                return Estimate(min: 1, max: most?.max ?? 1).scaled(Cost.traversal)
            default: break
            }
        }
        return comparison(arguments)
    }

    private func comparison(_ arguments: [EstimatedNode]) -> Estimate {
        let most = min((arguments[0].computedSize ?? .unknown).max, (arguments[1].computedSize ?? .unknown).max)
        return Estimate(min: most > 0 ? 1 : 0, max: most).scaled(Cost.traversal)
    }

    private func ofTexts(_ function: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode]) -> CallEstimate? {
        switch function {
        case "url": return CallEstimate(cost: traversal(arguments[0]), size: size(arguments[0]))
        case "lowerAscii", "upperAscii", "substring", "trim":
            return target.map { CallEstimate(cost: traversal($0), size: size($0)) }
        case "replace":
            guard let target, arguments.count >= 2 else { return nil }
            return CallEstimate(
                cost: traversal(target, 2), size: replaced(size(target), size(arguments[0]), size(arguments[1])))
        case "split":
            guard let target else { return nil }
            var most = size(target).max
            if arguments.count > 1, case .int(let limit)? = arguments[1].literal {
                most = UInt64(bitPattern: limit)
            }
            return CallEstimate(cost: traversal(target, 2), size: Estimate(min: 0, max: most))
        case "join":
            guard let target else { return nil }
            let list = size(target)
            var joined = Estimate.zero
            if let element = element(of: target) { joined = list * size(element) }
            if let separator = arguments.first {
                let separators = Estimate(min: max(list.min, 1) - 1, max: max(list.max, 1) - 1)
                joined = joined + size(separator) * separators
            }
            return CallEstimate(cost: joined.scaled(Cost.traversal), size: joined)
        case "find", "findAll":
            guard let target else { return nil }
            return CallEstimate(
                cost: matching(target, arguments[0]), size: Estimate(min: 0, max: size(target).max))
        default: return nil
        }
    }

    /// How large a text can be after replacements.
    private func replaced(_ text: Estimate, _ old: Estimate, _ new: Estimate) -> Estimate {
        var count = Estimate.zero
        var kept = Estimate.zero
        if old.min == 0 {
            count.max = text.max.addingSaturating(1)
            kept.max = text.max
        } else if new.max <= old.min {
            kept.max = text.max
        } else {
            count.max = Cost.scaled(text.max, 1 / Double(old.min))
        }
        if old.max == 0 {
            count.min = text.min.addingSaturating(1)
            kept.min = text.min
        } else if old.max <= new.min {
            kept.min = text.min
        } else {
            count.min = Cost.scaled(text.min, 1 / Double(old.max))
        }
        return count * new + kept
    }

    private func element(of list: EstimatedNode) -> EstimatedNode? {
        let type: CELType
        switch list.type {
        case .list(let element): type = element
        case .map(let key, _): type = key
        default: return nil
        }
        return EstimatedNode(type: type, path: list.path.map { $0 + ["@items"] })
    }

    private func ofLists(
        _ function: String, _ id: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode]
    ) -> CallEstimate? {
        func allocating(_ size: Estimate, _ factor: Double) -> CallEstimate {
            CallEstimate(cost: size.scaled(factor) + Estimate(1 + Cost.list), size: size)
        }
        func number(_ node: EstimatedNode, _ other: UInt64) -> UInt64 {
            if case .int(let value)? = node.literal, value >= 0 { UInt64(value) } else { other }
        }
        let isText = id.contains("_string_") || id.contains("_bytes_")
        switch function {
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf":
            guard let target else { return nil }
            guard let element = element(of: target) else { return CallEstimate(cost: traversal(target)) }
            var each = Estimate(1)
            if element.type == .string || element.type == .bytes { each = each + traversal(element) }
            return CallEstimate(cost: size(target) * each)
        case "slice" where target != nil:
            let start = number(arguments[0], 0)
            let end = number(arguments[1], size(target!).max)
            return allocating(Estimate(end > start ? end - start : 0), 1)
        case "lists.range": return allocating(Estimate(number(arguments[0], .max)), 1)
        case "reverse" where target != nil: return allocating(size(target!), 1)
        case "flatten" where target != nil:
            let depth = arguments.isEmpty ? 1 : number(arguments[0], .max)
            return allocating(size(target!), Double(depth))
        case "distinct" where target != nil: return allocating(size(target!) * size(target!), 2)
        case "sort" where target != nil: return allocating(size(target!) * size(target!), isText ? 2.1 : 2)
        case "@sortByAssociatedKeys":
            return allocating(size(arguments[0]) * size(arguments[0]), isText ? 2.1 : 2)
        case "sets.contains", "sets.intersects", "sets.equivalent":
            let product = size(arguments[0]) * size(arguments[1])
            return CallEstimate(cost: product.scaled(function == "sets.equivalent" ? 2 : 1) + Estimate(1))
        default: return nil
        }
    }

    private func ofKubernetes(
        _ function: String, _ id: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode]
    ) -> CallEstimate? {
        switch function {
        case "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver":
            return CallEstimate(cost: traversal(arguments[0]))
        case "ip": return CallEstimate(cost: id == "cidr_ip" ? Estimate(1) : traversal(arguments[0]))
        case "ip.isCanonical": return CallEstimate(cost: traversal(arguments[0], 2))
        case "containsIP", "containsCIDR":
            let address = Estimate(min: 4, max: 16)
            var cost = (address + address).scaled(Cost.traversal)
            if function == "containsCIDR" { cost = cost + address.scaled(Cost.traversal) + Estimate(1) }
            if id.hasSuffix("_string") { cost = cost + traversal(arguments[0]) }
            return CallEstimate(cost: cost)
        case "validate":
            return CallEstimate(cost: traversal(arguments[0]).scaled(128 * Cost.pattern))
        default: return nil
        }
    }
}
