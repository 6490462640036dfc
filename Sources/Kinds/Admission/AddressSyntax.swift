/// IP addresses and blocks as text.
enum AddressSyntax {
    enum Family { case v4, v6 }

    static func family(of text: String) -> Family? {
        if isV4(text) { return .v4 }
        return isV6(text) ? .v6 : nil
    }

    static func isBlock(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let family = family(of: String(parts[0])), let bits = Int(parts[1]) else {
            return false
        }
        return (0...(family == .v4 ? 32 : 128)).contains(bits)
    }

    private static func isV4(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else {
                    return false
                }
                // A leading zero would read as octal elsewhere, so it is refused.
                if part.count > 1, part.first == 0x30 { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    private static func isV6(_ text: String) -> Bool {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard text.contains(":"), halves.count <= 2 else { return false }
        var groups = 0
        for half in halves where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                if index == parts.count - 1, part.contains("."), isV4(String(part)) {
                    groups += 2
                } else if (1...4).contains(part.count), part.allSatisfy(\.isHexDigit), part.allSatisfy(\.isASCII) {
                    groups += 1
                } else {
                    return false
                }
            }
        }
        return halves.count == 2 ? groups < 8 : groups == 8
    }
}
