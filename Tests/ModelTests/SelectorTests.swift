import Model
import Testing

@Suite("Label selectors")
struct SelectorTests {
    @Test(
        "print as Kubernetes prints them (D9)",
        arguments: [
            ("", ""), ("x=a,y=b,z=c", "x=a,y=b,z=c"), ("x!=a,y=b", "x!=a,y=b"), ("x=", "x="), ("x= ,z= ", "x=,z="),
            ("!x", "!x"),
            ("x>1,z<5", "x>1,z<5"), ("z,a", "a,z"), ("x in (def, abc)", "x in (abc,def)"),
            ("x notin\n (abc)", "x notin (abc)"),
            ("x in ()", "x in ()"), ("x in (abc,)", "x in (,abc)"), ("x in (,abc)", "x in (,abc)"), ("x==a", "x=a"),
            ("\rx", "x"),
            ("a.domain.com/key-with-dash in (so,what)", "a.domain.com/key-with-dash in (so,what)"),
            ("notin=in", "notin=in"),
            ("in in (in,notin)", "in in (in,notin)"),
            ("x notin (abc,def),bar,z in (),w", "bar,w,x notin (abc,def),z in ()"), ("! x", "!x"),
        ])
    func description(_ text: String, _ expected: String) throws {
        let selector = try Selector(parsing: text)
        #expect(selector.description == expected)
        #expect(try Selector(parsing: selector.description) == selector)
    }

    @Test(
        "with a fault say what would be right",
        arguments: [
            ("x=a||y=b", "'a||y' is no label value"), ("x==a==b", "found '=='"),
            ("!x=a", "expected: ',' or the end after '!x'"), ("x<a", "expected: an integer"),
            ("x,", "found the end after ','"), (",x", "found ','"), ("x in a", "expected: '('"),
            ("x in (a", "found the end, expected: ',' or ')'"),
            ("x in (a b)", "found 'b', expected: ',' or ')'"), ("x y", "expected: in, notin, =, ==, !=, >, <"),
            ("=a", "expected: a label key"), ("x=-a", "'-a' is no label value"),
            ("a/b/c", "'a/b/c' is no label key"), ("A.com/x", "lowercase domain name"),
            ("/x", "the prefix before '/' is empty"), ("x!", "found '!'"), ("x>", "found the end"),
        ])
    func faults(_ text: String, _ expected: String) {
        let error = #expect(throws: SelectorError.self) { try Selector(parsing: text) }
        #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
    }

    @Test(
        "match as Kubernetes matches: != and notin also where the label is absent (D9)",
        arguments: [
            ("", ["x": "y"], true), ("x=y", ["x": "y"], true), ("x=y", [:], false),
            ("x=y,z=w", ["x": "y", "z": "w"], true),
            ("x!=y", ["x": "z"], true), ("x!=y", [:], true), ("x!=y", ["x": "y"], false), ("x", ["x": ""], true),
            ("x", [:], false),
            ("!x", ["y": "z"], true), ("!x", ["x": "z"], false), ("x>1", ["x": "2"], true), ("x>1", ["x": "1"], false),
            ("x<1", ["x": "0"], true),
            ("x>1", ["x": "v2"], false), ("x>1", [:], false), ("x in (a,b)", ["x": "b"], true),
            ("x in (a)", [:], false), ("x notin (a)", [:], true),
            ("x notin (a)", ["x": "a"], false), ("x in ()", ["x": ""], true), ("x=", ["x": ""], true),
        ] as [(String, [String: String], Bool)])
    func matching(_ text: String, _ labels: [String: String], _ expected: Bool) throws {
        let selector = try Selector(parsing: text)
        #expect(selector.matches(labels) == expected)
        let members = labels.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }
        #expect(selector.matches(JSON.object(JSONObject(members))) == expected)
        if labels.isEmpty { #expect(selector.matches(JSON?.none) == expected) }
    }
}

@Suite("Field selectors")
struct FieldSelectorTests {
    @Test(
        "are read with backslash escapes and printed back (D9)",
        arguments: [
            ("", ""), ("metadata.name=web", "metadata.name=web"), ("a==b", "a=b"), ("a!=b,c=d", "a!=b,c=d"),
            ("a=", "a="), (",a=b,", "a=b"),
            ("a=b\\,c", "a=b\\,c"), ("a=b\\=c", "a=b\\=c"), ("a=b\\\\", "a=b\\\\"), ("a=x y", "a=x y"),
        ])
    func description(_ text: String, _ expected: String) throws {
        let selector = try FieldSelector(parsing: text)
        #expect(selector.description == expected)
        #expect(try FieldSelector(parsing: expected) == selector)
    }

    @Test("unescape their values")
    func escapes() throws {
        #expect(
            try FieldSelector(parsing: "a=b\\,c\\=\\\\d").requirements == [
                FieldSelector.Requirement(path: "a", value: "b,c=\\d")
            ])
    }

    @Test("with a fault say what would be right", arguments: ["a", "a=b=c", "a=\\x", "a=b\\", "a,b=c"])
    func faults(_ text: String) {
        let error = #expect(throws: SelectorError.self) { try FieldSelector(parsing: text) }
        #expect(error?.message.hasPrefix("invalid") == true)
    }

    @Test(
        "match objects by dotted paths; an absent field is empty",
        arguments: [
            ("metadata.name=web", true), ("metadata.name!=web", false), ("spec.nodeName=", true),
            ("spec.unschedulable=true", true),
            ("status.successful=3", true), ("metadata.name=web,spec.nodeName!=x", true), ("metadata=x", false),
        ])
    func matching(_ text: String, _ expected: Bool) throws {
        let object: JSON = ["metadata": ["name": "web"], "spec": ["unschedulable": true], "status": ["successful": 3]]
        #expect(try FieldSelector(parsing: text).matches(object) == expected)
    }
}
