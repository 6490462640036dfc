import Engine
import Glibc
import Testing

@Suite("Blocks of loopback addresses")
struct AddressBlockTests {
    private static let path = "/var/lib/martlet-\(getpid())"

    /// Something that listens on an address of the block, as a pod does whose service was stopped.
    private static func listen(in block: UInt8, type: __socket_type) -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = (UInt32(127) << 24 | UInt32(block) << 16 | 2).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        precondition(result == 0 && (type != SOCK_STREAM || Glibc.listen(descriptor, 1) == 0))
        return descriptor
    }

    @Test("a block belongs to one service at a time, and is free again when that ends")
    func claims() throws {
        var first = AddressBlock(preferred: nil, path: Self.path)
        let number = try #require(first?.number)
        #expect(AddressBlock(preferred: nil, path: Self.path).map { $0.number != number } == true)
        #expect(AddressBlock(preferred: number, path: Self.path) == nil)
        first = nil
        #expect(AddressBlock(preferred: number, path: Self.path)?.number == number)
    }

    @Test(
        "a block in which pods of a stopped service still listen is not given to another service",
        arguments: [SOCK_STREAM, SOCK_DGRAM])
    func outlivingPods(type: __socket_type) throws {
        let number = try #require(AddressBlock(preferred: nil, path: Self.path)?.number)
        let pod = Self.listen(in: number, type: type)
        defer { close(pod) }
        #expect(AddressBlock(preferred: nil, path: Self.path).map { $0.number != number } == true)
        // Their own service has it back.
        #expect(AddressBlock(preferred: number, path: Self.path)?.number == number)
    }
}
