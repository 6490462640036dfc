import CEL
import Model
import Testing

@Suite("Costs")
struct CostTests {
    /// Figures of Kubernetes' and cel-go's own cost tests.
    static let runtime: [(String, UInt64)] = [
        ("'ABCDEFGHIJ abcdefghij'.lowerAscii()", 3),
        ("'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii()", 9),
        ("'abc 123 def 123'.replace('123', '456')", 3), ("url('https:://kubernetes.io/').getHost()", 4), ("1 + 2", 1),
        ("[1, 2, 3]", 0), ("2 in [1, 2]", 0), ("true || false", 0), ("'aaa'.contains('a')", 1), ("[1, 2, 3].sum()", 3),
        ("'abc'.matches('[a-c]+')", 2), ("[1, 2].all(x, true)", 7),
        ("'Rook takes 👑'.startsWith('Rook')", 1), ("'Rook takes 👑'.matches('^[^0-9]*$')", 6),
        ("'Rook takes 👑'.split(' ') == ['Rook', 'takes', '👑']", 4), ("double(5) < 10.0", 1),
    ]

    @Test("an evaluation costs what it does in Kubernetes", arguments: runtime)
    func checkRuntime(expression: String, expected: UInt64) throws {
        var cost = CELCost()
        let program = try Program(compiling: expression, variables: [])
        do {
            _ = try program.evaluate([:], cost: &cost)
        } catch {
            #expect(error.stage == .evaluation)
        }
        #expect(cost.spent == expected)
    }

    static let expensive =
        "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))"

    @Test("an evaluation ends at its limit with Kubernetes' words")
    func limit() {
        #expect(outcome(Self.expensive) == "error: operation cancelled: actual cost limit exceeded")
    }

    /// Rules whose figures in Kubernetes do not bound their time, over a large object.
    static let heavy = [
        "self.list.all(x, (self.list + self.list).size() > 0)", "self.list.all(x, self.list == self.list)",
        "self.list.all(x, self.list.slice(0, 1).size() == 1)", "self.list.all(x, self.list[0].size() > 0)",
        "self.list.all(x, x in self.list)", "self.list.map(x, self.list.map(y, x + y)).size() > 0",
    ]

    @Test("a rule over a large object ends at its limit too, and soon", arguments: heavy)
    func checkHeavy(rule: String) {
        let elements = (0..<3000).map { JSON.string("element \($0)") }
        let found = outcome(
            rule, schema: Self.list(nil, nil), ["list": .array(elements)], cost: CELCost(callLimit: 30_000))
        #expect(found == "true" || found == "error: operation cancelled: actual cost limit exceeded")
    }

    @Test("evaluations share a budget")
    func budget() throws {
        var cost = CELCost(budget: 5)
        let program = try Program(compiling: "'abc 123 def 123'.replace('123', '456')", variables: [])
        _ = try program.evaluate([:], cost: &cost)
        #expect(cost.remaining == 2)
        #expect(throws: CELError.self) { try program.evaluate([:], cost: &cost) }
        do {
            _ = try program.evaluate([:], cost: &cost)
            Issue.record("the budget was not kept")
        } catch {
            #expect(error.stage == .cost)
            #expect(
                error.description
                    == "validation failed due to running out of cost budget, no further validation rules will be run")
        }
    }

    static func list(_ maxItems: Int?, _ maxLength: Int?) -> JSON {
        var item: JSON = ["type": "string"]
        if let maxLength { item["maxLength"] = .int(Int64(maxLength)) }
        var list: JSON = ["type": "array", "items": item]
        if let maxItems { list["maxItems"] = .int(Int64(maxItems)) }
        return ["type": "object", "properties": ["list": list]]
    }

    @Test("the estimate follows the sizes that the schema allows")
    func estimates() throws {
        func estimate(_ expression: String, _ schema: JSON) throws -> UInt64 {
            try compiled(expression, schema: schema, nil).0.estimatedCost
        }
        #expect(try estimate("self.list.size() > 1", Self.list(10, 10)) == 4)
        // A type's name is as large as the value that the rule is about.
        let schema: JSON = ["type": "object", "properties": ["size": ["x-kubernetes-int-or-string": true]]]
        let typed = "type(self.size) == int ? self.size > 1 : self.size == '50%'"
        let rules = [typed, "type(self.size) == int", "self.size > 1", "self.size == '50%'"]
        let costs = try rules.map { try estimate($0, schema) }
        #expect(costs == [8, 5, 3, 3])
        // Range: self and list; each: the condition 2, the accumulator, x, and the comparison of at most 40 bytes.
        #expect(try estimate("self.list.all(x, x == 'a')", Self.list(10, 10)) == 2 + 10 * 5 + 1)
        let nested = "self.list.all(x, self.list.all(y, x == y))"
        let bounded = try estimate(nested, Self.list(10, 10))
        #expect(bounded < EstimatedLimit.perExpression)
        #expect(EstimatedLimit.fault("estimated rule cost", bounded, EstimatedLimit.perExpression) == nil)
        let unbounded = try estimate(nested, Self.list(nil, nil))
        #expect(
            EstimatedLimit.fault("estimated rule cost", unbounded, EstimatedLimit.perExpression)
                == "estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule, or adding "
                + "maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)")
        #expect(
            EstimatedLimit.fault("estimated rule cost", 12_000_000, EstimatedLimit.perExpression)?
                .hasPrefix("estimated rule cost exceeds budget by factor of 1.200000x") == true)
        #expect(
            EstimatedLimit.fault("estimated rule cost", 25_000_000, EstimatedLimit.perExpression)?
                .hasPrefix("estimated rule cost exceeds budget by factor of 2.5x") == true)
    }

    /// Rules of a field itself, whose size its own schema bounds (Kubernetes' crd_validation_ratcheting.go).
    static let ofFields: [(String, JSON)] = [
        ("self != oldSelf", ["type": "string", "maxLength": 5]),
        ("self.matches('^[a-z]+$')", ["type": "string", "maxLength": 50]),
        ("self.all(x, x == 'a')", ["type": "array", "maxItems": 10, "items": ["type": "string", "maxLength": 5]]),
        (
            "self.all(k, self[k] != '')",
            ["type": "object", "maxProperties": 5, "additionalProperties": ["type": "string", "maxLength": 5]]
        ),
    ]

    @Test("a rule of a text, list or map costs what the schema of that allows", arguments: ofFields)
    func checkFields(rule: String, schema: JSON) throws {
        #expect(try compiled(rule, schema: schema, nil).0.estimatedCost < 200)
    }

    @Test("no evaluation costs more than was estimated")
    func soundness() throws {
        let expressions = [
            "self.list.all(x, x.size() < 5)", "self.list.map(x, x + 'a').filter(x, x.contains('b')).size() == 0",
            "self.list.exists(x, x.matches('a+')) ? self.list.join(',') == 'b' : self.list.size() > 2",
            "self.list.all(i, x, x.startsWith(string(i)))",
            "self.list.filter(x, x > 'b').isSorted()",
            "sets.contains(self.list, ['a'])", "self.list.sortBy(x, x.size()).first().orValue('') == 'a'",
            "self.list.transformMap(i, x, x).all(k, k >= 0)",
        ]
        let schema = Self.list(5, 8)
        let object: JSON = ["list": ["aaaa", "b", "cc", "aaaaaaaa", "é"]]
        for expression in expressions {
            let (program, bindings) = try compiled(expression, schema: schema, object)
            var cost = CELCost()
            _ = try program.evaluate(bindings, cost: &cost)
            #expect(cost.spent <= program.estimatedCost, "\(expression): \(cost.spent) > \(program.estimatedCost)")
        }
    }
}
