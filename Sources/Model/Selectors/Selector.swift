/// A label selector: a set of requirements, all of which a set of labels must meet. The empty one matches everything.
///
/// Rules: semantics-api D9.
package struct Selector: Hashable, Sendable {
    package enum Requirement: Hashable, Sendable {
        case equals(String, String)
        case differs(String, String)
        case isIn(String, Set<String>)
        case isNotIn(String, Set<String>)
        case exists(String)
        case isAbsent(String)
        case greater(String, Int64)
        case less(String, Int64)
    }

    package var requirements: [Requirement]

    package init(_ requirements: [Requirement] = []) {
        self.requirements = requirements
    }

    /// Matches objects that carry all of `labels`.
    package init(labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map { .equals($0.key, $0.value) }
    }

    package var isEmpty: Bool { requirements.isEmpty }

    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { $0.matches { labels[$0] } }
    }

    /// The same for labels as they stand in an object, of which no dictionary is made; `nil`: it has none.
    package func matches(_ labels: JSON?) -> Bool {
        requirements.allSatisfy { $0.matches { labels?[$0]?.string } }
    }
}

extension Selector.Requirement {
    /// Negative requirements also match where the label is absent (D9).
    func matches(_ label: (String) -> String?) -> Bool {
        switch self {
        case .equals(let key, let value): label(key) == value
        case .differs(let key, let value): label(key) != value
        case .isIn(let key, let values): label(key).map(values.contains) ?? false
        case .isNotIn(let key, let values): !(label(key).map(values.contains) ?? false)
        case .exists(let key): label(key) != nil
        case .isAbsent(let key): label(key) == nil
        case .greater(let key, let bound): label(key).flatMap { Int64($0) }.map { $0 > bound } ?? false
        case .less(let key, let bound): label(key).flatMap { Int64($0) }.map { $0 < bound } ?? false
        }
    }
}
