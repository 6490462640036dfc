import Kinds
package import Model
package import Rendering

/// What a repository wants of the rules: `.martlet-validate.yaml` at its root.
///
/// ```yaml
/// rules:
///   dangling-secret: off
///   no-readiness-probe: error
/// ignore:
///   - vendor/**
/// ```
package struct ValidationConfiguration: Sendable {
    package static let file = ".martlet-validate.yaml"

    /// `nil` for a rule that is off; what is not named keeps its own severity.
    package var severities: [String: Severity?] = [:]
    /// Files in which nothing is wrong, by paths from the root.
    package var ignored: [Glob] = []

    package init() {}

    /// - Throws: `YAMLError` with the place of what is no rule, no severity, or no part of such a file.
    package init(_ text: [UInt8], file: String = Self.file) throws(YAMLError) {
        guard let document = try YAML.documents(text, file: file).first, !document.value.isNull else { return }
        guard let members = document.value.object else {
            throw document.error(at: [], "the configuration must be an object with the members rules and ignore")
        }
        for member in members {
            switch member.key {
            case "rules": try readRules(document)
            case "ignore": try readIgnored(document)
            default:
                throw document.error(
                    atKey: [.key(member.key)], "there is no member \"\(member.key)\" here; there are rules and ignore")
            }
        }
    }

    private mutating func readRules(_ document: YAMLDocument) throws(YAMLError) {
        guard let rules = document.value["rules"]?.object else {
            throw document.error(
                at: [.key("rules")], "rules must be an object: a rule's name, then its severity or off")
        }
        for rule in rules {
            let place: [PathStep] = [.key("rules"), .key(rule.key)]
            if let fault = Self.fault(ofRule: rule.key) { throw document.error(atKey: place, fault) }
            // YAML reads a bare `off` as false.
            if rule.value == false || rule.value == "off" {
                severities[rule.key] = .some(nil)
            } else if let severity = rule.value.string.flatMap(Severity.init) {
                severities[rule.key] = severity
            } else {
                throw document.error(
                    at: place, "\(rule.value.text()) is no severity; write error, warning, note or off")
            }
        }
    }

    private mutating func readIgnored(_ document: YAMLDocument) throws(YAMLError) {
        guard let patterns = document.value["ignore"]?.array else {
            throw document.error(at: [.key("ignore")], "ignore must be a list of patterns, such as vendor/**")
        }
        for (position, pattern) in patterns.enumerated() {
            do {
                guard let text = pattern.string else { throw document.error(at: [], "") }
                ignored.append(try Glob(text))
            } catch {
                throw document.error(
                    at: [.key("ignore"), .index(position)],
                    "\(pattern.text()) is no pattern; write one such as vendor/**")
            }
        }
    }

    /// Why there is no rule of that name, and which was probably meant.
    package static func fault(ofRule name: String) -> String? {
        let names = Rule.all.map(\.name)
        guard !names.contains(name) else { return nil }
        let near = Spelling.nearest(to: name, among: names).map { "did you mean \"\($0)\"?" }
        return "there is no rule \"\(name)\"; \(near ?? "there are: \(names.joined(separator: ", "))")"
    }

    /// `nil` when the rule is off.
    func severity(of rule: Rule) -> Severity? { severities[rule.name] ?? rule.severity }

    func ignores(_ file: String) -> Bool { ignored.contains { $0.matches(file) } }
}
