package import Model

/// What a validation came to, for people and for programs.
package struct ValidationReport: Sendable {
    package var findings: [Finding]
    /// How many objects were judged.
    package var objects: Int

    package init(findings: [Finding], objects: Int) {
        self.findings = findings
        self.objects = objects
    }

    package func count(_ severity: Severity) -> Int { findings.count { $0.severity == severity } }

    /// Whether something is at least as bad as `severity`.
    package func fails(at severity: Severity) -> Bool { findings.contains { $0.severity >= severity } }

    /// `2 errors and 1 warning in 42 objects`
    package var summary: String {
        let counted = "\(objects) \(objects == 1 ? "object" : "objects")"
        guard !findings.isEmpty else { return objects == 1 ? "1 object is valid" : "\(counted) are valid" }
        let parts = Severity.allCases.reversed().compactMap { severity -> String? in
            let count = count(severity)
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return "\(parts.joined(separator: ", ")) in \(counted)"
    }

    // MARK: For people

    /// One block for each finding: its place and message, the line that it is about, and the rule's name.
    ///
    /// - Parameters:
    ///   - colors: whether the terminal shows them.
    ///   - line: a line of a file.
    package func text(colors: Bool, line: (_ number: Int, _ file: String) -> String?) -> String {
        var text = ""
        for finding in findings {
            let severity = Self.colored(finding.severity.rawValue, Self.color(finding.severity), colors)
            let subject = finding.object.isEmpty ? "" : "\(finding.object): "
            text += "\(finding.place): \(severity): \(subject)\(finding.message) [\(finding.rule)]\n"
            guard let mark = finding.mark, let source = line(mark.line, finding.file) else { continue }
            let number = "\(mark.line)"
            let margin = String(repeating: " ", count: number.count)
            let indent = String(source.prefix(max(0, mark.column - 1)).map { $0 == "\t" ? "\t" : " " })
            text += "  \(number) | \(source)\n  \(margin) | \(indent)\(Self.colored("^", "32", colors))\n"
        }
        return text
    }

    private static func color(_ severity: Severity) -> String {
        switch severity {
        case .error: "31"
        case .warning: "33"
        case .note: "36"
        }
    }

    private static func colored(_ text: String, _ color: String, _ isOn: Bool) -> String {
        isOn ? "\u{1B}[\(color)m\(text)\u{1B}[0m" : text
    }

    // MARK: For programs

    package var json: JSON {
        var counts = JSON.emptyObject
        for severity in Severity.allCases.reversed() { counts[severity.rawValue] = .int(Int64(count(severity))) }
        return [
            "objects": .int(Int64(objects)), "counts": counts,
            "findings": .array(
                findings.map { finding in
                    var json: JSON = [
                        "rule": .string(finding.rule), "severity": .string(finding.severity.rawValue),
                        "file": .string(finding.file),
                    ]
                    if let mark = finding.mark {
                        json["line"] = .int(Int64(mark.line))
                        json["column"] = .int(Int64(mark.column))
                    }
                    if !finding.object.isEmpty { json["object"] = .string(finding.object) }
                    if !finding.field.isEmpty { json["field"] = .string(finding.field) }
                    json["message"] = .string(finding.message)
                    json["fixable"] = .bool(finding.fix != nil)
                    return json
                }),
        ]
    }

    /// Annotations in a workflow's log, which GitHub shows beside the lines of a pull request.
    package var githubAnnotations: String {
        findings.map { finding in
            let level = finding.severity == .note ? "notice" : finding.severity.rawValue
            var properties = ["file=\(Self.property(finding.file))"]
            if let mark = finding.mark { properties += ["line=\(mark.line)", "col=\(mark.column)"] }
            properties.append("title=\(Self.property(finding.rule))")
            let subject = finding.object.isEmpty ? "" : "\(finding.object): "
            return "::\(level) \(properties.joined(separator: ","))::\(Self.escaped(subject + finding.message))\n"
        }.joined()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String {
        escaped(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }
}
