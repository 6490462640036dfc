extension FieldSelector {
    /// Reads `path=value`, `path==value` and `path!=value`, joined by commas (semantics-api D9,
    /// `apimachinery/pkg/fields`). In a value `\\`, `\,` and `\=` stand for the character after the backslash.
    package init(parsing text: String) throws(SelectorError) {
        requirements = []
        for term in try Self.terms(of: Array(text.utf8)) where !term.isEmpty {
            requirements.append(try Self.requirement(term, in: text))
        }
    }

    private static func terms(of bytes: [UInt8]) throws(SelectorError) -> [ArraySlice<UInt8>] {
        var terms: [ArraySlice<UInt8>] = []
        var start = 0
        var isEscaped = false
        for (position, byte) in bytes.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: ",") {
                terms.append(bytes[start..<position])
                start = position + 1
            }
        }
        terms.append(bytes[start...])
        return terms
    }

    private static func requirement(
        _ term: ArraySlice<UInt8>, in text: String
    ) throws(SelectorError) -> Requirement {
        for position in term.indices {
            let rest = term[position...]
            let path = String(decoding: term[..<position], as: UTF8.self)
            if rest.starts(with: "!=".utf8) {
                return Requirement(path: path, value: try unescaped(rest.dropFirst(2), in: text), isNegated: true)
            }
            if rest.starts(with: "==".utf8) {
                return Requirement(path: path, value: try unescaped(rest.dropFirst(2), in: text))
            }
            if rest.first == UInt8(ascii: "=") {
                return Requirement(path: path, value: try unescaped(rest.dropFirst(), in: text))
            }
        }
        let term = String(decoding: term, as: UTF8.self)
        throw SelectorError(
            message: "invalid selector: '\(text)'; can't understand '\(term)': expected path=value or path!=value")
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>, in text: String) throws(SelectorError) -> String {
        var value: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                guard byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") else {
                    throw SelectorError(
                        message: "invalid field selector: '\(text)': '\\' may stand before \\ , or = only")
                }
                value.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "=") {
                throw SelectorError(message: "invalid field selector: '\(text)': '=' in a value is written '\\='")
            } else {
                value.append(byte)
            }
        }
        if isEscaped { throw SelectorError(message: "invalid field selector: '\(text)' ends inside of an escape") }
        return String(decoding: value, as: UTF8.self)
    }
}

extension FieldSelector: CustomStringConvertible {
    /// The selector as it is parsed: `metadata.name=web,status.phase!=Running`.
    package var description: String {
        requirements.map { requirement in
            var value = ""
            for scalar in requirement.value.unicodeScalars {
                if scalar == "\\" || scalar == "," || scalar == "=" { value += "\\" }
                value.unicodeScalars.append(scalar)
            }
            return requirement.path + (requirement.isNegated ? "!=" : "=") + value
        }.joined(separator: ",")
    }
}
