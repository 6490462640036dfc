import Model

/// Names and identities that the server makes up.
enum Identifiers {
    /// Characters of a generated name's suffix: no vowels, so that no word arises.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    private static let suffixLength = 5
    private static let longestBase = 58

    /// How often a generated name that is taken is tried anew (C6).
    static let nameAttempts = 8

    /// `base`, cut to 58 characters, and five random ones (C6).
    static func name(from base: String, random: inout any RandomNumberGenerator & Sendable) -> String {
        var name = String(base.prefix(longestBase))
        for _ in 0..<suffixLength { name.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)]) }
        return name
    }

    /// A version 4 UUID (RFC 9562).
    static func uid(random: inout any RandomNumberGenerator & Sendable) -> String {
        let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for position in 0..<32 {
            if hyphens.contains(position) { text.append(UInt8(ascii: "-")) }
            let digit = (position < 16 ? high : low) >> UInt64(60 - position % 16 * 4) & 0xF
            text.append(UInt8(digit) + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The digits of a UUID that have a hyphen before them.
    private static let hyphens = [8, 12, 16, 20]
}
