import Model
import Testing

/// The only value of a text.
func parsed(_ text: String) throws -> JSON {
    let documents = try YAML.documents(text, file: "test.yaml")
    return try #require(documents.first).value
}

@Suite("YAML scalars")
struct YAMLScalarTests {
    /// What go-yaml v2, and so `sigs.k8s.io/yaml`, makes of plain scalars.
    static let table: [(String, JSON)] = [
        ("hi", "hi"), ("true", true), ("True", true), ("TRUE", true), ("tRue", "tRue"), ("yes", true), ("Yes", true),
        ("y", true), ("Y", true), ("on", true), ("ON", true), ("n", false), ("N", false), ("no", false), ("off", false),
        ("OFF", false), ("False", false), ("truely", "truely"), ("nothing", "nothing"), ("oN", "oN"),
        ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null), ("nULL", "nULL"), ("", .null), ("~x", "~x"),
        ("0", 0), ("-0", 0), ("+0", 0), ("10", 10), ("-10", -10), ("+12", 12), ("0xA", 10), ("0X1f", 31),
        ("0x1F", 31), ("-0x10", -16), ("0o17", 15), ("0O17", 15), ("017", 15), ("-017", -15), ("00", 0), ("08", 8),
        ("019", 19), ("0b10", 2), ("0B11", 3), ("-0b101010", -42), ("0b2", "0b2"), ("0x", "0x"), ("0xG", "0xG"),
        ("0o8", "0o8"), ("02472256", 685_230), ("0x_0A_74_AE", 685_230), ("+685_230", 685_230), ("1_000", 1000),
        ("1__0_", 10), ("_1", "_1"), ("-_1", -1), ("9223372036854775807", .int(.max)),
        ("-9223372036854775808", .int(.min)), ("9223372036854775808", .number("9223372036854775808")),
        ("0x7FFFFFFFFFFFFFFF", .int(.max)), ("0xFFFFFFFFFFFFFFFF", .number("18446744073709551615")),
        ("0x10000000000000000", .number("18446744073709551616")), ("-0xFFFFFFFFFFFFFFFF", "-0xFFFFFFFFFFFFFFFF"),
        ("123456789012345678901234567890", .number("1.2345678901234567890123456789e+29")),
        ("0x18EE90FF6C373E0EE4E3F0AD2", .number("1.2345678901234567890123456789e+29")),
        ("0.1", .number("0.1")), (".1", .number("0.1")), ("-.1", .number("-0.1")), ("+.5", .number("0.5")),
        ("1.", 1), ("1.0", 1), ("1.50", .number("1.5")), ("1e3", 1000), ("1E3", 1000), ("1e+3", 1000),
        ("1e-3", .number("0.001")), ("123456e1", 1_234_560), ("6.8523e+5", 685_230),
        ("685.230_15e+03", .number("685230.15")),
        ("0.9e-012547649552", 0), ("-1e-325", .number("-0")), ("5e-324", .number("5e-324")), ("1e-324", 0),
        ("1e21", .number("1e+21")), ("1e20", .number("100000000000000000000")), ("1e-7", .number("1e-7")),
        ("-0.0", .number("-0")), ("1e400", "1e400"), ("0.1234567890123456789", .number("0.1234567890123456789")),
        ("1.2.3", "1.2.3"), ("1:1", "1:1"), ("190:20:30", "190:20:30"), ("50cent_of_dollar", "50cent_of_dollar"),
        ("-b_c", "-b_c"), ("+b_c", "+b_c"), ("+", "+"), (".", "."), ("..", ".."), ("1e", "1e"), ("e1", "e1"),
        ("2015-01-01", "2015-01-01"), ("2015-02-24T18:19:39Z", "2015-02-24T18:19:39Z"), ("1.2.3.4", "1.2.3.4"),
        ("<foo>", "<foo>"), ("<<", "<<"), ("=", "="), ("10Mi", "10Mi"), ("0.5e", "0.5e"), ("'yes'", "yes"),
        ("\"1\"", "1"), ("''", ""), ("!!str 123", "123"), ("!!int '1'", 1), ("!!float '1.1'", .number("1.1")),
        ("!!float 0", 0), ("!!float 1e400", .number("1e+400")), ("!!null ''", .null), ("!!bool yes", true),
        ("!!str", ""), ("!!timestamp 2015-01-01", "2015-01-01"), ("! test", "test"), ("!!binary aGk=", "hi"),
    ]

    @Test("resolve as sigs.k8s.io/yaml resolves them, but never rounded", arguments: table)
    func resolution(_ text: String, _ expected: JSON) throws {
        #expect(try parsed("v: \(text)\n") == ["v": expected])
        #expect(try parsed("- \(text)\n") == [expected])
    }

    static let keyTable: [(String, String)] = [
        ("1", "1"), ("true", "true"), ("yes", "true"), ("off", "false"), ("0x10", "16"), ("1.5", "1.5"),
        ("1e3", "1000"),
        ("1e6", "1e+06"), ("'1'", "1"), ("0.00001", "1e-05"), ("name", "name"), ("2015-01-01", "2015-01-01"),
        ("!!str 5", "5"), ("18446744073709551615", "18446744073709551615"), ("nil", "nil"), ("\"\"", ""),
    ]

    @Test("become texts where they are keys", arguments: keyTable)
    func keys(_ text: String, _ expected: String) throws {
        #expect(try parsed("\(text): v\n") == .object(JSONObject([JSONObject.Member(key: expected, value: "v")])))
    }

    @Test(
        "in block style keep their lines as YAML says",
        arguments: [
            ("v: |\n  a\n  b\n", "a\nb\n"), ("v: |-\n  a\n  b\n", "a\nb"), ("v: |+\n  a\n\n\n", "a\n\n\n"),
            ("v: >\n  a\n  b\n\n  c\n", "a b\nc\n"), ("v: >-\n  a\n  b\n", "a b"), ("v: |2\n   a\n", " a\n"),
            ("v: |\n  yes\n", "yes\n"), ("v: \"a\\tb\\u00e9\\\n    c\"\n", "a\tb\u{E9}c"),
            ("v: # Comment\n  text\n", "text"), ("v: a\n  b\n", "a b"),
        ])
    func blocks(_ text: String, _ expected: String) throws {
        #expect(try parsed(text)["v"] == .string(expected))
    }
}

@Suite("YAML structure")
struct YAMLStructureTests {
    @Test(
        "aliases and merge keys give copies; explicit keys win, then earlier maps",
        arguments: [
            ("a: &x {k: 1}\nb: *x\n", ["a": ["k": 1], "b": ["k": 1]]),
            ("a: &x 1\nb: &x 2\nc: *x\n", ["a": 1, "b": 2, "c": 2]),
            ("b: &b {x: 1, w: 2}\nm:\n  <<: *b\n  x: 9\n", ["b": ["x": 1, "w": 2], "m": ["x": 9, "w": 2]]),
            ("b: &b {x: 1, w: 2}\nm:\n  x: 9\n  <<: *b\n", ["b": ["x": 1, "w": 2], "m": ["x": 9, "w": 2]]),
            ("m:\n  <<: [{x: 1}, {x: 2, w: 2}]\n  z: 3\n", ["m": ["z": 3, "x": 1, "w": 2]]),
            ("m:\n  <<: {x: 1}\n  <<: {x: 2, w: 2}\n", ["m": ["x": 1, "w": 2]]),
            ("m:\n  '<<': {x: 1}\n", ["m": ["<<": ["x": 1]]]),
            ("&k a: 1\nb: *k\n", ["a": 1, "b": "a"]), ("a: &k b\n*k : 1\n", ["a": "b", "b": 1]),
            ("? a\n: b\n", ["a": "b"]), ("a: {b: https://x/y}\n", ["a": ["b": "https://x/y"]]),
            ("seq: [A,B,C,]\n", ["seq": ["A", "B", "C"]]), ("{}\n", [:]), ("a: []\n", ["a": []]),
            ("a:\n- b\n- c\n", ["a": ["b", "c"]]),
            ("\u{FEFF}a: 1\n", ["a": 1]), ("%YAML 1.1\n---\na: 1\n", ["a": 1]),
            ("{\"a\": [1, null, \"x\"]}", ["a": [1, .null, "x"]]),
        ] as [(String, JSON)])
    func structure(_ text: String, _ expected: JSON) throws {
        #expect(try parsed(text) == expected)
    }

    @Test("a stream gives its documents; those of comments alone are left out")
    func streams() throws {
        let text = "# head\n---\na: 1\n---\n# nothing\n---\n---\nb: 2\n...\n---\n~\n"
        #expect(try YAML.documents(text, file: "f").map(\.value) == [["a": 1], ["b": 2], .null])
        #expect(try YAML.documents("", file: "f").isEmpty)
        #expect(try YAML.documents("# only\n", file: "f").isEmpty)
        #expect(throws: YAMLError.self) { try YAML.documents("a: &x 1\n---\nb: *x\n", file: "f") }
    }

    @Test("members keep their order")
    func order() throws {
        let object = try #require(parsed("z: 1\na: 2\nm: 3\n").object)
        #expect(Array(object.keys) == ["z", "a", "m"])
    }

    @Test("UTF-16 text is read as well")
    func utf16() throws {
        var bytes: [UInt8] = [0xFF, 0xFE]
        for unit in "ñ: 🟔\n".utf16 { bytes += [UInt8(unit & 255), UInt8(unit >> 8)] }
        #expect(try YAML.documents(bytes, file: "f").first?.value == ["ñ": "🟔"])
    }
}

@Suite("YAML faults")
struct YAMLFaultTests {
    static let table: [(String, String)] = [
        ("a: 1\na: 2\n", "f:2:1: the key \"a\" stands twice in one map; first at 1:1"),
        ("a: {b: 1, b: 2}\n", "f:1:11: the key \"b\" stands twice in one map; first at 1:5"),
        ("1: a\n'1': b\n", "f:2:1: the key \"1\" stands twice in one map; first at 1:1"),
        ("a:\n\tb: 1\n", "f:2:1: a tab cannot indent YAML; use spaces"),
        ("a: @b\n", "f:1:4: a value cannot start with '@'; quote it"),
        ("a: b: c\n", "f:1:5: a ':' is not allowed here"), ("a: *b\n", "f:1:4: no anchor &b stands before this alias"),
        ("a: &x [*x]\n", "f:1:8: the alias *x stands inside of its own anchor"),
        ("a: .inf\n", "f:1:4: .inf is no number in JSON"), ("- .NaN\n", "f:1:3: .NaN is no number in JSON"),
        ("{a: 1}: 2\n", "f:1:1: a key must be a text, not a map or a list"),
        ("? [a]\n: b\n", "f:1:3: a key must be a text"),
        ("~: 1\n", "f:1:1: a key cannot be null"),
        ("a:\n  <<: 5\n", "f:2:7: '<<' takes a map or a list of maps, not integer"),
        ("a: !foo 1\n", "f:1:4: the tag !foo has no meaning in JSON"),
        ("a: !!set {b}\n", "f:1:4: the tag !!set has no meaning"),
        ("a: !!int x\n", "f:1:4: \"x\" is no !!int"), ("a: !!binary '*'\n", "f:1:4: !!binary takes base64 text"),
        ("a: !!binary gIGC\n", "f:1:4: JSON cannot hold these bytes"),
        ("a: [1, 2\n", "f:1:4: the '[' is never closed; add ']'"), ("a: [", "f:1:4: the '[' is never closed"),
        ("a: [{b: {c: 1}, d", "f:1:5: the '{' is never closed; add '}'"), ("a: \"b\n", "f:2:1:"),
        ("a: 1\n\u{FEFF}b: 2\n", "f:2:1: a byte order mark inside the text"),
        ("a: \u{1}\n", "f:1:4: the control character 0x1"),
        ("a:\n  b: 1\n c: 2\n", "f:3:2:"), ("é: *x\n", "f:1:4: no anchor"),
    ]

    @Test("name the place, what is wrong and what would be right", arguments: table)
    func positions(_ text: String, _ expected: String) {
        let error = #expect(throws: YAMLError.self) { try YAML.documents(text, file: "f") }
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "") for \(text)")
    }

    @Test("invalid UTF-8 is refused at its place")
    func encoding() {
        let error = #expect(throws: YAMLError.self) {
            try YAML.documents(Array("a: 1\nb: é".utf8) + [0xFF, 0x0A], file: "f")
        }
        #expect(
            error?.description.hasPrefix("f:2:5: the text is not valid UTF-8") == true, "\(String(describing: error))")
    }

    @Test("a duplicate key among many is found as well")
    func manyKeys() {
        let text = (0..<100).map { "key\($0): 1\n" }.joined() + "key42: 2\n"
        let error = #expect(throws: YAMLError.self) { try YAML.documents(text, file: "f") }
        #expect(error?.description == "f:101:1: the key \"key42\" stands twice in one map; first at 43:1")
    }

    @Test("aliases that multiply are refused, not expanded")
    func bombs() {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<30 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [" + Array(repeating: alias, count: 10).joined(separator: ",") + "]\n"
        }
        let error = #expect(throws: YAMLError.self) { try YAML.documents(text, file: "f") }
        #expect(error?.message == "the aliases of this document stand for more than 100000 values")
    }

    @Test("depth and size are bounded")
    func limits() {
        let nested = String(repeating: "[", count: 100_000)
        let error = #expect(throws: YAMLError.self) { try YAML.documents(nested, file: "f") }
        #expect(error?.message == "nested deeper than the limit of 512 levels")
        let limits = YAMLLimits(bytes: 10)
        #expect(throws: YAMLError.self) { try YAML.documents("a: 12345678\n", file: "f", limits: limits) }
    }
}

@Suite("YAML marks")
struct YAMLMarkTests {
    static let text = """
        # a comment
        kind: Pod
        spec:
          containers:
          - name: web
            image: nginx
            ports: [{containerPort: 80}]
          - &sidecar
            name: log
          - *sidecar
          base: &base {x: 1}
          merged:
            <<: *base
            z: 2
        """

    @Test(
        "lead from a path to the value and its key",
        arguments: [
            ([.key("kind")], Mark(line: 2, column: 7), Mark(line: 2, column: 1)),
            (
                [.key("spec"), .key("containers"), .index(0), .key("image")], Mark(line: 6, column: 12),
                Mark(line: 6, column: 5)
            ),
            (
                [.key("spec"), .key("containers"), .index(0), .key("ports"), .index(0), .key("containerPort")],
                Mark(line: 7, column: 29), Mark(line: 7, column: 14)
            ),
            ([.key("spec"), .key("containers"), .index(1)], Mark(line: 8, column: 5), nil),
            ([.key("spec"), .key("containers"), .index(2)], Mark(line: 10, column: 5), nil),
            (
                [.key("spec"), .key("containers"), .index(2), .key("name")], Mark(line: 9, column: 11),
                Mark(line: 9, column: 5)
            ),
            ([.key("spec"), .key("merged"), .key("x")], Mark(line: 11, column: 19), Mark(line: 11, column: 16)),
            ([.key("spec"), .key("merged"), .key("z")], Mark(line: 14, column: 8), Mark(line: 14, column: 5)),
            ([.key("absent")], nil, nil), ([.key("kind"), .key("x")], nil, nil), ([], Mark(line: 2, column: 1), nil),
        ] as [([PathStep], Mark?, Mark?)])
    func paths(_ path: [PathStep], _ value: Mark?, _ key: Mark?) throws {
        let document = try #require(YAML.documents(Self.text, file: "pod.yaml").first)
        #expect(document.mark(of: path) == value)
        #expect(document.keyMark(of: path) == key)
    }

    @Test("lead to the nearest place for what is missing")
    func nearest() throws {
        let document = try #require(YAML.documents(Self.text, file: "pod.yaml").first)
        #expect(document.nearestMark(ofField: "spec.containers[0].command[3]") == Mark(line: 5, column: 5))
        #expect(document.nearestMark(ofField: "metadata.name") == Mark(line: 2, column: 1))
        #expect(document.error(at: [.key("kind")], "no").description == "pod.yaml:2:7: no")
        #expect(
            PathStep.steps(ofField: "metadata.labels[a.b/c].x[2]")
                == [.key("metadata"), .key("labels"), .key("a.b/c"), .key("x"), .index(2)])
    }
}
