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
        var writer = JSONWriter(layout)
        writer.write(self, level: 0)
        return Array(writer.text)
    }

    package func text(_ layout: JSONLayout = .compact) -> String {
        var writer = JSONWriter(layout)
        writer.write(self, level: 0)
        return String(decoding: writer.text, as: UTF8.self)
    }

    /// Appends the value's compact text, so that a list can be sent without building one tree of it.
    package func append(to output: inout [UInt8]) {
        var writer = JSONWriter(.compact)
        writer.write(self, level: 0)
        output.append(contentsOf: writer.text)
    }
}

/// JSON text as it is being written.
///
/// Into memory of its own: an array would look at each of the many short appends whether somebody else has it.
private struct JSONWriter: ~Copyable {
    private let layout: JSONLayout
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 1024
    private var count = 0

    init(_ layout: JSONLayout) {
        self.layout = layout
        bytes = .allocate(capacity: capacity)
    }

    deinit { bytes.deallocate() }

    /// What was written so far; not to be kept.
    var text: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

    mutating func write(_ value: borrowing JSON, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): append(String(value))
        case .number(let literal): append(literal)
        case .string(let value): appendQuoted(value)
        case .array(let elements):
            append(UInt8(ascii: "["))
            let elements = elements.span
            for position in elements.indices {
                if position > 0 { append(UInt8(ascii: ",")) }
                appendBreak(level: level + 1)
                write(elements[position], level: level + 1)
            }
            if !elements.isEmpty { appendBreak(level: level) }
            append(UInt8(ascii: "]"))
        case .object(let object):
            append(UInt8(ascii: "{"))
            let members = object.members.span
            for position in members.indices {
                if position > 0 { append(UInt8(ascii: ",")) }
                appendBreak(level: level + 1)
                appendQuoted(members[position].key)
                append(UInt8(ascii: ":"))
                if layout == .indented { append(UInt8(ascii: " ")) }
                write(members[position].value, level: level + 1)
            }
            if !members.isEmpty { appendBreak(level: level) }
            append(UInt8(ascii: "}"))
        }
    }

    private mutating func appendBreak(level: Int) {
        guard layout == .indented else { return }
        append(UInt8(ascii: "\n"))
        for _ in 0..<(level * 2) { append(UInt8(ascii: " ")) }
    }

    private mutating func appendQuoted(_ text: String) {
        var text = text
        text.withUTF8 { text in
            reserve(text.count + 2)
            bytes[count] = UInt8(ascii: "\"")
            count += 1
            var position = 0
            var isASCII = true
            while true {
                let run = text.plainPrefix(from: position, isASCII: &isASCII)
                append(UnsafeBufferPointer(rebasing: text[position..<(position + run)]))
                position += run
                guard position < text.count else { break }
                appendEscape(of: text[position])
                position += 1
            }
            append(UInt8(ascii: "\""))
        }
    }

    private mutating func appendEscape(of byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0D: append(UInt8(ascii: "r"))
        case 0x09: append(UInt8(ascii: "t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        default:
            let digit = byte & 15
            append("u00")
            append((byte >> 4) + 0x30)
            append(digit < 10 ? digit + 0x30 : digit - 10 + 0x61)
        }
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append($0) }
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress else { return }
        reserve(text.count)
        (bytes + count).update(from: start, count: text.count)
        count += text.count
    }

    private mutating func append(_ byte: UInt8) {
        reserve(1)
        bytes[count] = byte
        count += 1
    }

    /// Makes room for so many bytes more.
    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.update(from: bytes, count: count)
        bytes.deallocate()
        bytes = larger
    }
}
