import CEL
import Model
import Testing

@Suite("Rules over a schema")
struct SchemaTests {
    static let schema: JSON = [
        "type": "object",
        "required": ["replicas"],
        "properties": [
            "replicas": ["type": "integer"], "minReplicas": ["type": "integer"], "ratio": ["type": "number"],
            "name": ["type": "string", "maxLength": 63], "when": ["type": "string", "format": "date-time"],
            "day": ["type": "string", "format": "date"], "wait": ["type": "string", "format": "duration"],
            "blob": ["type": "string", "format": "byte"], "port": ["x-kubernetes-int-or-string": true],
            "maybe": ["type": "string", "nullable": true], "namespace": ["type": "string"],
            "a-b.c/d__e": ["type": "integer"],
            "tags": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "string"]],
            "plain": ["type": "array", "items": ["type": "string"]],
            "ports": [
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": [
                    "type": "object", "properties": ["name": ["type": "string"], "number": ["type": "integer"]],
                ],
            ],
            "labels": ["type": "object", "additionalProperties": ["type": "string"]],
            "free": [
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                "properties": ["known": ["type": "integer"]],
            ],
            "hidden": ["x-kubernetes-preserve-unknown-fields": true],
            "nested": ["type": "object", "nullable": true, "properties": ["deep": ["type": "boolean"]]],
        ],
    ]

    static let object: JSON = [
        "replicas": 3, "minReplicas": 1, "ratio": 2, "name": "web", "when": "2024-05-06T07:08:09Z", "day": "2024-05-06",
        "wait": "1h", "blob": "aGk=", "port": "http", "maybe": .null, "namespace": "ns", "a-b.c/d__e": 7,
        "tags": ["x", "y"], "plain": ["x", "y"],
        "ports": [["name": "a", "number": 1], ["name": "b", "number": 2]], "labels": ["app": "web", "x.y/z": "1"],
        "free": ["known": 1, "other": true], "nested": ["deep": true],
    ]

    static let rules = [
        Vector("self.minReplicas <= self.replicas", "true"),
        Vector("self.ratio == 2.0 && self.ratio + 0.5 > 2.4", "true"),
        Vector("self.when.getFullYear() == 2024 && self.day < self.when", "true"),
        Vector("self.wait == duration('60m')", "true"),
        Vector("self.when.getHours('Asia/Tokyo') == 16 && self.when.getHours('America/New_York') == 3", "true"),
        Vector("self.when.getHours('Asia/Nowhere')", "error: unknown time zone Asia/Nowhere"),
        Vector("self.when.getHours('../../etc/passwd')", "error: unknown time zone ../../etc/passwd"),
        Vector("self.blob == b'hi'", "true"),
        Vector("type(self.port) == string ? self.port == 'http' : self.port > 0", "true"),
        Vector("self.port == 80", "false"),
        Vector("self.maybe == null", "error: 1:12: found no matching overload for '_==_' applied to '(string, null)'"),
        Vector("self.__namespace__", "'ns'"), Vector("self.a__dash__b__dot__c__slash__d__underscores__e", "7"),
        Vector("!has(self.maybe) && has(self.labels.app)", "true"),
        Vector("type(self.maybe) == string", "error: no such key: maybe"),
        Vector("self.labels['x.y/z']", "'1'"),
        Vector("self.labels.all(k, k.size() < 6)", "true"), Vector("'app' in self.labels", "true"),
        Vector("self.ports.map(p, p.number).sum()", "3"),
        Vector("self.tags == ['y', 'x']", "true"), Vector("self.plain == ['y', 'x']", "false"),
        Vector("self.tags + ['y', 'z']", "['x', 'y', 'z']"),
        Vector("self.plain + ['y']", "['x', 'y', 'y']"),
        Vector("self.ports.exists_one(p, p.name == 'a' && p.number == 1)", "true"),
        Vector("self.free.known", "1"), Vector("self.nested != null && self.nested.deep", "true"),
        Vector("self.nested.?deep.orValue(false)", "true"),
        Vector("self.unknown", "error: 1:5: undefined field 'unknown'"),
        Vector("self.free.other", "error: 1:10: undefined field 'other'"),
        Vector("self.hidden == 1", "error: 1:5: undefined field 'hidden'"),
        Vector("has(self.nope)", "error: 1:4: undefined field 'nope'"),
        Vector("self.replicas + 'a'", "error: 1:15: found no matching overload for '_+_' applied to '(int, string)'"),
        Vector("self.replicas == 'a'", "error: 1:15: found no matching overload for '_==_' applied to '(int, string)'"),
        Vector("self.labels.missing", "error: no such key: missing"),
        Vector("this.x", "error: 1:1: undeclared reference to 'this' (in container '')"),
        Vector("self.replicas.size()", "error: 1:19: found no matching overload for 'size' applied to 'int.()'"),
    ]

    @Test("self is what its schema says", arguments: rules)
    func checkRules(vector: Vector) {
        #expect(outcome(vector.expression, schema: Self.schema, Self.object) == vector.expected)
    }

    @Test("a field that is not there is told by has(), and is an error where it is read")
    func absence() {
        let object: JSON = ["replicas": 1]
        #expect(outcome("has(self.name)", schema: Self.schema, object) == "false")
        #expect(outcome("!has(self.name) || self.name.size() > 3", schema: Self.schema, object) == "true")
        #expect(outcome("self.name == 'a'", schema: Self.schema, object) == "error: no such key: name")
        #expect(outcome("self.?name.orValue('none')", schema: Self.schema, object) == "'none'")
        #expect(outcome("self.?nested.deep.hasValue()", schema: Self.schema, object) == "false")
        #expect(outcome("self.port", schema: Self.schema, ["port": 8080]) == "8080")
    }

    @Test("a transition rule compares with the old object")
    func transition() {
        let old: JSON = ["replicas": 2, "ports": [["name": "b", "number": 2], ["name": "a", "number": 1]]]
        #expect(outcome("self.replicas >= oldSelf.replicas", schema: Self.schema, Self.object, old: old) == "true")
        #expect(outcome("self.ports == oldSelf.ports", schema: Self.schema, Self.object, old: old) == "true")
        #expect(
            outcome("(oldSelf.ports + self.ports).map(p, p.name)", schema: Self.schema, Self.object, old: old)
                == "['b', 'a']")
    }

    @Test("a program knows whether it is a transition rule, and its type")
    func uses() throws {
        let type = try #require(SchemaType.of(try Schema.standalone(Self.schema)))
        let variables = [Program.Variable("self", type), Program.Variable("oldSelf", type, isOptional: true)]
        let rule = try Program(
            compiling: "!oldSelf.hasValue() || oldSelf.value().replicas < self.replicas", variables: variables)
        #expect(rule.uses("oldSelf") && rule.uses("self") && !rule.uses("x"))
        #expect(rule.type == .bool)
        var cost = CELCost()
        let bindings = ["self": CELValue(Self.object, type: type), "oldSelf": .optional(nil)]
        #expect(text(try rule.evaluate(bindings, cost: &cost)) == "true")
        #expect(try Program(compiling: "'at most ' + string(self.replicas)", variables: variables).type == .string)
    }

    @Test("the root of a resource has kind, apiVersion and the names of its metadata, whatever its schema says")
    func root() {
        let schema: JSON = ["type": "object", "properties": ["spec": ["type": "object"]]]
        let object: JSON = ["apiVersion": "v1", "kind": "Thing", "metadata": ["name": "x", "labels": ["a": "b"]]]
        #expect(outcome("self.metadata.name + self.kind", schema: schema, object, isRoot: true) == "'xThing'")
        #expect(
            outcome("self.metadata.labels", schema: schema, object, isRoot: true)
                == "error: 1:14: undefined field 'labels'")
        #expect(outcome("self.metadata.name", schema: schema, object) == "error: 1:5: undefined field 'metadata'")
    }

    @Test("names are escaped as Kubernetes does")
    func escaping() {
        #expect(PropertyName.escaped("a.b-c/d") == "a__dot__b__dash__c__slash__d")
        #expect(PropertyName.escaped("a__b") == "a__underscores__b")
        #expect(PropertyName.escaped("namespace") == "__namespace__")
        #expect(PropertyName.escaped("_") == "_")
        #expect(PropertyName.escaped("1a") == nil)
        #expect(PropertyName.escaped("a$b") == nil)
        #expect(PropertyName.escaped("") == nil)
    }

    /// The rules that Kubernetes' documentation shows (CustomResourceDefinitions, *Validation rules*).
    static let documented: [(rule: String, schema: JSON, good: JSON, bad: JSON)] = [
        (
            "self.minReplicas <= self.replicas && self.replicas <= self.maxReplicas",
            integers("minReplicas", "replicas", "maxReplicas"), ["minReplicas": 1, "replicas": 2, "maxReplicas": 3],
            ["minReplicas": 1, "replicas": 4, "maxReplicas": 3]
        ),
        (
            "'Available' in self.stateCounts", property("stateCounts", map(["type": "integer"])),
            ["stateCounts": ["Available": 1]], ["stateCounts": [:]]
        ),
        (
            "self.set1.filter(e, e in self.set2).size() == 0",
            ["type": "object", "properties": ["set1": strings, "set2": strings]], ["set1": ["a"], "set2": ["b"]],
            ["set1": ["a"], "set2": ["a"]]
        ),
        (
            "has(self.expired) && self.created + self.ttl < self.expired",
            [
                "type": "object",
                "properties": [
                    "created": ["type": "string", "format": "date-time"],
                    "ttl": ["type": "string", "format": "duration"],
                    "expired": ["type": "string", "format": "date-time"],
                ],
            ], ["created": "2024-01-01T00:00:00Z", "ttl": "1h", "expired": "2024-01-01T02:00:00Z"],
            ["created": "2024-01-01T00:00:00Z", "ttl": "1h", "expired": "2024-01-01T00:30:00Z"]
        ),
        (
            "self.health.startsWith('ok')", property("health", ["type": "string"]), ["health": "ok!"], ["health": "no"]
        ),
        (
            "self.widgets.exists(w, w.key == 'x' && w.foo < 10)",
            property(
                "widgets",
                [
                    "type": "array",
                    "items": [
                        "type": "object", "properties": ["key": ["type": "string"], "foo": ["type": "integer"]],
                    ],
                ]),
            ["widgets": [["key": "x", "foo": 1]]], ["widgets": [["key": "x", "foo": 11]]]
        ),
        (
            "type(self.amount) == string ? self.amount == '100%' : self.amount == 1000",
            property("amount", ["x-kubernetes-int-or-string": true]), ["amount": "100%"], ["amount": 1]
        ),
        (
            "self.metadata.name == 'singleton'", ["type": "object"], ["metadata": ["name": "singleton"]],
            ["metadata": ["name": "other"]]
        ),
        (
            "self.names.isSorted() && self.costs.sum() < 50",
            [
                "type": "object",
                "properties": ["names": strings, "costs": ["type": "array", "items": ["type": "integer"]]],
            ],
            ["names": ["a", "b"], "costs": [1, 2]], ["names": ["b", "a"], "costs": [1]]
        ),
        (
            "self.text.matches('^[a-zA-Z]*$')", property("text", ["type": "string"]), ["text": "abc"], ["text": "a1"]
        ),
    ]

    static let strings: JSON = ["type": "array", "items": ["type": "string"]]

    static func map(_ values: JSON) -> JSON { ["type": "object", "additionalProperties": values] }

    static func property(_ name: String, _ schema: JSON) -> JSON {
        .object(
            JSONObject([
                .init(key: "type", value: "object"),
                .init(key: "properties", value: .object(JSONObject([.init(key: name, value: schema)]))),
            ]))
    }

    static func integers(_ names: String...) -> JSON {
        let members = names.map { JSONObject.Member(key: $0, value: ["type": "integer"]) }
        return ["type": "object", "properties": .object(JSONObject(members))]
    }

    @Test("the rules of Kubernetes' documentation accept the good and refuse the bad", arguments: documented.indices)
    func documentation(index: Int) {
        let (rule, schema, good, bad) = Self.documented[index]
        #expect(outcome(rule, schema: schema, good, isRoot: true) == "true", "\(rule)")
        #expect(outcome(rule, schema: schema, bad, isRoot: true) == "false", "\(rule)")
    }

    @Test("data that does not fit its schema is an error, not a crash")
    func unfit() {
        #expect(outcome("self.replicas > 0", schema: Self.schema, ["replicas": "x"]).hasPrefix("error: invalid data"))
        #expect(
            outcome("self.labels.all(k, self.labels[k] == '')", schema: Self.schema, ["labels": ["a": .null]])
                .hasPrefix("error: invalid data, got null"))
        #expect(outcome("self.when.getDate()", schema: Self.schema, ["when": "x"]).contains("invalid date-time"))
    }
}
