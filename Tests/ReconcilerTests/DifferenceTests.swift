import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("Difference")
struct DifferenceTests {
    @Test("server-side bookkeeping and status are no difference")
    func ignoresBookkeeping() {
        var live = Fixture.configMap("map")
        live.json[path: ["metadata", "resourceVersion"]] = "7"
        live.json[path: ["metadata", "managedFields"]] = [["manager": "x"]]
        live.json["status"] = ["phase": "x"]
        #expect(!Difference.exists(live: live, applied: Fixture.configMap("map"), ignoring: []))
        #expect(Difference.exists(live: live, applied: Fixture.configMap("map", "two"), ignoring: []))
    }

    @Test("ignoreDifferences leaves pointers and managers out")
    func ignoreDifferences() {
        var rule = ResourceIgnoreDifferences()
        rule.kind = "ConfigMap"
        rule.jsonPointers = ["/data/value"]
        #expect(
            !Difference.exists(live: Fixture.configMap("m"), applied: Fixture.configMap("m", "two"), ignoring: [rule]))
        var live = Fixture.configMap("m")
        live.json[path: ["metadata", "managedFields"]] = [
            ["manager": "hpa", "fieldsV1": ["f:data": ["f:value": [:]]]]
        ]
        rule.jsonPointers = []
        rule.managedFieldsManagers = ["hpa"]
        #expect(!Difference.exists(live: live, applied: Fixture.configMap("m", "two"), ignoring: [rule]))
    }

    @Test("values of Secrets never show, but which of them change does")
    func masksSecrets() throws {
        let secret = { (value: String) -> Object in
            var secret = Secret(named: "s", in: "default")
            secret.data = ["password": value, "user": "bWU="]
            return Object(viewing: secret.json)
        }
        let difference = ObjectDifference(
            key: secret("YQ==").key, old: secret("YQ=="), new: secret("Yg=="), origin: "s.yaml")
        let text = DiffReport([difference]).unified(colors: false)
        #expect(!text.contains("YQ==") && !text.contains("Yg==") && !text.contains("bWU="))
        #expect(text.contains("-  password: ") && text.contains("+  password: "))
    }

    @Test("a report counts and lists what changes")
    func report() {
        let modified = ObjectDifference(
            key: Fixture.configMap("m").key, old: Fixture.configMap("m"), new: Fixture.configMap("m", "two"),
            origin: "m.yaml")
        let same = ObjectDifference(
            key: Fixture.configMap("n").key, old: Fixture.configMap("n"), new: Fixture.configMap("n"), origin: "n.yaml")
        let report = DiffReport([modified, same], unchanged: 3)
        #expect(report.headline == "0 to create, 1 to change, 0 to delete, 4 unchanged")
        #expect(report.json["differences"]?[0]?["fields"]?[0]?["path"] == "data.value")
        #expect(report.markdown().contains("```diff"))
    }

    @Test("a Secret alone shows no value either, not even in the note of kubectl apply")
    func masksAlone() {
        var secret = Secret(named: "s", in: "default")
        secret.data = ["password": "cGFzc3dvcmQ="]
        secret.json["stringData"] = ["token": "clear"]
        let note = "kubectl.kubernetes.io/last-applied-configuration"
        secret.metadata.annotations = [note: secret.json.text(), "team": "shop"]
        let shown = SecretMask.masked(secret.json)
        #expect(!shown.text().contains("cGFzc3dvcmQ=") && !shown.text().contains("clear"))
        #expect(shown[path: ["metadata", "annotations", "team"]] == "shop")
        #expect(shown[path: ["data", "password"]] == "********")
        let map = Fixture.configMap("m").json
        #expect(SecretMask.masked(map) == map)
    }

    private static func change(_ old: Object?, _ new: Object?) -> ObjectDifference {
        ObjectDifference(
            key: (new ?? old)?.key ?? ConfigMap.key("", in: ""), old: old, new: new,
            origin: new == nil ? "" : "f.yaml:3")
    }

    @Test("an object that goes on under another name is one difference: by the hash in its name, or by its content")
    func renames() {
        let hashed = [
            Self.change(nil, Fixture.configMap("web-bcdfghkmt2", "two")),
            Self.change(Fixture.configMap("web-9876542bcd", "one"), nil),
            Self.change(Fixture.configMap("api-9876542bcd", "three"), nil),
        ]
        let report = DiffReport(hashed)
        #expect(report.headline == "0 to create, 0 to change, 1 to delete, 1 renamed, 0 unchanged")
        #expect(
            report.unified(colors: false).contains("--- ConfigMap default/web-9876542bcd\n+++ ConfigMap default/web-b"))
        #expect(
            report.summary.contains("> ConfigMap default/web-9876542bcd → ConfigMap default/web-bcdfghkmt2 (+2 -2)"))
        #expect(report.json["differences"]?[0]?["previous"] == ["namespace": "default", "name": "web-9876542bcd"])
        let renamed = DiffReport([
            Self.change(nil, Fixture.configMap("new", "one")), Self.change(Fixture.configMap("old", "one"), nil),
        ])
        #expect(renamed.differences.map(\.change) == [.renamed])
        // Nothing says that these are the same.
        let others = DiffReport([
            Self.change(nil, Fixture.configMap("new", "one")), Self.change(Fixture.configMap("old", "two"), nil),
        ])
        #expect(others.differences.map(\.change) == [.created, .deleted])
    }

    @Test("two Secrets of different values are not taken for one that was renamed, and neither shows its values")
    func renamedSecrets() {
        func secret(_ name: String, _ value: String) -> Object {
            var secret = Secret(named: name, in: "default")
            secret.data = ["password": value]
            return Object(viewing: secret.json)
        }
        let different = DiffReport([Self.change(nil, secret("new", "YQ==")), Self.change(secret("old", "Yg=="), nil)])
        #expect(different.differences.map(\.change) == [.created, .deleted])
        let same = DiffReport([Self.change(nil, secret("new", "YQ==")), Self.change(secret("old", "YQ=="), nil)])
        #expect(same.differences.map(\.change) == [.renamed])
        for text in [same.unified(colors: false), same.markdown(), same.json.text()] { #expect(!text.contains("YQ==")) }
    }

    @Test("side by side, changed lines stand beside each other and are cut to their column")
    func sideBySide() {
        let long = String(repeating: "x", count: 40)
        let report = DiffReport([Self.change(Fixture.configMap("m", "one"), Fixture.configMap("m", long))])
        let lines = report.sideBySide(width: 63, colors: false).split(separator: "\n").map(String.init)
        #expect(lines.first == "ConfigMap default/m            = ConfigMap default/m f.yaml:3")
        #expect(lines.last == "  value: one                   |   value: xxxxxxxxxxxxxxxxxxxx…")
        #expect(lines.allSatisfy { $0.count <= 63 })
    }

    @Test("in Markdown what goes comes first, and files are links where there is a place for them")
    func markdownOrder() {
        let text = DiffReport([
            Self.change(nil, Fixture.configMap("new")),
            Self.change(Fixture.configMap("m"), Fixture.configMap("m", "two")),
            Self.change(Fixture.configMap("gone", "other"), nil),
        ]).markdown(links: "https://git.example.com/x/blob/main/")
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| |") }
        #expect(rows.map { $0.split(separator: " ")[1] } == ["deleted", "modified", "created"])
        #expect(text.contains("[f.yaml:3](https://git.example.com/x/blob/main/f.yaml#L3)"))
    }

    @Test("an object that moved to another file does not differ")
    func movedFile() {
        let map = Fixture.configMap("m")
        #expect(DiffReport([ObjectDifference(key: map.key, old: map, new: map, origin: "elsewhere.yaml")]).isEmpty)
    }

    @Test("nothing in a value or a file's name breaks out of its place in the Markdown, which keeps to its limit")
    func markdownIsEscaped() {
        let tricky = "```\n</details>\n````\n| x"
        let one = ObjectDifference(
            key: Fixture.configMap("m").key, old: Fixture.configMap("m"), new: Fixture.configMap("m", tricky),
            origin: "a|b_`<c>.yaml:1")
        let text = DiffReport([one]).markdown()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains("`````diff") && lines.count { $0 == "`````" } == 1)
        #expect(text.contains("| a\\|b\\_\\`&lt;c>.yaml:1 |"))
        let many = (0..<500).map { index in
            let map = Fixture.configMap("map-\(index)")
            return ObjectDifference(key: map.key, old: nil, new: map, origin: "maps.yaml:\(index)")
        }
        let cut = DiffReport(many).markdown(limit: 10_000)
        #expect(cut.utf8.count < 10_200)
        #expect(cut.contains("more objects are not listed.") && cut.contains("500 diffs are too long"))
    }
}
