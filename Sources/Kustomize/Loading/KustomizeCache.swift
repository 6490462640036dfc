import GitSource
import Synchronization

/// Parsed files by their content's name, so that a base is parsed once for all overlays and commits. Bounded by the
/// files' bytes; when full, it starts anew.
package final class KustomizeCache: Sendable {
    enum Entry: Sendable {
        case resources(ResourceFile)
        case kustomization(Kustomization)
    }

    /// A text is something else when it is read as something else, and errors carry the path.
    struct Key: Hashable {
        var blob: ObjectID
        var path: String
        var isKustomization: Bool
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
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

    func entry(_ key: Key) -> Entry? { state.withLock { $0.entries[key] } }

    func insert(_ entry: Entry, for key: Key, bytes: Int) {
        state.withLock { state in
            state.parses += 1
            if state.bytes + bytes > limit {
                state.entries = [:]
                state.bytes = 0
            }
            state.entries[key] = entry
            state.bytes += bytes
        }
    }
}
