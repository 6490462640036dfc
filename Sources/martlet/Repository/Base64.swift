import FoundationEssentials

/// RFC 4648 base64, as Secrets hold their values.
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
