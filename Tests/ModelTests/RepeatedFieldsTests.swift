import Model
import Testing

@Suite("Documents that say a thing twice (C21)")
struct RepeatedFieldsTests {
    static let documents: [(text: String, value: JSON, repeated: [String])] = [
        ("{\"a\":1,\"b\":2}", ["a": 1, "b": 2], []),
        ("{\"a\":1,\"b\":2,\"a\":3}", ["a": 3, "b": 2], ["duplicate field \"a\""]),
        (
            "{\"s\":{\"c\":[{},{\"n\":1,\"n\":2,\"n\":3}]},\"x\":{\"a\":1,\"\\u0061\":2}}",
            ["s": ["c": [[:], ["n": 3]]], "x": ["a": 2]],
            ["duplicate field \"s.c[1].n\"", "duplicate field \"s.c[1].n\"", "duplicate field \"x.a\""]
        ),
        ("[[],{\"a\":[],\"a\":{}}]", [[], ["a": [:]]], ["duplicate field \"[1].a\""]),
    ]

    @Test("JSON keeps the last value and tells every repetition", arguments: documents)
    func json(text: String, value: JSON, repeated: [String]) throws {
        var found: [String] = []
        #expect(try JSON(decoding: Array(text.utf8), repeated: &found) == value)
        #expect(found == repeated)
    }

    @Test(
        "what is no JSON stays refused, and where it is",
        arguments: ["{\"a\":1,\"a\":}", "{\"a\":1,\"a\":2", "{\"a\"}"])
    func noJSON(text: String) {
        var found: [String] = []
        #expect(throws: JSONError.self) { try JSON(decoding: Array(text.utf8), repeated: &found) }
    }

    @Test("YAML names the line of every repetition, merges aside")
    func yaml() throws {
        let text = """
            base: &base {x: 1}
            a:
              k: 1
              k: [2]
              <<: *base
            a: {<<: *base, x: 2}
            """
        var found: [String] = []
        let documents = try YAML.documents(Array(text.utf8), file: "body", repeated: &found)
        #expect(documents.map(\.value) == [["base": ["x": 1], "a": ["x": 2]]])
        #expect(found == ["line 4: key \"k\" already set in map", "line 6: key \"a\" already set in map"])
    }

    @Test("many keys in one object cost no more than they must, and are told up to a bound")
    func many() throws {
        let members = (0..<20_000).map { "\"k\($0 % 10_000)\":\($0)" }.joined(separator: ",")
        var found: [String] = []
        let value = try JSON(decoding: Array("{\(members)}".utf8), repeated: &found)
        #expect(value.object?.count == 10_000)
        #expect(value["k7"] == 10_007)
        #expect(found.count == 100)
    }
}
