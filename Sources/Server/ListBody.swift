import HummingbirdCore
import Kinds
import NIOCore

/// A list as it is sent: what stands around it, and the texts that its objects have already. It is put together piece
/// by piece while the client reads, since nobody needs all of it at once.
struct ListBody: Sendable {
    /// As much is put together before it is sent; a small list is one piece. With what encryption adds it is below the
    /// size from which memory is asked of the system anew each time (`Heap`).
    static let pieceSize = 48 << 10

    var head: [UInt8]
    /// Put between commas.
    var items: [EncodedText]
    var tail: [UInt8]

    /// Bytes, all in all.
    var count: Int {
        items.reduce(head.count + tail.count + max(0, items.count - 1)) { $0 + $1.count }
    }

    /// All of it.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        bytes += head
        for (position, item) in items.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += item.bytes
        }
        bytes += tail
        return bytes
    }

    private static var emptyPiece: ByteBuffer {
        // The last object that goes into it may be longer than the rest of its size.
        ByteBufferAllocator().buffer(capacity: pieceSize + pieceSize / 4)
    }

    /// Writes all of it, and finishes the writer.
    @concurrent func write(to writer: inout any ResponseBodyWriter) async throws {
        var piece = Self.emptyPiece
        piece.writeBytes(head)
        for (position, item) in items.enumerated() {
            if position > 0 { piece.writeInteger(UInt8(ascii: ",")) }
            piece.writeBytes(item.bytes)
            guard piece.readableBytes >= Self.pieceSize else { continue }
            try await writer.write(piece)
            piece = Self.emptyPiece
        }
        piece.writeBytes(tail)
        try await writer.write(piece)
        try await writer.finish(nil)
    }
}
