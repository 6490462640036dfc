/// What a plain scalar stands for, exactly as `sigs.k8s.io/yaml` (go-yaml v2, YAML 1.1) resolves it, but for numbers
/// that it would round: those are kept exactly.
enum YAMLScalar {
    enum Kind {
        /// The text itself; `Resolved.value` is not filled.
        case string
        case null
        case bool
        case int
        case float
        /// `.inf`, `.nan`: no value in JSON.
        case notFinite
    }

    struct Resolved {
        var kind: Kind
        var value: JSON

        static let string = Resolved(kind: .string, value: .null)
    }

    static let tagPrefix = "tag:yaml.org,2002:"

    static func shortTag(_ tag: String) -> String {
        tag.hasPrefix(tagPrefix) ? "!!" + tag.dropFirst(tagPrefix.count) : tag
    }

    private enum Hint: UInt8 {
        case text, word, number, dot
    }

    /// By its first byte alone a scalar is mostly known to be a text.
    @inline(__always)
    private static func hint(_ byte: UInt8) -> Hint {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"): .number
        case UInt8(ascii: "y"), UInt8(ascii: "Y"), UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"),
            UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "o"), UInt8(ascii: "O"),
            UInt8(ascii: "~"):
            .word
        case UInt8(ascii: "."): .dot
        default: .text
        }
    }

    /// Whether a plain scalar is a text that can be taken as it stands; `false` is no answer.
    @inline(__always)
    static func isString(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = bytes.first else { return false }
        switch hint(first) {
        case .text: return first != 0xEF
        case .word: return bytes.count > 5 || word(bytes).kind == .string
        case .number, .dot: return false
        }
    }

    @inline(__always)
    static func resolve(_ bytes: UnsafeBufferPointer<UInt8>) -> Resolved {
        guard let first = bytes.first else { return Resolved(kind: .null, value: .null) }
        switch hint(first) {
        case .text: return .string
        case .word: return bytes.count > 5 ? .string : word(bytes)
        case .number, .dot: return numeric(bytes)
        }
    }

    /// Whether a word that YAML 1.1 takes for a boolean is one in `dialect`: there `true` and `false` are the only
    /// ones, which all others are shorter than.
    @inline(__always)
    static func isBoolean(_ bytes: UnsafeBufferPointer<UInt8>, in dialect: YAMLDialect) -> Bool {
        dialect == .kubernetes || bytes.count > 3
    }

    /// Up to eight bytes as one number, so that a word is found by comparing integers.
    private static func packed(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The words of YAML 1.1: in small letters, with a capital, or all in capitals.
    @inline(__always)
    private static func word(_ bytes: UnsafeBufferPointer<UInt8>) -> Resolved {
        var packed: UInt64 = 0
        for byte in bytes { packed = packed << 8 | UInt64(byte) }
        let caseBits: UInt64 = 0x20_2020_2020 >> UInt64(8 * (5 - bytes.count))
        let capitals = ~packed & caseBits
        let first: UInt64 = 0x20 << UInt64(8 * (bytes.count - 1))
        guard capitals == 0 || capitals == first || capitals == caseBits else { return .string }
        switch packed | caseBits {
        // y, yes, true, on
        case 0x79, 0x79_6573, 0x7472_7565, 0x6F6E: return Resolved(kind: .bool, value: .bool(true))
        // n, no, false, off
        case 0x6E, 0x6E6F, 0x66_616C_7365, 0x6F_6666: return Resolved(kind: .bool, value: .bool(false))
        // ~, null
        case 0x7E, 0x6E75_6C6C: return Resolved(kind: .null, value: .null)
        default: return .string
        }
    }

    private static let notFiniteWords = Set(
        [
            ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
        ].map { packed($0.utf8) })

    private static func numeric(_ bytes: UnsafeBufferPointer<UInt8>) -> Resolved {
        // The common case first: a few decimal digits.
        if bytes.count < 18, bytes[0] != 0x30 || bytes.count == 1, bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Resolved(kind: .int, value: .int(bytes.reduce(0) { $0 * 10 + Int64($1 - 0x30) }))
        }
        if bytes.count <= 5, notFiniteWords.contains(packed(bytes)) {
            return Resolved(kind: .notFinite, value: .null)
        }
        if bytes.contains(UInt8(ascii: "_")) {
            return bytes.filter { $0 != UInt8(ascii: "_") }.withUnsafeBufferPointer { YAMLNumber.resolve($0) }
        }
        return YAMLNumber.resolve(bytes)
    }

    /// The text that a fraction or a number with an exponent has as a key: as Go prints it with `%g`.
    static func fractionalKey(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard resolve(bytes).kind == .float else { return nil }
        return bytes.filter { $0 != UInt8(ascii: "_") }.withUnsafeBufferPointer { DecimalText($0)?.keyText }
    }

    /// The value of a scalar with a tag, whatever its style.
    static func tagged(
        _ tag: String, _ bytes: UnsafeBufferPointer<UInt8>, at mark: Mark
    ) throws(YAMLFault) -> JSON {
        let text = String(decoding: bytes, as: UTF8.self)
        let name = tag.hasPrefix(tagPrefix) ? String(tag.dropFirst(tagPrefix.count)) : tag
        let resolved = resolve(bytes)
        switch (name, resolved.kind) {
        case ("str", _): return .string(text)
        case ("binary", _): return .string(try YAMLBinary.text(text, at: mark))
        case ("null", .null), ("bool", .bool), ("int", .int), ("float", .float), ("float", .int): return resolved.value
        case ("timestamp", .string) where isTimestamp(bytes): return .string(text)
        case ("float", .string):
            // A number beyond a double's range is still one when the tag says so.
            if let value = DecimalText(bytes)?.json { return value }
        case ("null", _), ("bool", _), ("int", _), ("float", _), ("timestamp", _): break
        default:
            throw YAMLFault(message: "the tag \(shortTag(tag)) has no meaning in JSON; remove it", mark: mark)
        }
        throw YAMLFault(message: "\"\(text)\" is no \(shortTag(tag))", mark: mark)
    }

    /// Whether go-yaml takes the text for a time (`2015-01-01`, `2015-2-3T3:4:5Z`), which others would not leave a
    /// text.
    static func isTimestamp(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count >= 8, bytes[4] == UInt8(ascii: "-"),
            bytes[0..<4].allSatisfy({ (0x30...0x39).contains($0) })
        else { return false }
        let rest = bytes[5...]
        let month = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...2).contains(month.count), rest.dropFirst(month.count).first == UInt8(ascii: "-") else {
            return false
        }
        let afterMonth = rest.dropFirst(month.count + 1)
        let day = afterMonth.prefix { (0x30...0x39).contains($0) }
        guard (1...2).contains(day.count) else { return false }
        guard let separator = afterMonth.dropFirst(day.count).first else { return true }
        return separator == UInt8(ascii: "T") || separator == UInt8(ascii: "t") || separator == UInt8(ascii: " ")
    }

    /// `190:20:30`: a number in base 60 to other readers of YAML 1.1, so the writer quotes it.
    static func isSexagesimal(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, last != UInt8(ascii: ":") else { return false }
        var hasColon = false
        // At the beginning as behind a colon, where a part may not be empty.
        var isStart = true
        for byte in bytes.dropFirst(first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? 1 : 0) {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "."): isStart = false
            case UInt8(ascii: ":") where !isStart: (hasColon, isStart) = (true, true)
            default: return false
            }
        }
        return hasColon
    }
}

/// RFC 4648 base64, for the tag `!!binary`.
private enum YAMLBinary {
    static func text(_ encoded: String, at mark: Mark) throws(YAMLFault) -> String {
        var bits: UInt32 = 0
        var count = 0
        var bytes: [UInt8] = []
        var padding = 0
        for byte in encoded.utf8 where byte != 0x0A && byte != 0x0D && byte != 0x20 {
            if byte == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            guard padding == 0, let value = value(byte) else {
                throw YAMLFault(message: "!!binary takes base64 text", mark: mark)
            }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
            }
        }
        switch (count % 4, padding) {
        case (0, 0): break
        case (2, 2): bytes.append(UInt8(bits >> 4 & 255))
        case (3, 1): bytes += [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)]
        default: throw YAMLFault(message: "!!binary takes base64 text; this one is cut short", mark: mark)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLFault(
                message: "JSON cannot hold these bytes; remove the tag !!binary to keep the base64 text", mark: mark)
        }
        return text
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
