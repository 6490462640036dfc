import Cluster
import HummingbirdCore
import Model
import ServiceLifecycle

/// Answers that are written while they come about: they end with their source, with the time that was allowed, when the
/// client goes away, and when the server stops.
enum Streaming {
    /// - Parameters:
    ///   - writer: finished before this returns.
    ///   - limit: for how long at most, and by which clock.
    @concurrent static func run(
        _ request: APIRequest, writer: inout any ResponseBodyWriter,
        limit: (duration: Duration, clock: any WallClock)? = nil,
        _ write: @escaping @concurrent @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) async throws {
        let box = WriterBox(writer)
        do {
            try await request.content.whileClientStays {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await write(&box.writer) }
                    tasks.addTask { try await gracefulShutdown() }
                    if let limit { tasks.addTask { try await limit.clock.sleep(for: limit.duration) } }
                    defer { tasks.cancelAll() }
                    try await tasks.next()
                }
            }
        } catch is CancellationError {
            // The client went away or the server stops: an end like another.
        }
        writer = box.writer
        try await writer.finish(nil)
    }
}

/// Hands the writer of an answer to the task that writes it.
// Sendable: one task uses it, and whoever made that task touches it again only after the task has ended.
private final class WriterBox: @unchecked Sendable {
    var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }
}
