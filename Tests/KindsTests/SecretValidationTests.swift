import Kinds
import Model
import Testing

@Suite("Secrets with passwords of registries hold JSON")
struct SecretValidationTests {
    static let faults: [(String, String?)] = [
        (#"{"auths": {"a": [1, -2.5e+3, 0, "\u00e9\n", true, false, null, {}, []]}}"#, nil), ("null", nil),
        ("xx", "invalid character 'x' looking for beginning of value"),
        ("", "unexpected end of JSON input"), (#"{"a": 1"#, "unexpected end of JSON input"),
        ("{'a': 1}", #"invalid character '\'' looking for beginning of object key string"#),
        (#"{"a": 1,}"#, "invalid character '}' looking for beginning of object key string"),
        (#"{"a" 1}"#, "invalid character '1' after object key"),
        (#"{"a": 1 2}"#, "invalid character '2' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{} é", "invalid character 'Ã' after top-level value"),
        ("trux", "invalid character 'x' in literal true (expecting 'e')"),
        ("{\"a\n\": 1}", #"invalid character '\n' in string literal"#),
        ("{\"\u{1}\": 1}", #"invalid character '\x01' in string literal"#),
        (#"{"\x": 1}"#, "invalid character 'x' in string escape code"),
        (#"{"\u00g0": 1}"#, #"invalid character 'g' in \u hexadecimal character escape"#),
        ("-a", "invalid character 'a' in numeric literal"),
        ("1.a", "invalid character 'a' after decimal point in numeric literal"),
        ("1e+a", "invalid character 'a' in exponent of numeric literal"),
        ("01", "invalid character '1' after top-level value"),
        (#""text""#, "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ("[{}]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("7", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("false", "json: cannot unmarshal bool into Go value of type map[string]interface {}"),
        (String(repeating: "[", count: 10_001), "exceeded max depth"),
    ]

    @Test(
        "C26: what is none is refused in Go's words, and not shown",
        arguments: [
            ("kubernetes.io/dockerconfigjson", ".dockerconfigjson"), ("kubernetes.io/dockercfg", ".dockercfg"),
        ])
    func documents(type: String, key: String) throws {
        for (text, fault) in Self.faults {
            var secret = Manifests.secret
            secret["type"] = .string(type)
            secret["data"] = [key: .string(Base64.encode(text.utf8))]
            let expected = fault.map { [#"data[\#(key)]: Invalid value: "<secret contents redacted>": \#($0)"#] } ?? []
            #expect(try secret.createErrors == expected, "\(text.prefix(40))")
        }
    }

    @Test("C26: those of other types hold anything")
    func others() throws {
        var secret = Manifests.secret
        secret["data"] = [".dockerconfigjson": .string(Base64.encode("xx".utf8))]
        #expect(try secret.createErrors == [])
    }
}
