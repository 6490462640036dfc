import AsyncHTTPClient
import Cluster
import NIOCore

/// Cuts a streamed body into lines, one at a time and no longer than a bound.
// Sendable: a stream asks for one line after the other, never two at once.
final class LineReader: @unchecked Sendable {
    /// No object that a server may send is larger, its managed fields included.
    static let longestLine = 16 << 20

    private var chunks: HTTPClientResponse.Body.AsyncIterator
    private var pending = ByteBuffer()
    /// How much of `pending` is known to hold no line break.
    private var searched = 0

    init(_ body: HTTPClientResponse.Body) {
        chunks = body.makeAsyncIterator()
    }

    /// The next line that is not empty, without its end; `nil` at the end of the body.
    func next() async throws -> [UInt8]? {
        while true {
            let view = pending.readableBytesView
            if let end = view[(view.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(view[..<end])
                pending.moveReaderIndex(forwardBy: line.count + 1)
                searched = 0
                if line.isEmpty { continue }
                return line
            }
            searched = pending.readableBytes
            guard searched <= Self.longestLine else {
                throw APIError(.internalError, "the server sent a line longer than \(Self.longestLine) bytes")
            }
            pending.discardReadBytes()
            guard var chunk = try await chunks.next() else {
                // What stands after the last line break was cut off: the watch goes on elsewhere.
                return nil
            }
            pending.writeBuffer(&chunk)
        }
    }
}

/// Hands on a streamed body in the pieces in which it comes.
// Sendable: a stream asks for one piece after the other, never two at once.
final class ChunkReader: @unchecked Sendable {
    private var chunks: HTTPClientResponse.Body.AsyncIterator

    init(_ body: HTTPClientResponse.Body) {
        chunks = body.makeAsyncIterator()
    }

    func next() async throws -> [UInt8]? {
        try await chunks.next().map { Array(buffer: $0) }
    }
}
