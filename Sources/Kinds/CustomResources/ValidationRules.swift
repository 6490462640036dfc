import CEL
import Model

/// `x-kubernetes-validations` of a schema and of all that is in it, compiled (semantics-api I4).
final class ValidationRules: Sendable {
    struct Rule: Sendable {
        /// As it is written.
        let json: JSON
        let program: Program
        let message: Program?
        let usesOldSelf: Bool

        /// Whether it is evaluated where there is no old value, too.
        var hasOptionalOldSelf: Bool { json["optionalOldSelf"]?.bool ?? false }
    }

    let rules: [Rule]
    /// What expressions see of such values.
    let type: SchemaType
    let schema: Schema
    let properties: [String: ValidationRules]
    let items: ValidationRules?
    let additionalProperties: ValidationRules?

    private init(
        rules: [Rule], type: SchemaType, schema: Schema, properties: [String: ValidationRules],
        items: ValidationRules?, additionalProperties: ValidationRules?
    ) {
        self.rules = rules
        self.type = type
        self.schema = schema
        self.properties = properties
        self.items = items
        self.additionalProperties = additionalProperties
    }

    /// The rules of a whole resource; `nil` where there are none.
    ///
    /// - Parameters:
    ///   - schema: without the metadata that all resources have, of which rules see only the names.
    ///   - path: where the schema is written, for what is found wrong with the rules.
    static func compiled(_ schema: Schema, at path: FieldPath = .root, _ errors: inout FieldErrors) -> ValidationRules?
    {
        var compiler = RuleCompiler()
        let rules = compiler.rules(of: schema, isRoot: true, path, RuleCompiler.Surroundings())
        compiler.checkTotal(path)
        errors.add(contentsOf: compiler.errors.all)
        return rules
    }

    private struct RuleCompiler {
        /// What a schema is inside of.
        struct Surroundings {
            /// How often it can occur in an object; `nil` where nothing bounds that.
            var cardinality: UInt64? = 1
            /// Why old and new values here cannot be told to be the same: the part of the schema at fault.
            var uncorrelatable: FieldPath?
        }

        var errors = FieldErrors()
        private var costs: [(path: FieldPath, cost: UInt64)] = []

        mutating func rules(
            of schema: Schema, isRoot: Bool, _ path: FieldPath, _ surroundings: Surroundings
        ) -> ValidationRules? {
            var inner = surroundings
            if schema.isAtomicMap, inner.uncorrelatable == nil { inner.uncorrelatable = path }
            var properties: [String: ValidationRules] = [:]
            for (name, child) in schema.properties {
                properties[name] = rules(of: child, isRoot: false, path["properties"].key(name), inner)
            }
            let values = schema.additionalProperties.flatMap { child in
                inner.cardinality = Self.times(surroundings.cardinality, schema.maxProperties)
                return rules(of: child, isRoot: false, path["additionalProperties"], inner)
            }
            let items = schema.items.flatMap { child in
                inner.cardinality = Self.times(surroundings.cardinality, schema.maxItems)
                if case .map = schema.listType {} else if inner.uncorrelatable == nil { inner.uncorrelatable = path }
                return rules(of: child, isRoot: false, path["items"], inner)
            }
            let written = schema.constraints?.validations ?? []
            guard !written.isEmpty || !properties.isEmpty || items != nil || values != nil,
                let type = SchemaType.of(schema, isRoot: isRoot)
            else { return nil }
            var compiled: [Rule] = []
            for (index, json) in written.enumerated() {
                let place = path["x-kubernetes-validations"][index]
                if let rule = compile(json, type, surroundings, place) { compiled.append(rule) }
            }
            return ValidationRules(
                rules: compiled, type: type, schema: schema, properties: properties, items: items,
                additionalProperties: values)
        }

        private static func times(_ count: UInt64?, _ limit: Int?) -> UInt64? {
            guard let count, let limit, limit >= 0 else { return nil }
            let (product, overflow) = count.multipliedReportingOverflow(by: UInt64(limit))
            return overflow ? .max : product
        }

        private mutating func compile(
            _ json: JSON, _ type: SchemaType, _ surroundings: Surroundings, _ path: FieldPath
        ) -> Rule? {
            let text = json.textMember("rule")
            // What is not there is said by the check of the rule's form.
            if text.allSatisfy(\.isWhitespace) { return nil }
            let isOptional = json["optionalOldSelf"]?.bool ?? false
            let variables = [
                Program.Variable("self", type), Program.Variable("oldSelf", type, isOptional: isOptional),
            ]
            guard let program = program(text, variables, must: .bool, json, path["rule"]) else { return nil }
            let occurrences = min(type.maxCardinality, surroundings.cardinality ?? .max)
            limit(program.estimatedCost, times: occurrences, "estimated rule cost", path["rule"])
            let usesOldSelf = program.uses("oldSelf")
            if usesOldSelf, let place = surroundings.uncorrelatable {
                let rule = "oldSelf cannot be used on the uncorrelatable portion of the schema within \(place)"
                errors.invalid(path["rule"], .string(text), rule)
            }
            var message: Program?
            let expression = json.textMember("messageExpression")
            if !expression.allSatisfy(\.isWhitespace) {
                message = self.program(expression, variables, must: .string, json, path["messageExpression"])
                if let message {
                    let place = path["messageExpression"]
                    limit(message.estimatedCost, times: occurrences, "estimated messageExpression cost", place)
                }
            }
            return Rule(json: json, program: program, message: message, usesOldSelf: usesOldSelf)
        }

        private mutating func program(
            _ text: String, _ variables: [Program.Variable], must type: CELType, _ json: JSON, _ path: FieldPath
        ) -> Program? {
            do throws(CELError) {
                let program = try Program(compiling: text, variables: variables)
                if program.type == type || program.type == .dyn { return program }
                let isRule = type == .bool
                let rule =
                    isRule ? "cel expression must evaluate to a bool" : "messageExpression must evaluate to a string"
                errors.invalid(path, json, rule)
            } catch {
                let what = type == .bool ? "" : "messageExpression "
                errors.invalid(path, json, "\(what)compilation failed: \(error)")
            }
            return nil
        }

        private mutating func limit(_ cost: UInt64, times count: UInt64, _ name: String, _ path: FieldPath) {
            let (product, overflow) = cost.multipliedReportingOverflow(by: count)
            let total = overflow ? UInt64.max : product
            costs.append((path, total))
            if let fault = EstimatedLimit.fault(name, total, EstimatedLimit.perExpression) {
                errors.forbidden(path, fault)
            }
        }

        /// All rules of a definition have a limit together, too.
        mutating func checkTotal(_ path: FieldPath) {
            let total = costs.reduce(0 as UInt64) { sum, entry in
                let (result, overflow) = sum.addingReportingOverflow(entry.cost)
                return overflow ? .max : result
            }
            let name = "estimated rule cost total for entire OpenAPIv3 schema"
            guard let fault = EstimatedLimit.fault(name, total, EstimatedLimit.perDefinition) else { return }
            for (place, _) in costs.sorted(by: { $0.cost > $1.cost }).prefix(4) {
                errors.forbidden(
                    place, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema")
            }
            errors.forbidden(path, fault)
        }
    }
}
