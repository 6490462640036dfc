import FoundationEssentials
import Model
import Testing

@testable import Validation

@Suite("How findings are shown")
struct ReportTests {
    private static let files = [
        "web/a b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\tdata: {}\n",
        "web/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndate: {é: \"<x> & 100%,\"}\n",
        "web/e.yaml": "apiVersion: v1\nkind: Endpoints\nmetadata: {name: e}\n",
    ]

    private func report() throws -> (ValidationReport, SourceFiles) {
        let subject = try Repository.subject(Self.files)
        return (ValidationReport(findings: Validator().findings(subject), objects: 2), SourceFiles(subject.tree))
    }

    @Test("for people: place, severity, message and rule, and the line with a mark beneath")
    func text() throws {
        var (report, sources) = try report()
        let text = report.text(colors: false) { sources.line($0, of: $1) }
        #expect(
            text.hasSuffix(
                """
                web/c.yaml:4:1: error: ConfigMap default/c: unknown field "date"; did you mean "data"? [unknown-field]
                  4 | date: {é: "<x> & 100%,"}
                    | ^
                web/e.yaml:2:1: note: Endpoints default/e: Endpoints are deprecated since Kubernetes 1.33: write an \
                EndpointSlice of discovery.k8s.io/v1 [deprecated-api]
                  2 | kind: Endpoints
                    | ^

                """), "\(text)")
        #expect(text.hasPrefix("web/a b.yaml:4:1: error: "))
        #expect(report.summary == "2 errors, 1 note in 2 objects")
        #expect(report.text(colors: true) { _, _ in nil }.contains("\u{1B}[31merror\u{1B}[0m"))
        #expect(report.fails(at: .error) && ValidationReport(findings: [], objects: 1).summary == "1 object is valid")
    }

    @Test("for GitHub: annotations whose separators are escaped")
    func github() throws {
        let lines = try report().0.githubAnnotations.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("::error file=web/a b.yaml,line=4,col=1,title=unreadable::"))
        #expect(
            lines[2]
                == "::notice file=web/e.yaml,line=2,col=1,title=deprecated-api::Endpoints default/e: Endpoints are "
                + "deprecated since Kubernetes 1.33: write an EndpointSlice of discovery.k8s.io/v1")
        let odd = Finding(
            rule: "x", severity: .error, file: "a,b:c.yaml", object: "", field: "", message: "100%\nmore")
        #expect(
            ValidationReport(findings: [odd], objects: 0).githubAnnotations
                == "::error file=a%2Cb%3Ac.yaml,title=x::100%25%0Amore\n")
    }

    @Test("for programs: counts, and of each finding all that is known")
    func json() throws {
        let json = try report().0.json
        #expect(json["counts"] == ["error": 2, "warning": 0, "note": 1])
        #expect(
            json["findings"]?[1] == [
                "rule": "unknown-field", "severity": "error", "file": "web/c.yaml", "line": 4, "column": 1,
                "object": "ConfigMap default/c", "field": "date",
                "message": "unknown field \"date\"; did you mean \"data\"?", "fixable": true,
            ])
    }

    @Test("SARIF names every rule, and each result points to one and to its place")
    func sarif() throws {
        let sarif = try report().0.sarif(version: "1.2.3")
        let run = try #require(sarif["runs"]?[0])
        let rules = try #require(run[path: ["tool", "driver", "rules"]]?.array)
        #expect(rules.count == Rule.all.count)
        for result in run["results"]?.array ?? [] {
            let index = try #require(result["ruleIndex"]?.int)
            #expect(rules[Int(index)]["id"] == result["ruleId"])
        }
        let place = run["results"]?[0]?["locations"]?[0]?["physicalLocation"]
        #expect(place?[path: ["artifactLocation", "uri"]] == "web/a%20b.yaml")
        #expect(place?["region"] == ["startLine": 4, "startColumn": 1])
    }

    @Test("JUnit has a case for each file with findings, and its XML is sound")
    func junit() throws {
        let text = try report().0.junit(failingAt: .error)
        #expect(
            text.hasPrefix(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"4\" failures=\"2\" errors=\"0\">"))
        #expect(text.contains("<testcase classname=\"martlet.validate\" name=\"web/a b.yaml\">"))
        #expect(text.contains("message=\"unknown field &quot;date&quot;; did you mean &quot;data&quot;?\""))
        let odd = Finding(
            rule: "x", severity: .error, file: "a", object: "", field: "", message: "<&>\u{1}\"")
        #expect(ValidationReport(findings: [odd], objects: 0).junit(failingAt: .error).contains("&lt;&amp;&gt;?&quot;"))
    }
}
