package import Model

/// A base in another Git repository: `https://github.com/org/repo//path?ref=v1`.
package struct RemoteBase: Hashable, Sendable, CustomStringConvertible {
    /// As it is written.
    package var text: String
    /// The repository, as Git clones it.
    package var repository: String
    /// The directory in it; empty for its root.
    package var path: String
    /// The branch, tag or commit; empty for the default branch.
    package var reference: String
    /// Where it is written, as far as that is known; no part of what it is.
    package var file = ""
    package var mark: Mark?

    package static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// As it is written, but for a user and password, and parameters besides the revision: safe to show and to log.
    package var description: String {
        var address = String(text.prefix { $0 != "?" })
        if let scheme = address.firstRange(of: "://") {
            let rest = address[scheme.upperBound...]
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            if let at = rest[..<end].lastIndex(of: "@") {
                address = String(address[..<scheme.upperBound]) + rest[rest.index(after: at)...]
            }
        }
        return reference.isEmpty ? address : "\(address)?ref=\(reference)"
    }

    /// `nil` for what is no repository: then it is a path.
    ///
    /// The syntax is that of `hashicorp/go-getter` as far as Kustomize keeps it: the repository ends at `//`, `.git`,
    /// `_git/NAME`, or after two parts of the path.
    package init?(_ text: String) {
        guard !text.hasPrefix("/") else { return nil }
        // Most are names of files, which have nothing that an address needs.
        let hasMark = text.utf8.contains { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }
        guard hasMark || text.lowercased().hasPrefix("github.com/") else { return nil }
        let cut = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard var rest = cut.first.map(String.init) else { return nil }
        if rest.lowercased().hasPrefix("git::") { rest = String(rest.dropFirst(5)) }
        let scheme = ["ssh://", "https://", "http://", "file://"].first { rest.lowercased().hasPrefix($0) } ?? ""
        rest = String(rest.dropFirst(scheme.count))
        let user = Self.user(of: rest)
        rest = String(rest.dropFirst(user.count))
        let isGitHub = ["github.com/", "github.com:"].contains { rest.lowercased().hasPrefix($0) }
        let isSCP = scheme.isEmpty && (!user.isEmpty || isGitHub)
        guard !scheme.isEmpty || isSCP else { return nil }
        var host = scheme + user
        if scheme != "file://" {
            guard let end = rest.firstIndex(where: { $0 == "/" || isSCP && $0 == ":" }) else { return nil }
            host += rest[...end]
            rest = String(rest[rest.index(after: end)...])
            if isGitHub { host = scheme == "ssh://" || !user.isEmpty ? "\(user)github.com:" : "https://github.com/" }
        }
        guard let (repository, path) = Self.split(rest, isWhole: scheme == "file://"), !repository.isEmpty else {
            return nil
        }
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard parts.first != ".." else { return nil }
        self.text = text
        self.repository = host + repository
        self.path = parts.joined(separator: "/")
        reference = Self.reference(cut.count > 1 ? cut[1] : "")
    }

    private static func user(of text: String) -> String {
        guard let at = text.firstIndex(of: "@"), text.utf8.first.map({ $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }) == true
        else { return "" }
        let name = text[..<at]
        let isName = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == UInt8(ascii: "-")
        }
        return isName ? String(text[...at]) : ""
    }

    private static func split(_ text: String, isWhole: Bool) -> (repository: String, path: String)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if let marker = parts.firstIndex(of: "_git"), marker + 1 < parts.count {
            return (
                parts[...(marker + 1)].joined(separator: "/"), parts[(marker + 2)...].joined(separator: "/")
            )
        }
        if let empty = parts.dropFirst().firstIndex(of: ""), empty + 1 < parts.count {
            return (parts[..<empty].joined(separator: "/"), parts[(empty + 1)...].joined(separator: "/"))
        }
        if let end = parts.firstIndex(where: { $0.hasSuffix(".git") }) {
            return (parts[...end].joined(separator: "/"), parts[(end + 1)...].joined(separator: "/"))
        }
        if isWhole { return (text, "") }
        guard parts.count >= 2 else { return nil }
        return (parts[..<2].joined(separator: "/"), parts[2...].joined(separator: "/"))
    }

    private static func reference(_ query: Substring) -> String {
        var result = ""
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if parts[0] == "ref" { return String(parts[1]) }
            if parts[0] == "version" { result = String(parts[1]) }
        }
        return result
    }
}
