import CEL
import Model
import Testing

/// An expression and what becomes of it.
struct Vector: Sendable, CustomTestStringConvertible {
    var expression: String
    var expected: String
    var testDescription: String { "\(expression) → \(expected)" }

    init(_ expression: String, _ expected: String) {
        self.expression = expression
        self.expected = expected
    }
}

/// What an expression without variables, or with a `self` of a schema, gives: its value as text, or its error.
func outcome(
    _ expression: String, schema: JSON? = nil, _ object: JSON? = nil, old: JSON? = nil, isRoot: Bool = false,
    cost: CELCost = CELCost()
) -> String {
    do {
        var cost = cost
        let (program, bindings) = try compiled(expression, schema: schema, object, old: old, isRoot: isRoot)
        return text(try program.evaluate(bindings, cost: &cost))
    } catch let error as CELError {
        return "error: \(error.stage == .types || error.stage == .syntax ? summary(error) : error.description)"
    } catch {
        return "\(error)"
    }
}

/// The faults without the lines they are in.
func summary(_ error: CELError) -> String {
    error.issues.map { "\($0.line):\($0.column): \($0.message)" }.joined(separator: "; ")
}

func compiled(
    _ expression: String, schema: JSON?, _ object: JSON?, old: JSON? = nil, isRoot: Bool = false
) throws -> (Program, [String: CELValue]) {
    guard let schema else { return (try Program(compiling: expression, variables: []), [:]) }
    let type = try #require(SchemaType.of(try Schema.standalone(schema), isRoot: isRoot))
    let program = try Program(
        compiling: expression,
        variables: [Program.Variable("self", type), Program.Variable("oldSelf", type)])
    var bindings: [String: CELValue] = [:]
    if let object { bindings["self"] = CELValue(object, type: type) }
    if let old { bindings["oldSelf"] = CELValue(old, type: type) }
    return (program, bindings)
}

/// A value as an expression would write it.
func text(_ value: CELValue) -> String {
    switch value {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return String(value)
    case .uint(let value): return "\(value)u"
    case .double(let value): return value == value.rounded() && abs(value) < 1e15 ? "\(value)" : "\(value)"
    case .string(let text): return "'\(text)'"
    case .bytes(let bytes): return "b'\(String(decoding: bytes, as: UTF8.self))'"
    case .timestamp(let time): return "timestamp('\(time.text)')"
    case .duration(let nanoseconds): return "duration(\(nanoseconds))"
    case .list(let list): return "[\(list.values.map(text).joined(separator: ", "))]"
    case .map(let map):
        return "{\(map.keys.map { "\(text($0)): \(map[$0].map(text) ?? "-")" }.joined(separator: ", "))}"
    case .optional(let inner): return inner.map { "some(\(text($0)))" } ?? "none"
    case .type(let name): return name
    case .error(let fault): return "fault: \(fault.message)"
    default: return value.json.map { "\($0)" } ?? value.typeName
    }
}
