import CEL
import Model
import Synchronization
import Testing

@Suite("What policies offer to expressions")
struct PolicyValueTests {
    private final class Count: Sendable {
        private let names = Mutex<[String]>([])
        var all: [String] { names.withLock { $0 } }
        func note(_ name: String) { names.withLock { $0.append(name) } }
    }

    private func evaluate(_ text: String, _ count: Count, cost: CELCost = CELCost()) throws -> String {
        let type = SchemaType.object(named: "variables", ["a": .int, "b": .int, "broken": .any])
        let program = try Program(compiling: text, variables: [.init("variables", type)])
        let fields = LazyFields(["a", "b", "broken"]) { _, name in
            count.note(name)
            return name == "broken" ? .fault("it is broken") : .int(name == "a" ? 1 : 2)
        }
        var cost = cost
        do throws(CELError) {
            return "\(try program.evaluate(["variables": .lazy(fields)], cost: &cost).json?.text() ?? "")"
        } catch {
            return error.description
        }
    }

    static let fields: [(text: String, value: String, asked: [String])] = [
        ("variables.a + variables.a", "2", ["a"]),
        ("variables.a == 1 || variables.broken", "true", ["a"]),
        ("variables.a == 2 || variables.broken", "it is broken", ["a", "broken"]),
        ("variables.broken || variables.a == 1", "true", ["broken", "a"]),
        ("has(variables.broken)", "true", []),
        ("true ? variables.b : variables.a", "2", ["b"]),
    ]

    @Test("a lazy field is found when it is needed, and once", arguments: fields)
    func lazy(text: String, value: String, asked: [String]) throws {
        let count = Count()
        #expect(try evaluate(text, count) == value)
        #expect(count.all == asked)
    }

    @Test("what lazy fields cost is paid from what is left for all")
    func pays() throws {
        var cost = CELCost(budget: 10)
        try cost.pay(7)
        #expect(cost.remaining == 3)
        let error = #expect(throws: CELError.self) { try cost.pay(4) }
        #expect(error?.isOutOfBudget == true)
    }

    @Test("a variable whose name has a dot is one name")
    func dotted() throws {
        let variables: [Program.Variable] = [.init("a", .int), .init("a.b", .string)]
        let program = try Program(compiling: "a.b + string(a)", variables: variables)
        var cost = CELCost()
        let value = try program.evaluate(["a": .int(1), "a.b": .string("x")], cost: &cost)
        #expect(value.json == "x1")
    }

    static let faults: [(text: String, fault: String)] = [
        ("authorizer.path(' ')", "path must not be empty"),
        ("authorizer.group('').resource('')", "resource must not be empty"),
        ("authorizer.serviceAccount('a b', 'c')", "Invalid service account namespace"),
        ("authorizer.serviceAccount('a', 'c d')", "Invalid service account name"),
    ]

    @Test("questions about access that mean nothing are faults", arguments: faults)
    func asks(text: String, fault: String) throws {
        let program = try Program(compiling: text, variables: [.init("authorizer", .authorizer)])
        var cost = CELCost()
        let asker = AccessValue.Asker { _ in AccessDecision(isAllowed: true) }
        let error = #expect(throws: CELError.self) {
            try program.evaluate(["authorizer": .access(.authorizer(asker))], cost: &cost)
        }
        #expect(error?.description == fault)
    }

    @Test("asking who may do what costs what it does in Kubernetes, so that a few are enough")
    func expensive() throws {
        let text = "['get', 'list', 'watch'].all(v, authorizer.path('/a').check(v).allowed())"
        let program = try Program(compiling: text, variables: [.init("authorizer", .authorizer)])
        var cost = CELCost()
        let asker = AccessValue.Asker { _ in AccessDecision(isAllowed: true) }
        let error = #expect(throws: CELError.self) {
            try program.evaluate(["authorizer": .access(.authorizer(asker))], cost: &cost)
        }
        #expect(error?.description == "operation cancelled: actual cost limit exceeded")
    }

    static let built: [(text: String, json: JSON)] = [
        ("Object{}", [:]), ("Object{a: 1, `b`: Object.b{c: ['d']}}", ["a": 1, "b": ["c": ["d"]]]),
        ("Object{?a: optional.none(), ?b: optional.of(1)}", ["b": 1]),
        ("Object{a: 1}.a == 1 && !has(Object{a: 1}.b)", true),
        ("JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/c~d')}.path", "/a/b~1c~0d"),
        ("Object.a{b: 1} == Object.a{b: 1} && dyn(Object.a{b: 1}) != dyn(Object.c{b: 1})", true),
    ]

    @Test("mutations build objects and patches", arguments: built)
    func builds(text: String, json: JSON) throws {
        let program = try Program(compiling: text, variables: [], buildsPatches: true)
        var cost = CELCost()
        #expect(try program.evaluate([:], cost: &cost).json == json)
    }

    static let misbuilt: [(text: String, fault: String)] = [
        ("Thing{}", "1:6: undeclared reference to 'Thing' (in container '')"),
        ("Object{a}", "1:9: Syntax error: mismatched input '}' expecting ':'"),
        ("Object{1: 2}", "1:8: Syntax error: mismatched input '1' expecting IDENTIFIER"),
        ("JSONPatch{op: 'add'}.to", "1:21: undefined field 'to'"),
    ]

    @Test("what cannot be built is refused with its place", arguments: misbuilt)
    func misbuilds(text: String, fault: String) throws {
        let error = #expect(throws: CELError.self) {
            try Program(compiling: text, variables: [], buildsPatches: true)
        }
        #expect(error.map(summary) == fault)
    }
}
