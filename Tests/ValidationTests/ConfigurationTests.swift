import Model
import Testing

@testable import Validation

@Suite("The configuration of a validation")
struct ConfigurationTests {
    private func read(_ text: String) throws -> ValidationConfiguration {
        try ValidationConfiguration(Array(text.utf8))
    }

    @Test("rules get another severity or are off, and files are passed over")
    func applies() throws {
        let files = [
            "a.yaml": RuleTests.deployment("          envFrom: [{configMapRef: {name: b}}]\n"),
            "vendor/x/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\n",
        ]
        let subject = try Repository.subject(files)
        func found(_ text: String) throws -> [String] {
            Validator(try read(text)).findings(subject).map { "\($0.severity.rawValue) \($0.rule)" }
        }
        #expect(try found("") == ["warning dangling-config-map", "error invalid-value"])
        #expect(
            try found("rules: {dangling-config-map: error}\nignore: [\"vendor/**\"]\n") == ["error dangling-config-map"]
        )
        #expect(try found("rules:\n  dangling-config-map: off\n  invalid-value: \"off\"\n") == [])
    }

    static let faults = [
        (
            "rules: {dangling-sekret: off}",
            ":1:9: there is no rule \"dangling-sekret\"; did you mean \"dangling-secret\"?"
        ),
        ("rules: {xyz: off}", ":1:9: there is no rule \"xyz\"; there are: application-path, "),
        ("rules:\n  no-manifest: loud", ":2:16: \"loud\" is no severity; write error, warning, note or off"),
        ("rules: [a]", ":1:8: rules must be an object"), ("ignore: a", ":1:9: ignore must be a list of patterns"),
        ("ignore: [\"[\"]", ":1:10: \"[\" is no pattern"), ("rule: {}", ":1:1: there is no member \"rule\" here"),
        ("- a", ":1:1: the configuration must be an object"), ("a: [", ":1:4: "),
    ]

    @Test("what it cannot mean is told with its place", arguments: faults)
    func faulty(text: String, message: String) {
        let error = #expect(throws: YAMLError.self) { try read(text) }
        #expect(error?.description.hasPrefix(".martlet-validate.yaml" + message) == true, "\(error?.description ?? "")")
    }
}
