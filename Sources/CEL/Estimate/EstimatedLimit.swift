/// How much rules may cost by estimate, so that a CustomResourceDefinition is accepted.
package enum EstimatedLimit {
    /// Of one expression, times how often its schema can occur in an object (`StaticEstimatedCostLimit`).
    package static let perExpression: UInt64 = 10_000_000
    /// Of all the rules of a definition (`StaticEstimatedCRDCostLimit`).
    package static let perDefinition: UInt64 = 100_000_000

    /// What Kubernetes says of an estimate beyond its limit; `nil` within it.
    ///
    /// - Parameter name: `estimated rule cost`, `estimated messageExpression cost` …
    package static func fault(_ name: String, _ cost: UInt64, _ limit: UInt64) -> String? {
        guard cost > limit else { return nil }
        let factor = Double(cost) / Double(limit)
        let shown =
            factor > 100 ? "more than 100x" : "\(Decimal.fixed(factor, factor < 1.5 ? 6 : 1))x"
        return "\(name) exceeds budget by factor of \(shown) (try simplifying the rule, or adding maxItems, "
            + "maxProperties, and maxLength where arrays, maps, and strings are declared)"
    }
}
