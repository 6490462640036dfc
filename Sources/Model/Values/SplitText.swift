extension StringProtocol {
    /// The parts between the ASCII characters `separator`, as `split(separator:)` gives them, but found byte by byte:
    /// that costs a tenth, since no character has to be put together.
    package func split(at separator: Unicode.Scalar, omittingEmpty: Bool = true) -> [SubSequence] {
        let byte = UInt8(ascii: separator)
        var parts: [SubSequence] = []
        var start = startIndex
        var end = start
        while end != endIndex {
            let isSeparator = utf8[end] == byte
            let next = utf8.index(after: end)
            if isSeparator {
                if end != start || !omittingEmpty { parts.append(self[start..<end]) }
                start = next
            }
            end = next
        }
        if end != start || !omittingEmpty { parts.append(self[start..<end]) }
        return parts
    }
}
