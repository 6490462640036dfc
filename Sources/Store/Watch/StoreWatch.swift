/// The changes of some objects after a revision, for one consumer. It ends when nobody holds it any more.
package final class StoreWatch: Sendable {
    /// Changes that became visible together, and how far the watch is with them.
    package struct Batch: Sendable {
        /// In order; empty in a batch that only tells how far the store is.
        package var changes: [Change]
        /// The watch has told everything up to here: a later watch may start from it.
        package var revision: Revision
    }

    private let buffer: WatchBuffer
    private let unregister: @Sendable () -> Void

    init(buffer: WatchBuffer, unregister: @escaping @Sendable () -> Void) {
        self.buffer = buffer
        self.unregister = unregister
    }

    deinit {
        unregister()
    }

    /// Waits for the next changes; `nil` when the store is closed or the task is cancelled.
    ///
    /// - Throws: `.watcherTooSlow` when more changes waited than the buffer holds.
    package func next() async throws(StoreError) -> Batch? {
        try await buffer.next()
    }

    /// Ends the watch; who waits in `next` gets `nil`.
    package func cancel() {
        buffer.end(nil)
        unregister()
    }
}
