import Model
import Testing

@Suite("JSON decoding")
struct JSONDecodingTests {
    static let accepted: [(String, JSON)] = [
        ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-1", -1), ("12", 12),
        ("-9223372036854775808", .int(.min)),
        ("9223372036854775807", .int(.max)), ("9223372036854775808", .number("9223372036854775808")),
        ("-9223372036854775809", .number("-9223372036854775809")), ("-0", .number("-0")), ("0.5", .number("0.5")),
        ("1e5", .number("1e5")), ("1E+5", .number("1E+5")), ("-0.0e-0", .number("-0.0e-0")), ("1.0", .number("1.0")),
        ("\"\"", ""), ("\"a\"", "a"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
        ("\"\\u00e9\"", "\u{E9}"),
        ("\"\\uD83D\\uDFD4\"", "🟔"), ("\"\\u0000\"", "\u{0}"), ("\"\u{7F}\"", "\u{7F}"), ("\"é🟔\"", "é🟔"),
        ("\"a long text without any escape in it\"", "a long text without any escape in it"),
        ("\"a long text with é and 🟔 in its middle\\n\"", "a long text with é and 🟔 in its middle\n"),
        ("[]", []), ("[ ]", []), ("[1,\n2\t,3\r]", [1, 2, 3]), ("{}", [:]), ("{ }", [:]), ("[[[]]]", [[[]]]),
        ("{\"a\":{\"b\":[null]}}", ["a": ["b": [.null]]]), ("{\"\":1}", ["": 1]), ("{\"a b\\n\":1}", ["a b\n": 1]),
    ]

    @Test("takes every RFC 8259 document and keeps numbers exactly", arguments: accepted)
    func accepts(_ text: String, _ expected: JSON) throws {
        #expect(try JSON(decoding: text) == expected)
    }

    static let rejected: [(String, String)] = [
        ("", "1:1: the document ends where a value is expected"), ("  ", "1:3:"),
        ("nul", "1:1: not a JSON value; did you mean null?"),
        ("True", "1:1: unexpected 'T'"), ("[1,]", "1:4: unexpected ']'"), ("[1 2]", "1:4: expected ',' or ']'"),
        ("[", "1:2:"),
        ("{\"a\"}", "1:5: expected ':' after the key \"a\""), ("{\"a\":1,}", "1:8: expected a quoted key"),
        ("{a:1}", "1:2: expected a quoted key"),
        ("{\"a\":1 \"b\":2}", "1:8: expected ',' or '}'"), ("01", "1:1: numbers must not start with 0"),
        ("-", "1:2: expected a digit"),
        ("-01", "1:2:"), ("+1", "1:1: unexpected '+'"), (".5", "1:1: unexpected '.'"),
        ("1.", "1:3: expected a digit after the decimal point"),
        ("1e", "1:3: expected a digit in the exponent"), ("1e+", "1:4:"), ("0x1", "1:2: text after the end"),
        ("NaN", "1:1:"),
        ("\"a", "1:1: the string that starts here has no end"), ("\"a\nb\"", "1:3: control characters"),
        ("\"\\x\"", "1:2: unknown escape"),
        ("\"\\u12\"", "1:6: expected four hexadecimal digits"), ("\"\\uD800\"", "1:2: half of a surrogate pair"),
        ("\"\\uDC00\"", "1:2: half"),
        ("\"\\uD800\\u0041\"", "1:2: half"), ("\"\\", "1:2:"), ("'a'", "1:1:"), ("1 1", "1:3: text after the end"),
        ("[1]]", "1:4:"),
        ("{\"a\":1,\n\"a\":2}", "2:1: the key \"a\" stands twice"),
        ("{\"a\":1,\"\\u0061\":2}", "1:8: the key \"a\" stands twice"),
        ("\u{FEFF}{}", "1:1: unexpected byte 0xef"), ("// x", "1:1:"),
    ]

    @Test("refuses everything else, with its place", arguments: rejected)
    func rejects(_ text: String, _ expected: String) {
        let error = #expect(throws: JSONError.self) { try JSON(decoding: text) }
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "") for \(text)")
    }

    @Test(
        "refuses invalid UTF-8",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            Array("\"eight bytes and then ".utf8) + [0x80, 0x22],
        ] as [[UInt8]])
    func encoding(_ bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON(decoding: bytes) }
    }

    @Test("keys that differ in bytes alone are different keys")
    func normalisation() throws {
        let object = try JSON(decoding: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
        #expect(JSON.string("a\u{323}\u{307}") != JSON.string("a\u{307}\u{323}"))
    }

    @Test("duplicates among many keys are found")
    func manyKeys() throws {
        let members = (0..<50).map { "\"k\($0)\":\($0)" }
        let object = try JSON(decoding: "{" + members.joined(separator: ",") + "}")
        #expect(object["k49"] == 49)
        #expect(throws: JSONError.self) {
            try JSON(decoding: "{" + (members + ["\"k7\":0"]).joined(separator: ",") + "}")
        }
    }

    @Test("depth and size are bounded")
    func limits() {
        let nested = String(repeating: "[", count: 1_000_000)
        let error = #expect(throws: JSONError.self) { try JSON(decoding: nested) }
        #expect(error?.message == "nested deeper than the limit of 512 levels")
        #expect(throws: JSONError.self) { try JSON(decoding: "12345", limits: JSONLimits(bytes: 4)) }
        #expect(throws: Never.self) { try JSON(decoding: "[[1]]", limits: JSONLimits(depth: 2)) }
        #expect(throws: JSONError.self) { try JSON(decoding: "[[[1]]]", limits: JSONLimits(depth: 2)) }
    }

    @Test("texts of every length and alignment survive")
    func alignment() throws {
        for length in 0..<40 {
            for special in ["", "\"", "\\", "\n", "é", "\u{1}", "🟔"] {
                for position in [0, length / 2, length] {
                    let text =
                        String(repeating: "x", count: position) + special
                        + String(repeating: "y", count: length - position)
                    #expect(try JSON(decoding: JSON.string(text).encoded()) == .string(text))
                }
            }
        }
    }
}

@Suite("JSON encoding and editing")
struct JSONValueTests {
    @Test("escapes what must be escaped and keeps the order of members")
    func encoding() {
        let value: JSON = [
            "b": "q\"\\\n\r\t\u{1}\u{1F}é", "a": [1, -2, .number("1.50"), true, .null], "e": [:], "l": [],
        ]
        #expect(value.text() == #"{"b":"q\"\\\n\r\t\u0001\u001fé","a":[1,-2,1.50,true,null],"e":{},"l":[]}"#)
        #expect((["a": [1], "b": [:]] as JSON).text(.indented) == "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")
    }

    @Test("setting nil on what is no object changes nothing; setting a value makes one")
    func editing() {
        var value: JSON = "text"
        value["a"] = nil
        #expect(value == "text")
        value["a"] = 1
        #expect(value == ["a": 1])
        value["a"] = nil
        #expect(value == [:])
        var absent: JSON = .null
        absent[path: ["a", "b"]] = nil
        #expect(absent == .null)
        absent[path: ["a", "b"]] = 1
        #expect(absent == ["a": ["b": 1]])
    }

    @Test("setting inside keeps the order of members")
    func order() {
        var value: JSON = ["a": ["x": 1], "b": 2, "c": 3]
        value[path: ["a", "x"]] = 5
        value["b"] = 7
        #expect(value.text() == #"{"a":{"x":5},"b":7,"c":3}"#)
        value[path: ["b"]] = nil
        #expect(value.text() == #"{"a":{"x":5},"c":3}"#)
    }

    private struct Stop: Error {}

    @Test("an access that ends with an error loses nothing")
    func errors() {
        func fail(_ value: inout JSON?) throws { throw Stop() }
        var value: JSON = ["a": ["b": 1]]
        #expect(throws: Stop.self) { try fail(&value["a"]) }
        #expect(value == ["a": ["b": 1]])
        #expect(throws: Stop.self) { try fail(&value["absent"]) }
        #expect(value == ["a": ["b": 1]])
    }

    @Test("large objects are found, changed and removed by key")
    func large() {
        var object = JSONObject()
        for number in 0..<100 { object["k\(number)"] = .int(Int64(number)) }
        for number in stride(from: 0, to: 100, by: 2) { object["k\(number)"] = nil }
        #expect(object.count == 50)
        #expect((0..<100).allSatisfy { object["k\($0)"] == ($0 % 2 == 0 ? nil : .int(Int64($0))) })
    }

    @Test("equality and hashes ignore the order of members")
    func equality() {
        let left: JSON = ["a": 1, "b": ["x": 1, "y": 2]]
        let right: JSON = ["b": ["y": 2, "x": 1], "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1, "b": ["x": 1]])
        #expect(JSON.int(1) != .number("1.0"))
        #expect(JSON.int(1).isEquivalent(to: .number("1.0")))
    }
}
