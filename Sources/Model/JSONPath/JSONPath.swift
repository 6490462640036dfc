/// A path through a JSON tree in the simple form of Kubernetes' columns: `.spec.replicas`,
/// `.status.conditions[?(@.type=="Ready")].status`, `.spec.containers[0].image`, `.metadata.labels['a.b/c']`.
package struct JSONPath: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case member(String)
        /// From the end, where it is negative.
        case element(Int)
        case slice(Int?, Int?)
        case all
        case filter(Filter)
    }

    /// Which elements of a list: those of which a path says something.
    struct Filter: Hashable, Sendable {
        var path: JSONPath
        /// `nil`: the path only has to lead somewhere.
        var comparison: Comparison?
    }

    struct Comparison: Hashable, Sendable {
        enum Operator: String, CaseIterable, Sendable {
            // Longer ones first, so that each is read whole.
            case equal = "==", notEqual = "!=", atMost = "<=", atLeast = ">=", less = "<", greater = ">"
        }

        var `operator`: Operator
        var value: JSON
    }

    let steps: [Step]

    /// The member names, where the path is made of nothing else.
    package var memberNames: [String]? {
        let names = steps.compactMap { if case .member(let name) = $0 { name } else { nil } }
        return names.count == steps.count ? names : nil
    }

    /// What the path leads to, in order; nothing where it leads nowhere.
    package func values(in root: JSON) -> [JSON] {
        steps.reduce([root]) { found, step in found.flatMap { Self.follow(step, from: $0) } }
    }

    private static func follow(_ step: Step, from value: JSON) -> [JSON] {
        switch (step, value) {
        case (.member(let name), .object(let object)): object[name].map { [$0] } ?? []
        case (.all, .object(let object)): object.map(\.value)
        case (.all, .array(let elements)): elements
        case (.element(let index), .array(let elements)):
            value[index < 0 ? elements.count + index : index].map { [$0] } ?? []
        case (.slice(let start, let end), .array(let elements)):
            Array(elements[Self.range(start, end, count: elements.count)])
        case (.filter(let filter), .array(let elements)): elements.filter(filter.accepts)
        default: []
        }
    }

    private static func range(_ start: Int?, _ end: Int?, count: Int) -> Range<Int> {
        let place = { (index: Int) in max(0, min(count, index < 0 ? count + index : index)) }
        let first = place(start ?? 0)
        return first..<max(first, place(end ?? count))
    }
}

extension JSONPath.Filter {
    fileprivate func accepts(_ element: JSON) -> Bool {
        guard let found = path.values(in: element).first else { return false }
        guard let comparison else { return true }
        switch comparison.operator {
        case .equal: return Self.isEqual(found, comparison.value)
        case .notEqual: return !Self.isEqual(found, comparison.value)
        case .less: return Self.order(found, comparison.value).map { $0 < 0 } ?? false
        case .greater: return Self.order(found, comparison.value).map { $0 > 0 } ?? false
        case .atMost: return Self.order(found, comparison.value).map { $0 <= 0 } ?? false
        case .atLeast: return Self.order(found, comparison.value).map { $0 >= 0 } ?? false
        }
    }

    private static func isEqual(_ left: JSON, _ right: JSON) -> Bool {
        left == right || (order(left, right).map { $0 == 0 } ?? false)
    }

    private static func order(_ left: JSON, _ right: JSON) -> Int? {
        if let left = left.double, let right = right.double { return left < right ? -1 : left == right ? 0 : 1 }
        guard let left = left.string, let right = right.string else { return nil }
        return left < right ? -1 : left == right ? 0 : 1
    }
}
