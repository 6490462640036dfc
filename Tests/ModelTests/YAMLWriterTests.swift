import Model
import Testing

@Suite("YAML writer")
struct YAMLWriterTests {
    @Test("writes as kubectl -o yaml does")
    func layout() {
        let value: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["creationTimestamp": "2024-01-01T00:00:00Z", "labels": [:], "name": "x"],
            "data": [
                "script": "#!/bin/sh\nexec run\n", "flag": "true", "port": "8080", "note": "a: b", "raw": "x\n\n",
            ],
            "list": [["a": 1, "b": ["c", .null]], [], [[1], [2, 3]], "on"],
            "empty": [],
        ]
        #expect(
            YAML.text(value) == """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  creationTimestamp: "2024-01-01T00:00:00Z"
                  labels: {}
                  name: x
                data:
                  script: |
                    #!/bin/sh
                    exec run
                  flag: "true"
                  port: "8080"
                  note: 'a: b'
                  raw: |+
                    x

                list:
                - a: 1
                  b:
                  - c
                  - null
                - []
                - - - 1
                  - - 2
                    - 3
                - "on"
                empty: []

                """)
    }

    @Test("separates documents")
    func documents() throws {
        let text = YAML.text(documents: [["a": 1], ["b": 2]])
        #expect(text == "a: 1\n---\nb: 2\n")
        #expect(try YAML.documents(text, file: "f").map(\.value) == [["a": 1], ["b": 2]])
    }

    static let texts: [String] = [
        "", " ", "a", " a", "a ", "a: b", "a:", ":a", "a #b", "#a", "- a", "-", "--", "---", "...", "?", "? a", "?a",
        "!a",
        "&a", "*a", "[a", "{a", "a]", "|", ">", "'a'", "\"a\"", "it's", "%a", "@a", "`a", ",a", "a,b", "yes", "no",
        "on", "y",
        "null", "~", "1", "1.0", "1e3", "0x1F", "017", "1_000", ".inf", ".nan", "2015-01-01", "1:20", "<<", "=", "true",
        "a\nb", "a\nb\n", "a\n\n", "\n", "\na", "\n\n", " a\n b", "a \nb", "a\n ", "\ta", "a\tb", "a\n\tb\n", "\ta\nb",
        "a\r\nb", "\r", "a\u{0}b", "\u{7F}", "\u{85}", "\u{2028}x", "\u{FEFF}", "é", "🟔", "e\u{301}", "\u{FFFE}", "\\",
        "a\\b",
        "a\"b", "-1", "+1", "- ", "a: |\n  b", "# x\ny", "key: value\nother: 1\n", "1.5Gi", "100m", "25%", "x=y",
        "/bin/sh",
        String(repeating: "k", count: 2000), "k: " + String(repeating: "é", count: 1200),
    ]

    @Test("quotes what would read as something else, as a value, an item and a key", arguments: texts)
    func quoting(_ text: String) throws {
        let member = JSON.object(JSONObject([JSONObject.Member(key: text, value: .string(text))]))
        let nested = JSON.object(
            JSONObject([JSONObject.Member(key: text, value: [member, .string(text), [.string(text)]])]))
        for value in [.string(text), member, [.string(text)], nested] as [JSON] {
            let written = YAML.text(value)
            #expect(try parsed(written) == value, "\(written)")
        }
    }

    @Test(
        "keeps numbers exactly",
        arguments: [
            .int(0), .int(.max), .int(.min), .number("0.1"), .number("1e+21"), .number("18446744073709551616"),
            .number("1e+400"), .number("-0"), .number("1e-7"), .number("123456789.123456789123456789"),
        ] as [JSON])
    func numbers(_ value: JSON) throws {
        #expect(try parsed(YAML.text(["v": value])) == ["v": value])
    }
}
