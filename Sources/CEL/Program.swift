/// An expression that has been read, checked and made ready: evaluate it as often as needed.
///
/// Everything about it is pure: no clock, no file, no network. Evaluation always ends, since it is bounded by its cost.
package struct Program: Sendable {
    /// A name that the expression may use.
    package struct Variable: Sendable {
        package var name: String
        package var type: CELType
        /// What bounds the sizes of its values, which a type alone does not: `maxLength`, `maxItems` …
        var schema: SchemaType?

        package init(_ name: String, _ type: CELType) {
            self.name = name
            self.type = type
        }

        /// A variable for what a schema describes, or for an optional of that.
        package init(_ name: String, _ schema: SchemaType, isOptional: Bool = false) {
            self.init(name, isOptional ? .optional(schema.type) : schema.type)
            self.schema = schema
        }
    }

    /// The type of the expression's values.
    package let type: CELType
    /// The most that one evaluation may cost, by the sizes that the schema allows; `UInt64.max` where they are not
    /// bounded.
    package let estimatedCost: UInt64

    private let source: Source
    private let steps: Step
    private let variables: [String]
    private let used: Set<String>
    private let slotCount: Int

    /// Whether the expression speaks of a variable: a rule that uses `oldSelf` is a transition rule.
    package func uses(_ variable: String) -> Bool { used.contains(variable) }

    /// Reads and checks an expression.
    ///
    /// - Parameter buildsPatches: whether it may build objects and patches (`Object{}`, `JSONPatch{}`).
    /// - Throws: a `CELError` with every place that is wrong, in cel-go's words.
    package init(
        compiling text: String, variables: [Variable], buildsPatches: Bool = false
    ) throws(CELError) {
        source = Source(text)
        let expression = try Parser.parse(source)
        var types: [String: CELType] = [:]
        for variable in variables { types[variable.name] = variable.type }
        type = try Checker.check(expression, source, variables: types, buildsPatches: buildsPatches)
        self.variables = variables.map(\.name)
        used = Self.names(in: expression)
        estimatedCost = CostEstimator.estimate(expression, variables: variables).max
        var planner = Planner(variables: self.variables)
        steps = planner.plan(expression)
        slotCount = planner.slotCount
    }

    private static func names(in expression: Expression) -> Set<String> {
        var names: Set<String> = []
        if let name = expression.name { names.insert(name) }
        for child in Expression.children(of: expression.kind) { names.formUnion(Self.names(in: child)) }
        return names
    }

    /// Finds the value for these bindings; a variable without one fails where it is used.
    ///
    /// - Parameter cost: Pays for the evaluation, also where it fails.
    /// - Throws: a `CELError` whose text is what Kubernetes shows: `no such key: x`, `division by zero` …
    package func evaluate(_ bindings: [String: CELValue], cost: inout CELCost) throws(CELError) -> CELValue {
        var slots = [CELValue](repeating: .null, count: slotCount)
        for (slot, name) in variables.enumerated() {
            slots[slot] = bindings[name] ?? .error("no such attribute(s): \(name)")
        }
        var evaluator = Evaluator(slots: slots, limit: cost.callLimit)
        let value: CELValue
        do {
            value = try evaluator.evaluate(steps)
        } catch {
            try cost.pay(evaluator.cost, at: source.issue(at: 0, CELCost.outOfBudget))
            throw CELError(.cost, CELError.costExceeded, at: source.issue(at: 0, CELError.costExceeded))
        }
        try cost.pay(evaluator.cost, at: source.issue(at: 0, CELCost.outOfBudget))
        if case .error(let fault) = value {
            throw CELError(.evaluation, fault.message, at: source.issue(at: fault.offset ?? 0, fault.message))
        }
        return value
    }
}

/// What evaluations may cost, each and together.
package struct CELCost: Hashable, Sendable {
    /// Of one expression's evaluation: about a tenth of a second (`PerCallLimit`).
    package static let perCallLimit: UInt64 = 1_000_000
    /// Of all rules for one object: about a second (`RuntimeCELCostBudget`).
    package static let runtimeBudget: UInt64 = 10_000_000
    static let outOfBudget =
        "validation failed due to running out of cost budget, no further validation rules will be run"

    package var callLimit: UInt64
    /// What is left for all.
    package private(set) var remaining: UInt64
    /// What has been spent.
    package private(set) var spent: UInt64 = 0

    package init(callLimit: UInt64 = Self.perCallLimit, budget: UInt64 = Self.runtimeBudget) {
        self.callLimit = callLimit
        remaining = budget
    }

    /// Pays for what an evaluation made others evaluate: lazy fields.
    ///
    /// - Throws: a `CELError` of the stage `cost` when that is more than is left.
    package mutating func pay(_ amount: UInt64) throws(CELError) {
        try pay(amount, at: CELError.Issue(line: 1, column: 1, message: Self.outOfBudget))
    }

    fileprivate mutating func pay(_ amount: UInt64, at issue: CELError.Issue) throws(CELError) {
        spent = spent.addingSaturating(amount)
        guard amount <= remaining else {
            remaining = 0
            throw CELError(.cost, Self.outOfBudget, at: issue)
        }
        remaining -= amount
    }
}

extension Program {
    /// Whether a text can be a name in the language.
    package static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, !first.isDigit else { return false }
        return text.unicodeScalars.allSatisfy(\.isNamePart) && !Token.keywords.contains(text)
            && !Token.reserved.contains(text)
    }
}
