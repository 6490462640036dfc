import Model
import Testing

@Suite("JSON paths and versions")
struct JSONPathTests {
    static let root: JSON = [
        "a": ["b": [1, 2, 3], "c.d": "x"], "items": [["n": 1, "k": "x"], ["n": 5, "k": "y"], ["k": "z"]],
    ]

    static let paths: [(path: String, values: [JSON]?)] = [
        (".a.b", [[1, 2, 3]]), (".a.b[0]", [1]), (".a.b[-1]", [3]), (".a.b[*]", [1, 2, 3]), (".a.b[1:]", [2, 3]),
        (".a.b[:-1]", [1, 2]), (".a['c.d']", ["x"]), (#".a.c\.d"#, ["x"]), (".a.none", []), (".a.b[9]", []),
        (".items[*].n", [1, 5]), (".items[?(@.n>1)].k", ["y"]), (".items[?(@.n)].k", ["x", "y"]),
        (#".items[?(@.k=="z")].k"#, ["z"]), (".items[?(@.k!='z')].n", [1, 5]), (".items[?(@.n<=1)].k", ["x"]),
        ("", [root]), ("a.b", nil), (".a..b", nil), (".a[", nil), (".a[x]", nil), (".", [root]),
    ]

    @Test("lead to values", arguments: paths.indices)
    func leads(index: Int) {
        let (path, values) = Self.paths[index]
        #expect(JSONPath(path)?.values(in: Self.root) == values, "\(path)")
    }

    @Test("of nothing but names are known as such")
    func names() {
        #expect(JSONPath(".spec.replicas")?.memberNames == ["spec", "replicas"])
        #expect(JSONPath(".spec.list[0]")?.memberNames == nil)
    }

    @Test("versions are preferred as Kubernetes prefers them")
    func priority() {
        let wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"]
        #expect(wanted.shuffled().sorted { VersionPriority($0) < VersionPriority($1) } == wanted)
    }
}
