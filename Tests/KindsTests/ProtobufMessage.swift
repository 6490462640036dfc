/// Writes messages, field by field, as Go does.
struct ProtobufMessage {
    var bytes: [UInt8] = []

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    func number(_ field: UInt64, _ value: Int64) -> ProtobufMessage {
        ProtobufMessage(bytes: bytes + Self.varint(field << 3) + Self.varint(UInt64(bitPattern: value)))
    }

    func bytes(_ field: UInt64, _ value: [UInt8]) -> ProtobufMessage {
        ProtobufMessage(bytes: bytes + Self.varint(field << 3 | 2) + Self.varint(UInt64(value.count)) + value)
    }

    func bool(_ field: UInt64, _ value: Bool) -> ProtobufMessage { number(field, value ? 1 : 0) }

    func double(_ field: UInt64, _ value: Double) -> ProtobufMessage {
        let bits = (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt64($0))) }
        return ProtobufMessage(bytes: bytes + Self.varint(field << 3 | 1) + bits)
    }

    func text(_ field: UInt64, _ value: String) -> ProtobufMessage { bytes(field, Array(value.utf8)) }

    func message(_ field: UInt64, _ value: ProtobufMessage) -> ProtobufMessage { bytes(field, value.bytes) }

    /// A whole body of that kind.
    func body(_ apiVersion: String, _ kind: String) -> [UInt8] {
        let type = ProtobufMessage().text(1, apiVersion).text(2, kind)
        return Array("k8s\0".utf8) + ProtobufMessage().message(1, type).message(2, self).text(3, "").text(4, "").bytes
    }
}
