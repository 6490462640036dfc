import Kinds
import Model
import Testing

/// A custom kind `Thing` of which the schema of `spec` is given.
enum Things {
    static func definition(_ spec: JSON, version: JSON = [:]) -> JSON {
        var whole: JSON = [
            "name": "v1", "served": true, "storage": true, "subresources": ["status": [:]],
            "schema": ["openAPIV3Schema": ["type": "object", "properties": ["spec": spec]]],
        ]
        for member in version.object ?? JSONObject() { whole[member.key] = member.value }
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": "things.example.com"],
            "spec": [
                "group": "example.com", "scope": "Namespaced", "names": ["plural": "things", "kind": "Thing"],
                "versions": [whole],
            ],
            "status": [
                "acceptedNames": ["plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"],
                "conditions": [["type": "Established", "status": "True"]],
            ],
        ]
    }

    static func strategy(_ spec: JSON, version: JSON = [:]) throws -> KindStrategy {
        try #require(
            try CustomResourceDefinition(viewing: definition(spec, version: version)).strategies().first)
    }

    static func object(_ spec: JSON?) -> JSON {
        var object: JSON = [
            "apiVersion": "example.com/v1", "kind": "Thing", "metadata": ["name": "a", "namespace": "default"],
        ]
        object["spec"] = spec
        return object
    }

    /// What a new object with this `spec` is refused with.
    static func errors(_ schema: JSON, _ spec: JSON?, old: JSON? = nil) throws -> [String] {
        let strategy = try strategy(schema)
        let object = strategy.defaulted(object(spec))
        guard let old else { return strategy.validateCreate(object).map(\.message) }
        var (before, after) = (strategy.defaulted(self.object(old)), object)
        before[path: ["metadata", "resourceVersion"]] = "1"
        after[path: ["metadata", "resourceVersion"]] = "1"
        return strategy.validateUpdate(after, from: before).map(\.message)
    }

    static func json(_ text: String) -> JSON { Manifests.text(text) }
}

@Suite("Values of custom resources (I2–I4)")
struct CustomValueTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var schema: String
        var value: String
        var messages: [String]
        var testDescription: String { "\(value) against \(schema)" }

        init(_ schema: String, _ value: String, _ messages: String...) {
            self.schema = schema
            self.value = value
            self.messages = messages
        }
    }

    static let scalars = [
        Row(#"{"type": "integer"}"#, "3"), Row(#"{"type": "integer"}"#, "3.0"),
        Row(
            #"{"type": "integer"}"#, "3.5",
            #"spec: Invalid value: "number": spec in body must be of type integer: "number""#),
        Row(#"{"type": "number"}"#, "3"),
        Row(
            #"{"type": "string"}"#, "true",
            #"spec: Invalid value: "boolean": spec in body must be of type string: "boolean""#),
        Row(
            #"{"type": "number", "exclusiveMinimum": true, "minimum": 1.5}"#, "1.5",
            "spec: Invalid value: 1.5: spec in body should be greater than 1.5"),
        Row(
            #"{"type": "integer", "exclusiveMaximum": true, "maximum": 4}"#, "4",
            "spec: Invalid value: 4: spec in body should be less than 4"),
        Row(
            #"{"type": "integer", "multipleOf": 5}"#, "12",
            "spec: Invalid value: 12: spec in body should be a multiple of 5"),
        Row(#"{"type": "number", "multipleOf": 0.1}"#, "0.3"),
        Row(
            #"{"type": "string", "minLength": 2, "pattern": "^[a-z]+$"}"#, #""A""#,
            #"spec: Invalid value: "A": spec in body should be at least 2 chars long"#,
            #"spec: Invalid value: "A": spec in body should match '^[a-z]+$'"#),
        Row(#"{"type": "string", "maxLength": 2}"#, #""abc""#, "spec: Too long: may not be more than 2 bytes"),
        Row(
            #"{"type": "string", "enum": ["a", "b"]}"#, #""c""#,
            #"spec: Unsupported value: "c": supported values: "a", "b""#),
        Row(#"{"x-kubernetes-int-or-string": true}"#, #""80%""#), Row(#"{"x-kubernetes-int-or-string": true}"#, "80"),
        Row(
            #"{"x-kubernetes-int-or-string": true}"#, "true",
            #"spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean""#),
        Row(#"{"type": "string", "nullable": true}"#, "null"),
        Row(#"{"type": "string", "format": "ipv4"}"#, #""10.0.0.1""#),
        Row(
            #"{"type": "string", "format": "ipv4"}"#, #""::1""#,
            #"spec: Invalid value: "::1": spec in body must be of type ipv4: "::1""#),
        Row(
            #"{"type": "string", "format": "date-time"}"#, #""noon""#,
            #"spec: Invalid value: "noon": spec in body must be of type date-time: "noon""#),
        Row(#"{"type": "string", "format": "anything"}"#, #""goes""#),
    ]

    static let formats: [(format: String, good: String, bad: String)] = [
        ("ipv6", "2001:db8::1", "10.0.0.1"), ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("date", "2026-02-28", "2026-02-30"),
        ("duration", "1h30m", "1 fortnight"), ("hostname", "a.example.com", "-a-"),
        ("mac", "00:00:5e:00:53:01", "00:00"),
        ("uuid", "a3bb189e-8bf9-3888-9912-ace4e6543002", "a3bb189e"), ("email", "a@example.com", "a.example.com"),
        ("uuid3", "a3bb189e-8bf9-3888-9912-ace4e6543002", "a3bb189e-8bf9-4888-9912-ace4e6543002"),
        ("uri", "https://example.com/a", "example"), ("byte", "aGk=", "###"), ("hexcolor", "#fff", "#ggg"),
        ("rgbcolor", "rgb(1, 20, 255)", "rgb(1, 20, 256)"), ("isbn10", "0-306-40615-2", "0-306-40615-3"),
        ("isbn13", "978-0-306-40615-7", "978-0-306-40615-8"),
        ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("ssn", "078-05-1120", "78-05"), ("k8s-short-name", "abc", "a.b"), ("k8s-long-name", "a.b", "A"),
    ]

    static let compounds = [
        Row(
            #"{"type": "array", "minItems": 1, "items": {"type": "integer"}}"#, "[]",
            "spec: Invalid value: 0: spec in body should have at least 1 items"),
        Row(
            #"{"type": "array", "maxItems": 1, "items": {"type": "integer"}}"#, "[1, 2]",
            "spec: Too many: 2: must have at most 1 items"),
        Row(
            #"{"type": "array", "items": {"type": "integer", "minimum": 2}}"#, "[2, 1]",
            "spec[1]: Invalid value: 1: spec[1] in body should be greater than or equal to 2"),
        Row(
            #"{"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}"#, #"["a", "a"]"#,
            #"spec[1]: Duplicate value: "a""#),
        Row(
            #"{"type": "object", "minProperties": 2, "additionalProperties": {"type": "string"}}"#, #"{"a": "b"}"#,
            "spec: Invalid value: 2: spec in body should have at least 2 properties"),
        Row(
            #"{"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}}"#,
            #"{"a": "b", "c": "d"}"#, "spec: Too many: 2: must have at most 1 items"),
        Row(
            #"{"type": "object", "additionalProperties": {"type": "integer"}}"#, #"{"a": "b"}"#,
            #"spec.a: Invalid value: "string": spec.a in body must be of type integer: "string""#),
        Row(
            #"{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}"#, "{}",
            "spec.a: Required value"),
        Row(
            #"{"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "#
                + #""oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#, #"{"a": 1, "b": 2}"#,
            #"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). "#
                + "Found 2 valid alternatives"),
        Row(
            #"{"type": "object", "properties": {"a": {"type": "integer"}}, "#
                + #""anyOf": [{"properties": {"a": {"minimum": 5}}}, {"required": ["b"]}]}"#, #"{"a": 1}"#,
            #"<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)"#,
            "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5"),
        Row(
            #"{"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 9}]}"#, "1",
            "spec: Invalid value: 1: spec in body should be greater than or equal to 5",
            #"<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)"#),
        Row(
            #"{"type": "integer", "not": {"enum": [3]}}"#, "3",
            #"<nil>: Invalid value: "": "spec" must not validate the schema (not)"#),
        Row(
            #"{"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}"#,
            #"{"kind": "Pod"}"#, "spec.apiVersion: Required value: must not be empty"),
    ]

    @Test("are judged in Kubernetes' words", arguments: scalars + compounds)
    func judged(row: Row) throws {
        #expect(try Things.errors(Things.json(row.schema), Things.json(row.value)) == row.messages)
    }

    @Test("formats that Kubernetes checks are checked", arguments: formats.indices)
    func knowsFormats(index: Int) throws {
        let (format, good, bad) = Self.formats[index]
        let schema: JSON = ["type": "string", "format": .string(format)]
        #expect(try Things.errors(schema, .string(good)) == [])
        #expect(try Things.errors(schema, .string(bad)).count == 1, "\(format)")
    }

    /// A schema, a value, and what is made of it (I3).
    static let completions: [(schema: String, value: String, result: String)] = [
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}"#, #"{"b": 1}"#,
            #"{"a": "x"}"#
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}"#, #"{"a": null}"#,
            #"{"a": "x"}"#
        ),
        (#"{"type": "object", "properties": {"a": {"type": "string"}}}"#, #"{"a": null}"#, "{}"),
        (
            #"{"type": "object", "properties": {"a": {"type": "string", "nullable": true, "default": "x"}}}"#,
            #"{"a": null}"#, #"{"a": null}"#
        ),
        (
            #"{"type": "object", "properties": {"a": {"type": "object", "default": {}, "properties": "#
                + #"{"b": {"type": "integer", "default": 2}}}}}"#, "{}", #"{"a": {"b": 2}}"#
        ),
        (
            #"{"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": "#
                + #"{"a": {"type": "object", "properties": {"b": {"type": "integer"}}}}}"#,
            #"{"x": {"y": 1}, "a": {"b": 1, "c": 2}}"#, #"{"x": {"y": 1}, "a": {"b": 1}}"#
        ),
        (
            #"{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}}"#,
            #"[{"z": 1}, {"a": 2}]"#, #"[{"a": 1}, {"a": 2}]"#
        ),
        (#"{"type": "object", "additionalProperties": {"type": "string"}}"#, #"{"a": "b"}"#, #"{"a": "b"}"#),
        (
            #"{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}"#, #"{"a": []}"#,
            #"{"a": []}"#
        ),
        (
            #"{"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}}"#,
            #"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "strange": 1}, "status": {}}"#,
            #"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}"#
        ),
    ]

    @Test("are pruned and completed", arguments: completions.indices)
    func completed(index: Int) throws {
        let (schema, value, result) = Self.completions[index]
        let strategy = try Things.strategy(Things.json(schema))
        let once = strategy.defaulted(Things.object(Things.json(value)))
        #expect(once["spec"] == Things.json(result))
        #expect(strategy.defaulted(once) == once)
        #expect(strategy.decodingFaults(once).isEmpty)
    }

    @Test("what an update leaves as it was is tolerated, where it can be told to be the same (ratcheting)")
    func ratcheting() throws {
        let schema = Things.json(
            #"{"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}, "b": {"type": "integer"}, "#
                + #""plain": {"type": "array", "items": {"type": "integer", "maximum": 3}}, "#
                + #""keyed": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "#
                + #""items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "#
                + #""v": {"type": "integer", "maximum": 3}}}}}}"#)
        #expect(try Things.errors(schema, ["a": 9, "b": 1], old: ["a": 9]) == [])
        #expect(try Things.errors(schema, ["a": 8], old: ["a": 9]).count == 1)
        #expect(try Things.errors(schema, ["plain": [9], "b": 1], old: ["plain": [9]]) == [])
        #expect(try Things.errors(schema, ["plain": [9, 1]], old: ["plain": [9]]).count == 1)
        let old: JSON = ["keyed": [["k": "x", "v": 9]]]
        #expect(try Things.errors(schema, ["keyed": [["k": "y", "v": 1], ["k": "x", "v": 9]]], old: old) == [])
        #expect(try Things.errors(schema, ["keyed": [["k": "y", "v": 9]]], old: old).count == 1)
    }
}
