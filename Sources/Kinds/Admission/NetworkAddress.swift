/// An IP address: its bytes, four or sixteen.
struct NetworkAddress: Hashable {
    let bytes: [UInt8]

    var family: AddressSyntax.Family { bytes.count == 4 ? .v4 : .v6 }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// `nil` for what is no address.
    init?(_ text: String) {
        switch AddressSyntax.family(of: text) {
        case nil: return nil
        case .v4: bytes = Self.bytesOfV4(text)
        case .v6:
            let halves = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = halves.map { Self.bytesOfV6($0) }
            guard parts.count == 2 else {
                bytes = parts[0]
                return
            }
            let gap = [UInt8](repeating: 0, count: 16 - parts[0].count - parts[1].count)
            bytes = parts[0] + gap + parts[1]
        }
    }

    private static func bytesOfV4(_ text: some StringProtocol) -> [UInt8] {
        text.split(separator: ".").compactMap { UInt8($0) }
    }

    private static func bytesOfV6(_ half: Substring) -> [UInt8] {
        half.split(separator: ":").flatMap { group -> [UInt8] in
            if group.contains(".") { return bytesOfV4(group) }
            let number = UInt16(group, radix: 16) ?? 0
            return [UInt8(number >> 8), UInt8(number & 0xFF)]
        }
    }

    /// Whether it is an IPv4 address in the clothes of an IPv6 one: `::ffff:10.9.8.7`.
    private var isMapped: Bool {
        bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    }

    /// What is wrong with a text that must be an address in canonical form (C24).
    static func faults(of text: String) -> [String] {
        guard let address = NetworkAddress(text) else {
            return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
        }
        if address.isMapped { return ["must not be an IPv4-mapped IPv6 address"] }
        let canonical = address.description
        return canonical == text ? [] : ["must be in canonical form (\"\(canonical)\")"]
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// RFC 5952: lower-case groups without leading zeros, the longest run of zero groups left out.
    var description: String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        let texts = groups.map { String($0, radix: 16) }
        if longest.isEmpty { return texts.joined(separator: ":") }
        return texts[..<longest.lowerBound].joined(separator: ":") + "::"
            + texts[longest.upperBound...].joined(separator: ":")
    }
}

/// A block of addresses: `10.9.8.0/24`.
struct NetworkBlock: Hashable {
    let address: NetworkAddress
    /// How many of the first bits all its addresses share.
    let length: Int

    init?(_ text: String) {
        guard AddressSyntax.isBlock(text) else { return nil }
        let parts = text.split(separator: "/")
        guard let address = NetworkAddress(String(parts[0])), let length = Int(parts[1]) else { return nil }
        self.address = address
        self.length = length
    }

    /// The address with all bits cleared that do not belong to the block's own.
    var base: NetworkAddress {
        NetworkAddress(
            bytes: address.bytes.enumerated().map { index, byte in
                let kept = min(max(length - index * 8, 0), 8)
                return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            })
    }

    func isStrictSubset(of other: NetworkBlock) -> Bool {
        guard address.family == other.address.family, length > other.length else { return false }
        return NetworkBlock(address, other.length).base == other.base
    }

    private init(_ address: NetworkAddress, _ length: Int) {
        self.address = address
        self.length = length
    }

    static let rule = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    /// What is wrong with a text that must be a block in canonical form.
    static func faults(of text: String) -> [String] {
        guard let block = NetworkBlock(text) else { return [rule] }
        if block.base != block.address { return ["must not have bits set beyond the prefix length"] }
        let canonical = "\(block.address)/\(block.length)"
        return canonical == text ? [] : ["must be in canonical form (\"\(canonical)\")"]
    }
}
