extension UnsafeBufferPointer<UInt8> {
    /// How many bytes from `start` on need no escape in a JSON string: up to a quote, a backslash or a control
    /// character. Eight at a time.
    @inline(__always)
    func plainPrefix(from start: Int, isASCII: inout Bool) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var position = start
        while position + 8 <= count {
            let word = UInt64(littleEndian: UnsafeRawPointer(baseAddress! + position).loadUnaligned(as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            // In each term, the lowest set bit marks the first such byte; higher ones may be carried over.
            let stops =
                ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word)
                & highs
            if stops != 0 {
                let length = stops.trailingZeroBitCount / 8
                if word & highs & ((1 << UInt64(length * 8)) &- 1) != 0 { isASCII = false }
                return position + length - start
            }
            if word & highs != 0 { isASCII = false }
            position += 8
        }
        while position < count {
            let byte = self[position]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { break }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        return position - start
    }
}

extension JSONParser {
    @inline(__always)
    mutating func string() throws(JSONFault) -> String {
        let start = offset + 1
        var isASCII = true
        offset = start + buffer.plainPrefix(from: start, isASCII: &isASCII)
        guard offset < buffer.count else { throw fault("the string that starts here has no end", at: start - 1) }
        if buffer[offset] == UInt8(ascii: "\"") {
            let end = offset
            offset += 1
            guard isASCII else { return try text(start..<end) }
            return String(decoding: UnsafeBufferPointer(rebasing: buffer[start..<end]), as: UTF8.self)
        }
        return try escapedString(from: start)
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
            let digit: UInt8
            switch offset < buffer.count ? buffer[offset] : 0 {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default: throw fault("expected four hexadecimal digits after \\u")
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
            if negative, magnitude > 0, magnitude <= UInt64(Int64.max) + 1 {
                return .int(Int64(truncatingIfNeeded: 0 &- magnitude))
            }
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
