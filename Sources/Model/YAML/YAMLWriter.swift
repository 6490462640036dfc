extension YAML {
    /// The value as YAML text, laid out as `kubectl -o yaml` does: members in the order they are given, two spaces a
    /// level, list items level with their key, texts of several lines as literal blocks.
    ///
    /// Reading the text gives the value again: a text that would resolve to something else is quoted.
    package static func text(_ value: JSON) -> String {
        var writer = YAMLWriter()
        writer.document(value)
        return String(decoding: writer.output, as: UTF8.self)
    }

    /// Several documents, separated by `---`.
    package static func text(documents: [JSON]) -> String {
        var writer = YAMLWriter()
        for (position, value) in documents.enumerated() {
            if position > 0 { writer.append("---\n") }
            writer.document(value)
        }
        return String(decoding: writer.output, as: UTF8.self)
    }
}

private struct YAMLWriter {
    var output: [UInt8] = []

    mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }

    private mutating func newLine(_ column: Int) {
        output.append(UInt8(ascii: "\n"))
        indent(column)
    }

    private mutating func indent(_ column: Int) {
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: column))
    }

    mutating func document(_ value: JSON) {
        switch value {
        case .object(let object) where !object.isEmpty: members(of: object, column: 0)
        case .array(let elements) where !elements.isEmpty: items(elements, column: 0)
        default: scalar(value, column: 2)
        }
        output.append(UInt8(ascii: "\n"))
    }

    /// The cursor stands at `column`; no line break follows the last member.
    private mutating func members(of object: JSONObject, column: Int) {
        for (position, member) in object.enumerated() {
            if position > 0 { newLine(column) }
            key(member.key, column: column)
            switch member.value {
            case .object(let object) where !object.isEmpty:
                newLine(column + 2)
                members(of: object, column: column + 2)
            case .array(let elements) where !elements.isEmpty:
                newLine(column)
                items(elements, column: column)
            default:
                output.append(UInt8(ascii: " "))
                scalar(member.value, column: column + 2)
            }
        }
    }

    private mutating func items(_ elements: [JSON], column: Int) {
        for (position, element) in elements.enumerated() {
            if position > 0 { newLine(column) }
            append("- ")
            switch element {
            case .object(let object) where !object.isEmpty: members(of: object, column: column + 2)
            case .array(let elements) where !elements.isEmpty: items(elements, column: column + 2)
            default: scalar(element, column: column + 2)
            }
        }
    }

    private mutating func key(_ key: String, column: Int) {
        let start = output.count
        text(key, column: column, isKey: true)
        // YAML bounds the keys that need no mark of their own to 1024 characters.
        if output.count - start > 1000 {
            output.insert(contentsOf: "? ".utf8, at: start)
            newLine(column)
        }
        output.append(UInt8(ascii: ":"))
    }

    /// - Parameter column: where the lines of a block stand.
    private mutating func scalar(_ value: JSON, column: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): append(String(value))
        case .number(let literal): number(literal)
        case .string(let text): self.text(text, column: column, isKey: false)
        case .array: append("[]")
        case .object: append("{}")
        }
    }

    private mutating func number(_ literal: String) {
        var literal = literal == "-0" ? "-0.0" : literal
        let isNumber = literal.withUTF8 { bytes in
            switch YAMLScalar.resolve(bytes).kind {
            case .int, .float: true
            default: false
            }
        }
        append(isNumber ? literal : "!!float " + literal)
    }

    private mutating func text(_ text: String, column: Int, isKey: Bool) {
        var text = text
        let style = text.withUTF8 { Style(of: $0, isKey: isKey) }
        switch style {
        case .plain: append(text)
        case .single:
            output.append(UInt8(ascii: "'"))
            for byte in text.utf8 {
                if byte == UInt8(ascii: "'") { output.append(byte) }
                output.append(byte)
            }
            output.append(UInt8(ascii: "'"))
        case .double: doubleQuoted(text)
        case .literal: literal(text, column: column)
        }
    }

    private mutating func literal(_ text: String, column: Int) {
        let bytes = Array(text.utf8)
        output.append(UInt8(ascii: "|"))
        // Without the hint, a reader would take the first line's own spaces for indentation.
        if bytes[0] == UInt8(ascii: " ") || bytes[0] == UInt8(ascii: "\n") || bytes[0] == UInt8(ascii: "\t") {
            output.append(UInt8(ascii: "2"))
        }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if bytes[bytes.count - 1] != UInt8(ascii: "\n") {
            output.append(UInt8(ascii: "-"))
        } else {
            lines.removeLast()
            if lines[lines.count - 1].isEmpty { output.append(UInt8(ascii: "+")) }
        }
        for line in lines {
            output.append(UInt8(ascii: "\n"))
            if !line.isEmpty { indent(column) }
            output.append(contentsOf: line)
        }
    }

    private mutating func doubleQuoted(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\t": append("\\t")
            case "\r": append("\\r")
            case "\0": append("\\0")
            case _ where Style.isPrintable(scalar): append(String(scalar))
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let width = scalar.value < 0x100 ? 2 : scalar.value < 0x10000 ? 4 : 8
                append(width == 2 ? "\\x" : width == 4 ? "\\u" : "\\U")
                append(String(repeating: "0", count: width - digits.utf8.count) + digits)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

/// How a text can be written so that it reads as itself again.
private enum Style {
    case plain, single, double, literal

    init(of bytes: UnsafeBufferPointer<UInt8>, isKey: Bool) {
        guard let first = bytes.first, let last = bytes.last else {
            self = .double
            return
        }
        let traits = Traits(bytes)
        if traits.hasUnprintable {
            self = .double
        } else if traits.hasBreak {
            let isBlank = bytes.allSatisfy { $0 == UInt8(ascii: "\n") }
            self = isKey || traits.hasSpaceBeforeBreak || isBlank ? .double : .literal
        } else if traits.hasTab {
            self = .double
        } else if Self.resolvesOtherwise(bytes) {
            self = .double
        } else if first == UInt8(ascii: " ") || last == UInt8(ascii: " ") || traits.hasIndicator
            || Self.startsWithIndicator(bytes)
        {
            self = .single
        } else {
            self = .plain
        }
    }

    private static func resolvesOtherwise(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if YAMLScalar.resolve(bytes).kind != .string { return true }
        if YAMLScalar.isTimestamp(bytes) || YAMLScalar.isSexagesimal(bytes) { return true }
        return bytes.count <= 2 && (bytes.elementsEqual("<<".utf8) || bytes.elementsEqual("=".utf8))
    }

    private static func startsWithIndicator(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        switch bytes[0] {
        case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
            bytes.count == 1 || bytes[1] == UInt8(ascii: " ") || bytes.starts(with: "---".utf8)
        case UInt8(ascii: "."): bytes.starts(with: "...".utf8)
        case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "#"), UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"), UInt8(ascii: "|"),
            UInt8(ascii: ">"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "%"), UInt8(ascii: "@"),
            UInt8(ascii: "`"):
            true
        default: false
        }
    }

    private struct Traits {
        var hasUnprintable = false
        var hasBreak = false
        var hasSpaceBeforeBreak = false
        var hasTab = false
        /// `: `, ` #` or a `:` at the end.
        var hasIndicator = false

        init(_ bytes: UnsafeBufferPointer<UInt8>) {
            var previous: UInt8 = 0
            var hasHighBytes = false
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "\n"):
                    hasBreak = true
                    if previous == UInt8(ascii: " ") || previous == UInt8(ascii: "\t") { hasSpaceBeforeBreak = true }
                case UInt8(ascii: "\t"): hasTab = true
                case 0..<0x20, 0x7F: hasUnprintable = true
                case UInt8(ascii: " ") where previous == UInt8(ascii: ":"): hasIndicator = true
                case UInt8(ascii: "#") where previous == UInt8(ascii: " "): hasIndicator = true
                case 0x80...: hasHighBytes = true
                default: break
                }
                previous = byte
            }
            if previous == UInt8(ascii: ":") { hasIndicator = true }
            if previous == UInt8(ascii: " ") || previous == UInt8(ascii: "\t") { hasSpaceBeforeBreak = true }
            if hasHighBytes {
                hasUnprintable =
                    hasUnprintable
                    || !String(decoding: bytes, as: UTF8.self).unicodeScalars.allSatisfy {
                        Style.isPrintable($0) || $0 == "\n" || $0 == "\t"
                    }
            }
        }
    }

    /// What libyaml takes as it stands. NEL and the Unicode line and paragraph separators are breaks in YAML 1.1.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
