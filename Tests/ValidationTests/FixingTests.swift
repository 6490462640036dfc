import Model
import Testing

@testable import Validation

@Suite("Mending files")
struct FixingTests {
    private func mended(_ text: String) throws -> (text: String, count: Int) {
        let findings = Validator().findings(try Repository.subject(["a.yaml": text]))
        let result = try Fixing.apply(findings.compactMap(\.fix), to: Array(text.utf8), file: "a.yaml")
        return (String(decoding: result.text, as: UTF8.self), result.count)
    }

    static let examples: [(before: String, after: String)] = [
        (
            "# Ours.\r\napiVersion: 'policy/v1beta1' # old\r\nkind: PodDisruptionBudget\r\nmetadata: {name: a}\r\n"
                + "spec: {selector: {matchLabels: {a: b}}}\r\n",
            "# Ours.\r\napiVersion: 'policy/v1' # old\r\nkind: PodDisruptionBudget\r\nmetadata: {name: a}\r\n"
                + "spec: {selector: {matchLabels: {a: b}}}\r\n"
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: é, \"nämespace\": x, lables: {a: b}}\ndate: {a: b}\n"
                .replacing("é", with: "e").replacing("\"nämespace\": x, ", with: ""),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e, labels: {a: b}}\ndata: {a: b}\n"
        ),
        (
            "kind: List\napiVersion: v1\nitems:\n- {apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: \"a\"},\n"
                + "   spec: {schedule: \"* * * * *\", jobTemplate: {spec: {template: {spec: {restartPolicy: Never,\n"
                + "   containers: [{name: a, image: ü, comand: [x]}]}}}}}}\n",
            "kind: List\napiVersion: v1\nitems:\n- {apiVersion: batch/v1beta1, kind: CronJob, metadata: {name: \"a\"},\n"
                + "   spec: {schedule: \"* * * * *\", jobTemplate: {spec: {template: {spec: {restartPolicy: Never,\n"
                + "   containers: [{name: a, image: ü, comand: [x]}]}}}}}}\n"
        ),
    ]

    @Test("only the scalar in question changes; comments, quotes, line ends and all else stay", arguments: examples)
    func mends(before: String, after: String) throws {
        #expect(try mended(before).text == after)
        // What is mended stays as it is.
        #expect(try mended(after).count == 0)
    }

    @Test("a version that the object does not fit as it is, or in which it means something else, is left to a person")
    func leaves() throws {
        let ingress =
            "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n"
            + "spec: {backend: {serviceName: a, servicePort: 80}}\n"
        #expect(try mended(ingress).count == 0)
        let budget =
            "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {selector: {}}\n"
        #expect(try mended(budget).count == 0)
    }

    @Test("two fixes of one place are one, and a fix that finds another text is left out")
    func guards() throws {
        let text = Array("a: b\n".utf8)
        let rename = LocatedFix(document: 0, item: [], fix: .renameKey(field: "a", to: "c"))
        let again = LocatedFix(document: 0, item: [], fix: .renameKey(field: "a", to: "d"))
        let nowhere = LocatedFix(document: 3, item: [], fix: .renameKey(field: "a", to: "c"))
        #expect(try Fixing.apply([rename, rename, nowhere], to: text, file: "x").text == Array("c: b\n".utf8))
        #expect(try Fixing.apply([rename, again], to: text, file: "x").count == 1)
        let folded = Array("a: >-\n  b\n".utf8)
        let value = LocatedFix(document: 0, item: [], fix: .replaceValue(field: "a", with: "c"))
        #expect(try Fixing.apply([value], to: folded, file: "x").count == 0)
    }
}
