import GitSource
import Synchronization

/// Parsed files by their content's name, so that a new commit parses only what it changed. Bounded by the files' bytes;
/// what was used longest ago goes first.
package final class RenderCache: Sendable {
    struct Key: Hashable {
        var blob: ObjectID
        var isJSON: Bool
    }

    private struct Entry {
        var file: ParsedFile
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var clock: UInt64 = 0
        var parses = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: the bytes of text whose parsed form may be kept.
    package init(limit: Int = 64 << 20) {
        self.limit = limit
    }

    /// How many files were parsed since the start: what caching saves shows here.
    package var parses: Int { state.withLock { $0.parses } }

    func file(_ key: Key) -> ParsedFile? {
        state.withLock { state in
            guard let found = state.entries[key] else { return nil }
            state.clock += 1
            state.entries[key]?.lastUse = state.clock
            return found.file
        }
    }

    func insert(_ file: ParsedFile, for key: Key) {
        state.withLock { state in
            state.parses += 1
            state.clock += 1
            state.bytes -= state.entries[key]?.file.bytes ?? 0
            state.entries[key] = Entry(file: file, lastUse: state.clock)
            state.bytes += file.bytes
            if state.bytes > limit { Self.evict(&state, to: limit / 4 * 3) }
        }
    }

    /// Frees a quarter at once, so that sorting is rare.
    private static func evict(_ state: inout State, to goal: Int) {
        for (key, entry) in state.entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            if state.bytes <= goal { return }
            state.entries[key] = nil
            state.bytes -= entry.file.bytes
        }
    }
}
