internal import Glibc

extension String {
    /// Whether both texts have the same bytes.
    ///
    /// `==` compares canonical equivalents as equal, so that `é` in one code point equals `é` in two; in JSON they
    /// differ, and taking one for the other would lose a change.
    @inline(__always)
    package func hasSameBytes(as other: String) -> Bool {
        // Two short texts, or one and its copy. (SE-0494 makes this `isTriviallyIdentical`.)
        if _isIdentical(to: other) { return true }
        // Keys mostly differ in length, which is known without a call.
        return utf8.count == other.utf8.count && self == other && sameBytesSlowly(other)
    }

    @inline(never)
    private func sameBytesSlowly(_ other: String) -> Bool {
        let compared: Bool?? = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                // Not `elementsEqual`: builds for tests are not optimised, and this is where they spent their time.
                guard left.count == right.count, let one = left.baseAddress, let two = right.baseAddress else {
                    return left.count == right.count
                }
                return memcmp(one, two, left.count) == 0
            }
        }
        return (compared ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

extension String {
    /// Which text's bytes come first, as Go orders texts: negative when this one's do, 0 when both are the same.
    ///
    /// Not by `<`, which orders canonical equivalents alike, and so names that JSON tells apart.
    package func byteOrder(to other: String) -> Int {
        let order: Int?? = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                let shared = min(left.count, right.count)
                guard shared > 0, let one = left.baseAddress, let two = right.baseAddress else {
                    return left.count - right.count
                }
                let difference = Int(memcmp(one, two, shared))
                return difference == 0 ? left.count - right.count : difference
            }
        }
        if let order, let order { return order }
        if utf8.lexicographicallyPrecedes(other.utf8) { return -1 }
        return utf8.elementsEqual(other.utf8) ? 0 : 1
    }
}

extension Sequence<String> {
    /// In the order of their bytes, which is Go's: for all that is shown to clients of texts that need not be ASCII.
    package func sortedByBytes() -> [String] { sorted { $0.byteOrder(to: $1) < 0 } }

    /// Whether the first text that differs comes first by its bytes, or these texts end first.
    package func precedeByBytes(_ others: some Sequence<String>) -> Bool {
        lexicographicallyPrecedes(others) { $0.byteOrder(to: $1) < 0 }
    }
}

/// A text that equals only texts of the same bytes: a key of a JSON object.
package struct UTF8Key: Hashable, Sendable {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
