/// An IPv4 or IPv6 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 of them.
    package let bytes: [UInt8]

    var isIPv4: Bool { bytes.count == 4 }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads an address as Go's `netip.ParseAddr`; `nil` when the text is none.
    package init?(_ text: String) {
        guard let bytes = text.utf8.contains(0x3a) ? Self.ipv6(text) : Self.ipv4(text[...]) else { return nil }
        self.bytes = bytes
    }

    /// An IPv4 address in IPv6's clothes: Kubernetes refuses those.
    var isMapped: Bool {
        bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
    }

    private static func ipv4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.first != "0", let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func ipv6(_ text: String) -> [UInt8]? {
        var head: [UInt8] = []
        var tail: [UInt8]?
        var rest = text[...]
        if rest.hasPrefix("::") {
            tail = []
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != ":" }
            if group.contains(".") {
                guard group.endIndex == rest.endIndex, let last = ipv4(group) else { return nil }
                if tail != nil { tail?.append(contentsOf: last) } else { head += last }
                break
            }
            guard (1...4).contains(group.utf8.count), group.first != "+", let value = UInt16(group, radix: 16) else {
                return nil
            }
            let pair = [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
            if tail != nil { tail?.append(contentsOf: pair) } else { head += pair }
            rest = rest[group.endIndex...]
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.isEmpty { return nil }
            if rest.first == ":" {
                guard tail == nil else { return nil }
                tail = []
                rest = rest.dropFirst()
            }
        }
        guard let tail else { return head.count == 16 ? head : nil }
        let missing = 16 - head.count - tail.count
        guard missing >= 2 else { return nil }
        return head + [UInt8](repeating: 0, count: missing) + tail
    }

    /// The canonical text (RFC 5952).
    package var description: String {
        if isIPv4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        if isMapped { return "::ffff:" + bytes[12...].map { String($0) }.joined(separator: ".") }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, longest.count) { longest = start..<end }
            start = max(end, start + 1)
        }
        let texts = groups.map { String($0, radix: 16) }
        guard !longest.isEmpty else { return texts.joined(separator: ":") }
        return texts[..<longest.lowerBound].joined(separator: ":") + "::"
            + texts[longest.upperBound...].joined(separator: ":")
    }

    var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

    var isLoopback: Bool {
        isIPv4 ? bytes[0] == 127 : bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    var isLinkLocalUnicast: Bool {
        isIPv4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }

    var isLinkLocalMulticast: Bool {
        isIPv4 ? bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0 : bytes[0] == 0xff && bytes[1] & 0x0f == 2
    }

    private var isMulticast: Bool { isIPv4 ? bytes[0] & 0xf0 == 0xe0 : bytes[0] == 0xff }

    var isGlobalUnicast: Bool {
        !(isUnspecified || isLoopback || isMulticast || isLinkLocalUnicast || bytes == [255, 255, 255, 255])
    }
}

/// A network: an address and how many of its bits name the network.
package struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let bits: Int

    init(address: IPAddress, bits: Int) {
        self.address = address
        self.bits = bits
    }

    package init?(_ text: String) {
        guard let slash = text.lastIndex(of: "/"), let address = IPAddress(String(text[..<slash])) else { return nil }
        let digits = text[text.index(after: slash)...]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.utf8.count == 1 || digits.first != "0", let bits = Int(digits), bits <= address.bytes.count * 8
        else { return nil }
        self.init(address: address, bits: bits)
    }

    package var description: String { "\(address)/\(bits)" }

    var masked: IPPrefix {
        var bytes = address.bytes
        for index in bytes.indices {
            let kept = max(0, min(8, bits - index * 8))
            bytes[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        return IPPrefix(address: IPAddress(bytes: bytes), bits: bits)
    }

    func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return IPPrefix(address: other, bits: bits).masked.address == masked.address
    }

    func contains(_ other: IPPrefix) -> Bool { bits <= other.bits && contains(other.address) }
}
