import GitSource
import Glibc
import Synchronization

/// A line on the terminal that says how far a clone or fetch is, and goes away with the end of it.
final class TransferDisplay: Sendable {
    private let shown = Mutex(0)

    /// `nil` where nobody watches.
    static func onTerminal() -> TransferDisplay? {
        isatty(STDERR_FILENO) == 1 && Connection.currentEnvironment["TERM"] != "dumb" ? TransferDisplay() : nil
    }

    @Sendable
    func show(_ progress: TransferProgress) {
        let (received, total) = (progress.receivedObjects, progress.totalObjects)
        let percent = total > 0 ? received * 100 / total : 0
        shown.withLock { shown in
            // One line for each percent is as much as a terminal can use.
            guard percent != shown || received == total else { return }
            shown = percent
            let size = progress.receivedBytes >> 10
            let end = received == total ? "\r\u{1B}[K" : ""
            writeAll(
                "\r\u{1B}[Kfetching: \(percent) % (\(received)/\(total) objects, \(size) KiB)\(end)", to: STDERR_FILENO)
        }
    }
}
