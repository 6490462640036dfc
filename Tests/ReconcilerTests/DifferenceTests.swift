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
}
