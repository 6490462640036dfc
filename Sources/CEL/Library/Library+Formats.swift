import Model

/// Kubernetes' named formats: `format.dns1123Label().validate(name)`.
extension Library {
    static let formats: [Overload] =
        NamedFormat.allCases.map { format in
            Overload("format.\(format.rawValue)", id: "format.\(format.rawValue)", "() -> kubernetes.NamedFormat") {
                _ in
                .format(format)
            }
        }
        + function("format.named", ["format-named": "(string) -> optional(kubernetes.NamedFormat)"]) { arguments in
            guard case .string(let name) = arguments[0] else { return .noOverload }
            return .optional(NamedFormat(rawValue: name).map { .format($0) })
        }
        + function(
            "validate", ["format-validate": "kubernetes.NamedFormat.(string) -> optional(list(string))"]
        ) { arguments in
            guard case .format(let format) = arguments[0], case .string(let text) = arguments[1] else {
                return .noOverload
            }
            let faults = format.faults(of: text)
            return .optional(faults.isEmpty ? nil : .strings(faults))
        }
}

/// A form that texts can have, by the name that expressions know it under.
package enum NamedFormat: String, CaseIterable, Hashable, Sendable {
    case dns1123Label, dns1123Subdomain, dns1035Label, qualifiedName, dns1123LabelPrefix, dns1123SubdomainPrefix
    case dns1035LabelPrefix, labelValue, uri, uuid, byte, date, datetime

    /// How long a pattern for it would be, by which costs are reckoned.
    var patternLength: Int {
        switch self {
        case .dns1123Label, .dns1035Label, .dns1123LabelPrefix, .dns1035LabelPrefix: 30
        case .dns1123Subdomain, .dns1123SubdomainPrefix, .qualifiedName: 60
        case .labelValue: 40
        case .uri: 1100
        case .uuid: 85
        case .byte: 84
        case .date, .datetime: 150
        }
    }

    /// What is wrong with a text, in Kubernetes' words.
    func faults(of text: String) -> [String] {
        switch self {
        case .dns1123Label: FormatFaults.label(text)
        case .dns1123LabelPrefix: FormatFaults.label(Self.masked(text))
        case .dns1123Subdomain: FormatFaults.subdomain(text)
        case .dns1123SubdomainPrefix: FormatFaults.subdomain(Self.masked(text))
        case .dns1035Label: FormatFaults.label1035(text)
        case .dns1035LabelPrefix: FormatFaults.label1035(Self.masked(text))
        case .qualifiedName: FormatFaults.qualifiedName(text)
        case .labelValue: FormatFaults.labelValue(text)
        case .uri: Self.uriFaults(text)
        case .uuid: Self.isUUID(text) ? [] : ["does not match the UUID format"]
        case .byte: Base64.decode(text) == nil ? ["invalid base64"] : []
        case .date: CELTimestamp("\(text)T00:00:00Z") == nil ? ["invalid date"] : []
        case .datetime: CELTimestamp(text) == nil ? ["invalid datetime"] : []
        }
    }

    /// A prefix may end with a dash, since a name goes on behind it.
    private static func masked(_ text: String) -> String {
        text.count > 1 && text.last == "-" ? "\(text.dropLast())a" : text
    }

    private static func uriFaults(_ text: String) -> [String] {
        do {
            _ = try URLValue(text)
            return []
        } catch {
            return [error.message]
        }
    }

    private static func isUUID(_ text: String) -> Bool {
        let digits = text.unicodeScalars.filter { $0 != "-" }
        guard digits.count == 32, digits.allSatisfy({ $0.hexValue != nil }) else { return false }
        let groups = text.split(separator: "-", omittingEmptySubsequences: false).map(\.count)
        return groups == [8, 4, 4, 4, 12] || groups == [32]
    }
}

/// Names and label values (semantics-api C24, C25), with the faults of a text in Kubernetes' words.
enum FormatFaults {
    private static let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    private static let namePattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

    private static func isAll(_ text: Substring, _ extra: String, upper: Bool = false) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0.isDigit || ("a"..."z").contains($0) || upper && ("A"..."Z").contains($0)
                || extra.unicodeScalars.contains($0)
        }
    }

    private static func isLabel(_ text: Substring) -> Bool {
        !text.isEmpty && isAll(text, "-") && text.first != "-" && text.last != "-"
    }

    private static func isSubdomain(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && isAll(text, "-_.", upper: true) && isAll(text.prefix(1), "", upper: true)
            && isAll(text.suffix(1), "", upper: true)
    }

    private static func tooLong(_ text: String, _ limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) bytes"] : []
    }

    private static func regex(_ message: String, _ pattern: String, _ examples: String...) -> String {
        let listed = examples.map { "'\($0)'" }.joined(separator: ",  or ")
        return "\(message) (e.g. \(listed), regex used for validation is '\(pattern)')"
    }

    static func label(_ text: String) -> [String] {
        if isLabel(text[...]) { return tooLong(text, 63) }
        let fault =
            isSubdomain(text)
            ? "must not contain dots"
            : regex(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
                    + "and end with an alphanumeric character", labelPattern, "my-name", "123-abc")
        return tooLong(text, 63) + [fault]
    }

    static func label1035(_ text: String) -> [String] {
        if isLabel(text[...]), text.unicodeScalars.first?.isDigit == false { return tooLong(text, 63) }
        return tooLong(text, 63) + [
            regex(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                    + "character, and end with an alphanumeric character", "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name",
                "abc-123")
        ]
    }

    static func subdomain(_ text: String) -> [String] {
        if isSubdomain(text) { return tooLong(text, 253) }
        return tooLong(text, 253) + [
            regex(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                    + "must start and end with an alphanumeric character", "\(labelPattern)(\\.\(labelPattern))*",
                "example.com")
        ]
    }

    private static let nameFault = regex(
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        namePattern, "MyName", "my.name", "123-abc")

    static func qualifiedName(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            return [
                "a qualified name \(nameFault) with an optional DNS subdomain prefix and '/' "
                    + "(e.g. 'example.com/MyName')"
            ]
        }
        var faults: [String] = []
        if parts.count == 2 {
            let prefix = parts[0].isEmpty ? ["must be non-empty"] : subdomain(String(parts[0]))
            faults += prefix.map { "prefix part \($0)" }
        }
        let name = parts[parts.count - 1]
        if name.isEmpty { faults.append("name part must be non-empty") }
        faults += tooLong(String(name), 63).map { "name part \($0)" }
        if !isName(name) { faults.append("name part \(nameFault)") }
        return faults
    }

    static func labelValue(_ text: String) -> [String] {
        if text.isEmpty || isName(text[...]) { return tooLong(text, 63) }
        return tooLong(text, 63) + [
            regex(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                    + "start and end with an alphanumeric character", "(\(namePattern))?", "MyValue", "my_value",
                "12345")
        ]
    }
}
