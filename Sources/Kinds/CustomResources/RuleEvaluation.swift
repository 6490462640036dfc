import CEL
import Model

/// Evaluates the validation rules of a custom resource (semantics-api I4).
struct RuleEvaluation {
    private var errors: [FieldError] = []
    /// Whether what was broken before and is as it was is tolerated.
    private let isTolerant: Bool
    private var cost = CELCost()
    private var isExhausted = false
    private static let longestMessage = 5 * 1024

    static func errors(_ value: JSON, old: JSON?, _ rules: ValidationRules) -> [FieldError] {
        var evaluation = RuleEvaluation(isTolerant: true)
        return evaluation.evaluated(value, old: old, rules, at: .root)
    }

    init(isTolerant: Bool) {
        self.isTolerant = isTolerant
    }

    /// What is wrong with one more value, whose rules may cost what those before it have left.
    mutating func evaluated(_ value: JSON, old: JSON?, _ rules: ValidationRules, at path: FieldPath) -> [FieldError] {
        errors = []
        evaluate(value, old: old, rules, path)
        return errors
    }

    private mutating func evaluate(_ value: JSON, old: JSON?, _ rules: ValidationRules, _ path: FieldPath) {
        if value.isNull || isExhausted { return }
        let old = old.flatMap { $0.isNull ? nil : $0 }
        if !rules.rules.isEmpty { evaluateRules(value, old, rules, path) }
        switch value {
        case .object(let object):
            let earlier = rules.schema.isAtomicMap ? nil : old
            for member in object {
                if let property = rules.properties[member.key] {
                    evaluate(member.value, old: earlier?[member.key], property, path[member.key])
                } else if rules.schema.property(member.key) == nil, let values = rules.additionalProperties {
                    evaluate(member.value, old: earlier?[member.key], values, path.key(member.key))
                }
            }
        case .array(let elements):
            guard let items = rules.items else { return }
            let earlier = CorrelatedItems(old?.array ?? [], rules.schema)
            for (index, element) in elements.enumerated() {
                evaluate(element, old: earlier[element], items, path[index])
            }
        default: return
        }
    }

    private mutating func evaluateRules(_ value: JSON, _ old: JSON?, _ rules: ValidationRules, _ path: FieldPath) {
        let typed = CELValue(value, type: rules.type)
        let typedOld = old.map { CELValue($0, type: rules.type) }
        let shown = JSON.string(rules.schema.type?.rawValue ?? "")
        for rule in rules.rules where !isExhausted {
            // Transition rules hold between two values.
            if rule.usesOldSelf, old == nil, !rule.hasOptionalOldSelf { continue }
            var bindings = ["self": typed]
            bindings["oldSelf"] = rule.hasOptionalOldSelf ? .optional(typedOld) : typedOld
            let isTolerated = isTolerant && !rule.usesOldSelf && old == value
            let text = Self.name(of: rule)
            do throws(CELError) {
                if case .bool(true) = try rule.program.evaluate(bindings, cost: &cost) { continue }
            } catch {
                fail(FieldError(.invalid, at: path, value: shown, detail: describe(error, text)), path)
                continue
            }
            let message = message(of: rule, bindings, path, shown)
            if isTolerated || isExhausted { continue }
            let place = Self.place(of: rule, in: path)
            fail(Self.failure(of: rule, place, shown, message), place)
        }
    }

    /// What the rule is called in texts: its message, or else itself.
    private static func name(of rule: ValidationRules.Rule) -> String {
        let message = rule.json.textMember("message")
        return (message.isEmpty ? rule.json.textMember("rule") : message).trimmed
    }

    private mutating func describe(_ error: CELError, _ rule: String) -> String {
        if error.stage == .cost {
            isExhausted = true
            guard error.description.hasPrefix("operation cancelled") else { return error.description }
            return
                "'\(error)': no further validation rules will be run due to call cost exceeds limit for rule: \(rule)"
        }
        if error.description.hasPrefix("no such overload") {
            return
                "'\(error)': call arguments did not match a supported operator, function or macro signature for rule: "
                + rule
        }
        return "\(error) evaluating rule: \(rule)"
    }

    private mutating func message(
        of rule: ValidationRules.Rule, _ bindings: [String: CELValue], _ path: FieldPath, _ shown: JSON
    ) -> String {
        let written = rule.json.textMember("message")
        let usual = written.isEmpty ? "failed rule: \(Self.name(of: rule))" : written.trimmed
        guard let program = rule.message else { return usual }
        do throws(CELError) {
            guard case .string(let text) = try program.evaluate(bindings, cost: &cost) else { return usual }
            let message = text.trimmed
            let isUsable =
                !message.isEmpty && message.utf8.count <= Self.longestMessage
                && !message.unicodeScalars.contains { $0 == "\n" || $0 == "\r" }
            return isUsable ? message : usual
        } catch {
            if error.stage == .cost {
                isExhausted = true
                fail(FieldError(.invalid, at: path, value: shown, detail: error.description), path)
            }
            return usual
        }
    }

    /// `fieldPath` leads from the rule's own place to where its failure is told.
    private static func place(of rule: ValidationRules.Rule, in path: FieldPath) -> FieldPath {
        guard let names = JSONPath(rule.json.textMember("fieldPath"))?.memberNames else { return path }
        return names.reduce(path) { $0[$1] }
    }

    private static func failure(
        of rule: ValidationRules.Rule, _ path: FieldPath, _ shown: JSON, _ message: String
    ) -> FieldError {
        switch rule.json.textMember("reason") {
        case "FieldValueForbidden": FieldError(.forbidden, at: path, detail: message)
        case "FieldValueRequired": FieldError(.required, at: path, detail: message)
        case "FieldValueDuplicate": FieldError(.duplicate, at: path, value: shown)
        default: FieldError(.invalid, at: path, value: shown, detail: message)
        }
    }

    /// Of the root, Kubernetes' texts have no better name.
    private mutating func fail(_ error: FieldError, _ path: FieldPath) {
        var error = error
        if path.isRoot { error.path = "<nil>" }
        errors.append(error)
    }
}
