package import Model

/// Amounts of what quotas count, by name: `pods`, `requests.cpu`, `count/deployments.apps`.
package struct QuotaAmounts: Hashable, Sendable, CustomStringConvertible, ExpressibleByDictionaryLiteral {
    package var amounts: [String: Quantity]

    package init(_ amounts: [String: Quantity] = [:]) {
        self.amounts = amounts
    }

    package init(dictionaryLiteral elements: (String, Quantity)...) {
        amounts = Dictionary(elements) { $1 }
    }

    package subscript(name: String) -> Quantity? {
        get { amounts[name] }
        set { amounts[name] = newValue }
    }

    static func + (left: Self, right: Self) -> Self { Self(left.amounts.merging(right.amounts) { $0 + $1 }) }

    static func += (left: inout Self, right: Self) { left.amounts.merge(right.amounts) { $0 + $1 } }

    /// What is used beyond `old`: what became less frees nothing here.
    func increase(over old: Self) -> Self {
        var increase = self
        for (name, amount) in amounts {
            guard let before = old[name] else { continue }
            increase[name] = before < amount ? amount - before : .zero
        }
        return increase
    }

    var withoutZeros: Self { Self(amounts.filter { $0.value != .zero }) }

    func only(_ isIncluded: (String) -> Bool) -> Self { Self(amounts.filter { isIncluded($0.key) }) }

    /// The larger of both, name by name.
    static func larger(_ left: Self, _ right: Self) -> Self {
        Self(left.amounts.merging(right.amounts) { max($0, $1) })
    }

    /// As Kubernetes' messages list them: `cpu=500m,pods=1`.
    package var description: String {
        amounts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
