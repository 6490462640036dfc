import Model
import Testing

/// JSON text, for tables.
func json(_ text: String) throws -> JSON { try JSON(decoding: text) }

@Suite("JSON patches")
struct JSONPatchTests {
    /// RFC 6902, appendix A, and what it leaves to its text.
    static let table: [(String, String, String)] = [
        (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
        (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
        (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
        (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
        (
            #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            #"{"baz":"boo","foo":"bar"}"#
        ),
        (
            #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
        ),
        (
            #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            #"{"foo":["all","cows","eat","grass"]}"#
        ),
        (
            #"{"baz":"qux","foo":["a",2,"c"]}"#,
            #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            #"{"baz":"qux","foo":["a",2,"c"]}"#
        ),
        (
            #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            #"{"foo":"bar","child":{"grandchild":{}}}"#
        ),
        (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#, #"{"foo":"bar","baz":"qux"}"#),
        (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
        // What Kubernetes' library takes, though the RFC does not.
        (#"{"a":1}"#, #"[{"op":"replace","path":"/b","value":2}]"#, #"{"a":1,"b":2}"#),
        (#"{"a":1}"#, #"[{"op":"copy","from":"/b","path":"/c"}]"#, #"{"a":1,"c":null}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"remove","path":"/a/-1"}]"#, #"{"a":[1]}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"add","path":"/a/-1","value":3}]"#, #"{"a":[1,2,3]}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"add","path":"/a/-3","value":0}]"#, #"{"a":[0,1,2]}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"replace","path":"/a/-2","value":0}]"#, #"{"a":[0,2]}"#),
        (
            #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            #"{"foo":["bar",["abc","def"]]}"#
        ),
        (#"{"a":1}"#, #"[{"op":"add","path":"","value":[1]}]"#, "[1]"),
        (#"{"a":1}"#, #"[{"op":"replace","path":"","value":2}]"#, "2"),
        (#"{"a":1}"#, #"[{"op":"add","path":"/a","value":null}]"#, #"{"a":null}"#),
        (#"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"}]"#, #"{"a":{"b":1},"c":{"b":1}}"#),
        (#"{"a":1}"#, #"[{"op":"move","from":"/a","path":"/a"}]"#, #"{"a":1}"#),
        (#"{"a":1}"#, #"[{"op":"test","path":"/a","value":1.0}]"#, #"{"a":1}"#),
        (#"{"a":1}"#, #"[{"op":"test","path":"/b","value":null}]"#, #"{"a":1}"#),
        (#"{"a":[]}"#, #"[{"op":"add","path":"/a/0","value":1}]"#, #"{"a":[1]}"#),
        (#"{"":1}"#, #"[{"op":"replace","path":"/","value":2}]"#, #"{"":2}"#), (#"{"a":1}"#, "[]", #"{"a":1}"#),
        (#"{"m":{"a/b":1}}"#, #"[{"op":"remove","path":"/m/a~1b"}]"#, #"{"m":{}}"#),
        (#"{"1":{"x":1}}"#, #"[{"op":"add","path":"/1/y","value":2}]"#, #"{"1":{"x":1,"y":2}}"#),
    ]

    @Test("apply as RFC 6902 says", arguments: table)
    func applies(_ target: String, _ patch: String, _ expected: String) throws {
        #expect(
            try JSONPatch.apply(json(patch), to: json(target)).text() == json(expected).text()
                || JSONPatch.apply(json(patch), to: json(target)) == json(expected))
    }

    static let faults: [(String, String, PatchError.Kind, String)] = [
        (
            #"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"bar"}]"#, .untrue,
            "the value is not the expected one"
        ),
        (
            #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#, .failed,
            "the member \"baz\" does not exist"
        ),
        (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":"10"}]"#, .untrue, "not the expected one"),
        (#"{"a":1}"#, #"[{"op":"remove","path":"/b"}]"#, .failed, "the member \"b\" does not exist"),
        (#"{"a":[]}"#, #"[{"op":"replace","path":"/a/0","value":1}]"#, .failed, "beyond the end"),
        (#"{"a":1}"#, #"[{"op":"replace","path":"/b/c","value":1}]"#, .failed, "does not exist"),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/2","value":1}]"#, .failed, "the index 2 is beyond the end"),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/1"}]"#, .failed, "beyond the end"),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-"}]"#, .failed, "\"-\" is the place after the last element"),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/01","value":1}]"#, .failed, "is no index"),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-2"}]"#, .failed, "is no index"),
        (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-0"}]"#, .failed, "is no index"),
        (#"{"a":1}"#, #"[{"op":"test","path":"/a/b","value":null}]"#, .untrue, "not the expected one"),
        (#"{"a":[]}"#, #"[{"op":"test","path":"/a/0","value":null}]"#, .untrue, "not the expected one"),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/x","value":1}]"#, .failed, "is no index"),
        (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#, .failed, "into itself"),
        (#"{"a":1}"#, #"[{"op":"add","path":"/a/b","value":1}]"#, .failed, "integer has no member \"b\""),
        (#"{"a":1}"#, #"[{"op":"remove","path":""}]"#, .failed, "cannot be removed"),
        (#"{"a":1}"#, #"[{"op":"copy","from":"/b/d","path":"/c"}]"#, .failed, "/b/d does not exist"),
        (#"{"a":1}"#, #"[{"op":"move","from":"/b","path":"/c"}]"#, .failed, "the member \"b\" does not exist"),
        ("{}", #"{"op":"add"}"#, .malformed, "a list of operations, not object"),
        ("{}", #"[{"path":"/a"}]"#, .malformed, "\"op\" is none"),
        ("{}", #"[{"op":"spam","path":"/a"}]"#, .malformed, "\"op\" is \"spam\""),
        ("{}", #"[{"op":"add","path":"/a"}]"#, .malformed, "has no \"value\""),
        ("{}", #"[{"op":"add","path":"a","value":1}]"#, .malformed, "is no JSON pointer"),
        ("{}", #"[{"op":"add","path":"/~2","value":1}]"#, .malformed, "is no JSON pointer"),
        ("{}", #"[{"op":"move","path":"/a"}]"#, .malformed, "no text as \"from\""),
        ("{}", "[1]", .malformed, "\"op\" is none"),
    ]

    @Test("that do not fit leave everything as it was, and say why", arguments: faults)
    func refuses(_ target: String, _ patch: String, _ kind: PatchError.Kind, _ message: String) throws {
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(json(patch), to: json(target)) }
        #expect(error?.kind == kind)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("G2: are of 10,000 operations at most, however small")
    func operationLimit() throws {
        let operation = #"{"op":"test","path":"/a","value":1}"#
        func patch(_ count: Int) throws -> JSON {
            try json("[" + Array(repeating: operation, count: count).joined(separator: ",") + "]")
        }
        #expect(try JSONPatch.apply(patch(10_000), to: ["a": 1]) == ["a": 1])
        let error = #expect(throws: PatchError.self) { try JSONPatch.apply(patch(10_001), to: ["a": 1]) }
        #expect(error?.kind == .tooLarge)
        #expect(error?.message == "The allowed maximum operations in a JSON patch is 10000, got 10001")
    }

    @Test("cannot grow an object without end")
    func copies() throws {
        let copy = #"{"op":"copy","from":"/a","path":"/a/-"}"#
        let patch = try json("[" + Array(repeating: copy, count: 100).joined(separator: ",") + "]")
        let target: JSON = ["a": [.string(String(repeating: "x", count: 1000))]]
        #expect(throws: PatchError.self) { try JSONPatch.apply(patch, to: target) }
    }
}

@Suite("Merge patches")
struct MergePatchTests {
    @Test(
        "apply as RFC 7386, appendix A, says",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
            (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#), (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
            (#"{"a":"foo"}"#, "null", "null"), (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func applies(_ target: String, _ patch: String, _ expected: String) throws {
        #expect(try MergePatch.apply(json(patch), to: json(target)) == json(expected))
    }

    @Test("the difference of two trees leads from one to the other", arguments: 0..<100 as Range<UInt64>)
    func differences(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func withoutNulls(_ value: JSON) -> JSON {
            guard case .object(let object) = value else { return value }
            return .object(
                JSONObject(
                    object.filter { !$0.value.isNull }.map {
                        JSONObject.Member(key: $0.key, value: withoutNulls($0.value))
                    }))
        }
        let source: JSON = [
            "v": withoutNulls(.random(depth: 5, using: &generator)),
            "w": withoutNulls(.random(depth: 3, using: &generator)), "same": 1,
        ]
        let target: JSON = [
            "v": withoutNulls(.random(depth: 5, using: &generator)),
            "x": withoutNulls(.random(depth: 3, using: &generator)), "same": 1,
        ]
        let patch = MergePatch.diff(from: source, to: withoutNulls(target))
        #expect(MergePatch.apply(patch, to: source) == withoutNulls(target))
        #expect(MergePatch.diff(from: source, to: source) == [:])
        #expect(patch["same"] == nil)
    }
}
