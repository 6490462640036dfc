/// What Go's `encoding/json` says of a text that is no JSON object: Kubernetes hands its words on.
///
/// It tells no more than one character of the text, which may be secret.
struct GoJSONFault {
    /// The first fault; `nil` for an object, and for null, which Go takes for none.
    static func text(ofObject bytes: [UInt8]) -> String? {
        var scanner = GoJSONFault(bytes: bytes)
        do throws(Fault) {
            try scanner.document()
        } catch {
            return error.text
        }
        guard let kind = scanner.kind, kind != "object", kind != "null" else { return nil }
        return "json: cannot unmarshal \(kind) into Go value of type map[string]interface {}"
    }

    private struct Fault: Error {
        var text: String
    }

    private enum Expectation {
        case value, elementOrEnd, key, keyOrEnd, colon, end
    }

    /// As deep as Go nests.
    private static let depthLimit = 10_000

    private let bytes: [UInt8]
    private var offset = 0
    /// Of each open list or object, whether it is an object.
    private var nesting: [Bool] = []
    private var expectation = Expectation.value
    /// What the document as a whole is.
    private var kind: String?

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func document() throws(Fault) {
        while true {
            while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
            if offset == bytes.count, expectation == .end, nesting.isEmpty { return }
            let byte = try peek()
            switch expectation {
            case .elementOrEnd where byte == UInt8(ascii: "]"), .keyOrEnd where byte == UInt8(ascii: "}"): close()
            case .value, .elementOrEnd: try value(byte)
            case .key, .keyOrEnd:
                guard byte == UInt8(ascii: "\"") else { throw fault("looking for beginning of object key string") }
                try string()
                expectation = .colon
            case .colon:
                guard byte == UInt8(ascii: ":") else { throw fault("after object key") }
                offset += 1
                expectation = .value
            case .end: try separator(byte)
            }
        }
    }

    /// What follows a value.
    private mutating func separator(_ byte: UInt8) throws(Fault) {
        guard let isObject = nesting.last else { throw fault("after top-level value") }
        if byte == UInt8(ascii: ",") {
            offset += 1
            expectation = isObject ? .key : .value
        } else if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            close()
        } else {
            throw fault(isObject ? "after object key:value pair" : "after array element")
        }
    }

    private mutating func close() {
        offset += 1
        nesting.removeLast()
        expectation = .end
    }

    private mutating func value(_ byte: UInt8) throws(Fault) {
        let name: String
        expectation = .end
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = byte == UInt8(ascii: "{")
            name = isObject ? "object" : "array"
            offset += 1
            nesting.append(isObject)
            if nesting.count > Self.depthLimit { throw Fault(text: "exceeded max depth") }
            expectation = isObject ? .keyOrEnd : .elementOrEnd
        case UInt8(ascii: "\""):
            name = "string"
            try string()
        case UInt8(ascii: "-"), 0x30...0x39:
            name = "number"
            try number()
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            name = "bool"
            try keyword(byte == UInt8(ascii: "t") ? "true" : "false")
        case UInt8(ascii: "n"):
            name = "null"
            try keyword("null")
        default: throw fault("looking for beginning of value")
        }
        if kind == nil { kind = name }
    }

    private mutating func keyword(_ text: String) throws(Fault) {
        for expected in text.utf8 {
            guard try peek() == expected else {
                throw fault("in literal \(text) (expecting '\(Character(Unicode.Scalar(expected)))')")
            }
            offset += 1
        }
    }

    private mutating func string() throws(Fault) {
        offset += 1
        while true {
            switch try peek() {
            case UInt8(ascii: "\""):
                offset += 1
                return
            case UInt8(ascii: "\\"):
                offset += 1
                try escape()
            case ..<0x20: throw fault("in string literal")
            default: offset += 1
            }
        }
    }

    private mutating func escape() throws(Fault) {
        let byte = try peek()
        guard byte == UInt8(ascii: "u") || "bfnrt\\/\"".utf8.contains(byte) else {
            throw fault("in string escape code")
        }
        offset += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard "0123456789abcdefABCDEF".utf8.contains(try peek()) else {
                throw fault("in \\u hexadecimal character escape")
            }
            offset += 1
        }
    }

    private mutating func number() throws(Fault) {
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        if try peek() == UInt8(ascii: "0") { offset += 1 } else { try digits("in numeric literal") }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try digits("after decimal point in numeric literal")
        }
        guard offset < bytes.count, "eE".utf8.contains(bytes[offset]) else { return }
        offset += 1
        if "+-".utf8.contains(try peek()) { offset += 1 }
        try digits("in exponent of numeric literal")
    }

    private mutating func digits(_ place: String) throws(Fault) {
        guard (0x30...0x39).contains(try peek()) else { throw fault(place) }
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
    }

    private func peek() throws(Fault) -> UInt8 {
        guard offset < bytes.count else { throw Fault(text: "unexpected end of JSON input") }
        return bytes[offset]
    }

    private func fault(_ place: String) -> Fault {
        Fault(text: "invalid character \(Self.quoted(bytes[offset])) \(place)")
    }

    /// A byte as Go quotes it, which takes it for the character of that number.
    private static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): return #"'\''"#
        case UInt8(ascii: "\\"): return #"'\\'"#
        case 0x07...0x0D: return "'\\\(Array("abtnvfr")[Int(byte) - 0x07])'"
        case ..<0x20, 0x7F: return "'\\x" + hexadecimal(byte) + "'"
        // Go prints neither the controls above ASCII, nor the unbroken space and the soft hyphen.
        case 0x80...0xA0, 0xAD: return "'\\u00" + hexadecimal(byte) + "'"
        default: return "'\(Character(Unicode.Scalar(byte)))'"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
    }
}
