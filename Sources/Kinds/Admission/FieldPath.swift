/// Where in an object a field is: `spec.template.spec.containers[0].image`, `data[a.key]`.
///
/// A path shares its beginning with the path it was made from, so that rules may make one for every field they look at
/// and pay for its text only when something is wrong.
package struct FieldPath: Sendable {
    package enum Step: Hashable, Sendable {
        case member(String)
        case index(Int)
        /// An entry of a map, written in brackets as Kubernetes does.
        case key(String)
    }

    private final class Node: Sendable {
        let parent: Node?
        let step: Step

        init(_ step: Step, in parent: Node?) {
            self.parent = parent
            self.step = step
        }
    }

    private var node: Node?

    package static let root = FieldPath(node: nil)

    private init(node: Node?) { self.node = node }

    /// A path of member names.
    package init(_ names: String...) {
        for name in names { push(.member(name)) }
    }

    package subscript(name: String) -> FieldPath { FieldPath(node: Node(.member(name), in: node)) }
    package subscript(index: Int) -> FieldPath { FieldPath(node: Node(.index(index), in: node)) }
    package func key(_ key: String) -> FieldPath { FieldPath(node: Node(.key(key), in: node)) }

    package var isRoot: Bool { node == nil }

    /// From the root on.
    package var steps: [Step] {
        var steps: [Step] = []
        var next = node
        while let current = next {
            steps.append(current.step)
            next = current.parent
        }
        return steps.reversed()
    }

    /// For walks, which go down and come back up.
    mutating func push(_ step: Step) { node = Node(step, in: node) }
    mutating func pop() { node = node?.parent }
}

extension FieldPath: Hashable {
    package static func == (left: FieldPath, right: FieldPath) -> Bool { left.steps == right.steps }
    package func hash(into hasher: inout Hasher) { hasher.combine(steps) }
}

extension FieldPath: CustomStringConvertible {
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            case .key(let key): text += "[\(key)]"
            }
        }
        return text
    }
}
