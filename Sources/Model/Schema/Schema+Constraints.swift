extension Schema {
    /// What schemas of custom resources may say of values beyond what the built-in kinds need (semantics-api I2, I4).
    package struct Constraints: Sendable {
        package let minimum: Double?
        package let maximum: Double?
        package let isMinimumExclusive: Bool
        package let isMaximumExclusive: Bool
        package let multipleOf: Double?
        package let minProperties: Int?
        package let maxProperties: Int?
        package let hasUniqueItems: Bool
        /// `x-kubernetes-validations`, as they are written.
        package let validations: [JSON]
        package internal(set) var allOf: [Schema] = []
        package internal(set) var anyOf: [Schema] = []
        package internal(set) var oneOf: [Schema] = []
        package internal(set) var not: Schema?

        init(_ node: JSON) {
            minimum = node["minimum"]?.double
            maximum = node["maximum"]?.double
            isMinimumExclusive = node["exclusiveMinimum"]?.bool ?? false
            isMaximumExclusive = node["exclusiveMaximum"]?.bool ?? false
            multipleOf = node["multipleOf"]?.double
            minProperties = (node["minProperties"]?.int).map { Int($0) }
            maxProperties = (node["maxProperties"]?.int).map { Int($0) }
            hasUniqueItems = node["uniqueItems"]?.bool ?? false
            validations = node["x-kubernetes-validations"]?.array ?? []
        }

        var isEmpty: Bool {
            minimum == nil && maximum == nil && multipleOf == nil && minProperties == nil && maxProperties == nil
                && !hasUniqueItems && validations.isEmpty && allOf.isEmpty && anyOf.isEmpty && oneOf.isEmpty
                && not == nil
        }

        static func name(of junctor: WritableKeyPath<Constraints, [Schema]>) -> String {
            switch junctor {
            case \.allOf: "allOf"
            case \.anyOf: "anyOf"
            default: "oneOf"
            }
        }
    }
}
