import Model

/// Names that stand in paths of URLs, and names of hosts.
extension NameSyntax {
    /// What can stand between two slashes: names of roles, resources, kinds (C24).
    static func pathSegment(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter { text.contains($0) }.map { "may not contain '\($0)'" }
    }

    /// `*.example.com`.
    static func wildcardSubdomain(_ text: String) -> [String] {
        if text.utf8.starts(with: "*.".utf8), subdomain(String(text.dropFirst(2))).isEmpty { return [] }
        return [
            regex(
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist"
                    + " of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
                "\\*\\." + labelPattern + "(\\." + labelPattern + ")*", "*.example.com")
        ]
    }

    /// Whether a text can stand in the path of a URL.
    static func isHTTPPath(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || "/-._~%!$&'()*+,;=:".utf8.contains($0) }
    }

    static let httpPathFault = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"
}

extension FieldErrors {
    /// `example.com/name`: a host and a path.
    mutating func checkDomainPrefixedPath(_ text: String, _ path: FieldPath) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            invalid(path, .string(text), "must be a domain-prefixed path (such as \"acme.io/foo\")")
            return
        }
        invalid(path, parts[0], NameSyntax.subdomain(parts[0]))
        if !NameSyntax.isHTTPPath(parts[1]) { invalid(path, .string(parts[1]), NameSyntax.httpPathFault) }
    }

    /// The name of a driver of volumes.
    mutating func checkDriverName(_ name: String, _ path: FieldPath) {
        if name.isEmpty { required(path) }
        if name.utf8.count > 63 { tooLong(path, limit: 63) }
        for fault in NameSyntax.subdomain(name.lowercased()) { invalid(path, .string(name), fault) }
    }
}

extension JSON {
    /// The text under `key`; empty when there is none, as in Kubernetes' own types.
    func textMember(_ key: String) -> String { self[key]?.string ?? "" }
    func textMembers(_ key: String) -> [String] { (self[key]?.array ?? []).compactMap(\.string) }
    func listMember(_ key: String) -> [JSON] { self[key]?.array ?? [] }
    func mapMember(_ key: String) -> JSONObject { self[key]?.object ?? JSONObject() }
}
