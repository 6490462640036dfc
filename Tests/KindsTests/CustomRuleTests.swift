import Kinds
import Model
import Testing

@Suite("Validation rules of custom resources (I4)")
struct CustomRuleTests {
    private static func schema(
        _ rules: JSON, _ properties: JSON = ["a": ["type": "integer"], "b": ["type": "integer"]]
    )
        -> JSON
    {
        ["type": "object", "properties": properties, "x-kubernetes-validations": rules]
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var rule: JSON
        var new: JSON
        var old: JSON?
        var messages: [String]
        var testDescription: String { rule.text() }

        init(_ rule: JSON, _ new: JSON, old: JSON? = nil, _ messages: String...) {
            self.rule = rule
            self.new = new
            self.old = old
            self.messages = messages
        }
    }

    static let rows = [
        Row(["rule": "self.a < self.b"], ["a": 1, "b": 2]),
        Row(
            ["rule": "self.a < self.b"], ["a": 2, "b": 1],
            #"spec: Invalid value: "object": failed rule: self.a < self.b"#),
        Row(
            ["rule": "self.a < self.b", "message": "a must be less than b"], ["a": 2, "b": 1],
            #"spec: Invalid value: "object": a must be less than b"#),
        Row(
            ["rule": "self.a < self.b", "messageExpression": "'a is ' + string(self.a)"], ["a": 2, "b": 1],
            #"spec: Invalid value: "object": a is 2"#),
        Row(
            ["rule": "self.a < self.b", "messageExpression": "''", "message": "no"], ["a": 2, "b": 1],
            #"spec: Invalid value: "object": no"#),
        Row(
            ["rule": "self.a < self.b", "reason": "FieldValueForbidden", "fieldPath": ".a"], ["a": 2, "b": 1],
            "spec.a: Forbidden: failed rule: self.a < self.b"),
        Row(
            ["rule": "self.a < self.b", "reason": "FieldValueRequired", "message": "b"], ["a": 2, "b": 1],
            "spec: Required value: b"),
        Row(
            ["rule": "self.a < self.b"], ["a": 2],
            #"spec: Invalid value: "object": no such key: b evaluating rule: self.a < self.b"#),
        Row(["rule": "self.a >= oldSelf.a"], ["a": 1]),
        Row(["rule": "self.a >= oldSelf.a"], ["a": 2], old: ["a": 1]),
        Row(
            ["rule": "self.a >= oldSelf.a"], ["a": 1], old: ["a": 2],
            #"spec: Invalid value: "object": failed rule: self.a >= oldSelf.a"#),
        Row(
            ["rule": "oldSelf.hasValue() || self.a == 0", "optionalOldSelf": true], ["a": 1],
            #"spec: Invalid value: "object": failed rule: oldSelf.hasValue() || self.a == 0"#),
        Row(["rule": "oldSelf.hasValue() || self.a == 0", "optionalOldSelf": true], ["a": 1], old: ["a": 5]),
        // Broken before, and as it was: tolerated.
        Row(["rule": "self.a < self.b"], ["a": 2, "b": 1], old: ["a": 2, "b": 1]),
    ]

    @Test("are evaluated", arguments: rows)
    func evaluated(row: Row) throws {
        #expect(try Things.errors(Self.schema([row.rule]), row.new, old: row.old) == row.messages)
    }

    @Test("are evaluated at every place below, with what was at the same place before")
    func places() throws {
        let item: JSON = [
            "type": "object", "required": ["k"], "properties": ["k": ["type": "string"], "n": ["type": "integer"]],
            "x-kubernetes-validations": [["rule": "self.n >= oldSelf.n", "message": "n grows"]],
        ]
        let schema: JSON = [
            "type": "object",
            "properties": [
                "list": [
                    "type": "array", "maxItems": 5, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": item,
                ],
                "map": [
                    "type": "object", "maxProperties": 5,
                    "additionalProperties": [
                        "type": "integer", "x-kubernetes-validations": [["rule": "self > 0", "message": "positive"]],
                    ],
                ],
            ],
        ]
        let old: JSON = ["list": [["k": "x", "n": 5]]]
        let new: JSON = ["list": [["k": "y", "n": 1], ["k": "x", "n": 4]], "map": ["z": 0]]
        #expect(
            try Things.errors(schema, new, old: old) == [
                #"spec.list[1]: Invalid value: "object": n grows"#, #"spec.map[z]: Invalid value: "integer": positive"#,
            ])
    }

    @Test("are not evaluated where the schema itself is broken, which is said")
    func blocked() throws {
        #expect(
            try Things.errors(Self.schema([["rule": "self.a < self.b"]]), ["a": "x", "b": 1]) == [
                #"spec.a: Invalid value: "string": spec.a in body must be of type integer: "string""#,
                "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
                    + "correct the existing errors to complete validation",
            ])
    }

    @Test("of the root see kind, apiVersion and names, and are told without a place")
    func root() throws {
        var definition = Things.definition(["type": "object"])
        let rule: JSON = ["rule": "self.metadata.name.startsWith(self.kind.lowerAscii())"]
        var schema = try #require(definition.value(at: ".spec.versions.0.schema.openAPIV3Schema"))
        schema["x-kubernetes-validations"] = [rule]
        definition = definition.setting(".spec.versions.0.schema.openAPIV3Schema", schema)
        let strategy = try #require(try CustomResourceDefinition(viewing: definition).strategies().first)
        #expect(
            strategy.validateCreate(Things.object([:])).map(\.message) == [
                #"<nil>: Invalid value: "object": failed rule: self.metadata.name.startsWith(self.kind.lowerAscii())"#
            ])
        var good = Things.object([:])
        good[path: ["metadata", "name"]] = "thing-1"
        #expect(strategy.validateCreate(good).isEmpty)
    }

    private static let place = "spec.versions[0].schema.openAPIV3Schema.properties[spec]"

    static let refusals: [(schema: JSON, messages: [String])] = [
        (
            schema([["rule": "self.c > 0"]]),
            [
                "\(place).x-kubernetes-validations[0].rule: Invalid value: {\"rule\":\"self.c > 0\"}: compilation failed: "
                    + "ERROR: <input>:1:5: undefined field 'c'\n | self.c > 0\n | ....^"
            ]
        ),
        (
            schema([["rule": "self.a"]]),
            [
                "\(place).x-kubernetes-validations[0].rule: Invalid value: {\"rule\":\"self.a\"}: cel expression must "
                    + "evaluate to a bool"
            ]
        ),
        (
            schema([["rule": "true", "messageExpression": "self.a"]]),
            [
                "\(place).x-kubernetes-validations[0].messageExpression: Invalid value: "
                    + "{\"rule\":\"true\",\"messageExpression\":\"self.a\"}: messageExpression must evaluate to a string"
            ]
        ),
        (
            [
                "type": "object",
                "properties": [
                    "l": [
                        "type": "array", "maxItems": 3,
                        "items": ["type": "integer", "x-kubernetes-validations": [["rule": "self > oldSelf"]]],
                    ]
                ],
            ],
            [
                "\(place).properties[l].items.x-kubernetes-validations[0].rule: Invalid value: \"self > oldSelf\": oldSelf "
                    + "cannot be used on the uncorrelatable portion of the schema within \(place).properties[l]"
            ]
        ),
    ]

    @Test("that cannot be read, or not be held, are refused with the definition", arguments: refusals.indices)
    func definitions(index: Int) throws {
        let (schema, messages) = Self.refusals[index]
        #expect(try Things.definition(schema).createErrors == messages)
    }

    @Test("that cost too much by estimate are refused with the definition")
    func cost() throws {
        let list: JSON = ["type": "array", "items": ["type": "string"]]
        let rule = "self.l.all(x, self.l.all(y, self.l.all(z, x + y != z)))"
        let errors = try Things.definition(Self.schema([["rule": .string(rule)]], ["l": list])).createErrors
        #expect(
            errors.first?.contains("Forbidden: estimated rule cost exceeds budget by factor of") == true, "\(errors)")
    }
}
