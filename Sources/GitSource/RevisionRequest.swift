/// What a user asks for (`targetRevision`): the remote's `HEAD`, a branch, a tag, a full reference or a commit.
///
/// As in Argo CD: 40 hexadecimal digits are a commit; any other name is looked for among the branches, then the tags,
/// and then, if it could be one (7 to 39 digits), as a short SHA.
package enum RevisionRequest: Hashable, Sendable, CustomStringConvertible {
    case head
    /// A full name, such as `refs/heads/main`.
    case reference(String)
    case name(String)
    case commit(ObjectID)

    /// - Throws: `GitError` of kind `invalidRevision`.
    package init(_ text: String) throws(GitError) {
        if text.isEmpty || text == "HEAD" {
            self = .head
        } else if let id = ObjectID(text) {
            self = .commit(id)
        } else if let fault = Self.fault(in: text) {
            throw GitError(
                .invalidRevision, "\"\(text)\" is no revision (\(fault)): use HEAD, a branch, a tag or a commit's SHA")
        } else if text.hasPrefix("refs/") {
            self = .reference(text)
        } else {
            self = .name(text)
        }
    }

    /// Git's rules for reference names (git-check-ref-format), as far as they keep a name from being misread.
    private static func fault(in text: String) -> String? {
        if text.utf8.count > 255 { return "longer than 255 bytes" }
        if text.hasPrefix("-") || text.hasPrefix("/") || text.hasSuffix("/") || text.hasSuffix(".") {
            return "starts or ends with a character that no reference name may"
        }
        for part in ["..", "@{", "//", ".lock"] where text.contains(part) && (part != ".lock" || text.hasSuffix(part)) {
            return "contains \"\(part)\""
        }
        let wrong = text.unicodeScalars.first {
            $0.value <= 0x20 || $0.value == 0x7F || "~^:?*[\\".unicodeScalars.contains($0)
        }
        return wrong.map { $0.value <= 0x20 ? "contains a space or control character" : "contains \"\($0)\"" }
    }

    /// Whether the text could be the beginning of a commit's SHA.
    var shortSHA: String? {
        guard case .name(let name) = self, (7..<40).contains(name.utf8.count), name.utf8.allSatisfy(\.isHexDigit) else {
            return nil
        }
        return name.lowercased()
    }

    package var description: String {
        switch self {
        case .head: "HEAD"
        case .reference(let name), .name(let name): name
        case .commit(let id): id.description
        }
    }
}

extension UInt8 {
    var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    /// Of a hexadecimal digit.
    var hexadecimalValue: UInt8 {
        self <= UInt8(ascii: "9") ? self - UInt8(ascii: "0") : (self | 0x20) - UInt8(ascii: "a") + 10
    }
}
