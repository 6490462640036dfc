extension ValidationReport {
    /// JUnit's XML, which CI servers show: a test case for each file with findings, and one for all the others.
    ///
    /// - Parameter severity: from here on a finding is a failure; lesser ones are output.
    package func junit(failingAt severity: Severity) -> String {
        var cases: [String] = []
        var failures = 0
        for (file, found) in Dictionary(grouping: findings, by: \.file).sorted(by: { $0.key < $1.key }) {
            let failed = found.filter { $0.severity >= severity }
            let passed = found.filter { $0.severity < severity }
            var text = "    <testcase classname=\"martlet.validate\" name=\"\(Self.escaped(file))\">\n"
            if let first = failed.first {
                failures += 1
                text += "      <failure type=\"\(first.rule)\" message=\"\(Self.escaped(first.message))\">"
                text += Self.escaped(failed.map(Self.line).joined(separator: "\n")) + "</failure>\n"
            }
            if !passed.isEmpty {
                let lines = passed.map(Self.line).joined(separator: "\n")
                text += "      <system-out>\(Self.escaped(lines))</system-out>\n"
            }
            cases.append(text + "    </testcase>\n")
        }
        cases.append("    <testcase classname=\"martlet.validate\" name=\"all other files\"/>\n")
        let counts = "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\""
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(counts)>\n"
            + "  <testsuite name=\"martlet validate\" \(counts)>\n" + cases.joined()
            + "  </testsuite>\n</testsuites>\n"
    }

    private static func line(_ finding: Finding) -> String {
        let subject = finding.object.isEmpty ? "" : "\(finding.object): "
        return "\(finding.place): \(finding.severity.rawValue): \(subject)\(finding.message) [\(finding.rule)]"
    }

    /// XML 1.0; characters that it does not allow at all become a question mark.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "\n"
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += scalar == "\t" ? "\t" : "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
