import Model
import Testing

@Suite("Tree differences")
struct TreeDiffTests {
    static let schema = try! Schema.standalone(  // A constant: a fault would show in every test.
        JSON(
            decoding: #"""
                {"type":"object","properties":{
                  "spec":{"type":"object","properties":{
                    "containers":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],
                      "items":{"type":"object","properties":{"name":{"type":"string"},"image":{"type":"string"},
                        "cpu":{"format":"quantity"},
                        "args":{"type":"array","items":{"type":"string"}},
                        "ports":{"type":"array","x-kubernetes-list-type":"map",
                          "x-kubernetes-list-map-keys":["containerPort","protocol"],
                          "items":{"type":"object","properties":{"protocol":{"type":"string","default":"TCP"}}}}}}},
                    "finalizers":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
                    "selector":{"type":"object","x-kubernetes-map-type":"atomic"}}}}}
                """#))

    static func lines(_ changes: [TreeChange]) -> [String] {
        changes.map { change in
            let mark = change.isReordering ? " reordered" : ""
            return "\(change.path)\(mark): \(change.old?.text() ?? "-") -> \(change.new?.text() ?? "-")"
        }
    }

    @Test(
        "between two trees are found by the schema's keys",
        arguments: [
            (#"{"a":1,"b":{"c":2}}"#, #"{"a":1,"b":{"c":3},"d":[1]}"#, ["b.c: 2 -> 3", "d: - -> [1]"]),
            (
                #"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"web","image":"v1"}]}}"#,
                #"{"spec":{"containers":[{"name":"web","image":"v2"},{"name":"b"}]}}"#,
                [
                    #"spec.containers[name="a"]: {"name":"a","image":"x"} -> -"#,
                    #"spec.containers[name="b"]: - -> {"name":"b"}"#,
                    #"spec.containers[name="web"].image: "v1" -> "v2""#,
                ]
            ),
            (
                #"{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#,
                #"{"spec":{"containers":[{"name":"b"},{"name":"a"}]}}"#,
                [#"spec.containers reordered: [{"name":"a"},{"name":"b"}] -> [{"name":"b"},{"name":"a"}]"#]
            ),
            (
                #"{"spec":{"containers":[{"name":"a","cpu":"1000m"}]}}"#,
                #"{"spec":{"containers":[{"name":"a","cpu":1}]}}"#, []
            ),
            (
                #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80}]}]}}"#,
                #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}}"#,
                [#"spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].protocol: - -> "TCP""#]
            ),
            (
                #"{"spec":{"finalizers":["a","b"]}}"#, #"{"spec":{"finalizers":["b","c"]}}"#,
                [#"spec.finalizers["a"]: "a" -> -"#, #"spec.finalizers["c"]: - -> "c""#]
            ),
            (
                #"{"spec":{"selector":{"a":1}}}"#, #"{"spec":{"selector":{"a":1,"b":2}}}"#,
                [#"spec.selector: {"a":1} -> {"a":1,"b":2}"#]
            ),
            (
                #"{"spec":{"containers":[{"name":"a","args":["x","y"]}]}}"#,
                #"{"spec":{"containers":[{"name":"a","args":["x","z","w"]}]}}"#,
                [#"spec.containers[name="a"].args[1]: "y" -> "z""#, #"spec.containers[name="a"].args[2]: - -> "w""#]
            ),
            (
                #"{"m":{"app.kubernetes.io/name":"a"}}"#, #"{"m":{"app.kubernetes.io/name":"b"}}"#,
                [#"m["app.kubernetes.io/name"]: "a" -> "b""#]
            ),
            (#"{"a":{"b":1}}"#, #"{"a":[1]}"#, [#"a: {"b":1} -> [1]"#]), ("{}", "{}", []),
            // A list whose items cannot be told apart compares by index.
            (
                #"{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}"#, #"{"spec":{"containers":[{"name":"a"}]}}"#,
                [#"spec.containers[1]: {"name":"a"} -> -"#]
            ),
        ] as [(String, String, [String])])
    func twoWay(_ old: String, _ new: String, _ expected: [String]) throws {
        #expect(try Self.lines(TreeDiff.changes(from: json(old), to: json(new), schema: Self.schema)) == expected)
    }

    @Test(
        "in three ways leave alone what only the live object has",
        arguments: [
            (#"{"a":1}"#, #"{"a":2}"#, #"{"a":1,"status":3}"#, ["a: 1 -> 2"]),
            (#"{"a":1,"b":2}"#, #"{"a":1}"#, #"{"a":1,"b":5,"c":6}"#, ["b: 5 -> -"]),
            (#"{"a":1,"b":2}"#, #"{"a":1}"#, #"{"a":1}"#, []), (nil, #"{"a":{"b":1}}"#, #"{"a":{"b":1,"c":2}}"#, []),
            (nil, #"{"a":null,"b":null}"#, #"{"a":1}"#, ["a: 1 -> -"]),
            (
                #"{"spec":{"containers":[{"name":"old"},{"name":"web"}]}}"#,
                #"{"spec":{"containers":[{"name":"web","image":"v2"}]}}"#,
                #"{"spec":{"containers":[{"name":"injected"},{"name":"web","image":"v1","extra":1},{"name":"old"}]}}"#,
                [
                    #"spec.containers[name="old"]: {"name":"old"} -> -"#,
                    #"spec.containers[name="web"].image: "v1" -> "v2""#,
                ]
            ),
            (nil, #"{"spec":{"finalizers":["a"]}}"#, #"{"spec":{"finalizers":["b","a"]}}"#, []),
            (
                #"{"spec":{"finalizers":["b"]}}"#, #"{"spec":{"finalizers":[]}}"#, #"{"spec":{"finalizers":["b"]}}"#,
                [#"spec.finalizers["b"]: "b" -> -"#]
            ),
            (nil, #"{"l":[{"a":1}]}"#, #"{"l":[{"a":1,"b":2},3]}"#, ["l[1]: 3 -> -"]),
            (
                nil, #"{"spec":{"containers":[{"name":"a","cpu":"0.5"}]}}"#,
                #"{"spec":{"containers":[{"name":"a","cpu":"500m"}]}}"#, []
            ),
            (
                nil, #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80}]}]}}"#,
                #"{"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}}"#, []
            ),
            (nil, #"{"a":1}"#, nil, [#": - -> {"a":1}"#]),
        ] as [(String?, String, String?, [String])])
    func threeWay(_ original: String?, _ desired: String, _ live: String?, _ expected: [String]) throws {
        let changes = try TreeDiff.changes(
            original: original.map(json), desired: json(desired), live: live.map(json), schema: Self.schema)
        #expect(Self.lines(changes) == expected)
    }

    @Test("of random trees are none exactly when they are equal", arguments: 0..<100 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let left = JSON.random(depth: 5, using: &generator)
        let right = JSON.random(depth: 5, using: &generator)
        #expect(TreeDiff.changes(from: left, to: right).isEmpty == (left == right))
        #expect(TreeDiff.changes(from: left, to: left).isEmpty)
        for change in TreeDiff.changes(from: left, to: right) where change.new != nil {
            #expect(change.path.steps(in: right) != nil)
        }
    }
}

@Suite("Text differences")
struct TextDiffTests {
    static let goldens: [(String, String, String)] = [
        ("", "", ""), ("a\n", "a\n", ""),
        ("a\nb\nc\n", "a\nx\nc\n", "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"),
        ("", "a\nb\n", "--- old\n+++ new\n@@ -0,0 +1,2 @@\n+a\n+b\n"),
        ("a\n", "", "--- old\n+++ new\n@@ -1 +0,0 @@\n-a\n"),
        ("a", "a\n", "--- old\n+++ new\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        (
            "a\nb", "a\nc",
            "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n"
                + "+c\n\\ No newline at end of file\n"
        ),
        ("a\r\nb\n", "a\nb\n", "--- old\n+++ new\n@@ -1,2 +1,2 @@\n-a\r\n+a\n b\n"),
        ("\u{E9}\n", "e\u{301}\n", "--- old\n+++ new\n@@ -1 +1 @@\n-\u{E9}\n+e\u{301}\n"),
        (
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "1\nX\n3\n4\n5\n6\n7\n8\n9\n10\nY\n12\n",
            "--- old\n+++ new\n@@ -1,5 +1,5 @@\n 1\n-2\n+X\n 3\n 4\n 5\n@@ -8,5 +8,5 @@\n 8\n 9\n 10\n-11\n+Y\n 12\n"
        ),
        (
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\nX\n3\n4\n5\n6\n7\nY\n9\n",
            "--- old\n+++ new\n@@ -1,9 +1,9 @@\n 1\n-2\n+X\n 3\n 4\n 5\n 6\n 7\n-8\n+Y\n 9\n"
        ),
    ]

    @Test("print as diff -u does", arguments: goldens)
    func unified(_ old: String, _ new: String, _ expected: String) {
        let diff = TextDiff(from: old, to: new)
        #expect(diff.text(from: "old", to: "new") == expected)
        #expect(diff.isEmpty == expected.isEmpty)
    }

    @Test("number their lines on both sides")
    func numbers() {
        let diff = TextDiff(from: "a\nb\nc\n", to: "a\nc\nd\n", context: 0)
        #expect(diff.hunks.map(\.header) == ["@@ -2 +1,0 @@", "@@ -3,0 +3 @@"])
        #expect(diff.hunks.flatMap(\.lines).map(\.oldNumber) == [2, nil])
        #expect(diff.hunks.flatMap(\.lines).map(\.newNumber) == [nil, 3])
        #expect(diff.addedCount == 1)
        #expect(diff.removedCount == 1)
    }

    @Test("rebuild either text, and are the shortest for small changes", arguments: 0..<200 as Range<UInt64>)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let old = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
            "l\(Int.random(in: 0..<12, using: &generator))"
        }
        var new = old
        var edits = 0
        for _ in 0..<Int.random(in: 0..<10, using: &generator) {
            edits += 1
            if Bool.random(using: &generator), !new.isEmpty {
                new.remove(at: Int.random(in: 0..<new.count, using: &generator))
            } else {
                new.insert("n", at: Int.random(in: 0...new.count, using: &generator))
            }
        }
        let text = { (lines: [String]) in lines.map { $0 + "\n" }.joined() }
        let diff = TextDiff(from: text(old), to: text(new), context: 1000)
        let lines = diff.hunks.flatMap(\.lines)
        if diff.isEmpty {
            #expect(old == new)
        } else {
            #expect(lines.filter { $0.kind != .added }.map(\.text) == old)
            #expect(lines.filter { $0.kind != .removed }.map(\.text) == new)
        }
        #expect(diff.addedCount + diff.removedCount <= edits)
    }

    @Test("of texts without a common line end quickly")
    func disjoint() {
        let old = (0..<6000).map { "a\($0)\n" }.joined()
        let new = (0..<6000).map { "b\($0)\n" }.joined()
        let diff = TextDiff(from: old, to: new)
        #expect(diff.addedCount == 6000)
        #expect(diff.removedCount == 6000)
    }
}
