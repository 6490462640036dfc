/// The order in which clients prefer the versions of an API: `v10`, `v2`, `v1`, `v2beta1`, `v1beta2`, `v1alpha1`, and
/// then all that does not look like a version (`k8s.io/apimachinery/pkg/version`, `CompareKubeAwareVersionStrings`).
package struct VersionPriority: Comparable, Sendable {
    private enum Stability: Int {
        case other, alpha, beta, stable
    }

    private let name: String
    private var stability = Stability.other
    private var major = 0
    private var minor = 0

    package init(_ name: String) {
        self.name = name
        var rest = Substring(name)
        guard rest.popFirst() == "v", let major = Self.number(&rest) else { return }
        if rest.isEmpty {
            (stability, self.major) = (.stable, major)
            return
        }
        for (word, stability) in [("alpha", Stability.alpha), ("beta", .beta)] where rest.hasPrefix(word) {
            rest.removeFirst(word.count)
            guard let minor = Self.number(&rest), rest.isEmpty else { return }
            (self.stability, self.major, self.minor) = (stability, major, minor)
        }
    }

    private static func number(_ text: inout Substring) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        text.removeFirst(digits.count)
        return Int(digits)
    }

    /// Whether the left one is preferred.
    package static func < (left: VersionPriority, right: VersionPriority) -> Bool {
        if left.stability != right.stability { return left.stability.rawValue > right.stability.rawValue }
        if left.stability == .other { return left.name < right.name }
        return (left.major, left.minor) > (right.major, right.minor)
    }

    package static func == (left: VersionPriority, right: VersionPriority) -> Bool { left.name == right.name }
}
