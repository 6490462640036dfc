import CEL
import Model
import Testing

/// A reproducible source of chance.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Properties")
struct PropertyTests {
    static let words = [
        "1", "2u", "-3", "0", "1.5", "'a'", "b'x'", "true", "false", "null", "self", "x", "y", ".list", ".name",
        ".?name",
        "[", "]", "{", "}", "(", ")", ":", ",", "?", "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "!",
        " in ",
        ".all(x, ", ".exists(x, ", ".map(x, ", ".filter(y, ", ".transformMap(x, y, ", ".sortBy(x, ", ".optMap(x, ",
        "has(",
        ".size()", ".matches('a*')", "optional.of(", ".orValue(", "dyn(", "string(", "int(", ".join()", ".sum()", "`",
        "'", "\\",
        "\n", "é", "🐱", "0x", "9223372036854775807", ".flatten()", ".format([", "quantity('1k')", "ip('::1')", "//",
    ]

    @Test("no text makes the parser crash, and what compiles ends within its cost", arguments: 0..<40)
    func random(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let schema = try Schema.standalone(CostTests.list(10, 10))
        let type = try #require(SchemaType.of(schema))
        for _ in 0..<100 {
            var expression = ""
            for _ in 0..<Int.random(in: 1...14, using: &random) {
                expression += Self.words.randomElement(using: &random) ?? ""
            }
            evaluate(expression, type)
        }
    }

    @Test("expressions that are well formed end with a value or an error, within their cost", arguments: 0..<40)
    func wellFormed(seed: UInt64) throws {
        var random = SplitMix(state: seed &+ 1000)
        let type = try #require(SchemaType.of(try Schema.standalone(CostTests.list(10, 10))))
        var compiledCount = 0
        for _ in 0..<60 where evaluate(Self.expression(3, &random), type) { compiledCount += 1 }
        #expect(compiledCount > 0)
    }

    /// Whether it compiled.
    @discardableResult
    private func evaluate(_ expression: String, _ type: SchemaType) -> Bool {
        do {
            let program = try Program(
                compiling: expression, variables: [Program.Variable("self", type), Program.Variable("x", .dyn)])
            var cost = CELCost(callLimit: 20_000)
            let bindings: [String: CELValue] = [
                "self": CELValue(["list": ["a", "bb", "ccc"]], type: type),
                "x": CELValue(["a": [1, .number("2.5")]], type: nil),
            ]
            do {
                _ = try program.evaluate(bindings, cost: &cost)
            } catch {
                #expect(error.stage == .evaluation || error.stage == .cost)
            }
            // The last step may take it over the limit, by no more than itself.
            #expect(cost.spent <= program.estimatedCost || cost.spent > 20_000 || expression.contains("x"))
            return true
        } catch {
            #expect(!error.issues.isEmpty)
            return false
        }
    }

    static func expression(_ depth: Int, _ random: inout SplitMix) -> String {
        guard depth > 0 else {
            return ["1", "2", "'a'", "true", "self.list", "x", "[1, 2]", "{'a': 1}", "1u", "2.5"]
                .randomElement(using: &random) ?? "1"
        }
        func part() -> String { expression(depth - 1, &random) }
        switch Int.random(in: 0..<14, using: &random) {
        case 0: return "(\(part()) + \(part()))"
        case 1: return "(\(part()) == \(part()))"
        case 2: return "(\(part()) < \(part()))"
        case 3: return "dyn(\(part())).all(e, dyn(e) == \(part()))"
        case 4: return "self.list.map(e, \(part()))"
        case 5: return "(dyn(\(part())) || dyn(\(part())))"
        case 6: return "(dyn(\(part())) ? \(part()) : dyn(\(part())))"
        case 7: return "string(dyn(\(part())))"
        case 8: return "[dyn(\(part())), \(part())]"
        case 9: return "dyn(\(part()))[dyn(\(part()))]"
        case 10: return "size(dyn(\(part())))"
        case 11: return "optional.of(\(part())).optMap(o, [o, o])"
        case 12: return "self.list.filter(e, dyn(\(part())) == dyn(e)).sortBy(e, e.size())"
        default: return "self.list.transformMap(i, e, \(part()))"
        }
    }

    @Test("no text makes the pattern reader crash, and every match ends", arguments: 0..<20)
    func patterns(seed: UInt64) {
        var random = SplitMix(state: seed)
        let letters = Array("ab()[]{}*+?|.^$\\-,12:dwpQEi<>P ")
        for _ in 0..<150 {
            var pattern = ""
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                pattern.append(letters.randomElement(using: &random) ?? "a")
            }
            let program: Program
            do {
                program = try Program(
                    compiling: "t.matches(p) || t.find(p) == ''",
                    variables: [
                        Program.Variable("t", .string), Program.Variable("p", .string),
                    ])
            } catch {
                Issue.record("\(error)")
                return
            }
            var cost = CELCost()
            do {
                _ = try program.evaluate(["t": .string("abba12 a-b"), "p": .string(pattern)], cost: &cost)
            } catch {
                #expect(error.description.contains("error parsing regexp"))
            }
        }
    }
}
