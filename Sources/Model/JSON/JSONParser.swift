/// A fault at a byte offset; turned into a line and column only when it is reported.
struct JSONFault: Error {
    var message: String
    var offset: Int
}

/// A recursive-descent parser over a buffer that outlives it.
struct JSONParser: ~Copyable {
    let buffer: UnsafeBufferPointer<UInt8>
    let depthLimit: Int
    var offset = 0
    private var depth = 0
    private var members = ValueStack<JSONObject.Member>()
    private var elements = ValueStack<JSON>()
    /// Where keys that stand twice in an object are noted; `nil` refuses them.
    private(set) var repeated: RepeatedFields?

    init(buffer: UnsafeBufferPointer<UInt8>, depthLimit: Int, repeated: RepeatedFields? = nil) {
        self.buffer = buffer
        self.depthLimit = depthLimit
        self.repeated = repeated
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
        while offset < buffer.count, buffer[offset] <= 0x20 {
            switch buffer[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func value() throws(JSONFault) -> JSON {
        guard offset < buffer.count else { throw fault("the document ends where a value is expected") }
        switch buffer[offset] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        case UInt8(ascii: "t"): return try keyword("true", .bool(true))
        case UInt8(ascii: "f"): return try keyword("false", .bool(false))
        case UInt8(ascii: "n"): return try keyword("null", .null)
        default: throw fault("unexpected \(describe(buffer[offset])) where a value is expected")
        }
    }

    private func describe(_ byte: UInt8) -> String {
        (0x20..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
    }

    private mutating func keyword(_ text: StaticString, _ value: JSON) throws(JSONFault) -> JSON {
        let count = text.utf8CodeUnitCount
        for position in 0..<count {
            guard offset + position < buffer.count, buffer[offset + position] == text.utf8Start[position] else {
                throw fault("not a JSON value; did you mean \(text)?")
            }
        }
        offset += count
        return value
    }

    private mutating func enter() throws(JSONFault) {
        depth += 1
        if depth > depthLimit { throw fault("nested deeper than the limit of \(depthLimit) levels") }
        offset += 1
        skipSpace()
    }

    private mutating func array() throws(JSONFault) -> JSON {
        try enter()
        if consume("]") {
            depth -= 1
            return .array([])
        }
        let start = elements.count
        while true {
            repeated?.path.append(.index(elements.count - start))
            elements.push(try value())
            repeated?.path.removeLast()
            skipSpace()
            if consume(",") {
                skipSpace()
                continue
            }
            guard consume("]") else { throw fault("expected ',' or ']' in an array") }
            depth -= 1
            return .array(elements.pop(from: start))
        }
    }

    private mutating func object() throws(JSONFault) -> JSON {
        if repeated != nil { return try forgivingObject() }
        let startOffset = offset
        try enter()
        if consume("}") {
            depth -= 1
            return .emptyObject
        }
        let start = members.count
        var seen: UInt64 = 0
        while true {
            guard offset < buffer.count, buffer[offset] == UInt8(ascii: "\"") else {
                throw fault("expected a quoted key in an object")
            }
            let keyOffset = offset
            let key = try string()
            let mask = mask(ofKey: key, at: keyOffset)
            if seen & mask != 0, members.count - start <= JSONObject.indexThreshold {
                for position in start..<members.count where members[position].key.hasSameBytes(as: key) {
                    throw twice(key, at: keyOffset)
                }
            }
            seen |= mask
            skipSpace()
            guard consume(":") else { throw fault("expected ':' after the key \"\(key)\"") }
            skipSpace()
            members.push(JSONObject.Member(key: key, value: try value()))
            skipSpace()
            if consume(",") {
                skipSpace()
                continue
            }
            guard consume("}") else { throw fault("expected ',' or '}' in an object") }
            break
        }
        depth -= 1
        let members = members.pop(from: start)
        guard members.count > JSONObject.indexThreshold else { return .object(JSONObject(unique: members)) }
        var duplicate: Int?
        let object = JSONObject(checking: members, duplicate: &duplicate)
        if let duplicate { throw twice(members[duplicate].key, at: startOffset) }
        return .object(object)
    }

    /// An object of which the last value under a key counts.
    private mutating func forgivingObject() throws(JSONFault) -> JSON {
        try enter()
        var members: [JSONObject.Member] = []
        var positions: [UTF8Key: Int] = [:]
        var isEnd = consume("}")
        while !isEnd {
            guard offset < buffer.count, buffer[offset] == UInt8(ascii: "\"") else {
                throw fault("expected a quoted key in an object")
            }
            let key = try string()
            skipSpace()
            guard consume(":") else { throw fault("expected ':' after the key \"\(key)\"") }
            skipSpace()
            repeated?.path.append(.member(key))
            let value = try value()
            if let earlier = positions[UTF8Key(key)] {
                repeated?.note()
                members[earlier].value = value
            } else {
                positions[UTF8Key(key)] = members.count
                members.append(JSONObject.Member(key: key, value: value))
            }
            repeated?.path.removeLast()
            skipSpace()
            isEnd = !consume(",")
            skipSpace()
            guard !isEnd || consume("}") else { throw fault("expected ',' or '}' in an object") }
        }
        depth -= 1
        return .object(JSONObject(members))
    }

    /// A key without escapes is marked by its bytes; one with escapes may equal any other.
    @inline(__always)
    private func mask(ofKey key: String, at keyOffset: Int) -> UInt64 {
        let range = (keyOffset + 1)..<(offset - 1)
        guard range.count == key.utf8.count else { return .max }
        return keyMask(UnsafeBufferPointer(rebasing: buffer[range]))
    }

    private func twice(_ key: String, at offset: Int) -> JSONFault {
        fault("the key \"\(key)\" stands twice in one object", at: offset)
    }

    @inline(__always)
    mutating func consume(_ character: Unicode.Scalar) -> Bool {
        guard offset < buffer.count, buffer[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }
}
