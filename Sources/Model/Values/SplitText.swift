internal import Glibc

extension Substring {
    /// The parts between the ASCII characters `separator`, as `split(separator:)` gives them, but found byte by byte:
    /// that costs a tenth, since no character has to be put together.
    package func split(at separator: Unicode.Scalar, omittingEmpty: Bool = true) -> [Substring] {
        var parts: [Substring] = []
        parts.reserveCapacity(8)
        var start = startIndex
        while let end = self[start...].firstIndex(ofASCII: separator) {
            if end != start || !omittingEmpty { parts.append(self[start..<end]) }
            start = utf8.index(after: end)
        }
        if start != endIndex || !omittingEmpty { parts.append(self[start...]) }
        return parts
    }

    /// Where the ASCII character stands first, found by bytes.
    package func firstIndex(ofASCII character: Unicode.Scalar) -> Index? {
        let byte = UInt8(ascii: character)
        let offset: Int?? = utf8.withContiguousStorageIfAvailable { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base, CInt(byte), bytes.count) else { return nil }
            return UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
        guard let offset else { return utf8.firstIndex(of: byte) }
        return offset.map { utf8.index(startIndex, offsetBy: $0) }
    }
}

extension String {
    /// The same as of a `Substring`.
    package func split(at separator: Unicode.Scalar, omittingEmpty: Bool = true) -> [Substring] {
        self[...].split(at: separator, omittingEmpty: omittingEmpty)
    }

    /// The same as of a `Substring`.
    package func firstIndex(ofASCII character: Unicode.Scalar) -> Index? { self[...].firstIndex(ofASCII: character) }
}
