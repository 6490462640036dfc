/// Where in an object a field is: `spec.template.spec.containers[0].image`, `data[a.key]`.
package struct FieldPath: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case member(String)
        case index(Int)
        /// An entry of a map, written in brackets as Kubernetes does.
        case key(String)
    }

    package private(set) var steps: [Step]

    package static let root = FieldPath(steps: [])

    private init(steps: [Step]) { self.steps = steps }

    /// A path of member names.
    package init(_ names: String...) { steps = names.map(Step.member) }

    package subscript(name: String) -> FieldPath { appending(.member(name)) }
    package subscript(index: Int) -> FieldPath { appending(.index(index)) }
    package func key(_ key: String) -> FieldPath { appending(.key(key)) }

    private func appending(_ step: Step) -> FieldPath {
        var steps = steps
        steps.append(step)
        return FieldPath(steps: steps)
    }

    /// For walks, which go down and come back up without making a path of every node.
    mutating func push(_ step: Step) { steps.append(step) }
    mutating func pop() { steps.removeLast() }
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
