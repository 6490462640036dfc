package import Model

extension ValidationReport {
    /// SARIF 2.1.0, which GitHub, GitLab and editors read.
    ///
    /// - Parameter version: of Martlet.
    package func sarif(version: String) -> JSON {
        let rules = Rule.all
        return [
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [
                [
                    "tool": [
                        "driver": [
                            "name": "martlet", "version": .string(version),
                            "rules": .array(
                                rules.map { rule in
                                    [
                                        "id": .string(rule.name), "shortDescription": ["text": .string(rule.summary)],
                                        "fullDescription": ["text": .string(rule.explanation)],
                                        "defaultConfiguration": ["level": .string(rule.severity.rawValue)],
                                    ]
                                }),
                        ]
                    ], "columnKind": "unicodeCodePoints", "results": .array(findings.map { Self.result($0, rules) }),
                ]
            ],
        ]
    }

    private static func result(_ finding: Finding, _ rules: [Rule]) -> JSON {
        var location: JSON = ["artifactLocation": ["uri": .string(percentEncoded(finding.file))]]
        if let mark = finding.mark {
            location["region"] = ["startLine": .int(Int64(mark.line)), "startColumn": .int(Int64(mark.column))]
        }
        var place: JSON = ["physicalLocation": location]
        if !finding.object.isEmpty {
            place["logicalLocations"] = [["fullyQualifiedName": .string(finding.object)]]
        }
        let index = rules.firstIndex { $0.name == finding.rule }.map { Int64($0) } ?? -1
        return [
            "ruleId": .string(finding.rule), "ruleIndex": .int(index), "level": .string(finding.severity.rawValue),
            "message": ["text": .string(finding.message)], "locations": [place],
            // The same fault in the same object stays the same, wherever its line moves.
            "partialFingerprints": [
                "objectAndField": .string("\(finding.rule)/\(finding.file)/\(finding.object)/\(finding.field)")
            ],
        ]
    }

    /// A path as part of a URI: what RFC 3986 does not allow in one is escaped.
    private static func percentEncoded(_ path: String) -> String {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=@".utf8)
        return path.utf8.reduce(into: "") { text, byte in
            if allowed.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
    }
}
