import CEL
import Model

extension FuzzTarget {
    /// An expression over an object of a schema and a value of no known type: it ends with a value or an error, and
    /// costs no more than its limit and what is bounded by its last step.
    static let cel = FuzzTarget("cel") { input throws(FuzzFailure) in
        let text = String(decoding: input, as: UTF8.self)
        let program: Program
        do throws(CELError) {
            program = try Program(
                compiling: text,
                variables: [
                    Program.Variable("self", type), Program.Variable("oldSelf", type),
                    Program.Variable("x", .dyn),
                ])
        } catch {
            try expect(!error.issues.isEmpty && !error.description.isEmpty, "\(text) is refused without a reason")
            try expect(error.issues.allSatisfy { $0.line >= 1 && $0.column >= 1 }, "a fault has no place: \(error)")
            return
        }
        for limit in [50, 100_000] as [UInt64] {
            var cost = CELCost(callLimit: limit)
            do {
                _ = try program.evaluate(bindings, cost: &cost)
                try expect(cost.spent <= limit, "\(text) cost \(cost.spent) of \(limit), and gave a value")
            } catch let error as FuzzFailure {
                throw error
            } catch let error as CELError {
                try expect([.evaluation, .cost].contains(error.stage), "\(text) was taken, then failed: \(error)")
            } catch {
                throw FuzzFailure("\(error)")
            }
        }
    }

    private static let type: SchemaType = {
        let document: JSON = [
            "type": "object",
            "properties": [
                "name": ["type": "string", "maxLength": 63], "replicas": ["type": "integer"],
                "ratio": ["type": "number"], "on": ["type": "boolean"],
                "port": ["x-kubernetes-int-or-string": true],
                "when": ["type": "string", "format": "date-time"], "wait": ["type": "string", "format": "duration"],
                "secret": ["type": "string", "format": "byte"],
                "list": ["type": "array", "maxItems": 10, "items": ["type": "string", "maxLength": 10]],
                "set": ["type": "array", "items": ["type": "integer"], "x-kubernetes-list-type": "set"],
                "map": ["type": "object", "additionalProperties": ["type": "string"]],
                "keyed": [
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"],
                    "items": [
                        "type": "object", "properties": ["key": ["type": "string"], "value": ["type": "integer"]],
                    ],
                ],
            ],
        ]
        do {
            guard let type = SchemaType.of(try Schema.standalone(document)) else {
                preconditionFailure("expressions see no object of this schema")
            }
            return type
        } catch {
            preconditionFailure("the schema is broken: \(error)")
        }
    }()

    private static let bindings: [String: CELValue] = {
        let object: JSON = [
            "name": "wéb", "replicas": 3, "ratio": .number("0.5"), "on": true, "port": "80%",
            "when": "2026-11-22T10:00:00Z", "wait": "1h30m", "secret": "c2VjcmV0", "list": ["a", "bb", "ccc"],
            "set": [3, 1, 2], "map": ["a": "1", "b": "2"],
            "keyed": [["key": "one", "value": 1], ["key": "two", "value": 2]],
        ]
        var old = object
        old["replicas"] = 2
        old["set"] = [1, 2]
        return [
            "self": CELValue(object, type: type), "oldSelf": CELValue(old, type: type),
            "x": CELValue(["a": [1, .number("2.5"), .null, [:]], "b": ["c": "d"], "e": "🐦"], type: nil),
        ]
    }()
}
