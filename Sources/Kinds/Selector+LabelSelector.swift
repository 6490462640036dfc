package import Model

extension Selector {
    /// The selector that a `LabelSelector` field spells out; operators that do not exist match nothing.
    package init(matching selector: LabelSelector) {
        self.init(labels: selector.matchLabels)
        for expression in selector.matchExpressions {
            switch expression.operator {
            case "In": requirements.append(.isIn(expression.key, Set(expression.values)))
            case "NotIn": requirements.append(.isNotIn(expression.key, Set(expression.values)))
            case "Exists": requirements.append(.exists(expression.key))
            case "DoesNotExist": requirements.append(.isAbsent(expression.key))
            default: requirements.append(.isIn(expression.key, []))
            }
        }
    }
}
