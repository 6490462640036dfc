/// An IPv4 network in CIDR form, as `127.96.0.0/16`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The network's own address.
    package let first: UInt32
    package let prefixLength: Int

    /// `nil` when `text` is no IPv4 network, or its address has bits beyond the prefix.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Self.address(String(parts[0])), let length = Int(parts[1]),
            (8...30).contains(length), address & Self.hostMask(length) == 0
        else { return nil }
        first = address
        prefixLength = length
    }

    private static func hostMask(_ prefixLength: Int) -> UInt32 { UInt32.max >> UInt32(prefixLength) }

    /// The number of addresses, the network's own and the broadcast address included.
    package var count: Int { 1 << (32 - prefixLength) }

    package func contains(_ address: UInt32) -> Bool { address & ~Self.hostMask(prefixLength) == first }

    package var description: String { "\(Self.text(first))/\(prefixLength)" }

    /// Reads a dotted address; `nil` when it is none.
    package static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part.count == 1 || part.first != "0",
                let byte = UInt8(part)
            else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    package static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
