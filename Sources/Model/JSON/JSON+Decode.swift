/// What was wrong with a text that should have been JSON, and where.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    package var message: String
    /// Both count from 1; the column counts bytes.
    package var line: Int
    package var column: Int

    package var description: String { "\(line):\(column): \(message)" }
}

/// Bounds on a document, so that no input can exhaust the stack or memory.
package struct JSONLimits: Sendable {
    package var depth: Int
    package var bytes: Int

    package init(depth: Int = 512, bytes: Int = 64 << 20) {
        self.depth = depth
        self.bytes = bytes
    }
}

extension JSON {
    /// Reads one RFC 8259 document.
    ///
    /// Refuses what would silently change or lose data: invalid UTF-8, duplicate keys, lone surrogates, trailing text.
    ///
    /// - Throws: `JSONError` with the line and column of the fault.
    /// - Complexity: linear in the number of bytes.
    package init(decoding bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try JSON(decoding: buffer, limits: limits)
        }
    }

    package init(decoding text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(decoding: Array(text.utf8), limits: limits)
    }

    package init(decoding buffer: UnsafeBufferPointer<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        guard buffer.count <= limits.bytes else {
            let message = "the document has \(buffer.count) bytes; the limit is \(limits.bytes)"
            throw JSONError(message: message, line: 1, column: 1)
        }
        var parser = JSONParser(buffer: buffer, depthLimit: limits.depth)
        do {
            self = try parser.document()
        } catch {
            throw parser.positioned(error)
        }
    }
}

/// A fault at a byte offset; turned into a line and column only when it is reported.
private struct JSONFault: Error {
    var message: String
    var offset: Int
}

/// A recursive-descent parser over a buffer that outlives it.
private struct JSONParser {
    let buffer: UnsafeBufferPointer<UInt8>
    let depthLimit: Int
    var offset = 0
    var depth = 0

    init(buffer: UnsafeBufferPointer<UInt8>, depthLimit: Int) {
        self.buffer = buffer
        self.depthLimit = depthLimit
    }

    func positioned(_ fault: JSONFault) -> JSONError {
        let before = buffer[..<min(fault.offset, buffer.count)]
        let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return JSONError(message: fault.message, line: line, column: fault.offset - lineStart + 1)
    }

    func fault(_ message: String, at position: Int? = nil) -> JSONFault {
        JSONFault(message: message, offset: position ?? offset)
    }

    mutating func document() throws(JSONFault) -> JSON {
        skipSpace()
        let value = try value()
        skipSpace()
        if offset < buffer.count { throw fault("text after the end of the document") }
        return value
    }

    @inline(__always)
    mutating func skipSpace() {
        while offset < buffer.count {
            switch buffer[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    mutating func value() throws(JSONFault) -> JSON {
        guard offset < buffer.count else { throw fault("the document ends where a value is expected") }
        switch buffer[offset] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try keyword("true", .bool(true))
        case UInt8(ascii: "f"): return try keyword("false", .bool(false))
        case UInt8(ascii: "n"): return try keyword("null", .null)
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        default: throw fault("unexpected \(describe(buffer[offset])) where a value is expected")
        }
    }

    func describe(_ byte: UInt8) -> String {
        (0x20..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
    }

    mutating func keyword(_ text: StaticString, _ value: JSON) throws(JSONFault) -> JSON {
        let count = text.utf8CodeUnitCount
        for position in 0..<count {
            guard offset + position < buffer.count, buffer[offset + position] == text.utf8Start[position] else {
                throw fault("not a JSON value; did you mean \(text)?")
            }
        }
        offset += count
        return value
    }

    mutating func enter() throws(JSONFault) {
        depth += 1
        if depth > depthLimit { throw fault("nested deeper than the limit of \(depthLimit) levels") }
        offset += 1
        skipSpace()
    }

    mutating func array() throws(JSONFault) -> JSON {
        try enter()
        var elements: [JSON] = []
        if consume("]") {
            depth -= 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            if consume(",") {
                skipSpace()
                continue
            }
            guard consume("]") else { throw fault("expected ',' or ']' in an array") }
            depth -= 1
            return .array(elements)
        }
    }

    mutating func object() throws(JSONFault) -> JSON {
        let start = offset
        try enter()
        var members: [JSONObject.Member] = []
        if consume("}") {
            depth -= 1
            return .emptyObject
        }
        members.reserveCapacity(8)
        while true {
            guard offset < buffer.count, buffer[offset] == UInt8(ascii: "\"") else {
                throw fault("expected a quoted key in an object")
            }
            let key = try string()
            skipSpace()
            guard consume(":") else { throw fault("expected ':' after the key \"\(key)\"") }
            skipSpace()
            members.append(JSONObject.Member(key: key, value: try value()))
            skipSpace()
            if consume(",") {
                skipSpace()
                continue
            }
            guard consume("}") else { throw fault("expected ',' or '}' in an object") }
            break
        }
        depth -= 1
        var duplicate: String?
        let object = JSONObject(checking: members, duplicate: &duplicate)
        if let duplicate { throw fault("the key \"\(duplicate)\" stands twice in one object", at: start) }
        return .object(object)
    }

    @inline(__always)
    mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard offset < buffer.count, buffer[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }
}

// MARK: - Strings and numbers

extension JSONParser {
    mutating func string() throws(JSONFault) -> String {
        let start = offset + 1
        offset = start
        while offset < buffer.count {
            let byte = buffer[offset]
            if byte == UInt8(ascii: "\"") {
                let text = try text(start..<offset)
                offset += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if byte < 0x20 { throw fault("control characters in a string must be escaped") }
            offset += 1
        }
        throw fault("the string that starts here has no end", at: start - 1)
    }

    /// The bytes of `range`, which must be valid UTF-8.
    func text(_ range: Range<Int>) throws(JSONFault) -> String {
        let bytes = UnsafeBufferPointer(rebasing: buffer[range])
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw fault("invalid UTF-8 in a string", at: range.lowerBound)
        }
        return text
    }

    mutating func escapedString(from start: Int) throws(JSONFault) -> String {
        var result = try text(start..<offset)
        var runStart = offset
        while offset < buffer.count {
            let byte = buffer[offset]
            if byte == UInt8(ascii: "\"") {
                result += try text(runStart..<offset)
                offset += 1
                return result
            }
            if byte < 0x20 { throw fault("control characters in a string must be escaped") }
            guard byte == UInt8(ascii: "\\") else {
                offset += 1
                continue
            }
            result += try text(runStart..<offset)
            result.unicodeScalars.append(try escape())
            runStart = offset
        }
        throw fault("the string that starts here has no end", at: start - 1)
    }

    mutating func escape() throws(JSONFault) -> Unicode.Scalar {
        let start = offset
        offset += 2
        guard start + 1 < buffer.count else { throw fault("the document ends inside an escape", at: start) }
        switch buffer[start + 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        default: throw fault("unknown escape in a string", at: start)
        }
    }

    mutating func unicodeEscape(from start: Int) throws(JSONFault) -> Unicode.Scalar {
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), offset + 1 < buffer.count, buffer[offset] == UInt8(ascii: "\\"),
            buffer[offset + 1] == UInt8(ascii: "u")
        else { throw fault("half of a surrogate pair", at: start) }
        offset += 2
        let second = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(second) else { throw fault("half of a surrogate pair", at: start) }
        let value = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        guard let scalar = Unicode.Scalar(value) else { throw fault("half of a surrogate pair", at: start) }
        return scalar
    }

    mutating func fourHexDigits() throws(JSONFault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard offset < buffer.count, let digit = Character(Unicode.Scalar(buffer[offset])).hexDigitValue else {
                throw fault("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    mutating func number() throws(JSONFault) -> JSON {
        let start = offset
        let negative = consume("-")
        var magnitude: UInt64 = 0
        var overflow = false
        let digits = offset
        while offset < buffer.count, case 0x30...0x39 = buffer[offset] {
            let (product, high) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(buffer[offset] - 0x30))
            overflow = overflow || high || carry
            magnitude = sum
            offset += 1
        }
        guard offset > digits else { throw fault("expected a digit") }
        if buffer[digits] == 0x30, offset > digits + 1 { throw fault("numbers must not start with 0", at: digits) }
        let integral = try !fractionAndExponent()
        if integral, !overflow {
            if !negative, magnitude <= UInt64(Int64.max) { return .int(Int64(magnitude)) }
            if negative, magnitude > 0, magnitude <= UInt64(Int64.max) + 1 { return .int(Int64(0 &- magnitude)) }
        }
        return .number(try text(start..<offset))
    }

    /// Moves past `.5`, `e3` or both; answers whether there were any.
    mutating func fractionAndExponent() throws(JSONFault) -> Bool {
        var found = false
        if consume(".") {
            found = true
            try someDigits("after the decimal point")
        }
        if consume("e") || consume("E") {
            found = true
            if !consume("+") { _ = consume("-") }
            try someDigits("in the exponent")
        }
        return found
    }

    mutating func someDigits(_ place: String) throws(JSONFault) {
        let start = offset
        while offset < buffer.count, case 0x30...0x39 = buffer[offset] { offset += 1 }
        if offset == start { throw fault("expected a digit \(place)") }
    }
}
