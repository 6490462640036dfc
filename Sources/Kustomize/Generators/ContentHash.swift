import Crypto
import Model

/// The hash that generated names end with: ten letters, changed whenever the content is (`api/hasher`).
enum ContentHash {
    static func hash(of object: JSON) -> String {
        // The name is not among what is hashed, although its place is: Kustomize looks for it where it never is.
        var members: [(String, JSON)] = [("data", member("data", of: object) ?? "")]
        if object["kind"]?.string == "Secret" {
            members += [("kind", "Secret"), ("name", "")]
            if let texts = member("stringData", of: object), texts.object != nil {
                members.append(("stringData", texts))
            }
            members.append(("type", object["type"].map { .string($0.scalarText) } ?? ""))
        } else {
            if let bytes = member("binaryData", of: object), bytes.object != nil {
                members.insert(("binaryData", bytes), at: 0)
            }
            members += [("kind", "ConfigMap"), ("name", "")]
        }
        var text: [UInt8] = []
        GoJSON.append(.object(JSONObject(members.map { JSONObject.Member(key: $0.0, value: $0.1) })), to: &text)
        return letters(SHA256.hash(data: text))
    }

    private static func member(_ name: String, of object: JSON) -> JSON? {
        guard let value = object[name] else { return nil }
        return value.isScalar ? .string(value.scalarText) : value
    }

    /// Digits that look like letters, or could spell words, are replaced.
    private static func letters(_ digest: SHA256.Digest) -> String {
        let digits = Array("gh2k456789mbcdtf".utf8)
        var result: [UInt8] = []
        for byte in digest.prefix(5) {
            result.append(digits[Int(byte >> 4)])
            result.append(digits[Int(byte & 15)])
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// JSON text as Go's `encoding/json` writes it, to the byte: members sorted, and signs of HTML escaped.
enum GoJSON {
    static func append(_ value: JSON, to output: inout [UInt8]) {
        switch value {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .int(let value): output += String(value).utf8
        case .number(let literal): output += literal.utf8
        case .string(let text): append(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                append(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            let sorted = object.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (position, member) in sorted.enumerated() {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                append(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                append(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += #"\""#.utf8
            case "\\": output += #"\\"#.utf8
            case "\n": output += #"\n"#.utf8
            case "\r": output += #"\r"#.utf8
            case "\t": output += #"\t"#.utf8
            case "\u{8}": output += #"\b"#.utf8
            case "\u{C}": output += #"\f"#.utf8
            case "<", ">", "&", "\u{2028}", "\u{2029}": appendEscape(scalar.value, to: &output)
            case _ where scalar.value < 0x20: appendEscape(scalar.value, to: &output)
            default: output += String(scalar).utf8
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(_ value: UInt32, to output: inout [UInt8]) {
        let digits = String(value, radix: 16)
        output += #"\u"#.utf8
        output += repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count)
        output += digits.utf8
    }
}
