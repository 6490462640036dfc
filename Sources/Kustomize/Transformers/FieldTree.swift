import Model

/// Field specs by the steps of their paths: one walk of an object finds those that lead somewhere in it, where an edit
/// for each would walk it dozens of times for nothing.
struct FieldTree {
    private struct Node {
        var children: [(name: String, node: Int)] = []
        /// The specs that end here, by their positions.
        var specs: [Int] = []
    }

    private var nodes = [Node()]
    private let count: Int

    init(_ specs: [FieldSpec]) {
        count = specs.count
        for (position, spec) in specs.enumerated() {
            var node = 0
            for component in spec.components { node = child(component.name, of: node) }
            nodes[node].specs.append(position)
        }
    }

    private mutating func child(_ name: String, of node: Int) -> Int {
        if let known = nodes[node].children.first(where: { $0.name.hasSameBytes(as: name) }) { return known.node }
        nodes.append(Node())
        nodes[node].children.append((name, nodes.count - 1))
        return nodes.count - 1
    }

    /// The position of the first spec, not before `start`, whose field is there or whose way is blocked, which an edit
    /// has to say.
    ///
    /// - Complexity: linear in the part of the object to which the specs lead.
    func first(from start: Int, leadingInto object: JSON) -> Int? {
        var isFound = [Bool](repeating: false, count: count)
        visit(0, object, &isFound)
        return isFound[start...].firstIndex(of: true)
    }

    private func visit(_ node: Int, _ value: JSON, _ isFound: inout [Bool]) {
        for spec in nodes[node].specs { isFound[spec] = true }
        if nodes[node].children.isEmpty { return }
        switch value {
        case .null: return
        case .array(let elements):
            for element in elements { visit(node, element, &isFound) }
        case .object(let object):
            for (name, child) in nodes[node].children {
                if let value = object[name] {
                    visit(child, value, &isFound)
                } else if name.isEmpty {
                    mark(below: child, &isFound)
                }
            }
        default: mark(below: node, &isFound)
        }
    }

    private func mark(below node: Int, _ isFound: inout [Bool]) {
        for spec in nodes[node].specs { isFound[spec] = true }
        for (_, child) in nodes[node].children { mark(below: child, &isFound) }
    }
}
