/// How JSON text is laid out.
package enum JSONLayout: Sendable {
    /// One line, no spaces: what is stored and sent.
    case compact
    /// Two spaces a level: what a person reads.
    case indented
}

extension JSON {
    /// The value as UTF-8 JSON text; members keep their order.
    ///
    /// - Complexity: linear in the size of the text.
    package func encoded(_ layout: JSONLayout = .compact) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(256)
        append(to: &output, layout, level: 0)
        return output
    }

    package func text(_ layout: JSONLayout = .compact) -> String {
        String(decoding: encoded(layout), as: UTF8.self)
    }

    /// Appends the value's compact text, so that a list can be sent without building one tree of it.
    package func append(to output: inout [UInt8]) {
        append(to: &output, .compact, level: 0)
    }

    private func append(to output: inout [UInt8], _ layout: JSONLayout, level: Int) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): output.append(contentsOf: String(value).utf8)
        case .number(let literal): output.append(contentsOf: literal.utf8)
        case .string(let value): Self.appendQuoted(value, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                Self.appendBreak(to: &output, layout, level: level + 1)
                element.append(to: &output, layout, level: level + 1)
            }
            if !elements.isEmpty { Self.appendBreak(to: &output, layout, level: level) }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (position, member) in object.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                Self.appendBreak(to: &output, layout, level: level + 1)
                Self.appendQuoted(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                if layout == .indented { output.append(UInt8(ascii: " ")) }
                member.value.append(to: &output, layout, level: level + 1)
            }
            if !object.isEmpty { Self.appendBreak(to: &output, layout, level: level) }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func appendBreak(to output: inout [UInt8], _ layout: JSONLayout, level: Int) {
        guard layout == .indented else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
    }

    private static func appendQuoted(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var position = 0
            var isASCII = true
            while true {
                let run = bytes.plainPrefix(from: position, isASCII: &isASCII)
                if run > 0 {
                    output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[position..<(position + run)]))
                }
                position += run
                guard position < bytes.count else { break }
                appendEscape(of: bytes[position], to: &output)
                position += 1
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(of byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        default:
            let digit = byte & 15
            output.append(contentsOf: "u00".utf8)
            output.append((byte >> 4) + 0x30)
            output.append(digit < 10 ? digit + 0x30 : digit - 10 + 0x61)
        }
    }
}
