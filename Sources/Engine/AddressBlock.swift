import Glibc

/// A /16 of 127.0.0.0/8 that one data directory has to itself: the lower half for pods, the upper for Services.
///
/// Two services on one machine must not give the same address to different pods. A block is chosen by the data
/// directory's path and claimed, while the service runs, by a socket that is bound in it.
package struct AddressBlock: Sendable {
    /// The second byte of the block's addresses.
    package let number: UInt8
    package let pods: PodAddresses
    package let services: AddressRange
    private let claim: Claim

    /// The blocks to choose from; 127.0.0.0/16 is left to everybody else.
    static let numbers: ClosedRange<UInt8> = 16...239
    /// The port of the claiming socket, on the block's last usable address: the kubelet's, which nothing else takes.
    static let claimPort: UInt16 = 10250

    /// Keeps the socket open as long as the block is in use.
    private final class Claim: Sendable {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// Claims a block.
    ///
    /// - Parameter preferred: the block that this data directory had before; it is the only choice then, because pods
    ///   that outlived the service have its addresses.
    /// - Returns: `nil` when it is (or, without a preference, all are) taken by another service.
    package init?(preferred: UInt8?, path: String) {
        let count = Self.numbers.count
        let start = path.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let choices =
            preferred.map { [$0] }
            ?? (0..<count).map {
                Self.numbers.lowerBound + UInt8((Int(start % UInt32(count)) + $0) % count)
            }
        let occupied = preferred == nil ? Self.occupied() : []
        for number in choices.filter({ !occupied.contains($0) }) + choices.filter({ occupied.contains($0) }) {
            guard let descriptor = Self.bind(number) else { continue }
            guard let pods = PodAddresses(range: "127.\(number).0.0/17"),
                let services = AddressRange("127.\(number).128.0/17")
            else { preconditionFailure("127.\(number).0.0/16 is within 127.0.0.0/8") }
            self.number = number
            self.pods = pods
            self.services = services
            claim = Claim(descriptor)
            return
        }
        return nil
    }

    /// The blocks in which something listens, by the kernel's tables of sockets (proc_net_tcp(5)).
    private static func occupied() -> Set<UInt8> {
        var numbers: Set<UInt8> = []
        for (table, listening) in [("/proc/net/tcp", "0A"), ("/proc/net/udp", "07")] {
            for line in String(decoding: PodFiles.read(table) ?? [], as: UTF8.self).split(separator: "\n").dropFirst() {
                let columns = line.split(separator: " ")
                guard columns.count > 3, columns[3] == listening,
                    let address = UInt32(columns[1].prefix { $0 != ":" }, radix: 16).map(UInt32.init(bigEndian:)),
                    address >> 24 == 127
                else { continue }
                numbers.insert(UInt8(address >> 16 & 255))
            }
        }
        return numbers
    }

    private static func bind(_ number: UInt8) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = claimPort.bigEndian
        address.sin_addr.s_addr = (UInt32(127) << 24 | UInt32(number) << 16 | 0xFFFE).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, size) }
        }
        guard result == 0, listen(descriptor, 1) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
