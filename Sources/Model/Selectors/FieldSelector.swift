/// A field selector: comparisons of dotted paths with texts, all of which must hold.
package struct FieldSelector: Hashable, Sendable {
    package struct Requirement: Hashable, Sendable {
        package var path: String
        package var value: String
        package var isNegated: Bool

        package init(path: String, value: String, isNegated: Bool = false) {
            self.path = path
            self.value = value
            self.isNegated = isNegated
        }
    }

    package var requirements: [Requirement]

    package init(_ requirements: [Requirement] = []) {
        self.requirements = requirements
    }

    package var isEmpty: Bool { requirements.isEmpty }

    /// The one name that matching objects have; `nil` where there may be several.
    package var name: String? { requirements.first { $0.path == "metadata.name" && !$0.isNegated }?.value }

    /// Whether `object` has those values; an absent field counts as the empty text.
    package func matches(_ object: JSON) -> Bool {
        requirements.allSatisfy { requirement in
            let path = requirement.path.split(separator: ".").map(String.init)
            let value = object[path: path]
            let text = value?.string ?? value?.int.map { String($0) } ?? value?.bool.map { String($0) } ?? ""
            return text.hasSameBytes(as: requirement.value) != requirement.isNegated
        }
    }
}
