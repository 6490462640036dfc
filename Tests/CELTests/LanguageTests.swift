import CEL
import Testing

@Suite("The language")
struct LanguageTests {
    static let literals = [
        Vector("1", "1"), Vector("-9223372036854775808", "-9223372036854775808"), Vector("0xFF", "255"),
        Vector("-0x10", "-16"), Vector("17u", "17u"), Vector("0xffU", "255u"), Vector("1.5e3", "1500.0"),
        Vector(".5", "0.5"), Vector("'a' + \"b\"", "'ab'"), Vector("r'\\n'", "'\\n'"),
        Vector("'\\u00e9\\x41\\101'", "'éAA'"),
        Vector("'\\U0001F431'", "'🐱'"), Vector("'''a'b\nc'''", "'a'b\nc'"), Vector("b'\\xc3\\xa9'", "b'é'"),
        Vector("b'é' == b'\\303\\251'", "true"), Vector("br'\\x' == b'\\\\x'", "true"), Vector("null", "null"),
        Vector("[1, 2,]", "[1, 2]"), Vector("{'a': 1, 'b': 2,}", "{'a': 1, 'b': 2}"), Vector("1 // one\n + 2", "3"),
        Vector("!!true", "true"), Vector("- -1", "1"), Vector("[[1]][0][0]", "1"),
        Vector("[?optional.of(1), ?optional.none()]", "[1]"), Vector("{?'a': optional.none(), 'b': 1}", "{'b': 1}"),
    ]

    @Test("literals have their values", arguments: literals)
    func checkLiterals(vector: Vector) { #expect(outcome(vector.expression) == vector.expected) }

    static let operators = [
        Vector("1 + 2 * 3 - 4 / 2 % 2", "7"), Vector("7 / -2", "-3"), Vector("-7 % 2", "-1"),
        Vector("1.0 / 0.0 > 1.0", "true"), Vector("2 > 1 && 1u < 2u", "true"), Vector("1 < 1.5", "true"),
        Vector("1u < 2", "true"), Vector("9223372036854775807 >= 9223372036854775808.0", "true"),
        Vector("dyn(1) == 1.0", "true"), Vector("dyn(1) == 1u", "true"), Vector("dyn(1) == 'a'", "false"),
        Vector("'é' == 'e\\u0301'", "false"), Vector("'b' > 'abc'", "true"), Vector("[1, 2] + [3]", "[1, 2, 3]"),
        Vector("2 in [1, 2]", "true"), Vector("'a' in {'a': 1}", "true"), Vector("1.0 in [dyn(1)]", "true"),
        Vector("{'a': 1}.a", "1"), Vector("{'a': {'b': 2}}['a'].b", "2"), Vector("{1: 'x'}[dyn(1.0)]", "'x'"),
        Vector("true ? 1 : 2", "1"), Vector("false || true", "true"), Vector("0.0/0.0 == 0.0/0.0", "false"),
        Vector("0.0/0.0 != 0.0/0.0", "true"), Vector("dyn(0.0)/0.0 < 1.0", "false"),
    ]

    @Test("operators compute", arguments: operators)
    func checkOperators(vector: Vector) { #expect(outcome(vector.expression) == vector.expected) }

    static let errors = [
        Vector("1 / 0", "error: division by zero"), Vector("1 % 0", "error: modulus by zero"),
        Vector("9223372036854775807 + 1", "error: integer overflow"),
        Vector("-(-9223372036854775808)", "error: integer overflow"),
        Vector("-9223372036854775808 / -1", "error: integer overflow"),
        Vector("0u - 1u", "error: unsigned integer overflow"), Vector("[1][3]", "error: index out of bounds: 3"),
        Vector("[1][-1]", "error: index out of bounds: -1"), Vector("{'a': 1}['b']", "error: no such key: b"),
        Vector("{'a': 1}.b", "error: no such key: b"), Vector("dyn('a') + 1", "error: no such overload"),
        Vector("{'a': 1, 'a': 2}", "error: Failed with repeated key: a"),
        Vector("int('x')", "error: type conversion error from 'string' to 'int'"),
        Vector("int(1e99)", "error: integer overflow"), Vector("uint(-1)", "error: unsigned integer overflow"),
    ]

    @Test("what cannot be computed says why", arguments: errors)
    func checkErrors(vector: Vector) { #expect(outcome(vector.expression) == vector.expected) }

    static let absorption = [
        Vector("1 / 0 > 0 || true", "true"), Vector("true || 1 / 0 > 0", "true"),
        Vector("1 / 0 > 0 && false", "false"), Vector("false && 1 / 0 > 0", "false"),
        Vector("1 / 0 > 0 || false", "error: division by zero"), Vector("1 / 0 > 0 && true", "error: division by zero"),
        Vector("[0, 1].exists(x, 1 / x > 0)", "true"), Vector("[0, 1].all(x, 1 / x > 5)", "false"),
        Vector("[0, 1].all(x, 1 / x > 0)", "error: division by zero"),
        Vector("dyn(1) || true", "true"), Vector("dyn(1) && true", "error: no such overload"),
        Vector("true ? 1 : 1 / 0", "1"),
    ]

    @Test("a side that decides alone absorbs the error of the other", arguments: absorption)
    func checkAbsorption(vector: Vector) { #expect(outcome(vector.expression) == vector.expected) }

    static let macros = [
        Vector("[1, 2, 3].all(x, x > 0)", "true"), Vector("[].all(x, x > 0)", "true"),
        Vector("[1, 2].exists(x, x == 2)", "true"), Vector("[1, 2, 2].exists_one(x, x == 2)", "false"),
        Vector("[1, 2, 3].map(x, x * 2)", "[2, 4, 6]"), Vector("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]"),
        Vector("[1, 2, 3].filter(x, x > 1)", "[2, 3]"), Vector("{'a': 1}.map(k, k)", "['a']"),
        Vector("[[1], [2, 3]].map(l, l.map(x, x + 1))", "[[2], [3, 4]]"),
        Vector("[1, 2].map(x, [3].filter(y, y > x).map(z, z + x))", "[[4], [5]]"),
        Vector("[1, 2].map(x, 1 / (x - 1))", "error: division by zero"),
        Vector("[1, 2].all(i, v, i < v)", "true"), Vector("{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true"),
        Vector("[5, 6].existsOne(i, v, i == 1)", "true"), Vector("[5, 6].transformList(i, v, v - i)", "[5, 5]"),
        Vector("[5, 6].transformList(i, v, i > 0, v)", "[6]"),
        Vector("['x', 'y'].transformMap(i, v, v + '!')", "{0: 'x!', 1: 'y!'}"),
        Vector("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2)", "{'b': 4}"),
        Vector("{'a': 'b'}.transformMapEntry(k, v, {v: k})", "{'b': 'a'}"),
        Vector(
            "['a', 'a'].transformMapEntry(i, v, {v: i})", "error: insert failed: key a already exists"),
        Vector("has({'a': 1}.a) && !has({'a': 1}.b)", "true"),
    ]

    @Test("macros fold", arguments: macros)
    func checkMacros(vector: Vector) { #expect(outcome(vector.expression) == vector.expected) }

    static let refusals = [
        Vector("1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting"),
        Vector("a b", "1:3: Syntax error: extraneous input 'b' expecting <EOF>"),
        Vector("'abc", "1:1: Syntax error: token recognition error at: ''abc'"),
        Vector("x.while", "1:1: undeclared reference to 'x' (in container '')"),
        Vector("while", "1:1: reserved identifier: while"), Vector("99999999999999999999", "1:1: invalid int literal"),
        Vector("has(1)", "1:5: invalid argument to has() macro"),
        Vector("[1].all(1, true)", "1:9: argument must be a simple name"),
        Vector("1 + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'"),
        Vector("nothing()", "1:8: undeclared reference to 'nothing' (in container '')"),
        Vector("'a'.size(1)", "1:9: found no matching overload for 'size' applied to 'string.(int)'"),
        Vector("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
        Vector("1 && true", "1:1: expected type 'bool' but found 'int'"),
        Vector("1.all(x, true)", "1:1: expression of type 'int' cannot be range of a comprehension"),
        Vector("true ? 1 : 'a'", "1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        Vector("'a'.b", "1:4: type 'string' does not support field selection"),
        Vector("'a'.matches('(')", "1:13: invalid matches argument"),
        Vector("duration('x')", "1:10: invalid duration argument"),
        Vector("timestamp(-62135596801)", "1:11: invalid timestamp argument"),
        Vector("timestamp('x')", "1:11: invalid timestamp argument"),
        Vector("Pod{name: 'a'}", "1:4: undeclared reference to 'Pod' (in container '')"),
        Vector("\n  x", "2:3: undeclared reference to 'x' (in container '')"),
    ]

    @Test("what is no expression is refused with its place", arguments: refusals)
    func checkRefusals(vector: Vector) {
        let found = outcome(vector.expression)
        #expect(found.hasPrefix("error: \(vector.expected)"), "\(found)")
    }

    @Test("a refusal shows the line and marks the column")
    func display() {
        #expect(throws: CELError.self) { try Program(compiling: "1 +\n  x", variables: []) }
        do {
            _ = try Program(compiling: "1 +\n  x", variables: [])
        } catch {
            #expect(
                error.description
                    == "ERROR: <input>:2:3: undeclared reference to 'x' (in container '')\n |   x\n | ..^")
        }
    }

    @Test("nesting and length are bounded")
    func bounds() {
        let deep = String(repeating: "(", count: 300) + "1" + String(repeating: ")", count: 300)
        #expect(outcome(deep).contains("expression recursion limit exceeded: 250"))
        #expect(outcome(String(repeating: "!(", count: 100_000)).contains("expression"))
        #expect(outcome("1" + String(repeating: " + 1", count: 700)).contains("expression recursion limit exceeded"))
        #expect(outcome("true" + String(repeating: " && true", count: 5000)) == "true")
        #expect(outcome(String(repeating: " ", count: 100_001)).contains("expression code point size exceeds limit"))
    }
}
