import CEL
import Model

/// The expressions that policies have in common, and those of webhooks.
extension FieldErrors {
    /// Conditions without which a request is passed over.
    mutating func checkMatchConditions(_ conditions: [JSON], hasParams: Bool, _ path: FieldPath) {
        if conditions.count > 64 { tooMany(path, conditions.count, limit: 64) }
        let environment = PolicyEnvironment(params: hasParams ? .dynamic : .none, hasVariables: false)
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let path = path[index]
            let text = condition.textMember("expression").trimmed
            if text.isEmpty {
                required(path["expression"])
            } else {
                check(text, as: [.bool], in: environment, path["expression"])
            }
            let name = condition.textMember("name")
            if name.isEmpty {
                required(path["name"])
            } else {
                invalid(path["name"], name, NameSyntax.qualifiedName(name))
                if !seen.insert(name).inserted { duplicate(path["name"], .string(name)) }
            }
        }
    }

    /// Expressions with names; those that compile are declared for the ones after them.
    mutating func checkVariables(_ variables: [JSON], _ environment: inout PolicyEnvironment, _ path: FieldPath) {
        for (index, variable) in variables.enumerated() {
            let path = path[index]
            let name = variable.textMember("name")
            if name.trimmed.isEmpty {
                required(path["name"], "name is not specified")
            } else if !Program.isIdentifier(name) {
                invalid(path["name"], .string(name), "name is not a valid CEL identifier")
            }
            let text = variable.textMember("expression")
            if text.trimmed.isEmpty {
                required(path["expression"], "expression is not specified")
            } else {
                let program = check(text, as: [], in: environment, path["expression"])
                environment.declare(name, as: program?.type)
            }
        }
    }

    /// Compiles an expression, or says why it does not.
    ///
    /// - Parameter shown: the expression as it is written, where it is not judged like that.
    @discardableResult
    mutating func check(
        _ text: String, as types: [CELType], knowsAuthorizer: Bool = true, buildsPatches: Bool = false,
        in environment: PolicyEnvironment, _ path: FieldPath, shown: String? = nil
    ) -> Program? {
        do throws(PolicyExpressionFault) {
            return try environment.compile(
                text, as: types, knowsAuthorizer: knowsAuthorizer, buildsPatches: buildsPatches)
        } catch {
            invalid(path, .string(shown ?? text), error.description)
            return nil
        }
    }
}
