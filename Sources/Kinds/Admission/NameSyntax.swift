/// The forms of names, keys and label values (semantics-api C24, C25). Every function gives the faults of a text in
/// Kubernetes' words; none means that it is well formed.
enum NameSyntax {
    static func label(_ text: String) -> [String] {
        var faults = tooLong(text, 63)
        if !isLabel(text, startsWithLetter: false) {
            faults.append(
                isSubdomain(text)
                    ? "must not contain dots"
                    : regex(
                        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
                            + " start and end with an alphanumeric character", labelPattern, "my-name", "123-abc"))
        }
        return faults
    }

    static func label1035(_ text: String) -> [String] {
        var faults = tooLong(text, 63)
        if !isLabel(text, startsWithLetter: true) {
            faults.append(
                regex(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic"
                        + " character, and end with an alphanumeric character", "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name",
                    "abc-123"))
        }
        return faults
    }

    static func subdomain(_ text: String) -> [String] {
        var faults = tooLong(text, 253)
        if !isSubdomain(text) {
            faults.append(
                regex(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and"
                        + " must start and end with an alphanumeric character",
                    labelPattern + "(\\." + labelPattern + ")*", "example.com"))
        }
        return faults
    }

    /// Keys of labels and annotations, finalizers, condition types: `name` or `example.com/name`.
    static func qualifiedName(_ text: String) -> [String] {
        // Most have no prefix, or one that is well formed: that is seen without taking the text apart.
        if isQualifiedName(text) { return [] }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2 else {
            return [
                "a qualified name " + regex(qualifiedNameText, qualifiedNamePattern, "MyName", "my.name", "123-abc")
                    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        var faults: [String] = []
        if parts.count == 2 {
            let prefix = String(parts[0])
            faults += (prefix.isEmpty ? ["must be non-empty"] : subdomain(prefix)).map { "prefix part \($0)" }
        }
        let name = String(parts[parts.count - 1])
        if name.isEmpty { faults.append("name part must be non-empty") }
        faults += tooLong(name, 63).map { "name part \($0)" }
        if !isLabelText(name) {
            let pattern = regex(qualifiedNameText, qualifiedNamePattern, "MyName", "my.name", "123-abc")
            faults.append("name part \(pattern)")
        }
        return faults
    }

    static func labelValue(_ text: String) -> [String] {
        var faults = tooLong(text, 63)
        if !text.isEmpty, !isLabelText(text) {
            faults.append(
                regex(
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must"
                        + " start and end with an alphanumeric character", "(\(qualifiedNamePattern))?", "MyValue",
                    "my_value", "12345"))
        }
        return faults
    }

    /// Keys of ConfigMaps and Secrets, which become file names.
    static func configKey(_ text: String) -> [String] {
        var faults = tooLong(text, 253)
        if text.isEmpty || !text.utf8.allSatisfy({ isAlphanumeric($0) || "-._".utf8.contains($0) }) {
            faults.append(
                regex(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+",
                    "key.name", "KEY_NAME", "key-name"))
        }
        if text == "." { faults.append("must not be '.'") }
        if text == ".." {
            faults.append("must not be '..'")
        } else if text.utf8.starts(with: "..".utf8) {
            faults.append("must not start with '..'")
        }
        return faults
    }

    static func portName(_ text: String) -> [String] {
        var faults = tooLong(text, 15)
        if text.isEmpty || !text.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == hyphen }) {
            faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: { (0x61...0x7A).contains($0) }) {
            faults.append("must contain at least one letter (a-z)")
        }
        if zip(text.utf8, text.utf8.dropFirst()).contains(where: { $0 == hyphen && $1 == hyphen }) {
            faults.append("must not contain consecutive hyphens")
        }
        if text.utf8.first == hyphen || text.utf8.last == hyphen {
            faults.append("must not begin or end with a hyphen")
        }
        return faults
    }

    static func environmentName(_ text: String) -> [String] {
        let isPrintable = text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
        return isPrintable
            ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    }

    static func headerName(_ text: String) -> [String] {
        if !text.isEmpty, text.utf8.allSatisfy({ isAlphanumeric($0) || $0 == hyphen }) { return [] }
        let rule = "a valid HTTP header must consist of alphanumeric characters or '-'"
        return [regex(rule, "[-A-Za-z0-9]+", "X-Header-Name")]
    }

    static func percentage(_ text: String) -> [String] {
        let digits = text.utf8.dropLast()
        let isOne = text.utf8.last == UInt8(ascii: "%") && !digits.isEmpty && digits.allSatisfy(isDigit)
        let rule = "a valid percent string must be a numeric string followed by an ending '%'"
        return isOne ? [] : [regex(rule, "[0-9]+%", "1%", "93%")]
    }

    // MARK: Pieces

    static let labelPattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    private static let qualifiedNamePattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
    private static let qualifiedNameText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    private static let hyphen = UInt8(ascii: "-")

    private static func tooLong(_ text: String, _ limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) characters"] : []
    }

    static func regex(_ rule: String, _ pattern: String, _ examples: String...) -> String {
        let list = examples.map { "'\($0)', " }.joined(separator: " or ")
        return "\(rule) (e.g. \(list)regex used for validation is '\(pattern)')"
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte)
    }

    private static func isLabel(_ text: String, startsWithLetter: Bool) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let first = bytes.first, let last = bytes.last, isLowerAlphanumeric(last) else { return false }
            guard startsWithLetter ? (0x61...0x7A).contains(first) : isLowerAlphanumeric(first) else { return false }
            for byte in bytes where !(isLowerAlphanumeric(byte) || byte == hyphen) { return false }
            return true
        }
    }

    private static func isSubdomain(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isSubdomain($0[...]) }
    }

    private static func isSubdomain(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        // Every label must start and end with a letter or digit, so no separator may stand beside a dot or at an end.
        var previous = UInt8(ascii: ".")
        for byte in bytes {
            if byte == UInt8(ascii: ".") || (byte == hyphen && previous == UInt8(ascii: ".")) {
                if !isLowerAlphanumeric(previous) { return false }
            } else if byte != hyphen, !isLowerAlphanumeric(byte) {
                return false
            }
            previous = byte
        }
        return isLowerAlphanumeric(previous)
    }

    private static func isLabelText(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isLabelText($0[...]) }
    }

    private static func isLabelText(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        guard isAlphanumeric(first), isAlphanumeric(last) else { return false }
        for byte in bytes where !(isAlphanumeric(byte) || byte == hyphen || byte == 0x5F || byte == 0x2E) {
            return false
        }
        return true
    }

    private static func isQualifiedName(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else {
                return bytes.count <= 63 && isLabelText(bytes[...])
            }
            let name = bytes[(slash + 1)...]
            return slash <= 253 && isSubdomain(bytes[..<slash]) && name.count <= 63 && isLabelText(name)
        }
    }
}
