import Model

/// The spelling in which Kubernetes writes quantities and times back (semantics-api F1).
enum CanonicalText {
    /// The canonical form of a quantity, or `nil` when it is in it already or is no quantity.
    static func quantity(_ value: JSON) -> JSON? {
        let text: String
        switch value {
        case .string(let string):
            if isCommonQuantity(string) { return nil }
            text = string
        case .number(let literal): text = literal
        case .int(let number): text = String(number)
        default: return nil
        }
        guard let quantity = Quantity(text) else { return nil }
        let canonical = JSON.string(quantity.description)
        if canonical == value { return nil }
        return canonical
    }

    /// Whether the text is a quantity in canonical form that can be told at a glance: up to three digits without a
    /// leading zero, and a suffix. Most are; the others take the long way.
    static func isCommonQuantity(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let digits = bytes.prefix { (0x30...0x39).contains($0) }.count
            guard (1...3).contains(digits), bytes[0] != 0x30 || bytes.count == 1 else { return false }
            switch bytes.count - digits {
            case 0: return true
            case 1: return "munkMGTPE".utf8.contains(bytes[digits])
            case 2: return bytes[digits + 1] == UInt8(ascii: "i") && "KMGTPE".utf8.contains(bytes[digits])
            default: return false
            }
        }
    }

    /// The canonical form of a time, or `nil` when it is in it already or is no time.
    static func time(_ value: JSON, micro: Bool) -> JSON? {
        guard case .string(var text) = value else { return nil }
        let length = micro ? 27 : 20
        let isCanonical = text.withUTF8 { bytes in
            bytes.count == length && bytes[length - 1] == UInt8(ascii: "Z") && bytes[10] == UInt8(ascii: "T")
        }
        if isCanonical { return nil }
        guard let time = Timestamp(text) else { return nil }
        return .string(micro ? time.microText : time.description)
    }

    /// Whether a value of that format is the moment that stands in Go for no time, which it writes as null.
    static func isZeroTime(_ text: String, _ format: String?) -> Bool {
        // Most texts end here.
        guard text.utf8.starts(with: "0001-01-01T".utf8), format == "date-time" || format == "micro-time" else {
            return false
        }
        return Timestamp(text) == Timestamp(seconds: -62_135_596_800)
    }

    /// Standard base64 with padding; line breaks are skipped, as Go's decoder does.
    static func isBase64(_ text: String) -> Bool {
        var count = 0
        var padding = 0
        for byte in text.utf8 {
            switch byte {
            case 0x0A, 0x0D: continue
            case UInt8(ascii: "="): padding += 1
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"):
                if padding > 0 { return false }
            default: return false
            }
            count += 1
        }
        return count % 4 == 0 && padding <= 2
    }
}
