/// What an expression can cost at most, for values as large as the schema allows (cel-go's `checker/cost.go`).
///
/// Kubernetes refuses rules by this figure: it is reckoned as it is there.
struct CostEstimator {
    private struct Local {
        var path: [String]
        var size: Estimate?
        var entry: EntrySize?
    }

    private struct EntrySize {
        var isList: Bool
        var key: Estimate
        var value: Estimate
    }

    private let roots: [String: SchemaType]
    private var paths: [ObjectIdentifier: [String]] = [:]
    private var sizes: [ObjectIdentifier: Estimate] = [:]
    private var entries: [ObjectIdentifier: EntrySize] = [:]
    private var locals: [String: [Local]] = [:]

    static func estimate(_ expression: Expression, variables: [Program.Variable]) -> Estimate {
        var roots: [String: SchemaType] = [:]
        for variable in variables { roots[variable.name] = variable.schema }
        var estimator = CostEstimator(roots: roots)
        return estimator.cost(expression)
    }

    private init(roots: [String: SchemaType]) { self.roots = roots }

    private mutating func cost(_ node: Expression) -> Estimate {
        if node.constant != nil {
            if case .identifier(let name) = node.kind { paths[ObjectIdentifier(node)] = [name] }
            return Estimate(1)
        }
        switch node.kind {
        case .literal: return .zero
        case .identifier(let name):
            paths[ObjectIdentifier(node)] = locals[name]?.last?.path ?? [name]
            return Estimate(1)
        case .select(let operand, let field, let isTest):
            let sum = cost(operand)
            if isTest { return sum }
            paths[ObjectIdentifier(node)] = path(operand) + [field]
            switch operand.type {
            case .map, .object: return sum + Estimate(1)
            default: return sum
            }
        case .call(let function, let target, let arguments): return call(node, function, target, arguments)
        case .list(let elements, _):
            var sum = Estimate(Cost.list)
            var item = Estimate(min: elements.isEmpty ? 0 : .max, max: 0)
            for element in elements {
                sum = sum + cost(element)
                item = item.union(size(element) ?? .unknown)
            }
            entries[ObjectIdentifier(node)] = EntrySize(isList: true, key: Estimate(1), value: item)
            return sum
        case .map(let members):
            var sum = Estimate(Cost.map)
            var key = Estimate(min: members.isEmpty ? 0 : .max, max: 0)
            var value = key
            for member in members {
                sum = sum + cost(member.key) + cost(member.value)
                key = key.union(size(member.key) ?? .unknown)
                value = value.union(size(member.value) ?? .unknown)
            }
            entries[ObjectIdentifier(node)] = EntrySize(isList: false, key: key, value: value)
            return sum
        case .comprehension(let fold): return comprehension(node, fold)
        }
    }

    private func path(_ node: Expression) -> [String] {
        if let name = node.name, let local = locals[name]?.last { return local.path }
        return paths[ObjectIdentifier(node)] ?? []
    }

    private func entry(_ node: Expression) -> EntrySize? {
        if let known = entries[ObjectIdentifier(node)] { return known }
        return node.name.flatMap { locals[$0]?.last?.entry }
    }

    private mutating func size(_ node: Expression) -> Estimate? {
        if let known = sizes[ObjectIdentifier(node)] { return known }
        switch node.kind {
        case .literal(.string(let text)): return Estimate(UInt64(text.scalarCount))
        case .literal(.bytes(let bytes)): return Estimate(UInt64(bytes.count))
        case .literal: return Estimate(1)
        case .list(let elements, _): return Estimate(UInt64(elements.count))
        case .map(let members): return Estimate(UInt64(members.count))
        default: break
        }
        if let declared = declaredSize(path(node)) {
            sizes[ObjectIdentifier(node)] = declared
            return declared
        }
        if node.type.isScalar { return Estimate(1) }
        return node.name.flatMap { locals[$0]?.last?.size }
    }

    /// What the schema says at a path. Kubernetes looks at what follows its first name alone, whatever that is: so the
    /// types in `type(self.size) == int` are as large as the value that the rule is about, which an object is not.
    private func declaredSize(_ path: [String]) -> Estimate? {
        guard let first = path.first, !first.hasPrefix("@"), var type = roots[first] ?? roots["self"] else {
            return nil
        }
        for part in path.dropFirst() {
            switch (part, type.shape) {
            case ("@items", .list(let element, _)): type = element
            case ("@values", .map(let value)): type = value
            case ("@keys", .map): return Estimate(min: 0, max: UInt64(SchemaType.maxRequestSize))
            default:
                guard let field = type.field(part) else { return nil }
                type = field.type
            }
        }
        return Estimate(min: 0, max: UInt64(type.maxElements))
    }

    private mutating func node(_ expression: Expression) -> EstimatedNode {
        var path: [String]? = path(expression)
        if path?.first?.hasPrefix("@") ?? true { path = nil }
        var literal: CELValue?
        if case .literal(let value) = expression.kind { literal = value }
        return EstimatedNode(
            type: expression.type, path: path, computedSize: size(expression), literal: literal)
    }

    private mutating func call(
        _ node: Expression, _ function: String, _ target: Expression?, _ arguments: [Expression]
    ) -> Estimate {
        if function == "dyn", target == nil {
            let sum = cost(arguments[0]) + Estimate(1)
            sizes[ObjectIdentifier(node)] = size(arguments[0])
            entries[ObjectIdentifier(node)] = entry(arguments[0])
            return sum
        }
        let argumentCosts = arguments.map { self.cost($0) }
        let nodes = arguments.map { self.node($0) }
        if node.overloads.isEmpty { return .zero }
        var sum = Estimate.zero
        var targetNode: EstimatedNode?
        if node.resolved == nil, let target {
            sum = sum + cost(target)
            targetNode = self.node(target)
        }
        let name = node.resolved ?? function
        var cost = Estimate(min: .max, max: 0)
        var resultSize: Estimate?
        for overload in node.overloads {
            let found = estimate(node, name, overload.id, targetNode, nodes, arguments, argumentCosts)
            cost = cost.union(found.cost)
            if let size = found.size { resultSize = resultSize?.union(size) ?? size }
            if overload.id == "index_list" || overload.id == "index_map" {
                resultSize = entry(arguments[0])?.value
                let part = overload.id == "index_list" ? "@items" : "@values"
                paths[ObjectIdentifier(node)] = path(arguments[0]) + [part]
            }
            if resultSize == nil { resultSize = size(node) }
        }
        if let resultSize { sizes[ObjectIdentifier(node)] = resultSize }
        return sum + cost
    }

    private mutating func estimate(
        _ node: Expression, _ function: String, _ id: String, _ target: EstimatedNode?, _ arguments: [EstimatedNode],
        _ expressions: [Expression], _ costs: [Estimate]
    ) -> CallEstimate {
        switch function {
        case "_&&_", "_||_": return CallEstimate(cost: Estimate(min: costs[0].min, max: (costs[0] + costs[1]).max))
        case "_?_:_":
            let size = (arguments[1].computedSize ?? .unknown).union(arguments[2].computedSize ?? .unknown)
            entries[ObjectIdentifier(node)] = union(entry(expressions[1]), entry(expressions[2]))
            return CallEstimate(cost: costs[0] + costs[1].union(costs[2]), size: size)
        case "_+_" where ["add_string", "add_bytes", "add_list"].contains(id):
            if let joined = union(entry(expressions[0]), entry(expressions[1])) {
                entries[ObjectIdentifier(node)] = joined
            }
        default: break
        }
        var found = LibraryEstimates(declaredSize: declaredSize).estimate(function, id, target, arguments)
        for cost in costs { found.cost = found.cost + cost }
        return found
    }

    private func union(_ left: EntrySize?, _ right: EntrySize?) -> EntrySize? {
        guard let left, let right else { return nil }
        return EntrySize(
            isList: left.isList, key: left.key.union(right.key), value: left.value.union(right.value))
    }

    private mutating func comprehension(_ node: Expression, _ fold: Expression.Comprehension) -> Estimate {
        var sum = cost(fold.range) + cost(fold.initial)
        let isBinding = fold.variable == "#unused"
        let initialSize = size(fold.initial)
        push(fold.accumulator, Local(path: path(fold.initial), size: initialSize, entry: entry(fold.initial)))
        if isBinding {
            sum = sum + cost(fold.result)
            locals[fold.accumulator]?.removeLast()
            sizes[ObjectIdentifier(node)] = size(fold.result)
            entries[ObjectIdentifier(node)] = entry(fold.result)
            return sum
        }
        pushIterated(fold)
        let loop = cost(fold.condition) + cost(fold.step)
        locals[fold.variable]?.removeLast()
        if let second = fold.second { locals[second]?.removeLast() }
        sum = sum + cost(fold.result)
        locals[fold.accumulator]?.removeLast()
        let count = size(fold.range) ?? .unknown
        sum = sum + count * loop
        switch fold.initial.kind {
        case .literal: sizes[ObjectIdentifier(node)] = initialSize
        case .list, .map:
            sizes[ObjectIdentifier(node)] = count
            if let entry = entry(fold.step) { entries[ObjectIdentifier(node)] = entry }
        default: break
        }
        return sum
    }

    private mutating func push(_ name: String, _ local: Local) { locals[name, default: []].append(local) }

    private mutating func pushIterated(_ fold: Expression.Comprehension) {
        let entry = entry(fold.range)
        var isList = entry?.isList ?? false
        if entry == nil, case .list = fold.range.type { isList = true }
        let base = path(fold.range)
        if let second = fold.second {
            push(fold.variable, Local(path: base + [isList ? "@indices" : "@keys"], size: entry?.key))
            push(second, Local(path: base + [isList ? "@items" : "@values"], size: entry?.value))
        } else {
            let size = isList ? entry?.value : entry?.key
            push(fold.variable, Local(path: base + [isList ? "@items" : "@keys"], size: size))
        }
    }
}
