import NIOCore
import NIOHTTP1

/// The requests of one connection over HTTP/1.1, one after the other, and what comes with the one that is being
/// answered.
// Sendable: only whoever answers a request reads, until it is answered.
final class HTTP1Requests: RequestContent, @unchecked Sendable {
    private enum Body {
        case whole(ByteBuffer)
        case coming
        case read
    }

    /// The connection ended in the middle of a body.
    private struct BodyCutShort: Error {}

    private var parts: NIOAsyncChannelInboundStream<ReceivedPart>.AsyncIterator
    private var body = Body.read

    init(_ parts: NIOAsyncChannelInboundStream<ReceivedPart>) {
        self.parts = parts.makeAsyncIterator()
    }

    /// Whether the body of the request is on its way, or not even that.
    var isBodyComing: Bool {
        if case .coming = body { true } else { false }
    }

    /// The next request; what nobody read of the last one is passed over. `nil` at the end of the connection.
    func next() async throws -> HTTPRequestHead? {
        while let part = try await parts.next() {
            switch part {
            case .whole(let head, let bytes):
                body = .whole(bytes)
                return head
            case .head(let head):
                body = .coming
                return head
            case .body, .end: continue
            }
        }
        return nil
    }

    func collect(upTo limit: Int) async throws -> [UInt8] {
        switch body {
        case .read: return []
        case .whole(let bytes):
            body = .read
            guard bytes.readableBytes <= limit else { throw BodyTooLong() }
            return Array(buffer: bytes)
        case .coming: return try await collectParts(upTo: limit)
        }
    }

    private func collectParts(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try await parts.next() {
            switch part {
            case .body(let buffer):
                guard bytes.count + buffer.readableBytes <= limit else { throw BodyTooLong() }
                bytes.append(contentsOf: buffer.readableBytesView)
            case .end:
                body = .read
                return bytes
            case .whole, .head: preconditionFailure("a request begins in the body of another one")
            }
        }
        throw BodyCutShort()
    }

    func whileClientStays(_ operation: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await operation()
                return true
            }
            tasks.addTask {
                if await self.clientLeaves() { throw CancellationError() }
                return false
            }
            defer { tasks.cancelAll() }
            while let isDone = try await tasks.next(), !isDone {}
        }
    }

    /// Waits for the end of the connection.
    ///
    /// - Returns: whether it has come; otherwise the client sent another request, and nobody looks on.
    private func clientLeaves() async -> Bool {
        do {
            while let part = try await parts.next() {
                switch part {
                case .whole, .head: return false
                case .body, .end: continue
                }
            }
        } catch {
            // What cannot be read is no client either.
        }
        return true
    }
}
