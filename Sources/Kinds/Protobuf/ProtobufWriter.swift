/// Writes the fields of messages, in the wire format of protocol buffers.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8]

    package init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    package mutating func number(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    package mutating func double(_ field: UInt64, _ value: Double) {
        varint(field << 3 | 1)
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
    }

    package mutating func text(_ field: UInt64, _ value: String) {
        varint(field << 3 | 2)
        varint(UInt64(value.utf8.count))
        bytes += value.utf8
    }

    package mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    /// Begins a message; what is written next is in it, up to `close`.
    ///
    /// - Returns: what `close` takes.
    package mutating func open(_ field: UInt64) -> Int {
        varint(field << 3 | 2)
        bytes.append(0)
        return bytes.count
    }

    /// Ends the message that began there. A long one (from 128 bytes) is moved by the bytes of its length.
    package mutating func close(_ start: Int) {
        var length = UInt64(bytes.count - start)
        bytes[start - 1] = UInt8(truncatingIfNeeded: length & 0x7F) | (length >= 0x80 ? 0x80 : 0)
        guard length >= 0x80 else { return }
        var rest: [UInt8] = []
        length >>= 7
        while length >= 0x80 {
            rest.append(UInt8(truncatingIfNeeded: length & 0x7F) | 0x80)
            length >>= 7
        }
        rest.append(UInt8(truncatingIfNeeded: length))
        bytes.insert(contentsOf: rest, at: start)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
