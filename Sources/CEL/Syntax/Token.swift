/// A word of the language with its place in the source.
struct Token: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case identifier(String)
        /// A name between backticks, which may hold what names otherwise cannot.
        case quotedIdentifier(String)
        case int(String)
        case uint(String)
        case double(String)
        case string(String)
        case bytes([UInt8])
        case symbol(String)
        case end
    }

    var kind: Kind
    /// Where it begins, in scalars.
    var offset: Int
    /// As it was written.
    var text: String

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol(symbol) }

    /// Words that can be no name (langdef: *Syntax*), and those reserved for languages around CEL.
    static let keywords: Set<String> = ["true", "false", "null", "in"]
    static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]
}

/// A fault at a place, on its way to a `CELError`.
struct SyntaxFault: Error {
    var offset: Int
    var message: String
}
