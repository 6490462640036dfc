import CLibgit2
import Crypto

/// The SHA-1 name of a Git object.
package struct ObjectID: Hashable, Sendable, Comparable, CustomStringConvertible {
    private var words: (UInt64, UInt64, UInt32)

    init(_ oid: git_oid) {
        words = withUnsafeBytes(of: oid.id) { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            )
        }
    }

    /// libgit2 answers an id for every object that it answered.
    init(_ oid: UnsafePointer<git_oid>!) {
        self.init(oid.pointee)
    }

    init(_ digest: Insecure.SHA1Digest) {
        words = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
            )
        }
    }

    /// From exactly 40 hexadecimal digits; `nil` for any other text.
    package init?(_ text: String) {
        guard text.utf8.count == 40, text.utf8.allSatisfy(\.isHexDigit) else { return nil }
        // Without libgit2, which need not be there for reading what an object holds.
        var digits = text.utf8.makeIterator()
        var oid = git_oid()
        withUnsafeMutableBytes(of: &oid.id) { bytes in
            for position in bytes.indices {
                guard let high = digits.next(), let low = digits.next() else { return }
                bytes[position] = high.hexadecimalValue << 4 | low.hexadecimalValue
            }
        }
        self.init(oid)
    }

    var oid: git_oid {
        var oid = git_oid()
        withUnsafeMutableBytes(of: &oid.id) { bytes in
            bytes.storeBytes(of: words.0, toByteOffset: 0, as: UInt64.self)
            bytes.storeBytes(of: words.1, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: words.2, toByteOffset: 16, as: UInt32.self)
        }
        return oid
    }

    package static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        // A SHA-1 is evenly spread already; its first word is enough.
        hasher.combine(words.0)
    }

    package static func < (left: Self, right: Self) -> Bool {
        let left = (left.words.0.byteSwapped, left.words.1.byteSwapped, left.words.2.byteSwapped)
        let right = (right.words.0.byteSwapped, right.words.1.byteSwapped, right.words.2.byteSwapped)
        return left < right
    }

    /// 40 lower-case hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return withUnsafeBytes(of: oid.id) { bytes in
            String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
        }
    }

    /// The first seven digits, for people.
    package var short: String { String(description.prefix(7)) }
}
