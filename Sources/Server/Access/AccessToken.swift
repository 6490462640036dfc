/// The secret that lets a client in; it is never written to a log.
package struct AccessToken: Sendable, Hashable, CustomStringConvertible {
    package let secret: String

    package init(secret: String) {
        self.secret = secret
    }

    /// 256 random bits in hexadecimal.
    package static func create(using generator: inout some RandomNumberGenerator) -> AccessToken {
        let words = (0..<4).map { _ in UInt64.random(in: .min ... .max, using: &generator) }
        return AccessToken(
            secret: words.map { word in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined())
    }

    package var description: String { "AccessToken(…)" }

    /// Compares in a time that does not depend on where the first difference is, so that timing tells nothing.
    func matches(_ other: String) -> Bool {
        let mine = Array(secret.utf8)
        let others = Array(other.utf8)
        var difference = mine.count ^ others.count
        for index in mine.indices {
            difference |= Int(mine[index] ^ (others.isEmpty ? 0 : others[index % others.count]))
        }
        return difference == 0
    }
}
